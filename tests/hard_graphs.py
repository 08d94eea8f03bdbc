"""Graphs with leaves, chains, cycles, twins, equal parts and cores that refinement does not split."""

from itertools import combinations

import networkx
import numpy as np

from examples import LARGE, SMALL, from_nx, ring, single
from sympe import Graphs


def forest(seed: int, trees: int, size: int) -> networkx.Graph:
    """Random trees, each twice."""
    grown = [networkx.random_labeled_tree(size, seed=seed + i // 2) for i in range(trees)]
    return networkx.disjoint_union_all(grown)


def with_ears(seed: int) -> networkx.Graph:
    """A random core with chains, loops of chains, parallel chains and leaves."""
    random = np.random.default_rng(seed)
    graph = networkx.random_regular_graph(3, 8, seed=seed)
    for _ in range(6):
        u, v = random.integers(8, size=2)
        inner = range(len(graph), len(graph) + int(random.integers(2, 4)))
        networkx.add_path(graph, [u, *inner, v])
    graph.add_edges_from((int(random.integers(8)), len(graph) + i) for i in range(4))
    return graph


def subdivided(graph: networkx.Graph) -> networkx.Graph:
    """Three nodes on each edge. Those of a prism have ends alike, but differ between its rungs and its rings."""
    result = networkx.Graph()
    for u, v in graph.edges:
        networkx.add_path(result, [u, *((u, v, i) for i in range(3)), v])
    return result


def cfi(base: networkx.Graph, twist: bool) -> Graphs:
    """The graph of J.-Y. Cai, M. Fürer, N. Immerman, *An optimal lower bound on the number of variables* (1992)."""
    number: dict[tuple, int] = {}
    edges = []
    for k, (u, v) in enumerate(base.edges):
        for bit in (0, 1):
            ends = [(frozenset((u, v)), end, value) for end, value in ((u, bit), (v, bit ^ (twist and k == 0)))]
            edges.append(tuple(number.setdefault(end, len(number)) for end in ends))
    for v in base:
        around = [frozenset((v, w)) for w in base[v]]
        for size in range(0, len(around) + 1, 2):
            for odd in combinations(around, size):
                inner = number.setdefault((v, odd), len(number))
                edges += [(inner, number[(edge, v, int(edge in odd))]) for edge in around]
    return single(len(number), edges)


GRAPHS = {
    **SMALL,
    **{name: x for name, (x, _) in LARGE.items()},
    "star 9": from_nx(networkx.star_graph(8)),
    "complete 9": from_nx(networkx.complete_graph(9)),
    "multipartite": from_nx(networkx.complete_multipartite_graph(2, 3, 3, 1)),
    "binary tree": from_nx(networkx.balanced_tree(2, 4)),
    "random tree": from_nx(networkx.random_labeled_tree(40, seed=3)),
    "equal trees": from_nx(forest(0, 6, 7)),
    "caterpillar": from_nx(networkx.Graph([(i, i + 1) for i in range(9)] + [(i, i + 20) for i in range(10)])),
    "cycles": from_nx(networkx.disjoint_union_all([networkx.cycle_graph(n) for n in (3, 3, 6, 5, 3)])),
    "colored cycle": single(12, ring(12), node_label=[0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0]),
    "directed colored cycle": single(9, ring(9), node_label=[0, 0, 1] * 3, directed=True),
    "theta": from_nx(networkx.Graph([(0, 1), (0, 2), (2, 1), (0, 3), (3, 1), (0, 4), (4, 5), (5, 1)])),
    "rings on a node": single(8, [(0, 1), (1, 2), (2, 0), (0, 3), (3, 4), (4, 0), (0, 5), (5, 6), (6, 7), (7, 0)]),
    "labeled chains": single(8, ring(8), edge_label=[1, 2, 2, 1, 1, 2, 2, 1], node_label=[1, 0, 0, 0, 1, 0, 0, 0]),
    "ladder": from_nx(networkx.ladder_graph(20)),
    "sparse": from_nx(networkx.gnm_random_graph(60, 80, seed=1)),
    "dense": from_nx(networkx.gnm_random_graph(40, 300, seed=1)),
    "subdivided prism": from_nx(subdivided(networkx.circular_ladder_graph(5))),
    "two cores": from_nx(networkx.disjoint_union(networkx.petersen_graph(), networkx.petersen_graph())),
    **{f"ears {seed}": from_nx(with_ears(seed)) for seed in range(6)},
    "cfi": cfi(networkx.complete_graph(4), False),
    "twisted cfi": cfi(networkx.complete_graph(4), True),
}
