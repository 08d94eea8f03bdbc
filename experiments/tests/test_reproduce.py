"""Which runs a preset holds, how long they take, and that a finished one is not made again."""

import json
import pickle
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from command_line import contents
from sympe_experiments.autoencoder.config import METHODS, RECIPES, make_config
from sympe_experiments.autoencoder.jobs import BEST, ORDERS, QUICK, ROWS, job, jobs, run_folder
from sympe_experiments.catalog import EXPERIMENTS, Experiment
from sympe_experiments.records import Job, read_record, read_records
from sympe_experiments.reproduce import BESIDE, DURATIONS, expected_seconds, least_seconds, makespan, reproduce

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class FixedJobs(Experiment):
    """An experiment with jobs of our choice."""

    held: tuple[Job, ...] = ()

    def jobs(self, preset: str) -> list[Job]:
        return list(self.held)


def fixed(*held: Job) -> FixedJobs:
    """The graph autoencoder with these jobs."""
    return FixedJobs(**vars(EXPERIMENTS["graph-autoencoder"]), held=held)


@pytest.mark.parametrize(
    ("preset", "runs"),
    [
        ("smoke", {("smoke", 0): ROWS}),
        ("quick", {("fast", 0): QUICK}),
        (
            "full",
            {("fast", seed): ROWS + ORDERS for seed in range(3)} | {("best", seed): BEST for seed in range(3)},
        ),
    ],
)
def test_the_runs_of_a_preset(preset: str, runs: dict[tuple[str, int], tuple[str, ...]]) -> None:
    floor, *trained = jobs(preset)
    assert floor.folder == Path("graph-autoencoder/erdos-renyi/floor")
    expected = [
        make_config(method, recipe, seed=seed) for (recipe, seed), methods in runs.items() for method in methods
    ]
    assert Counter(one.folder for one in trained) == Counter(map(run_folder, expected))
    folders = [one.folder for one in (floor, *trained)]
    assert len(set(folders)) == len(folders)
    assert not any(folder.is_absolute() for folder in folders)
    # What a job carries survives the way to another process.
    assert all(pickle.loads(pickle.dumps(one)).folder == one.folder for one in trained)


def test_every_row_is_a_method_and_every_experiment_has_jobs() -> None:
    assert {*ROWS, *ORDERS, *BEST, *QUICK} <= METHODS.keys()
    assert {"none", "noise", "haar", "laplacian", "sympe-sort"} <= set(ROWS)
    # Graph diffusion needs data, which may not be here.
    assert all(entry.jobs("smoke") for name, entry in EXPERIMENTS.items() if entry.has_jobs and name != "molecules")


def test_different_runs_have_different_folders(tmp_path: Path) -> None:
    changes = [{}, {"seed": 1}, {"data": str(tmp_path / "mine.g6")}]
    configs = [
        make_config(method, recipe, **c) for method in ("none", "sympe-sort") for recipe in RECIPES for c in changes
    ]
    folders = {run_folder(config) for config in configs}
    assert len(folders) == len(configs)
    assert Path("graph-autoencoder/mine.g6/fast/sympe-sort/seed0") in folders


def test_the_floor_is_recorded_once(tmp_path: Path) -> None:
    floor = jobs("smoke")[0]
    record = floor.run(tmp_path)
    metrics = record.metrics
    assert round(metrics["floor_pair_percent"], 3) == 0.750
    assert round(metrics["floor_difference_percent"], 3) == 1.197
    assert round(metrics["trivial_percent"], 2) == 25.11
    assert (metrics["symmetric_graphs"], metrics["test_pairs"]) == (235, 64_500)
    assert read_record(tmp_path / floor.folder / "record.json") == record
    before = contents(tmp_path)
    assert floor.run(tmp_path) == record
    assert contents(tmp_path) == before


def test_a_run_is_made_once(tmp_path: Path) -> None:
    config = make_config("none", "smoke", num_train=20, epochs=1, hidden_dim=8)
    one = job(config)
    record = one.run(tmp_path)
    assert record.config == config.as_dict()
    before = contents(tmp_path)
    assert f"{one.folder}/record.json" in before
    assert one.run(tmp_path) == record
    assert contents(tmp_path) == before


