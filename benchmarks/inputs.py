"""Graphs to measure on: random and regular ones, and graphs that are hard or easy for one method."""

from itertools import combinations

import networkx
import numpy as np
import torch

from sympe import Graphs
from sympe.actions import GraphRelabeling


def undirected(edges: np.ndarray, nodes: int, node_label: torch.Tensor | None = None) -> Graphs:
    """One graph, given each edge once, stored in random order."""
    forward = torch.from_numpy(np.ascontiguousarray(edges, np.int64)).view(-1, 2).T
    both = torch.cat([forward, forward.flip(0)], dim=1)
    graph = Graphs(both, torch.zeros(nodes, dtype=torch.long), node_label, num_graphs=1)
    action, generator = GraphRelabeling(), torch.Generator().manual_seed(0)
    return action.act(action.group.haar(graph, generator), graph).validate()


def from_nx(graph: networkx.Graph) -> Graphs:
    graph = networkx.convert_node_labels_to_integers(graph)
    return undirected(np.array(list(graph.edges)).reshape(-1, 2), len(graph))


def tree(nodes: int, seed: int = 0) -> Graphs:
    """Every node joins a random one before it."""
    later = np.arange(1, nodes)
    return undirected(np.stack([later, np.random.default_rng(seed).integers(later)], 1), nodes)


def sparse(nodes: int, edges: int, seed: int = 0) -> Graphs:
    """That many distinct random edges."""
    random, keys = np.random.default_rng(seed), np.zeros(0, np.int64)
    while len(keys) < edges:
        ends = np.sort(random.integers(nodes, size=(edges, 2)), 1)
        ends = ends[ends[:, 0] < ends[:, 1]]
        keys = np.unique(np.concatenate([keys, ends[:, 0] * nodes + ends[:, 1]]))
    keys = random.permutation(keys)[:edges]
    return undirected(np.stack([keys // nodes, keys % nodes], 1), nodes)


def grid(*shape: int, periodic: bool = False) -> Graphs:
    number = np.arange(np.prod(shape)).reshape(shape)
    pairs = []
    for axis in range(len(shape)):
        here, there = number, np.roll(number, -1, axis)
        if not periodic:
            here, there = (np.delete(part, -1, axis) for part in (here, there))
        pairs.append(np.stack([here.ravel(), there.ravel()], 1))
    return undirected(np.concatenate(pairs), number.size)


def regular(nodes: int, degree: int = 4, seed: int = 0) -> Graphs:
    """A random regular graph, from pairs of half edges; duplicates are dropped."""
    ends = np.random.default_rng(seed).permutation(np.repeat(np.arange(nodes), degree)).reshape(-1, 2)
    ends = np.unique(np.sort(ends, 1)[ends[:, 0] != ends[:, 1]], axis=0)
    return undirected(ends, nodes)


def copies(edges: np.ndarray, label: np.ndarray, count: int) -> Graphs:
    """Copies of one molecule, as in a molecular crystal."""
    nodes = len(label)
    shifted = (edges[None] + nodes * np.arange(count)[:, None, None]).reshape(-1, 2)
    return undirected(shifted, nodes * count, torch.from_numpy(np.tile(label, count)))


def diamond(cells: int) -> Graphs:
    """Bonds of a periodic diamond crystal, 8 atoms a cell."""
    base = [(0, 0, 0), (0, 2, 2), (2, 0, 2), (2, 2, 0)]
    length = 4 * cells
    steps = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)])
    corner = 4 * np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 3)
    first = (corner[:, None] + np.array(base)).reshape(-1, 3)
    second = (first[:, None] + steps) % length

    def code(place: np.ndarray) -> np.ndarray:
        return place @ np.array([length**2, length, 1])

    ends = np.stack([code(first).repeat(4), code(second).ravel()], 1)
    _, place = np.unique(ends, return_inverse=True)
    return undirected(place.reshape(-1, 2), 8 * cells**3)


def cfi(nodes: int, twist: bool = False, seed: int = 0) -> Graphs:
    """The graph of J.-Y. Cai, M. Fürer, N. Immerman, *An optimal lower bound on the number of variables* (1992)."""
    base = networkx.random_regular_graph(3, nodes // 10, seed=seed)
    number: dict[object, int] = {}
    edges = []
    for k, (u, v) in enumerate(base.edges):
        for bit in (0, 1):
            ends = [(frozenset((u, v)), end, value) for end, value in ((u, bit), (v, bit ^ (twist and k == 0)))]
            edges.append([number.setdefault(end, len(number)) for end in ends])
    for v in base:
        around = [frozenset((v, w)) for w in base[v]]
        for size in range(0, len(around) + 1, 2):
            for odd in combinations(around, size):
                inner = number.setdefault((v, odd), len(number))
                edges += [[inner, number[(edge, v, int(edge in odd))]] for edge in around]
    return undirected(np.array(edges), len(number))
