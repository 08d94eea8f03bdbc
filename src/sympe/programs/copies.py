r"""The part of a group that exchanges alike parts, found without a search.

Individualize and refine (:mod:`sympe.canonicalize.individualized`): step i labels :math:`b_i`, a node of a cell
:math:`C_i` of several, and the nodes whose color then changes are its copy: the bin of a constraint, with all that is
in it. Exchange the copy with the one of the next step, or with what else had its colors, aligned by colors before and
at the end, and see whether the edges stay. An exchange of step i leaves :math:`b_1, \dots, b_{i-1}` alone. Where those
of step i and later ones take :math:`b_i` everywhere in :math:`C_i`, this cell is its orbit under what fixes the nodes
before, and the order of the group is the product of the sizes of such cells times the order of what fixes their nodes
(orbits and stabilizers).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch

from sympe.canonicalize.refinement import Partition
from sympe.graphs import Graphs
from sympe.graphs.columns import Ints


@dataclass(frozen=True)
class Copies:
    """What exchanges of alike parts of one undirected graph do.

    Attributes:
        base: Nodes that only the identity fixes, all of them.
        orbits: Sizes of the orbits of the first of these, each under what fixes those before.
        exchanges: Images under the exchanges; with what fixes these first nodes they generate the group.
        color: Colors that this rest keeps; None if there is no rest.
    """

    base: list[int]
    orbits: list[int]
    exchanges: Ints
    color: torch.Tensor | None


@dataclass(frozen=True)
class _Step:
    """The cell of the node that is labeled, colors before, and the nodes that changed theirs."""

    cell: Ints
    color: Ints
    moved: Ints


def copies_of(graph: Graphs, turn: torch.Tensor) -> Copies:
    """A base, and as much of the group as exchanges give; nodes of least ``turn``, equal in cells, come first."""
    partition = Partition(graph)
    steps = list(_steps(partition, turn))
    final, keeps_edges = partition.color.numpy(), _Edges(graph).kept_by
    tried = [_exchange(step, following, final) for step, following in zip_longest(steps, steps[1:])]
    images = [image if image is not None and keeps_edges(image) else None for image in tried]
    known = _known(steps, images)
    exchanges = [image for image in images if image is not None]
    return Copies(
        base=[int(step.cell[0]) for step in steps],
        orbits=[len(step.cell) for step in steps[:known]],
        exchanges=np.array(exchanges, np.int64).reshape(-1, graph.num_nodes),
        color=torch.from_numpy(steps[known].color) if known < len(steps) else None,
    )


def _steps(partition: Partition, turn: torch.Tensor) -> Iterator[_Step]:
    for value in turn.unique():
        nodes = (turn == value).nonzero()[:, 0]
        while len(nodes := nodes[partition.size[partition.color[nodes]] > 1]):
            color = partition.color.clone()
            cell = nodes[color[nodes] == color[nodes].min()]
            partition.give_own_color(cell[:1])
            moved = (partition.color != color).nonzero()[:, 0]
            yield _Step(cell.numpy(), color.numpy(), moved.numpy())


def _exchange(step: _Step, following: _Step | None, final: Ints) -> Ints | None:
    """The images that exchange the copy of a step with another; None if there is none that fits."""
    alike = np.zeros(len(final), bool)
    alike[step.color[step.moved]] = True
    alike = alike[step.color]
    alike[step.moved] = False
    others = np.flatnonzero(alike)
    if len(others) != len(step.moved):
        if following is None or len(following.moved) != len(step.moved):
            return None
        others = following.moved
    ours, others = (nodes[np.lexsort((final[nodes], step.color[nodes]))] for nodes in (step.moved, others))
    if not np.array_equal(step.color[ours], step.color[others]):
        return None
    images = np.arange(len(final))
    images[ours], images[others] = others, ours
    return images


def _known(steps: list[_Step], images: list[Ints | None]) -> int:
    """How many steps, from the first, have a cell that is an orbit of their exchanges and of later ones."""
    cells = np.unique(np.concatenate([np.zeros(0, np.int64), *(step.cell for step in steps)]))
    orbit, known = np.arange(len(cells)), len(steps)
    for number in reversed(range(len(steps))):
        if (image := images[number]) is not None:
            for node, other in enumerate(np.searchsorted(cells, image[cells]).tolist()):
                if orbit[node] != orbit[other]:
                    orbit[orbit == orbit[node]] = orbit[other]
        if len(np.unique(orbit[np.searchsorted(cells, steps[number].cell)])) > 1:
            known = number
    return known


class _Edges:
    """The edges of an undirected graph, by source."""

    def __init__(self, graph: Graphs) -> None:
        source, target = graph.edge_index.numpy()
        label = np.zeros_like(source) if graph.edge_label is None else graph.edge_label.numpy()
        self.count = graph.num_nodes
        order = np.lexsort((label, target, source))
        self.ends, self.label = (source * self.count + target)[order], label[order]
        self.first = np.searchsorted(source[order], np.arange(self.count + 1))

    def kept_by(self, images: Ints) -> bool:
        """Whether images take edges to edges: those of the nodes that move say all."""
        moved = np.flatnonzero(images != np.arange(self.count))
        degree = self.first[moved + 1] - self.first[moved]
        shift = np.repeat(self.first[moved] - (degree.cumsum() - degree), degree)
        edge = shift + np.arange(degree.sum())
        source, target = np.divmod(self.ends[edge], self.count)
        ends, label = images[source] * self.count + images[target], self.label[edge]
        order = np.lexsort((label, ends))
        return np.array_equal(self.ends[edge], ends[order]) and np.array_equal(label, label[order])
