r"""The part of a group that exchanges alike parts, found without a search.

Individualize and refine (:mod:`sympe.canonicalize.individualized`): step i labels :math:`b_i`, a node of a cell
:math:`C_i` of several, and the nodes whose color then changes are its copy: the bin of a constraint, with all that is
in it. Exchange the copies of two steps in a row, aligned by their colors before and at the end, and see whether the
edges stay. Where this works until a cell is used up, and each cell is the one before without its node, these exchanges
take :math:`b_i` everywhere in :math:`C_i` and leave :math:`b_1, \dots, b_{i-1}` alone. So those cells are orbits, and
the order of the group is the product of their sizes times the order of what fixes their nodes (orbits and stabilizers).
"""

from collections.abc import Iterator
from dataclasses import dataclass

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
        exchanges: Images under the exchanges, which generate all but what fixes these first nodes.
        color: Colors that this rest keeps; None if there is no rest.
    """

    base: list[int]
    orbits: list[int]
    exchanges: Ints
    color: torch.Tensor | None


@dataclass(frozen=True)
class _Step:
    """The cell of the node that is labeled, colors before, and the nodes that changed theirs or did not."""

    cell: Ints
    color: Ints
    moved: Ints
    stayed: Ints


def copies_of(graph: Graphs, turn: torch.Tensor) -> Copies:
    """A base, and as much of the group as exchanges give; nodes of least ``turn`` are labeled first."""
    partition = Partition(graph)
    steps = list(_steps(partition, turn))
    final, keeps_edges = partition.color.numpy(), _Edges(graph).kept_by
    images, known = list[Ints](), 0
    for number, step in enumerate(steps):
        if (image := _exchange(step, steps[number + 1 :], final)) is None or not keeps_edges(image):
            break
        images.append(image)
        known = number + 1 if len(step.cell) == 2 else known
    return Copies(
        base=[int(step.cell[0]) for step in steps],
        orbits=[len(step.cell) for step in steps[:known]],
        exchanges=np.array(images[:known], np.int64).reshape(-1, graph.num_nodes),
        color=torch.from_numpy(steps[known].color) if known < len(steps) else None,
    )


def _steps(partition: Partition, turn: torch.Tensor) -> Iterator[_Step]:
    nodes, count = torch.arange(len(turn)), len(turn)
    while len(nodes := nodes[partition.size[partition.color[nodes]] > 1]):
        color = partition.color.clone()
        place = color[nodes] + turn[nodes] * count
        cell = nodes[place == place.min()]
        partition.give_own_color(cell[:1])
        is_moved = partition.color[nodes] != color[nodes]
        yield _Step(*(values.numpy() for values in (cell, color, nodes[is_moved], nodes[~is_moved])))


def _exchange(step: _Step, later: list[_Step], final: Ints) -> Ints | None:
    """The images that exchange the copy of a step with the next one; None if they do not fit."""
    if len(step.cell) == 2:
        others = step.stayed[np.isin(step.color[step.stayed], step.color[step.moved])]
    elif later and np.array_equal(later[0].cell, step.cell[1:]):
        others = later[0].moved
    else:
        return None
    ours, others = (nodes[np.lexsort((final[nodes], step.color[nodes]))] for nodes in (step.moved, others))
    if not np.array_equal(step.color[ours], step.color[others]):
        return None
    images = np.arange(len(final))
    images[ours], images[others] = others, ours
    return images


class _Edges:
    """The edges of an undirected graph, by source."""

    def __init__(self, graph: Graphs) -> None:
        source, target = graph.edge_index.numpy()
        label = np.zeros_like(source) if graph.edge_label is None else graph.edge_label.numpy()
        self.rows = np.stack([source, target, label])[:, np.argsort(source, kind="stable")]
        self.first = np.searchsorted(self.rows[0], np.arange(graph.num_nodes + 1))

    def kept_by(self, images: Ints) -> bool:
        """Whether images take edges to edges: those of the nodes that move say all."""
        moved = np.flatnonzero(images != np.arange(len(images)))
        degree = self.first[moved + 1] - self.first[moved]
        shift = np.repeat(self.first[moved] - (degree.cumsum() - degree), degree)
        before = self.rows[:, shift + np.arange(degree.sum())]
        after = np.stack([images[before[0]], images[before[1]], before[2]])
        return np.array_equal(before[:, np.lexsort(before)], after[:, np.lexsort(after)])
