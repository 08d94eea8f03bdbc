"""Cayley graphs: vertex-transitive, connected, none twice, and as many as there are."""

from pathlib import Path

import networkx
import pytest
import torch

from sympe.graphs import automorphism_orbits, colored_graphs, from_edges, to_networkx, write
from sympe_experiments.independent_sets.data import cayley_graphs, load_splits


def test_vertex_transitive_connected_and_regular() -> None:
    graphs = cayley_graphs(11)
    orbits = automorphism_orbits(graphs)
    for index, graph in enumerate(to_networkx(graphs)):
        assert networkx.is_connected(graph)
        assert len({degree for _, degree in graph.degree}) == 1
        assert len(orbits[graphs.batch == index].unique()) == 1


def test_all_of_prime_order_are_there() -> None:
    """On 7 nodes the connected vertex-transitive graphs are the ring, its complement and the complete graph."""
    graphs = cayley_graphs(7, min_nodes=7)
    assert sorted(graph.degree[0] for graph in to_networkx(graphs)) == [2, 4, 6]


def test_all_on_six_nodes_are_there() -> None:
    """Ring, K_3,3, prism, octahedron, complete graph."""
    assert sorted(graph.number_of_edges() for graph in to_networkx(cayley_graphs(6))) == [6, 9, 9, 12, 15]


def test_no_two_are_isomorphic_and_none_is_in_both_splits() -> None:
    train, test = load_splits("cayley-graphs", 12)
    listed = to_networkx(train) + to_networkx(test)
    for i, a in enumerate(listed):
        for b in listed[:i]:
            assert len(a) != len(b) or a.number_of_edges() != b.number_of_edges() or not networkx.is_isomorphic(a, b)
    assert len(to_networkx(test)) == 2 + len(cayley_graphs(12)) // 5


def test_the_same_every_time() -> None:
    first, again = load_splits("cayley-graphs", 10), load_splits("cayley-graphs", 10)
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a.edge_index, b.edge_index)


def test_a_file_of_graphs(tmp_path: Path) -> None:
    rings = from_edges([(n, [(i, (i + 1) % n) for i in range(n)]) for n in range(3, 13)])
    write(rings, tmp_path / "rings.g6")
    train, test = load_splits(str(tmp_path / "rings.g6"), 20)
    assert (len(train), len(test)) == (8, 2)
    write(rings.select([0]), tmp_path / "one.g6")
    with pytest.raises(ValueError, match="expected at least two graphs, to train and to test on; got 1"):
        load_splits(str(tmp_path / "one.g6"), 20)


def test_orders_of_the_symmetries() -> None:
    graphs = cayley_graphs(8)
    orders = [colored.count_automorphisms() for colored in colored_graphs(graphs)]
    assert all(order >= n for order, n in zip(orders, graphs.sizes.tolist(), strict=True))
