"""The core of a stripped graph: its connected components, which bliss orders one by one; k equal ones give k! more."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from sympe.graphs.batch import Graphs
from sympe.graphs.coloring import ColoredGraph, encoded
from sympe.graphs.columns import Ints, components, connected, run_lengths, run_starts, sorted_by

#: Of larger cores bliss gets neighbors close to each other: in the order of storage, each would be a miss of the cache.
_CACHED = 10_000


@dataclass(frozen=True)
class _Part:
    """A connected component of the core: its nodes, itself, and its edges, as places in the list of all such nodes."""

    node: Ints
    graph: ColoredGraph
    edges: Ints


@dataclass(frozen=True, eq=False)
class Core:
    """A simple graph with colors and labels, both ranks.

    Attributes:
        color: Color of each node.
        source, target: Edges in both directions, sorted; no loops, none twice.
        label: Label of each edge, read from source to target.
    """

    color: Ints
    source: Ints
    target: Ints
    label: Ints

    @cached_property
    def _alone(self) -> Ints:
        """The nodes without edges, by color."""
        alone = np.flatnonzero(np.bincount(self.source, minlength=len(self.color)) == 0)
        return alone[sorted_by(self.color[alone])]

    @cached_property
    def _parts(self) -> list[_Part]:
        """The connected components of several nodes."""
        if not len(self.source):
            return []
        if (node := connected(self.source, self.target, len(self.color))) is not None:
            node = node if len(node) > _CACHED else np.arange(len(node))
            place = np.empty_like(node)
            place[node] = np.arange(len(node))
            edges = np.stack([place[self.source], place[self.target], self.label])
            joined, color, label = map(torch.from_numpy, (edges[:2], self.color[node], edges[2]))
            return [_Part(node, next(encoded(Graphs(joined, torch.zeros_like(color), color, label))), edges)]
        part = components(self.source, self.target, len(self.color))
        node = np.flatnonzero(np.bincount(self.source, minlength=len(self.color)))
        node = node[sorted_by(part[node])]
        place = np.zeros(len(self.color), np.int64)
        place[node] = np.arange(len(node))
        starts = run_starts(part[node])
        ends = np.stack([place[self.source], place[self.target]])
        edges = np.concatenate([ends, self.label[None]])[:, sorted_by(ends[0], ends[1])]
        batch, color, label = (torch.from_numpy(values) for values in (starts.cumsum() - 1, self.color[node], edges[2]))
        core = Graphs(torch.from_numpy(edges[:2]), batch, color, label)
        cuts = np.flatnonzero(starts)[1:]
        rows = np.split(edges, np.searchsorted(edges[0], cuts), axis=1)
        return [_Part(*part) for part in zip(np.split(node, cuts), encoded(core), rows, strict=True)]

    @cached_property
    def _classes(self) -> list[list[tuple[_Part, Ints]]]:
        """Components by isomorphism, each with its nodes in canonical order."""
        if len(self._parts) == 1:
            part = self._parts[0]
            return [[(part, part.node[part.graph.canonical_order()])]]
        alike: dict[bytes, list[tuple[_Part, Ints]]] = {}
        rank = np.zeros(len(self.color), np.int64)
        place = np.concatenate([np.zeros(0, np.int64), *(part.node for part in self._parts)])
        for part in self._parts:
            ordered = part.node[part.graph.canonical_order()]
            rank[ordered] = np.arange(len(ordered))
            source, target = rank[place[part.edges[:2]]]
            by_rank = sorted_by(source, target)
            form = (self.color[ordered], source[by_rank], target[by_rank], part.edges[2, by_rank])
            alike.setdefault(np.concatenate([[len(ordered)], *form]).tobytes(), []).append((part, ordered))
        return [alike[form] for form in sorted(alike)]

    def order(self) -> Ints:
        """The nodes in canonical order."""
        ordered = [ordered for alike in self._classes for _, ordered in alike]
        return np.concatenate([self._alone, *ordered])

    def orbits(self) -> Ints:
        """A number for the orbit of each node under the automorphism group."""
        orbit = np.zeros(len(self.color), np.int64)
        orbit[self._alone] = run_starts(self.color[self._alone]).cumsum()
        is_whole = len(self._parts) == 1  # then nothing has to be compared
        for alike in [[(self._parts[0], self._parts[0].node)]] if is_whole else self._classes:
            (part, first), *others = alike
            orbit[part.node] = 1 + orbit.max() + part.graph.orbits()
            for _, ordered in others:
                orbit[ordered] = orbit[first]
        return orbit

    def factors(self) -> tuple[list[int], list[int]]:
        """Numbers and factorials whose product is the order of the automorphism group."""
        factorials = run_lengths(run_starts(self.color[self._alone])).tolist()
        if len(self._parts) == 1:
            return [self._parts[0].graph.count_automorphisms()], factorials
        counts = [(alike[0][0].graph.count_automorphisms(), len(alike)) for alike in self._classes]
        return [count**times for count, times in counts], factorials + [times for _, times in counts]
