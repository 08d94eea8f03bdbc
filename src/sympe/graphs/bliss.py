r"""Exact questions about one graph at a time, put to bliss (T. Junttila, P. Kaski, ALENEX 2007) by igraph.

bliss knows simple undirected graphs with colored nodes. :class:`ColoredGraphs` writes any graph of the
library as one of those: labels and features of a node become its color, a loop becomes part of the color,
and edges that have a label or a direction are subdivided by colored nodes. The automorphisms of the
original graph are those of the colored one, restricted to the original nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import igraph
import numpy as np
import torch
from numpy.typing import NDArray

from sympe.graphs.batch import Graphs


@dataclass(frozen=True)
class ColoredGraph:
    """A simple undirected graph with colored nodes; its first ``num_nodes`` nodes are the original ones."""

    graph: igraph.Graph
    color: list[int] | None
    num_nodes: int

    def canonical_order(self) -> list[int]:
        """The original nodes in canonical order: two isomorphic graphs match when both are so ordered."""
        if self.num_nodes < 2:
            return list(range(self.num_nodes))
        # igraph's list reads permutation[new] = old: entry r is the node at canonical place r.
        return [node for node in self.graph.canonical_permutation(color=self.color) if node < self.num_nodes]

    def automorphism_generators(self) -> list[list[int]]:
        """Generators of the automorphism group, each as the images of the original nodes."""
        if self.num_nodes < 2:
            return []
        return [generator[: self.num_nodes] for generator in self.graph.automorphism_group(color=self.color)]

    def count_automorphisms(self) -> int:
        """Order of the automorphism group."""
        return int(self.graph.count_automorphisms(color=self.color)) if self.num_nodes > 1 else 1


def colored_graphs(graphs: Graphs) -> Iterator[ColoredGraph]:
    """Each graph of the batch, written for bliss."""
    color = _node_colors(graphs)
    pairs, pair_color, pair_ptr = _edge_pairs(graphs)
    ptr = graphs.ptr.tolist()
    plain = pair_color is None
    for g in range(len(graphs)):
        n = ptr[g + 1] - ptr[g]
        own = slice(pair_ptr[g], pair_ptr[g + 1])
        edges = pairs[own]
        node_color = None if color is None else color[ptr[g] : ptr[g + 1]].tolist()
        if plain:
            yield ColoredGraph(igraph.Graph(n, edges.tolist()), node_color, n)
        else:
            yield _subdivided(n, edges, pair_color[own], node_color)


def _node_colors(graphs: Graphs) -> NDArray[np.int64] | None:
    """One integer per node, equal where label, features and loops are; None if nothing tells nodes apart."""
    columns: list[NDArray] = []
    if graphs.node_label is not None:
        columns.append(graphs.node_label.cpu().numpy().astype(np.float64)[:, None])
    if graphs.x is not None:
        columns.append(graphs.x.detach().cpu().numpy().astype(np.float64))
    source, target = graphs.edge_index.cpu().numpy()
    loops = source == target
    if loops.any():
        label = np.zeros(loops.sum()) if graphs.edge_label is None else graphs.edge_label.cpu().numpy()[loops]
        columns.append(_sorted_multisets(source[loops], label, graphs.num_nodes))
    if not columns:
        return None
    return np.unique(np.concatenate(columns, axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def _sorted_multisets(owner: NDArray, label: NDArray, count: int) -> NDArray[np.float64]:
    """Row i: the labels held by owner i in increasing order, shifted by 1 and padded with 0."""
    order = np.lexsort((label, owner))
    owner, label = owner[order], label[order]
    held = np.bincount(owner, minlength=count)
    place = np.arange(len(owner)) - (np.cumsum(held) - held)[owner]
    rows = np.zeros((count, held.max()))
    rows[owner, place] = label - label.min() + 1
    return rows


def _edge_pairs(graphs: Graphs) -> tuple[NDArray[np.int64], NDArray[np.int64] | None, list[int]]:
    """Pairs of joined nodes, counted within their graph, with two colors each.

    Returns:
        The pairs (u, v) with u < v, graph after graph; for each pair one color for the edges from u to v
        and one for those from v to u (equal colors mean that the pair is the same both ways), or None if
        all pairs of the batch are one and the same kind of undirected edge; where each graph's pairs start.
    """
    source, target = graphs.edge_index.cpu().numpy()
    proper = source != target
    source, target = source[proper], target[proper]
    label = None if graphs.edge_label is None else graphs.edge_label.cpu().numpy()[proper]
    batch, start = graphs.batch.cpu().numpy(), graphs.start.cpu().numpy()

    low, high = np.minimum(source, target), np.maximum(source, target)
    key = low * graphs.num_nodes + high
    unique, inverse = np.unique(key, return_inverse=True)
    u, v = np.divmod(unique, max(graphs.num_nodes, 1))
    owner = batch[u]
    pair_ptr = np.searchsorted(owner, np.arange(len(graphs) + 1)).tolist()
    pairs = np.stack([u - start[u], v - start[v]], axis=1)

    forward = np.bincount(inverse[source == low], minlength=len(unique))
    backward = np.bincount(inverse[source == high], minlength=len(unique))
    if label is None and (forward == 1).all() and (backward == 1).all():
        return pairs, None, pair_ptr
    # A direction's color: the multiset of labels of the edges that run that way.
    direction = 2 * inverse + (source == high)
    held = _sorted_multisets(direction, np.zeros(len(direction)) if label is None else label, 2 * len(unique))
    if not len(unique):
        return pairs, None, pair_ptr
    colors = np.unique(held, axis=0, return_inverse=True)[1].reshape(-1, 2)
    if (colors == colors[0, 0]).all():
        return pairs, None, pair_ptr
    return pairs, colors, pair_ptr


def _subdivided(n: int, pairs: NDArray, colors: NDArray, node_color: list[int] | None) -> ColoredGraph:
    """Put a node on each undirected edge, two on each directed one; their colors tell the kinds apart."""
    base = 1 + (max(node_color) if node_color else 0)
    edges: list[tuple[int, int]] = []
    color = list(node_color) if node_color is not None else [0] * n
    for (u, v), (forward, backward) in zip(pairs.tolist(), colors.tolist(), strict=True):
        middle = len(color)
        if forward == backward:
            edges += [(u, middle), (middle, v)]
            color.append(base + forward)
        else:
            edges += [(u, middle), (middle, middle + 1), (middle + 1, v)]
            color += [base + forward, base + backward]
    return ColoredGraph(igraph.Graph(len(color), edges), color, n)


def automorphism_orbits(graphs: Graphs) -> torch.Tensor:
    """Orbit of each node under the automorphism group of its graph, numbered over the whole batch, ``Int[N]``."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start, colored in zip(graphs.ptr.tolist(), colored_graphs(graphs), strict=False):
        for image in colored.automorphism_generators():
            rows.append(np.arange(colored.num_nodes) + start)
            columns.append(np.asarray(image) + start)
    row, column = np.concatenate(rows), np.concatenate(columns)
    joined = coo_matrix((np.ones(len(row)), (row, column)), shape=(graphs.num_nodes, graphs.num_nodes))
    return torch.from_numpy(connected_components(joined, directed=False)[1].astype(np.int64)).to(graphs.device)
