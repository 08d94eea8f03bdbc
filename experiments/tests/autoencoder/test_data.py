"""The autoencoder's graphs: the published sets to the last bit, what is refused, and how they are batched."""

import hashlib
from collections import Counter
from dataclasses import replace
from itertools import chain

import networkx
import pytest
import torch

from sympe import Graphs
from sympe.graphs import concatenate, from_edges, from_networkx, to_dense, to_graph6, write
from sympe.graphs.datasets import erdos_renyi
from sympe_experiments.autoencoder.data import GraphSet, load_splits
from sympe_experiments.autoencoder.training import floor_metrics
from sympe_experiments.batches import Key, SizeGroupedSampler
from sympe_experiments.seeding import mixed_generator


@pytest.mark.parametrize(
    ("split", "digest", "count", "edges"),
    [
        ("train", "350258f563eb1bfc", 5000, 80_638),
        ("validation", "e8a10c85f3951368", 500, 8_111),
        ("test", "cadf6ec2a09d126f", 500, 8_099),
    ],
)
def test_the_random_graphs_are_the_published_ones(split: str, digest: str, count: int, edges: int) -> None:
    graphs = erdos_renyi(split)
    lines = "".join(f"{line}\n" for line in to_graph6(graphs))
    assert hashlib.sha256(lines.encode()).hexdigest().startswith(digest)
    assert len(graphs) == count
    assert graphs.num_edges == 2 * edges
    assert graphs.sizes.tolist() == [7 + i % 10 for i in range(count)]


def test_a_set_gives_back_the_graphs_that_networks_see() -> None:
    """Labels and directions are dropped, graphs without pairs left out: the floor is that of the rest."""
    labeled = from_edges(
        [(3, [(0, 1), (1, 2)]), (1, []), (4, [(0, 1), (1, 2), (2, 3), (3, 0)])], node_label=[0, 1, 2, 0, 0, 1, 2, 3]
    )
    seen = GraphSet(labeled).graphs
    plain = from_edges([(3, [(0, 1), (1, 2)]), (4, [(0, 1), (1, 2), (2, 3), (3, 0)])])
    assert to_graph6(seen) == to_graph6(plain)
    assert floor_metrics(seen)["symmetric_graphs"] == 2
    assert floor_metrics(labeled)["symmetric_graphs"] == 0
    assert floor_metrics(seen) == floor_metrics(plain)


def test_the_test_set_in_pairs() -> None:
    data = GraphSet(erdos_renyi("test"))
    assert data.num_pairs == 64_500
    assert sum(float(a.sum()) for a in data.adjacency.values()) == 16_198
    assert (len(data), data.num_skipped, data.max_nodes) == (500, 0, 16)


def test_fewer_graphs_are_the_first_ones() -> None:
    assert to_graph6(erdos_renyi("test", 25)) == to_graph6(erdos_renyi("test"))[:25]


# --------------------------------------------------------------------------------------------- sets of graphs


def test_graphs_without_a_pair_are_skipped_and_counted() -> None:
    data = GraphSet(from_edges([(0, []), (3, [(0, 1)]), (1, []), (2, []), (3, [(1, 2)]), (1, [])]))
    assert (len(data), data.num_skipped, data.num_pairs, data.max_nodes) == (3, 3, 14, 3)
    assert {n: len(a) for n, a in data.adjacency.items()} == {2: 1, 3: 2}


@pytest.mark.parametrize("graphs", [from_edges([]), from_edges([(0, []), (1, [])])])
def test_there_must_be_a_pair(graphs: Graphs) -> None:
    with pytest.raises(ValueError, match=rf"expected graphs of two nodes or more; got {len(graphs)} graphs"):
        GraphSet(graphs)


def test_loops_are_refused() -> None:
    with pytest.raises(ValueError, match="expected simple graphs; graph 1 has a self-loop"):
        GraphSet(from_edges([(3, [(0, 1)]), (3, [(0, 1), (2, 2)])]))


def test_directions_labels_and_features_are_left_aside() -> None:
    arcs = [(0, 1), (2, 1), (2, 3), (3, 2), (0, 1)]
    directed = from_edges([(4, arcs)], directed=True, node_label=[1, 2, 3, 4], edge_label=[0, 5, 1, 1, 2])
    rich = replace(directed, x=torch.rand(4, 2))
    plain = GraphSet(from_edges([(4, [(0, 1), (1, 2), (2, 3)])]), num_vectors=2)
    data = GraphSet(rich, num_vectors=2)
    assert torch.equal(data.adjacency[4], plain.adjacency[4])
    assert torch.allclose(data.spectrum[4].values, plain.spectrum[4].values)


