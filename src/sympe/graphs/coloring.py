r"""Exact canonical orders and automorphisms from bliss (T. Junttila, P. Kaski, ALENEX 2007), through igraph.

bliss handles simple undirected graphs with colored nodes. :func:`encoded` encodes any graph of the library
as one. The label, features and loops of a node become its color. The edges that join two nodes become one *kind*:
the labels in one direction and those in the other. The most frequent undirected kind of a graph stays a plain edge;
every other pair is subdivided by one node (two if the directions differ) with the kind as color. The automorphisms
of the original graph are those of the colored one, restricted to the original nodes.

Colors are ranks over the batch. bliss uses only their order, and how two colors compare depends only on the two
nodes or kinds, so a graph has the same canonical form in every batch.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sympe.graphs.batch import Graphs
from sympe.graphs.columns import Ints, components, offsets, ranks

if TYPE_CHECKING:
    import igraph


@dataclass(frozen=True)
class ColoredGraph:
    """A simple undirected graph with colored nodes; its first ``num_nodes`` nodes are the original ones."""

    graph: "igraph.Graph"
    color: list[int]
    num_nodes: int

    def canonical_order(self) -> list[int]:
        """The original nodes in canonical order: isomorphic graphs coincide when both are sorted this way."""
        if self.num_nodes < 2:
            return list(range(self.num_nodes))
        # igraph returns permutation[new] = old: entry r is the node at canonical place r.
        order: list[int] = self.graph.canonical_permutation(color=self.color)
        return order if len(order) == self.num_nodes else [node for node in order if node < self.num_nodes]

    def automorphism_generators(self) -> list[list[int]]:
        """Generators of the automorphism group, each as the images of the original nodes."""
        if self.num_nodes < 2:
            return []
        # To split the first smallest cell is faster than igraph's default where a graph consists of many alike parts.
        generators = self.graph.automorphism_group(sh="fs", color=self.color)
        return [generator[: self.num_nodes] for generator in generators]

    def orbits(self) -> Ints:
        """A number for the orbit of each original node under the automorphism group."""
        images = self.automorphism_generators()
        moved = np.array(images, np.int64).ravel()
        return components(np.tile(np.arange(self.num_nodes), len(images)), moved, self.num_nodes)

    def count_automorphisms(self) -> int:
        """Exact order of the automorphism group, however large."""
        if self.num_nodes < 2:
            return 1
        try:
            return int(self.graph.count_automorphisms(color=self.color))
        except ValueError:
            # igraph returns the number as a string of digits, of which Python reads at most 4300 by default.
            limit = sys.get_int_max_str_digits()
            sys.set_int_max_str_digits(0)
            try:
                return int(self.graph.count_automorphisms(color=self.color))
            finally:
                sys.set_int_max_str_digits(limit)

    def log_automorphisms(self) -> float:
        """Log of the order of the automorphism group, in nats."""
        return math.log(self.count_automorphisms())


def encoded(graphs: Graphs) -> Iterator[ColoredGraph]:
    """Each graph of a valid batch, encoded for bliss."""
    import igraph

    u, v, forward, backward = joined_pairs(graphs)
    graph, start = graphs.batch.cpu().numpy()[u], graphs.start.cpu().numpy()[u]
    ptr = offsets(np.bincount(graph, minlength=len(graphs)))
    sizes = graphs.sizes.cpu().numpy()

    # The original nodes of a graph come first, then those that subdivide a pair.
    same = forward == backward
    plain = same & (forward == _most_frequent(graph[same], forward[same], len(graphs))[graph])
    added = np.where(plain, 0, np.where(same, 1, 2))
    added_ptr = offsets(added)
    node_ptr = offsets(sizes + np.bincount(graph, weights=added, minlength=len(graphs)).astype(np.int64))
    first = added_ptr[:-1] - added_ptr[ptr[:-1]][graph] + sizes[graph]
    last = first + added - 1

    # A path of 1, 2 or 3 edges for each pair.
    path = offsets(added + 1)
    edges = np.empty((path[-1], 2), np.int64)
    edges[path[:-1], 0] = u - start
    edges[path[1:] - 1, 1] = v - start
    split, twice = added > 0, added == 2
    edges[path[:-1][split], 1] = first[split]
    edges[path[1:][split] - 1, 0] = last[split]
    edges[path[:-1][twice] + 1] = np.stack([first, last], axis=1)[twice]

    node_color = node_colors(graphs)
    color = np.empty(node_ptr[-1], np.int64)
    color[np.arange(graphs.num_nodes) + np.repeat(node_ptr[:-1] - graphs.ptr.cpu().numpy()[:-1], sizes)] = node_color
    kind = node_color.max(initial=0) + 1
    shift = node_ptr[graph]
    color[(shift + first)[split]] = (kind + forward)[split]
    color[(shift + last)[split]] = (kind + backward)[split]

    # Lists, sliced per graph: separate arrays would cost more than bliss itself, and igraph reads arrays slowly.
    colors, (ends, others) = color.tolist(), edges.T.tolist()
    nodes, cuts = node_ptr.tolist(), path[ptr].tolist()
    for g, n in enumerate(sizes.tolist()):
        own = slice(cuts[g], cuts[g + 1])
        graph = igraph.Graph(nodes[g + 1] - nodes[g], zip(ends[own], others[own], strict=True))
        yield ColoredGraph(graph, colors[nodes[g] : nodes[g + 1]], n)


def plain_edges(graphs: Graphs) -> Ints | None:
    """The edges by source and target if they are undirected, all of one label, none a loop or twice; otherwise None."""
    (source, target), label = graphs.edge_index.cpu().numpy(), graphs.edge_label
    if label is not None and bool((label != label[:1]).any()):
        return None
    if not len(source):
        return np.zeros((2, 0), np.int64)
    key = np.sort(source << 32 | target)
    ends: Ints = key >> np.array([[32], [0]]) & 2**32 - 1
    is_forward = ends[0] < ends[1]
    forward, back = key[is_forward], key[~is_forward]
    is_plain = np.array_equal(forward, np.sort(back << 32 | back >> 32)) and (forward[1:] != forward[:-1]).all()
    return ends if is_plain else None


def joined_pairs(graphs: Graphs) -> tuple[Ints, Ints, Ints, Ints]:
    """Pairs of joined nodes ``u < v``, sorted; ranks of the multisets of labels from u to v and back, 0 for none."""
    if (edges := plain_edges(graphs)) is not None:
        u, v = edges[:, edges[0] < edges[1]]
        return u, v, np.ones_like(u), np.ones_like(u)
    source, target = graphs.edge_index.cpu().numpy()
    label = np.zeros_like(source) if graphs.edge_label is None else graphs.edge_label.cpu().numpy()
    proper = source != target
    source, target, label = source[proper], target[proper], label[proper]
    n = max(graphs.num_nodes, 1)
    key, pair = np.unique(np.minimum(source, target) * n + np.maximum(source, target), return_inverse=True)
    u, v = np.divmod(key, n)
    forward, backward = multiset_ranks(2 * pair + (source > target), label, 2 * len(key)).reshape(-1, 2).T
    return u, v, forward, backward


def _most_frequent(owner: Ints, value: Ints, count: int) -> Ints:
    """The most frequent value of each owner, the smallest in a tie; -1 for an owner of none."""
    base = value.max(initial=0) + 1
    held, times = np.unique(owner * base + value, return_counts=True)
    owner, value = np.divmod(held, base)
    order = np.lexsort((-value, times, owner))
    result = np.full(count, -1)
    result[owner[order]] = value[order]  # the last write wins
    return result


def node_colors(graphs: Graphs) -> Ints:
    """One rank per node; nodes with equal label, features and loops share it."""
    columns: list[NDArray[np.generic]] = []
    if graphs.node_label is not None:
        columns.append(graphs.node_label.cpu().numpy())
    if graphs.x is not None:
        columns.extend(graphs.x.detach().cpu().double().numpy().T)
    source, target = graphs.edge_index.cpu().numpy()
    loops = source == target
    if loops.any():
        label = np.zeros(loops.sum()) if graphs.edge_label is None else graphs.edge_label.cpu().numpy()[loops]
        columns.append(multiset_ranks(source[loops], label, graphs.num_nodes))
    return ranks(*columns) if columns else np.zeros(graphs.num_nodes, np.int64)


def multiset_ranks(owner: Ints, label: NDArray[np.generic], count: int) -> Ints:
    """Rank of each owner's multiset of labels, read in increasing order; 0 for the empty one."""
    held = np.bincount(owner, minlength=count)
    if held.max(initial=0) < 2:
        held[owner] += ranks(label)
        return held
    order = np.lexsort((label, owner))
    owner, label = owner[order], label[order]
    place = np.arange(len(owner)) - offsets(held)[owner]
    by_place = np.argsort(place, kind="stable")
    rank = np.zeros(count, np.int64)
    # From the last label to the first: each place ranks the pair of its label and the rank of the rest.
    for at in reversed(np.split(by_place, np.bincount(place).cumsum()[:-1])):
        rank[owner[at]] = 1 + ranks(label[at], rank[owner[at]])
    return rank
