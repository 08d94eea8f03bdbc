"""Orders and orbits of automorphism groups: known from the literature, and by enumeration."""

import math
import sys
from itertools import product

import networkx
import numpy as np
import pytest
import torch

from examples import LARGE, SMALL, from_nx, ring, single
from laws import automorphisms
from sympe import Graphs
from sympe.auditing import Automorphisms, GraphSymmetry
from sympe.graphs import concatenate, from_edges, from_networkx

EVERY = SMALL | {name: graph for name, (graph, _) in LARGE.items()}


def parts(labels: np.ndarray) -> set[frozenset[int]]:
    """A numbering of orbits as the sets that it stands for."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def enumerated(graph: Graphs, entries: list[tuple[int, ...]]) -> set[frozenset[int]]:
    """Orbits on entries, each a tuple of nodes and perhaps a label at the end, under every automorphism."""
    place: dict[tuple[int, ...], list[int]] = {}
    for at, entry in enumerate(entries):
        place.setdefault(entry, []).append(at)
    group = automorphisms(graph)
    orbits: set[frozenset[int]] = set()
    done: set[tuple[int, ...]] = set()
    for entry in entries:
        if entry not in done:
            images = {tuple(g[i] for i in entry[:2]) + entry[2:] for g in group}
            orbits.add(frozenset(at for image in images for at in place[image]))
            done |= images
    return orbits


@pytest.mark.parametrize("name", EVERY)
def test_orbits_of_nodes_edges_and_pairs(name: str) -> None:
    graph = EVERY[name]
    groups = Automorphisms(graph)
    nodes = range(graph.num_nodes)
    assert parts(groups.node_orbits()) == enumerated(graph, [(i,) for i in nodes])
    assert parts(groups.pair_orbits()) == enumerated(graph, list(product(nodes, nodes)))
    edges = [tuple(edge) for edge in graph.edge_index.T.tolist()]
    if graph.edge_label is not None:
        edges = [(*edge, label) for edge, label in zip(edges, graph.edge_label.tolist(), strict=True)]
    assert parts(groups.edge_orbits()) == enumerated(graph, edges)


def test_a_batch_has_the_orbits_of_its_graphs() -> None:
    names = ["petersen", "star 6", "frucht", "directed cycle 6", "two triangles"]
    chosen = [LARGE[name][0] for name in names]
    together = Automorphisms(concatenate(chosen))
    assert together.orders == [LARGE[name][1] for name in names]
    for method in ("node_orbits", "edge_orbits", "pair_orbits"):
        labels, start = getattr(together, method)(), 0
        for graph in chosen:
            own = getattr(Automorphisms(graph), method)()
            assert parts(labels[start : start + len(own)]) == parts(own)
            assert not set(labels[:start]) & set(labels[start:])
            start += len(own)
        assert start == len(labels)


def test_pairs_may_have_more_orbits_than_pairs_of_orbits() -> None:
    """In a ring all nodes are alike, and pairs at different distances are not."""
    graph = single(7, ring(7))
    groups = Automorphisms(graph)
    assert len(set(groups.node_orbits())) == 1
    assert len(set(groups.pair_orbits())) == 4  # distances 0 to 3


@pytest.mark.parametrize("name", ["petersen", "shrikhande", "rook", "clebsch", "frucht"])
def test_orders_from_the_literature(name: str) -> None:
    """Each graph is stored in random order already; see ``examples``."""
    graph, order = LARGE[name]
    found = GraphSymmetry().stabilizers(graph)
    assert found.orders == [order]
    n = graph.num_nodes
    assert found.log_orbits == [pytest.approx(math.log(math.factorial(n) / order))]


@pytest.mark.parametrize("d", range(1, 9))
def test_hypercubes(d: int) -> None:
    assert Automorphisms(from_nx(networkx.hypercube_graph(d))).orders == [2**d * math.factorial(d)]


@pytest.mark.parametrize("n", [0, 1, 2, 19, 21, 171, 200])
def test_orders_beyond_any_machine_number(n: int) -> None:
    """21! overflows 64 bits, 171! the range of floating-point numbers."""
    for graph in (from_edges([(n, [])]), from_networkx([networkx.complete_graph(n)])):
        found = GraphSymmetry().stabilizers(graph)
        assert found.orders == [math.factorial(n)]
        assert found.log_orbits == [pytest.approx(0.0, abs=1e-9)]


def test_an_order_of_more_digits_than_python_reads() -> None:
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert Automorphisms(from_edges([(330, [])])).orders == [math.factorial(330)]  # 691 digits
        assert sys.get_int_max_str_digits() == 640
    finally:
        sys.set_int_max_str_digits(limit)


def test_labels_and_features_take_symmetry_away() -> None:
    plain = from_edges([(4, ring(4))])
    carried = Graphs(plain.edge_index, plain.batch, x=torch.tensor([[0.0], [1.0], [0.0], [1.0]]))
    assert [Automorphisms(graph).orders for graph in (plain, carried)] == [[8], [4]]


def test_no_graphs_at_all() -> None:
    none = Automorphisms(from_edges([]))
    assert none.orders == []
    assert len(none.node_orbits()) == len(none.edge_orbits()) == len(none.pair_orbits()) == 0