@pytest.mark.parametrize("broken", ["{", "[]", '{"experiment": "graph-autoencoder"}', '{"task": "graph-autoencoder"}'])
def test_a_broken_record_is_named(broken: str, tmp_path: Path) -> None:
    floor = jobs("smoke")[0]
    path = tmp_path / floor.folder / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text(broken)
    with pytest.raises(ValueError, match=r"record\.json is not a record of a run"):
        floor.run(tmp_path)


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown preset 'tiny'; choose one of smoke, quick, full"):
        reproduce("tiny", tmp_path)
    with pytest.raises(ValueError, match="unknown experiment 'chess'; choose one of graph-autoencoder"):
        reproduce("smoke", tmp_path, ["graph-autoencoder", "chess"])
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_ends_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker: the second job fails, and of the others no more than those under way are made."""
    good = make_config("none", "smoke", num_train=20, epochs=1, hidden_dim=8)
    bad = replace(good, data=str(tmp_path / "missing.g6"))
    floor = jobs("smoke")[0]
    several = [floor, job(bad), *(replace(job(good), folder=Path(f"good{i}")) for i in range(9))]
    monkeypatch.setitem(EXPERIMENTS, "graph-autoencoder", fixed(*several))
    with pytest.raises(ValueError, match=r"missing\.g6: No such file"):
        reproduce("smoke", tmp_path / "runs", workers=1)
    assert (tmp_path / "runs" / floor.folder / "record.json").exists()
    assert not (tmp_path / "runs" / "good8").exists()


def test_an_experiment_without_its_data_is_skipped_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    monkeypatch.setenv("SYMPE_DATA", str(tmp_path))
    for name in set(EXPERIMENTS) - {"molecules", "graph-autoencoder"}:
        monkeypatch.setitem(EXPERIMENTS, name, fixed())
    monkeypatch.setitem(EXPERIMENTS, "graph-autoencoder", fixed(jobs("smoke")[0]))
    records = reproduce("smoke", tmp_path / "runs", workers=1)
    assert [record.experiment for record in records] == ["graph-autoencoder"]
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("molecules: skipped: ")]
    assert len(lines) == 1
    with pytest.raises(ValueError, match=r"expected qm9\.npz in the folder"):
        reproduce("smoke", tmp_path / "runs", ["molecules"])


def durations() -> dict[str, float]:
    """What the package says that runs take, from the records of this repository: ``python test_reproduce.py``."""
    runs = [run for run in read_records(ROOT / "results") if EXPERIMENTS[run.experiment].has_jobs]
    # A record of molecules without time of training is of an evaluation of weights.
    trained = (run for run in runs if run.experiment != "molecules" or "train_seconds" in run.metrics)
    floors = (run for run in runs if "floor" in run.folder.parts)
    found = least_seconds([*floors, *(run for run in trained if run.recipe in run.folder.parts)])
    # What has no record yet: quick trains half as long as fast.
    fast = min(seconds for name, seconds in found.items() if name.startswith("molecules/qm9/fast/"))
    quick = {f"molecules/qm9/quick/{method}": fast / 2 for method in ("none", "sympe-depth-first-carried")}
    return dict(sorted((quick | found).items()))


def test_durations_are_those_of_the_records() -> None:
    """Newer records may tell of shorter runs; then the file may be made again."""
    found = durations()
    assert {name for name, seconds in DURATIONS.items() if found[name] > seconds} == set()


def test_the_quick_preset_takes_a_quarter_of_an_hour_on_two_cores(tmp_path: Path) -> None:
    expected = [
        expected_seconds(one, tmp_path)
        for name, entry in EXPERIMENTS.items()
        if name != "molecules"
        for one in entry.jobs("quick")
    ]
    assert None not in expected
    names = ("molecules/qm9/floor", *(name for name in DURATIONS if name.startswith("molecules/qm9/quick/")))
    assert len(names) == 3
    queue = sorted([*expected, *(DURATIONS[name] for name in names)], reverse=True)
    assert BESIDE * makespan(queue, 2) < 15 * 60


def test_a_finished_run_takes_no_time(tmp_path: Path) -> None:
    floor = jobs("quick")[0]
    assert expected_seconds(floor, tmp_path) == DURATIONS["graph-autoencoder/erdos-renyi/floor"]
    floor.run(tmp_path)
    assert expected_seconds(floor, tmp_path) == 0
    assert makespan([3, 1, 1, 2], 2) == 4


def test_it_is_said_how_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    floor, nothing = fixed(jobs("smoke")[0]), fixed()
    for name in EXPERIMENTS:
        monkeypatch.setitem(EXPERIMENTS, name, floor if name == "graph-autoencoder" else nothing)
    reproduce("smoke", tmp_path, workers=2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [
        "graph-autoencoder/erdos-renyi: floor 0 s",
        "smoke: 1 run, about 0 seconds on 2 idle cores, as they took before",
    ]


if __name__ == "__main__":
    print(json.dumps(durations(), indent=0))
