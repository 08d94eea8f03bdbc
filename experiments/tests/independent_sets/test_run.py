"""The loss, the verdict, and a run from end to end."""

import math
from itertools import product
from pathlib import Path

import pytest
import torch

from examples import LARGE, SMALL, batch_of
from sympe_experiments.independent_sets.config import METHODS, Config, make_config
from sympe_experiments.independent_sets.run import expected_violations, is_maximal_independent, run
from sympe_experiments.records import read_record


def violations(chosen: list[bool], graph: object) -> int:
    """Edges inside the set and nodes without a neighbor in it, counted one by one."""
    edges = {tuple(sorted(edge)) for edge in graph.edge_index.T.tolist()}
    inside = sum(chosen[u] and chosen[v] for u, v in edges)
    alone = sum(
        not chosen[i] and not any(chosen[a + b - i] for a, b in edges if i in (a, b)) for i in range(graph.num_nodes)
    )
    return inside + alone


@pytest.mark.parametrize("name", ["one node", "no edges", "triangle", "path 4", "cycle 4", "paw", "star 5", "bull"])
def test_loss_is_the_expected_number_of_violations(name: str, generator: torch.Generator) -> None:
    graph = SMALL[name]
    logit = torch.randn(graph.num_nodes, generator=generator, dtype=torch.float64)
    p = logit.sigmoid().tolist()
    expected = 0.0
    for chosen in product([False, True], repeat=graph.num_nodes):
        weight = math.prod(q if c else 1 - q for q, c in zip(p, chosen, strict=True))
        expected += weight * violations(list(chosen), graph)
        verdict = bool(is_maximal_independent(torch.tensor(chosen), graph)[0])
        assert verdict == (violations(list(chosen), graph) == 0)
    assert float(expected_violations(logit, graph)[0]) == pytest.approx(expected)


def test_graphs_are_judged_apart() -> None:
    both = batch_of({name: SMALL[name] for name in ("cycle 4", "triangle")})
    edges = SMALL["cycle 4"].edge_index
    opposite = next(j for j in range(1, 4) if not ((edges[0] == 0) & (edges[1] == j)).any())
    chosen = torch.zeros(7, dtype=torch.bool)
    chosen[[0, opposite]] = True
    assert is_maximal_independent(chosen, both).tolist() == [True, False]
    chosen[4] = True
    assert is_maximal_independent(chosen, both).tolist() == [True, True]
    chosen[5] = True
    assert is_maximal_independent(chosen, both).tolist() == [True, False]
    logit = torch.where(chosen, 40.0, -40.0)
    assert expected_violations(logit, both).tolist() == pytest.approx([0, 1])


def test_all_or_none_is_never_right_on_a_vertex_transitive_graph() -> None:
    """What a network that cannot break the symmetry is left with."""
    for name in ("cycle 8", "petersen", "cube"):
        graph = LARGE[name][0]
        for value in (False, True):
            assert not is_maximal_independent(torch.full((graph.num_nodes,), value), graph).any()


@pytest.mark.parametrize("method", METHODS)
def test_smoke(method: str, tmp_path: Path) -> None:
    config = make_config(method, "smoke", steps=3, max_nodes=8)
    record = run(config, tmp_path)
    assert read_record(tmp_path / "record.json") == record
    assert 0 <= record.metrics["best_of_draws_error"] <= record.metrics["error"] <= 100
    assert record.metrics["step_ms"] > 0
    if method == "none":
        assert record.metrics["error"] == 100
    if method == "haar":
        assert record.metrics["excess_nats"] > math.log(720 / 72) - 1e-9
    if method in ("sympe-labeling", "canonicalized", "symmetry-breaking-set"):
        assert record.metrics["excess_nats"] == record.metrics["excess_nats_high"] == 0
    if method == "sympe-depth-first":
        assert 0 < record.metrics["excess_nats_low"] <= record.metrics["excess_nats"]


def test_it_learns(tmp_path: Path) -> None:
    """Wrong at most on a fourth after seconds, where no network without breaking is ever right."""
    config = make_config("sympe-labeling", "smoke", steps=150, max_nodes=10, hidden_dim=32, num_layers=4, draws=4)
    assert run(config, tmp_path).metrics["error"] < 25


def test_finished_runs_are_read_back(tmp_path: Path) -> None:
    config = make_config("noise", "smoke", steps=2, max_nodes=8)
    first = run(config, tmp_path)
    assert run(config, tmp_path, resume=True) == first
    with pytest.raises(ValueError, match="already holds a run"):
        run(config, tmp_path)
    with pytest.raises(ValueError, match="holds a finished run with another configuration"):
        run(make_config("noise", "smoke", steps=3, max_nodes=8), tmp_path, resume=True)


def test_bad_configurations() -> None:
    with pytest.raises(ValueError, match="unknown method 'magic'; choose one of none, noise, "):
        Config(method="magic")
    with pytest.raises(ValueError, match="unknown recipe 'poster'; choose one of full, smoke"):
        make_config("sympe-labeling", "poster")
    with pytest.raises(ValueError, match="steps must be at least 1; got 0"):
        make_config("sympe-labeling", steps=0)
    with pytest.raises(ValueError, match="max_nodes must be at least 8; got 5"):
        make_config("sympe-labeling", max_nodes=5)
