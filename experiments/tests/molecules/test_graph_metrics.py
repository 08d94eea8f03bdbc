"""Samples of plain graphs: what counts as valid, unique and novel, and the discrepancy of histograms."""

import networkx
import numpy as np
import pytest

from sympe import Graphs
from sympe.graphs import concatenate, from_networkx
from sympe_experiments.molecules.graph_metrics import (
    canonical_forms,
    discrepancy,
    graph_metrics,
    is_block_model,
)


def relabeled(graph: networkx.Graph, seed: int) -> networkx.Graph:
    order = np.random.default_rng(seed).permutation(len(graph)).tolist()
    return networkx.relabel_nodes(graph, dict(enumerate(order)))


def trees(count: int, seed: int = 0) -> Graphs:
    return from_networkx([networkx.random_labeled_tree(30, seed=seed + k) for k in range(count)])


def test_the_test_set_itself() -> None:
    train, test = trees(20), trees(20, seed=100)
    same = graph_metrics(test, train, test, "tree")
    assert same["valid_percent"] == same["connected_percent"] == same["unique_percent"] == same["novel_percent"] == 100
    assert same["valid_unique_novel_percent"] == 100
    assert max(same["degree_mmd"], same["clustering_mmd"], same["spectral_mmd"]) < 1e-9


def test_graphs_of_another_kind() -> None:
    samples = from_networkx([networkx.complete_graph(6), networkx.empty_graph(3)])
    other = graph_metrics(samples, trees(5), trees(5), "tree")
    assert other["valid_percent"] == other["valid_unique_novel_percent"] == 0
    assert other["connected_percent"] == 50
    assert min(other["degree_mmd"], other["clustering_mmd"], other["spectral_mmd"]) > 0.1
    assert "valid_percent" not in graph_metrics(samples, trees(5), trees(5), "mine.g6")


def test_copies_count_once_and_copies_of_training_graphs_not_at_all() -> None:
    """Of six samples: one tree three times, a tree of the training set, a cycle, and nothing."""
    known, tree, cycle = networkx.star_graph(5), networkx.path_graph(6), networkx.cycle_graph(6)
    samples = [tree, relabeled(tree, 1), relabeled(tree, 2), relabeled(known, 3), cycle, networkx.Graph()]
    found = graph_metrics(from_networkx(samples), from_networkx([known]), trees(5), "tree")
    assert found["valid_percent"] == pytest.approx(100 * 4 / 6)
    assert found["unique_percent"] == pytest.approx(100 * 4 / 6)
    assert found["novel_percent"] == pytest.approx(100 * 3 / 4)
    assert found["valid_unique_novel_percent"] == pytest.approx(100 / 6)


def test_planar_graphs() -> None:
    wheel, apart, crossing = networkx.wheel_graph(8), networkx.empty_graph(2), networkx.complete_graph(5)
    found = graph_metrics(from_networkx([wheel, apart, crossing]), trees(2), trees(2), "planar")
    assert found["valid_percent"] == pytest.approx(100 / 3)


def test_canonical_forms_are_equal_for_isomorphic_graphs_alone() -> None:
    """All graphs of up to five nodes, twice; the 4x4 rook and Shrikhande agree in all that refinement sees."""
    atlas = [graph for graph in networkx.graph_atlas_g() if len(graph) <= 5]
    forms = canonical_forms(from_networkx(atlas))
    assert len(set(forms)) == len(atlas) == 53
    assert canonical_forms(from_networkx([relabeled(graph, k) for k, graph in enumerate(atlas)])) == forms
    assert canonical_forms(concatenate([from_networkx([graph]) for graph in atlas[-3:]])) == forms[-3:]


def test_block_models() -> None:
    def draw(sizes: list[int], inside: float, between: float, seed: int) -> networkx.Graph:
        density = np.where(np.eye(len(sizes), dtype=bool), inside, between)
        return networkx.stochastic_block_model(sizes, density.tolist(), seed=seed)

    right = [is_block_model(draw([25, 30, 35], 0.3, 0.005, seed)) for seed in range(20)]
    assert sum(right) >= 14
    assert not any(is_block_model(draw([25, 30, 35], 0.6, 0.005, seed)) for seed in range(5))
    assert not any(is_block_model(draw([25, 30, 35], 0.3, 0.1, seed)) for seed in range(5))
    assert not is_block_model(draw([60, 60], 0.3, 0.005, 0))
    assert not is_block_model(networkx.empty_graph(30))


def test_discrepancy_by_hand() -> None:
    a, b = [np.array([1.0])], [np.array([0.0, 1.0])]
    assert discrepancy(a, b, 1.0) == pytest.approx(2 - 2 * np.exp(-0.5))
    assert discrepancy(a, a, 1.0) == 0