def test_a_batch_holds_the_same_graphs_in_every_form() -> None:
    graphs = erdos_renyi("test", 60)
    data = GraphSet(graphs, num_vectors=3)
    for n in (7, 16):
        chosen = [4, 0]
        batch = data[n, chosen]
        expected = graphs.select((graphs.sizes == n).nonzero()[chosen, 0])
        assert torch.equal(batch.adjacency, to_dense(expected)[0].float())
        assert torch.equal(to_dense(batch.graphs)[0], to_dense(expected)[0])
        assert batch.spectrum is not None
        assert torch.equal(batch.spectrum.batch, batch.graphs.batch)
        # Each vector is one of the Laplacian of the graph that it stands beside.
        laplacian = torch.diag_embed(batch.adjacency.sum(2)) - batch.adjacency
        vectors = batch.spectrum.vectors.view(2, n, -1)
        assert torch.allclose(laplacian @ vectors, vectors * batch.spectrum.values[:, None], atol=1e-4)


def test_batches_hold_every_graph_once() -> None:
    data = GraphSet(erdos_renyi("test", 45))
    batches = list(data.batches(2))
    assert max(len(batch.graphs) for batch in batches) == 2
    assert all(len(set(batch.graphs.sizes.tolist())) == 1 for batch in batches)
    found = [line for batch in batches for line in to_graph6(batch.graphs)]
    assert Counter(found) == Counter(to_graph6(erdos_renyi("test", 45)))


# --------------------------------------------------------------------------------------- order of the batches


@pytest.fixture(scope="module")
def small_set() -> GraphSet:
    return GraphSet(concatenate([from_edges([(n, [])] * count) for n, count in ((2, 5), (3, 9), (5, 1))]))


def keys(data: GraphSet, step: int, seed: int = 0, rank: int = 0, world_size: int = 1) -> list[Key]:
    sampler = SizeGroupedSampler(data.counts, 4, seed, lambda: step, rank, world_size)
    listed = list(sampler)
    assert len(sampler) == len(listed)
    return listed


def flat(listed: list[Key]) -> list[tuple[int, int]]:
    return [(n, index) for n, chosen in listed for index in chosen]


def test_an_epoch_shows_every_graph_once(small_set: GraphSet) -> None:
    for step in (0, 6, 12):
        listed = keys(small_set, step)
        assert len(listed) == 2 + 3 + 1
        assert all(len(chosen) <= 4 for _, chosen in listed)
        assert sorted(flat(listed)) == [(2, i) for i in range(5)] + [(3, i) for i in range(9)] + [(5, 0)]


def test_the_order_is_a_function_of_seed_and_epoch(small_set: GraphSet) -> None:
    assert keys(small_set, 6) == keys(small_set, 6)
    assert keys(small_set, 6) == keys(small_set, 11)  # six batches in an epoch: still the second
    orders = [keys(small_set, step, seed) for step in (0, 6, 12) for seed in (0, 1)]
    assert all(a != b for i, a in enumerate(orders) for b in orders[:i])


@pytest.mark.parametrize("world_size", [2, 4, 5, 14])
def test_processes_share_the_batches_evenly(small_set: GraphSet, world_size: int) -> None:
    shares = [keys(small_set, 0, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert {len(share) for share in shares} == {-(-6 // world_size)}
    taken = Counter(map(str, chain(*shares)))
    alone = Counter(map(str, keys(small_set, 0)))
    assert taken.keys() == alone.keys()
    assert max(taken.values()) - min(taken.values()) <= 1


def test_streams_of_random_numbers_differ() -> None:
    seeds = [(), (0,), (1,), (0, 0), (0, 1), (1, 0), (1, 1), (0, 0, 0), (0, 1, 0), (2**63,)]
    states = [mixed_generator(*numbers).initial_seed() for numbers in seeds]
    assert len(set(states)) == len(seeds)
    assert mixed_generator(0, 1).initial_seed() == states[4]


# ------------------------------------------------------------------------------------------- the user's files


def test_a_file_is_split_at_random_and_for_good(tmp_path) -> None:
    graphs = from_networkx([networkx.gnp_random_graph(8, 0.5, seed=i) for i in range(30)])
    write(graphs, tmp_path / "graphs.g6")
    parts = load_splits(str(tmp_path / "graphs.g6"), (100, 100, 100))
    lines = [to_graph6(part) for part in parts]
    assert [len(part) for part in lines] == [24, 3, 3]
    assert Counter(chain(*lines)) == Counter(to_graph6(graphs))
    assert list(chain(*lines)) != to_graph6(graphs)
    again = load_splits(str(tmp_path / "graphs.g6"), (10, 2, 1))
    assert [to_graph6(part) for part in again] == [lines[0][:10], lines[1][:2], lines[2][:1]]


def test_three_graphs_are_the_least(tmp_path) -> None:
    for count, sizes in ((3, [1, 1, 1]), (4, [2, 1, 1])):
        write(from_edges([(2, [(0, 1)])] * count), tmp_path / "graphs.npz")
        assert [len(part) for part in load_splits(str(tmp_path / "graphs.npz"), (9, 9, 9))] == sizes
    write(from_edges([(2, [(0, 1)])] * 2), tmp_path / "graphs.npz")
    with pytest.raises(ValueError, match=r"graphs\.npz: expected at least 3 graphs, .*; got 2"):
        load_splits(str(tmp_path / "graphs.npz"), (9, 9, 9))
