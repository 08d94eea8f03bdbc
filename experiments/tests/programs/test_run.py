"""What each method shows, and runs from end to end."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from sympe import RankEncoding
from sympe.breaking import OrbitRanks
from sympe_experiments.programs.breaking import build, cached_kernel, orbit_index
from sympe_experiments.programs.config import METHODS, Config, make_config
from sympe_experiments.programs.data import bin_packing
from sympe_experiments.programs.instances import Batch
from sympe_experiments.programs.model import ProgramNetwork
from sympe_experiments.programs.run import run
from sympe_experiments.records import read_record

pytest.importorskip("highspy", reason="needs highspy")


@pytest.fixture(scope="module")
def batch() -> Batch:
    return Batch.of([bin_packing("0"), bin_packing("1")])


def test_ids_are_what_the_papers_say(batch: Batch, generator: torch.Generator) -> None:
    variables = batch.features[:, 0] > 0
    for method, most in (("position", 420), ("orbit", 20), ("orbit-plus", 20), ("local-ids", 460)):
        breaking = build(method, 4, 460, 20)
        ids = breaking.ids(batch, generator)  # type: ignore[operator]
        assert (ids[~variables] == -1).all()
        for number, instance in enumerate(batch.instances):
            of_table = ids[batch.graphs.batch == number][torch.from_numpy(instance.table)]
            if method == "position":
                assert sorted(of_table.flatten().tolist()) == list(range(420))
            if method == "orbit":
                assert [sorted(row) for row in of_table.tolist()] == [list(range(20))] * 21
                assert len({tuple(row) for row in of_table.tolist()}) > 1
            if method == "orbit-plus":
                assert len({tuple(row) for row in of_table.tolist()}) == 1
                assert sorted(of_table[0].tolist()) == list(range(20))
            if method == "local-ids":
                for lines in (of_table[:-1], of_table.T):  # those that open bins meet in no constraint
                    assert all(len(set(line)) == len(line) for line in lines.tolist())
        assert int(ids.max()) < most


def test_ranks_within_orbits_are_permutations_that_belong_together(batch: Batch, generator: torch.Generator) -> None:
    pe = OrbitRanks(cached_kernel("sympe-labeling"), RankEncoding(4, 460))
    ids = pe.places(pe.kernel(batch.graphs, generator), batch.graphs)[0]
    drawn = set()
    for number, instance in enumerate(batch.instances):
        of_table = ids[batch.graphs.batch == number][torch.from_numpy(instance.table)]
        assert [sorted(row) for row in of_table.tolist()] == [list(range(20))] * 21
        drawn.add(tuple(of_table[0].tolist()))
        # One permutation of the bins settles all orbits, so no two bins agree in how their variables are ranked.
        assert len({tuple(column) for column in of_table.T.tolist()}) == 20
    assert len(drawn) == 2


def test_orbit_indices_name_orbits_in_one_way(batch: Batch) -> None:
    instance = batch.instances[0]
    index = orbit_index(instance)[torch.from_numpy(instance.table)]
    assert (index == index[:, :1]).all()
    assert len(index[:, 0].unique()) == 21


@pytest.mark.parametrize("method", ["none", "orbit-index"])
def test_controls_break_nothing(method: str, batch: Batch, generator: torch.Generator) -> None:
    tables = batch.tables(ProgramNetwork(build(method, 4, 460, 20), 10, 8, 2)(batch, generator))
    assert all(np.ptp(table, axis=1).max() < 1e-5 for table in tables)


@pytest.mark.parametrize("method", ["sympe-base", "sympe-labeling", "uniform", "orbit-plus"])
def test_others_do(method: str, batch: Batch, generator: torch.Generator) -> None:
    tables = batch.tables(ProgramNetwork(build(method, 4, 460, 20), 10, 8, 2)(batch, generator))
    assert all(np.ptp(table, axis=1).min() > 1e-4 for table in tables)


@pytest.mark.parametrize("method", METHODS)
def test_smoke(method: str, tmp_path: Path) -> None:
    record = run(make_config(method, "smoke"), tmp_path)
    assert read_record(tmp_path / "record.json") == record
    metrics = record.metrics
    assert 0 <= metrics["wrong_30"] <= metrics["wrong_50"] <= metrics["wrong_100"] <= 420
    assert metrics["known_objective"] <= metrics["best_objective"] <= metrics["objective"]
    kept = read_record(tmp_path / "record.json").arrays()
    assert set(kept) == {f"{name} {instance}" for name in ("best", "score") for instance in (498, 499)}
    expected = {"sympe-base": 0, "sympe-labeling": 0, "orbit-plus": 0, "orbit-index": -math.lgamma(21)}
    if method in expected:
        assert metrics["excess_nats"] == pytest.approx(expected[method], abs=1e-6)
    if method in ("haar", "position", "orbit"):
        assert metrics["excess_nats"] > 100
    if method == "none":
        assert metrics["wrong_100"] >= 29  # what the audit says: no network without breaking does better


def test_it_learns(tmp_path: Path) -> None:
    """Of the surest half nearly nothing is wrong, where without breaking one in twenty is."""
    changes = {"train": 12, "test": 4, "steps": 60, "hidden_dim": 16, "learning_rate": 5e-3}
    wrong = [
        run(make_config(method, "smoke", **changes), tmp_path / method).metrics["wrong_50"]
        for method in ("none", "sympe-base")
    ]
    assert wrong[1] < 0.5 * wrong[0]


def test_bad_configurations() -> None:
    with pytest.raises(ValueError, match="unknown method 'magic'; choose one of none, orbit-index, "):
        Config(method="magic")
    with pytest.raises(ValueError, match="unknown data set 'knapsack'"):
        make_config("none", data="knapsack")
    with pytest.raises(ValueError, match="steps must be at least 1; got 0"):
        make_config("none", steps=0)
    with pytest.raises(ValueError, match="seed must be from 0"):
        make_config("none", seed=-1)
