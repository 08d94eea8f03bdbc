"""Which runs a preset holds, and that a finished one is not made again."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import contents
from sympe.reproduce import (
    AUTOENCODER_BEST,
    AUTOENCODER_ORDERS,
    AUTOENCODER_ROWS,
    TASKS,
    Job,
    autoencoder_jobs,
    reproduce,
    run_folder,
    run_job,
)
from sympe.results import read_record
from sympe.tasks import graph_autoencoder
from sympe.tasks.graph_autoencoder import METHODS, RECIPES, make_config


@pytest.mark.parametrize(
    ("preset", "runs"),
    [
        ("smoke", {("smoke", 0): AUTOENCODER_ROWS}),
        ("quick", {("fast", 0): AUTOENCODER_ROWS}),
        (
            "full",
            {("fast", seed): AUTOENCODER_ROWS + AUTOENCODER_ORDERS for seed in range(3)}
            | {("best", seed): AUTOENCODER_BEST for seed in range(3)},
        ),
    ],
)
def test_the_runs_of_a_preset(preset: str, runs: dict[tuple[str, int], tuple[str, ...]]) -> None:
    floor, *jobs = autoencoder_jobs(preset)
    assert floor.config is None
    found = Counter((job.config.recipe, job.config.seed, job.config.method) for job in jobs if job.config is not None)
    assert found == Counter((recipe, seed, method) for (recipe, seed), methods in runs.items() for method in methods)
    folders = [job.folder for job in (floor, *jobs)]
    assert len(set(folders)) == len(folders) == 1 + sum(map(len, runs.values()))
    assert not any(folder.is_absolute() for folder in folders)
    assert all(
        job.config is None or job.config == RECIPES[job.config.recipe](job.config.method) or job.config.seed
        for job in jobs
    )


def test_every_row_is_a_method_and_every_task_has_jobs() -> None:
    assert {*AUTOENCODER_ROWS, *AUTOENCODER_ORDERS, *AUTOENCODER_BEST} <= METHODS.keys()
    assert {"none", "noise", "permutation", "laplacian", "sympe"} <= set(AUTOENCODER_ROWS)
    assert all(jobs("smoke") for jobs in TASKS.values())


def test_different_runs_have_different_folders(tmp_path: Path) -> None:
    changes = [{}, {"seed": 1}, {"data": str(tmp_path / "mine.g6")}]
    configs = [make_config(method, recipe, **c) for method in ("none", "sympe") for recipe in RECIPES for c in changes]
    folders = {run_folder(config) for config in configs}
    assert len(folders) == len(configs)
    assert Path("graph-autoencoder/mine.g6/fast/sympe/seed0") in folders


def test_the_floor_is_recorded_once(tmp_path: Path) -> None:
    floor = autoencoder_jobs("smoke")[0]
    record = run_job(floor, tmp_path)
    metrics = record.metrics
    assert round(metrics["floor_pair_percent"], 3) == 0.750
    assert round(metrics["floor_difference_percent"], 3) == 1.197
    assert round(metrics["trivial_percent"], 2) == 25.11
    assert (metrics["symmetric_graphs"], metrics["test_pairs"]) == (235, 64_500)
    assert read_record(tmp_path / floor.folder / "record.json") == record
    before = contents(tmp_path)
    assert run_job(floor, tmp_path) == record
    assert contents(tmp_path) == before


def test_a_run_is_made_once(tmp_path: Path) -> None:
    config = make_config("none", "smoke", num_train=20, epochs=1, hidden=8)
    job = Job(graph_autoencoder.TASK, config, run_folder(config))
    record = run_job(job, tmp_path)
    assert record.config == config.as_dict()
    before = contents(tmp_path)
    assert f"{job.folder}/record.json" in before
    assert run_job(job, tmp_path) == record
    assert contents(tmp_path) == before


@pytest.mark.parametrize("broken", ["{", "[]", '{"task": "graph-autoencoder"}'])
def test_a_broken_record_is_named(broken: str, tmp_path: Path) -> None:
    floor = autoencoder_jobs("smoke")[0]
    path = tmp_path / floor.folder / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text(broken)
    with pytest.raises(ValueError, match=r"record\.json is not a record of a run"):
        run_job(floor, tmp_path)


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown preset 'tiny'; choose one of smoke, quick, full"):
        reproduce("tiny", tmp_path)
    with pytest.raises(ValueError, match="unknown task 'chess'; choose one of graph-autoencoder"):
        reproduce("smoke", tmp_path, ["graph-autoencoder", "chess"])
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_ends_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker: the second job fails, and of the others no more than those under way are made."""
    good = make_config("none", "smoke", num_train=20, epochs=1, hidden=8)
    bad = replace(good, data=str(tmp_path / "missing.g6"))
    floor = autoencoder_jobs("smoke")[0]
    jobs = [
        floor,
        Job("graph-autoencoder", bad, Path("bad")),
        *(Job("graph-autoencoder", good, Path(f"good{i}")) for i in range(9)),
    ]
    monkeypatch.setitem(TASKS, "graph-autoencoder", lambda preset: jobs)
    with pytest.raises(ValueError, match=r"missing\.g6: No such file"):
        reproduce("smoke", tmp_path / "runs", workers=1)
    assert (tmp_path / "runs" / floor.folder / "record.json").exists()
    assert not (tmp_path / "runs" / "good8").exists()
