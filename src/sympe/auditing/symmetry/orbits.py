"""Exact orbits of automorphism groups on nodes, edges and ordered pairs of nodes, from generators."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from sympe.graphs import Graphs, colored_graphs
from sympe.graphs.bliss import count_automorphisms, joined
from sympe.graphs.coloring import ColoredGraph
from sympe.graphs.columns import Ints
from sympe.graphs.stripping import Stripped


class Automorphisms:
    """Automorphism groups of a batch of graphs.

    Attributes:
        graphs: The graphs.
        orders: The exact orders of the groups.
    """

    def __init__(self, graphs: Graphs) -> None:
        self.graphs = graphs
        self.orders = count_automorphisms(graphs)

    @cached_property
    def _colored(self) -> list[ColoredGraph | Stripped]:
        return list(colored_graphs(self.graphs))

    @cached_property
    def generators(self) -> list[Ints]:
        """Generators of each graph's group, one row of images each; nodes are counted within the graph."""
        generators = []
        for colored, order in zip(self._colored, self.orders, strict=True):
            images = colored.automorphism_generators() if order > 1 else []
            generators.append(np.array(images, dtype=np.int64).reshape(len(images), colored.num_nodes))
        return generators

    def node_orbits(self) -> Ints:
        """Orbit of each node, numbered over the batch."""
        return orbits(self.generators, self.graphs.ptr.tolist())

    def pair_orbits(self) -> Ints:
        """Orbit of each ordered pair of nodes of a graph, row-major, graph after graph."""
        moved, starts = [], [0]
        for images in self.generators:
            count, n = images.shape
            moved.append((images[:, :, None] * n + images[:, None, :]).reshape(count, n * n))
            starts.append(starts[-1] + n * n)
        return orbits(moved, starts)

    def edge_orbits(self) -> Ints:
        """Orbit of each directed edge; parallel edges with equal labels count as one."""
        source, target = self.graphs.edge_index.cpu().numpy()
        label = self.graphs.edge_label
        _, kind = np.unique(np.zeros_like(source) if label is None else label.cpu().numpy(), return_inverse=True)
        shape = self.graphs.num_nodes, self.graphs.num_nodes, int(kind.max(initial=0)) + 1
        keys, place = np.unique(np.ravel_multi_index((source, target, kind), shape), return_inverse=True)
        source, target, kind = np.unravel_index(keys, shape)
        starts = self.graphs.ptr.cpu().numpy()
        cuts = np.searchsorted(source, starts)
        fixed, moved = [], []
        for g, images in enumerate(self.generators):
            own = np.arange(cuts[g], cuts[g + 1])
            u, v = (images[:, ends[own] - starts[g]] + starts[g] for ends in (source, target))
            moved.append(np.searchsorted(keys, np.ravel_multi_index((u, v, kind[own]), shape)))
            fixed.append(np.broadcast_to(own, moved[-1].shape))
        return joined(fixed, moved, len(keys))[place]


def orbits(permutations: Sequence[Ints], starts: Sequence[int]) -> Ints:
    """Orbit of each item, numbered over the batch, given rows of images, counted within each member, and its start."""
    moved = [images + start for images, start in zip(permutations, starts, strict=False)]
    fixed = [np.broadcast_to(np.arange(m.shape[1]) + s, m.shape) for m, s in zip(moved, starts, strict=False)]
    return joined(fixed, moved, starts[-1])
