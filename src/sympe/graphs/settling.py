r"""Nodes that color refinement settles, for a whole batch at once, before a search sees the graphs.

The *key* of a node starts as a hash of its label and features. In each round it takes in the keys of its neighbors,
each times a random factor for the label of the edge: one product with a sparse matrix of integers. Whatever collides,
automorphisms keep keys. So a node whose key no other of its graph has is *settled*: all automorphisms fix it.

Where all nodes that share a key are joined alike to the settled nodes, which is checked without hashes, the edges of
settled nodes say no more than the keys, and can go. What is left is the graph of the other nodes, labeled by key. Its
automorphisms are those of the whole, and its canonical order makes one of the whole: by key, then by place in it.
Without edges it needs no search: all permutations of the nodes of each key are automorphisms. So it is for most
molecules, where hydrogens of one atom share a key, and for most large random graphs.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.graphs.batch import Graphs
from sympe.graphs.coloring import ColoredGraph, encoded, node_colors
from sympe.graphs.columns import (
    FIRST,
    SECOND,
    STEP,
    Ints,
    Mask,
    mix,
    ranks,
    run_lengths,
    run_starts,
    same_rows,
    sorted_by,
)

Words = NDArray[np.uint64]

#: Rounds for graphs of a batch: a constant, so that keys do not depend on the rest of the batch.
_ROUNDS = 6
#: Bits of the keys of a batch; the others of the 64 tell the graph. The first of them are the kind of a node and its
#: degree, so that a place in the canonical order means something alike in all graphs.
_BITS, _KIND_BITS, _DEGREE_BITS = 40, 5, 5
_LAST_BITS = _BITS - _KIND_BITS - _DEGREE_BITS
#: Below so many edges a sparse matrix takes longer to make than to do without.
_FEW = 2000
#: Up to so many directed edges a single graph takes less time without arrays.
_ALONE = 150
_WORD = 2**64 - 1
#: An odd factor for edges followed against their direction.
_REVERSED = 0xBF58476D1CE4E5B9


@dataclass(frozen=True, eq=False)
class Settled:
    """A batch of graphs with keys.

    Attributes:
        graphs: The graphs.
        key: Key of each node; those of a later graph are greater.
        by_key: The nodes sorted by key; ties by storage.
        starts: Where a key begins in that order.
        stays: Which nodes are left.
    """

    graphs: Graphs
    key: Ints
    by_key: Ints
    starts: Mask
    stays: Mask

    @cached_property
    def _inside(self) -> Ints:
        """The edges that are left."""
        source, target = self.graphs.edge_index.cpu().numpy()
        return np.flatnonzero(self.stays[source] & self.stays[target])

    @cached_property
    def rest(self) -> Graphs:
        """What is left of each graph."""
        number, label = self.stays.cumsum() - 1, self.graphs.edge_label
        return Graphs(
            torch.from_numpy(number[self.graphs.edge_index.cpu().numpy()[:, self._inside]]),
            self.graphs.batch.cpu()[torch.from_numpy(self.stays)],
            torch.from_numpy(self.key[self.stays]),
            None if label is None else label.cpu()[torch.from_numpy(self._inside)],
            num_graphs=len(self.graphs),
        )

    @cached_property
    def _searched(self) -> Mask:
        """The graphs of which edges are left."""
        graph = self.graphs.batch.cpu().numpy()[self.graphs.edge_index[0].cpu().numpy()[self._inside]]
        searched: Mask = np.bincount(graph, minlength=len(self.graphs)) > 0
        return searched

    def _search(self) -> Iterator[ColoredGraph]:
        if not self._searched.any():
            return iter(())
        return encoded(self.rest.select(torch.from_numpy(np.flatnonzero(self._searched))))

    def canonical_order(self) -> Ints:
        """The nodes of all graphs, graph after graph, each in canonical order."""
        order, batch = self.by_key.copy(), self.graphs.batch.cpu().numpy()
        place = np.zeros(len(order), np.int64)
        node = np.flatnonzero(self.stays & self._searched[batch])
        places = [np.argsort(graph.canonical_order()) for graph in self._search()]
        place[node] = np.concatenate([np.zeros(0, np.int64), *places])
        slots = np.flatnonzero(self._searched[batch[order]])
        node = order[slots]
        order[slots] = node[sorted_by(self.starts.cumsum()[slots], place[node])]
        return order

    def count_automorphisms(self) -> list[int]:
        """Exact order of the automorphism group of each graph."""
        first = np.flatnonzero(self.starts)
        length = run_lengths(self.starts)
        graph = self.graphs.batch.cpu().numpy()[self.by_key[first]]
        several = np.flatnonzero((length > 1) & ~self._searched[graph])
        counts = [1] * len(self.graphs)
        for g, k in zip(graph[several].tolist(), length[several].tolist(), strict=True):
            counts[g] *= math.factorial(k)
        for g, colored in zip(np.flatnonzero(self._searched).tolist(), self._search(), strict=True):
            counts[g] = colored.count_automorphisms()
        return counts


@dataclass(frozen=True)
class SettledAlone:
    """The nodes of one graph by key, and the edges that are left, once each."""

    classes: list[list[int]]
    edges: list[tuple[int, int]]

    def _search(self) -> tuple[list[int], ColoredGraph]:
        import igraph

        node = [v for alike in self.classes if len(alike) > 1 for v in alike]
        number = {v: i for i, v in enumerate(node)}
        color = [i for i, alike in enumerate(self.classes) if len(alike) > 1 for _ in alike]
        graph = igraph.Graph(len(node), [(number[u], number[v]) for u, v in self.edges])
        return node, ColoredGraph(graph, color, len(node))

    def canonical_order(self) -> Ints:
        if self.edges:
            node, graph = self._search()
            place = {node[v]: i for i, v in enumerate(graph.canonical_order())}
            return np.array(
                [v for alike in self.classes for v in sorted(alike, key=lambda v: place.get(v, 0))], np.int64
            )
        return np.array([v for alike in self.classes for v in alike], np.int64)

    def count_automorphisms(self) -> list[int]:
        if self.edges:
            return [self._search()[1].count_automorphisms()]
        return [math.prod(math.factorial(len(alike)) for alike in self.classes)]


def settle(graphs: Graphs) -> Settled:
    """Keys after a few rounds, for a batch of small graphs."""
    batch = graphs.batch.cpu().numpy()
    keys = list(islice(_refined(graphs), _ROUNDS + 1))
    kind = keys[0] & (1 << _KIND_BITS) - 1
    degree = np.bincount(graphs.edge_index[0].cpu().numpy(), minlength=graphs.num_nodes)
    first = batch << _KIND_BITS + _DEGREE_BITS | kind << _DEGREE_BITS | np.minimum(degree, (1 << _DEGREE_BITS) - 1)
    return _checked(graphs, first << _LAST_BITS | (keys[-1] & (1 << _LAST_BITS) - 1))


def settle_small(graphs: Graphs) -> Settled | SettledAlone:
    """The same; a single graph without a detour through arrays, which would take several times as long."""
    return (len(graphs) == 1 and _alone(graphs)) or settle(graphs)


def settle_one(graph: Graphs) -> Settled | None:
    """Keys after as many rounds as it takes, for one large graph; None where they take too many or settle little."""
    count, classes, source = graph.num_nodes, 0, graph.edge_index.cpu().numpy()[0]
    # Trees and leaves have closed forms.
    if graph.num_edges < 1.75 * count or (np.bincount(source, minlength=count) < 2).sum() > count / 8:
        return None
    for key in _refined(graph):
        before, classes = classes, int(run_starts(np.sort(key)).sum())
        if classes in (before, count):
            return _checked(graph, key) if classes > count / 4 else None
        if before > 1 and classes < min(2 * before, count / 8):
            break  # a long way to go, as on a grid
    return None


def _refined(graphs: Graphs) -> Iterator[Ints]:
    """The keys before the first round, after it, and so on."""
    count, (source, target) = graphs.num_nodes, graphs.edge_index.cpu().numpy()
    key = np.zeros(count, np.int64) if graphs.node_label is None else mix(graphs.node_label.cpu().numpy())
    if graphs.x is not None:
        for column in graphs.x.detach().cpu().double().numpy().T:
            key = mix(key ^ (column + 0.0).view(np.int64))  # no -0
    # Mixed twice: the factors must be independent of the keys that they multiply.
    label = graphs.edge_label
    factor = np.ones(len(source), np.int64) if label is None else mix(mix(label.cpu().numpy())) | 1
    out_of, into = (_product(*ends, factor.view(np.uint64), count) for ends in ((source, target), (target, source)))
    name = mix(np.arange(count)).view(np.uint64)
    is_undirected = np.array_equal(out_of(name), into(name))
    while True:
        yield key
        hashed = mix(key).view(np.uint64)
        sums = out_of(hashed)
        reverse = sums if is_undirected else into(hashed)
        key = mix((hashed + sums + reverse * np.uint64(_REVERSED)).view(np.int64))


def _alone(graph: Graphs) -> SettledAlone | None:
    """What :func:`settle` finds, node by node; None for large graphs, and where what is left is not simple."""
    if graph.x is not None or graph.num_edges > _ALONE:
        return None
    kind = [0] * graph.num_nodes if graph.node_label is None else graph.node_label.tolist()
    label = [0] * graph.num_edges if graph.edge_label is None else graph.edge_label.tolist()
    edges = sorted(zip(*graph.edge_index.tolist(), label, strict=True))
    back = [(v, u, k) for u, v, k in edges]
    first = kind if graph.node_label is None else [_mixed(k) for k in kind]
    factor = {0: 1} if graph.edge_label is None else {k: _mixed(_mixed(k)) | 1 for k in set(label)}
    if edges == sorted(back):
        weighted = [(u, v, factor[k] * (1 + _REVERSED) & _WORD) for u, v, k in edges]
    else:
        weighted = [(u, v, factor[k]) for u, v, k in edges] + [(u, v, factor[k] * _REVERSED) for u, v, k in back]
    key = first
    for _ in range(_ROUNDS):
        hashed = [_mixed(k) for k in key]
        sums = hashed.copy()
        for u, v, times in weighted:
            sums[u] += times * hashed[v]
        key = [_mixed(k) for k in sums]
    degree, classes = Counter(u for u, _, _ in edges), defaultdict(list)
    for node, (begin, end) in enumerate(zip(first, key, strict=True)):
        name = begin & (1 << _KIND_BITS) - 1, min(degree[node], (1 << _DEGREE_BITS) - 1), end & (1 << _LAST_BITS) - 1
        classes[name].append(node)
    return _checked_alone([classes[name] for name in sorted(classes)], kind, edges, back)


def _checked_alone(
    classes: list[list[int]], kind: list[int], *edges: list[tuple[int, int, int]]
) -> SettledAlone | None:
    """What :func:`_checked` asks, of one graph whose edges come in both directions; None if the answer is no."""
    rows: dict[int, list[tuple[int, int, int]]] = {v: [] for alike in classes if len(alike) > 1 for v in alike}
    for way, directed in enumerate(edges):
        for u, v, k in directed:
            if u in rows and v not in rows:
                rows[u].append((v, k, way))
    joined = {node: (kind[node], sorted(row)) for node, row in rows.items()}
    if any(joined[node] != joined[alike[0]] for alike in classes for node in alike[1:]):
        return None
    left = [(u, v, k) for u, v, k in edges[0] if u in rows and v in rows]
    once = [(u, v) for u, v, _ in left if u < v]
    is_simple = left == sorted((u, v, left[0][2]) for pair in set(once) for u, v in (pair, pair[::-1]))
    return SettledAlone(classes, once) if is_simple else None


def _mixed(key: int) -> int:
    """:func:`~sympe.graphs.columns.mix` of one number."""
    z = key + STEP & _WORD
    z = (z ^ z >> 30) * FIRST & _WORD
    z = (z ^ z >> 27) * SECOND & _WORD
    return z ^ z >> 31


def _product(source: Ints, target: Ints, factor: Words, count: int) -> Callable[[Words], Words]:
    """Sums over the edges out of each node of their factors times values of their targets; integers wrap around."""
    if len(source) < _FEW:

        def add(values: Words) -> Words:
            sums = np.zeros(count, np.uint64)
            np.add.at(sums, source, factor * values[target])
            return sums

        return add
    from scipy.sparse import coo_matrix

    matrix = coo_matrix((factor, (source, target)), shape=(count, count))
    matrix.has_canonical_format = True  # do not sort: equal entries add up in products
    rows = matrix.tocsr()
    return lambda values: rows @ values


def _checked(graphs: Graphs, key: Ints) -> Settled:
    """Whether nodes of one key are alike, and joined alike to settled nodes; a graph where they are not stays whole."""
    order = np.argsort(key)
    starts = run_starts(key[order])
    first = np.flatnonzero(starts)
    length = run_lengths(starts)
    shares, leader = np.zeros((2, len(order)), np.int64)
    shares[order], leader[order] = (length > 1).repeat(length), order[first].repeat(length)
    stays = shares > 0
    node = np.flatnonzero(stays)
    source, target = graphs.edge_index.cpu().numpy()
    rows = []
    label = np.zeros_like(source) if graphs.edge_label is None else graphs.edge_label.cpu().numpy()
    for this, other in ((source, target), (target, source)):
        leads = np.flatnonzero(stays[this] & ~stays[other])
        rows.append((this[leads], 2 * other[leads] + (this is target), label[leads]))
    this, other, label = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    alike = same_rows(this, other, label, node, leader[node])
    if graphs.node_label is not None:
        kind = graphs.node_label.cpu().numpy()
        alike &= kind[node] == kind[leader[node]]
    if graphs.x is not None:
        x = graphs.x.detach().cpu().double().numpy()
        alike &= (x[node] == x[leader[node]]).all(1)
    if alike.all():
        return Settled(graphs, key, order, starts, stays)
    batch, failed = graphs.batch.cpu().numpy(), np.zeros(len(graphs), bool)
    failed[batch[node[~alike]]] = True
    # Colors, by rank over the batch, in place of keys.
    key = ranks(batch, np.where(failed[batch], node_colors(graphs), key & (1 << _BITS) - 1))
    order = np.argsort(key)
    return Settled(graphs, key, order, run_starts(key[order]), stays | failed[batch])
