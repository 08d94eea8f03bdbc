"""Graphs with known symmetries, each a batch of one; most have a non-trivial automorphism group.

Edges are stored in a random but fixed order, and nodes too: a method that leans on the order of storage
finds no help in it.
"""

from collections.abc import Sequence
from itertools import combinations, product

import networkx
import torch

from sympe import Graphs
from sympe.actions import GraphRelabeling
from sympe.graphs import concatenate, from_edges, from_networkx


def shuffle_storage(graphs: Graphs, seed: int = 0) -> Graphs:
    """A random relabeling with its edges in random order."""
    generator = torch.Generator().manual_seed(seed)
    action = GraphRelabeling()
    return shuffle_edges(action.act(action.group.haar(graphs, generator), graphs), generator)


def shuffle_edges(graphs: Graphs, generator: torch.Generator) -> Graphs:
    """The same graphs, their edges listed in random order."""
    order = torch.randperm(graphs.num_edges, generator=generator)
    label = None if graphs.edge_label is None else graphs.edge_label[order]
    return Graphs(graphs.edge_index[:, order], graphs.batch, graphs.node_label, label, graphs.x, graphs.num_graphs)


def from_nx(graph: networkx.Graph) -> Graphs:
    return shuffle_storage(from_networkx([graph]))


def single(
    n: int,
    edges: Sequence[tuple[int, int]],
    node_label: Sequence[int] | None = None,
    edge_label: Sequence[int] | None = None,
    x: Sequence[Sequence[float]] | None = None,
    directed: bool = False,
) -> Graphs:
    graph = from_edges([(n, edges)], node_label=node_label, edge_label=edge_label, directed=directed)
    if x is not None:
        graph = Graphs(graph.edge_index, graph.batch, graph.node_label, graph.edge_label, torch.tensor(x), 1)
    return shuffle_storage(graph)


def ring(n: int) -> list[tuple[int, int]]:
    return [(i, (i + 1) % n) for i in range(n)]


def shrikhande() -> networkx.Graph:
    """Strongly regular (16, 6, 2, 2), as the rook's graph, but another graph: a Cayley graph of Z4 x Z4."""
    steps = [(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)]
    points = list(product(range(4), repeat=2))
    return networkx.Graph([(p, ((p[0] + s[0]) % 4, (p[1] + s[1]) % 4)) for p in points for s in steps])


def rook() -> networkx.Graph:
    """The 4 x 4 rook's graph."""
    return networkx.line_graph(networkx.complete_bipartite_graph(4, 4))


def clebsch() -> networkx.Graph:
    """The folded 5-cube: the 4-cube with its antipodal points joined."""
    cube = networkx.convert_node_labels_to_integers(networkx.hypercube_graph(4), ordering="sorted")
    cube.add_edges_from((i, 15 - i) for i in range(8))
    return cube


#: Up to five nodes: every one of the n! group elements can be counted.
SMALL: dict[str, Graphs] = {
    "one node": single(1, []),
    "no edges": single(3, []),
    "path 3": single(3, [(0, 1), (1, 2)]),
    "triangle": single(3, ring(3)),
    "path 4": single(4, [(0, 1), (1, 2), (2, 3)]),
    "cycle 4": single(4, ring(4)),
    "complete 4": from_nx(networkx.complete_graph(4)),
    "paw": single(4, [*ring(3), (0, 3)]),
    "two edges": single(4, [(0, 1), (2, 3)]),
    "cycle 5": single(5, ring(5)),
    "star 5": from_nx(networkx.star_graph(4)),
    "bull": single(5, [*ring(3), (0, 3), (1, 4)]),
    "triangle and edge": single(5, [*ring(3), (3, 4)]),
    "kite": single(5, [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3)]),
    "directed cycle": single(4, ring(4), directed=True),
    "directed fork": single(5, [(0, 1), (0, 2), (1, 3), (2, 4)], directed=True),
    "directed spider": single(4, [(0, 1), (0, 2), (1, 3)], directed=True),
    "mixed arcs": single(3, [(0, 1), (1, 0), (1, 2), (2, 0)], directed=True),
    "loop on a path": single(3, [(0, 1), (1, 2), (0, 0)]),
    "loops on a cycle": single(4, [*ring(4), (0, 0), (2, 2)]),
    "double edge": single(4, [*ring(4), (0, 1)]),
    "node labels on a cycle": single(4, ring(4), node_label=[3, 7, 3, 7]),
    "node labels on a star": single(5, [(0, i) for i in range(1, 5)], node_label=[1, 0, 0, 2, 2]),
    "edge labels on a cycle": single(4, ring(4), edge_label=[1, 2, 1, 2]),
    "one edge label": single(4, ring(4), edge_label=[2, 2, 2, 2]),
    "edge labels on a path": single(4, [(0, 1), (1, 2), (2, 3)], edge_label=[5, 0, 5]),
    "features on a cycle": single(4, ring(4), x=[[0.5, 1.0], [0.5, -1.0], [0.5, 1.0], [0.5, -1.0]]),
    "equal features": single(3, [(0, 1), (1, 2)], x=[[0.25, 0.0]] * 3),
}

#: Six nodes and more, with the order of the automorphism group.
LARGE: dict[str, tuple[Graphs, int]] = {
    "cycle 8": (single(8, ring(8)), 16),
    "path 7": (single(7, ring(7)[:-1]), 2),
    "star 6": (from_nx(networkx.star_graph(5)), 120),
    "two triangles": (single(6, [*ring(3), (3, 4), (4, 5), (5, 3)]), 72),
    "triangle and path": (single(6, [*ring(3), (3, 4), (4, 5)]), 12),
    "petersen": (from_nx(networkx.petersen_graph()), 120),
    "cube": (from_nx(networkx.hypercube_graph(3)), 48),
    "shrikhande": (from_nx(shrikhande()), 192),
    "rook": (from_nx(rook()), 1152),
    "clebsch": (from_nx(clebsch()), 1920),
    "frucht": (from_nx(networkx.frucht_graph()), 1),
    "directed cycle 6": (single(6, ring(6), directed=True), 6),
    "node labels on a cycle 6": (single(6, ring(6), node_label=[0, 1, 0, 1, 0, 1]), 6),
    "kekule benzene": (single(6, ring(6), edge_label=[1, 2, 1, 2, 1, 2]), 6),
    "loops on a cycle 6": (single(6, [*ring(6), (0, 0), (3, 3)]), 4),
    "two labeled triangles": (single(6, [*ring(3), (3, 4), (4, 5), (5, 3)], edge_label=[9] * 6), 72),
    "complete, ten labels": (single(5, list(combinations(range(5), 2)), edge_label=list(range(10))), 1),
    "directed twins": (single(6, [(0, i) for i in range(1, 5)] + [(1, 5), (2, 5)], directed=True), 4),
    "features on a cycle 6": (single(6, ring(6), x=[[0.1], [0.2], [0.3]] * 2), 2),
}

#: Refinement meets a cell that is not an orbit here, so its canonical form may change under relabeling.
CELLS_NOT_ORBITS = ("shrikhande", "frucht")


def crowds(graphs: dict[str, Graphs]) -> list[dict[str, Graphs]]:
    """The graphs split by what they carry: those of one crowd fit into one batch."""
    held: dict[tuple[bool, ...], dict[str, Graphs]] = {}
    for name, graph in graphs.items():
        width = -1 if graph.x is None else graph.x.shape[1]
        held.setdefault((graph.node_label is None, graph.edge_label is None, width), {})[name] = graph
    return list(held.values())


def batch_of(graphs: dict[str, Graphs]) -> Graphs:
    return concatenate(list(graphs.values()))
