"""Instances, matching, repair, and runs from end to end."""

from itertools import permutations
from pathlib import Path

import pytest
import torch

from sympe.graphs import from_sets
from sympe_experiments.assignment.config import METHODS, TRAINED, UNSEEN, Config, make_config
from sympe_experiments.assignment.data import draw
from sympe_experiments.assignment.model import AssignmentNetwork, build_breaking
from sympe_experiments.assignment.run import repaired, run
from sympe_experiments.records import read_record


def test_best_assignments_against_all(generator: torch.Generator) -> None:
    x = draw(5, 6, generator)
    everything = torch.tensor(list(permutations(range(6))))
    costs = torch.stack([x.cost(goes.expand(5, -1)) for goes in everything])
    assert torch.allclose(x.cost(x.best), costs.min(0).values)


def test_the_closest_best_assignment_against_all(generator: torch.Generator) -> None:
    x = draw(5, 6, generator)
    score = torch.randn(5, 6, 6, generator=generator)
    closest = x.closest(score)
    assert torch.allclose(x.cost(closest), x.cost(x.best))
    for k in range(5):
        depot = x.depot[k]
        best = [
            goes
            for goes in permutations(range(6))
            if all(depot[i] == depot[x.best[k].tolist().index(j)] for i, j in enumerate(goes))
        ]
        sums = [float(score[k, torch.arange(6), torch.tensor(goes)].sum()) for goes in best]
        assert float(score[k, torch.arange(6), closest[k]].sum()) == pytest.approx(max(sums))


def test_agents_of_a_depot_are_alike(generator: torch.Generator) -> None:
    x = draw(3, 8, generator)
    for depot, agents in zip(x.depot, x.agents, strict=True):
        assert len(agents.unique(dim=0)) == len(depot.unique()) >= 2


def test_repair_lets_the_surest_choose_first() -> None:
    score = torch.tensor([[[3.0, 1.0, 0.0], [4.0, 2.0, 0.0], [0.0, 0.0, 5.0]]])
    assert repaired(score).tolist() == [[1, 0, 2]]
    assert repaired(torch.zeros(1, 4, 4)).sort(1).values.tolist() == [[0, 1, 2, 3]]


def test_ranks_and_indices_of_classes(generator: torch.Generator) -> None:
    sets = from_sets(torch.tensor([[[1.0], [2.0], [1.0], [1.0]], [[5.0], [5.0], [0.0], [7.0]]]))
    ranks, index = build_breaking("orbit-ranks", 3), build_breaking("class-index", 3)
    rows = ranks.encoding.rows(4)
    drawn = torch.cdist(ranks(sets, generator), rows).argmin(1).tolist()
    assert sorted(drawn[k] for k in (0, 2, 3)) == [0, 1, 2]
    assert sorted(drawn[4:6]) == [0, 1]
    assert drawn[1] == drawn[6] == drawn[7] == 0
    assert torch.cdist(index(sets), index.encoding.rows(4)).argmin(1).tolist() == [0, 1, 0, 0, 1, 1, 0, 2]


@pytest.mark.parametrize("method", METHODS)
def test_networks_commute_with_permutations_of_agents(method: str, generator: torch.Generator) -> None:
    """Without breaking exactly; an index and no breaking give equal agents equal scores."""
    model = AssignmentNetwork(make_config(method, "smoke")).eval()
    x = draw(2, 8, generator)
    with torch.no_grad():
        score = model(x, torch.Generator().manual_seed(0))
    same = x.depot[:, :, None] == x.depot[:, None, :]
    apart = torch.cdist(score, score)[same & ~torch.eye(8, dtype=torch.bool)]
    assert bool((apart < 1e-4).all()) == (method in ("none", "class-index"))


@pytest.mark.parametrize("method", METHODS)
def test_smoke(method: str, tmp_path: Path) -> None:
    record = run(make_config(method, "smoke"), tmp_path)
    assert read_record(tmp_path / "record.json") == record
    assert {f"gap_{n}" for n in (*TRAINED, *UNSEEN)} < set(record.metrics)
    assert 0 <= record.metrics["best_gap"] <= record.metrics["gap"]
    assert 0 <= record.metrics["error"] <= 100
    if method in ("orbit-ranks", "sympe-base", "sympe-labeling"):
        assert record.metrics["excess_nats"] == 0
    if method == "none":
        assert record.metrics["right"] == 0


def test_bad_configurations() -> None:
    with pytest.raises(ValueError, match="unknown method 'magic'; choose one of none, class-index, "):
        Config(method="magic")
    with pytest.raises(ValueError, match="draws must be at least 1; got 0"):
        make_config("none", draws=0)
