"""``sympe compare``, called inside this process."""

import json
from pathlib import Path

import pytest

from command_line import call, contents
from sympe_experiments.catalog import EXPERIMENTS


def test_a_table_of_methods(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    arguments = ("compare", "--recipe", "smoke", "--steps", 2, "--seeds", 2, "--out", tmp_path)
    done = call(capsys, *arguments, "--methods", "none", "sympe-labeling", "haar")
    assert done.code == 0, done
    assert "no symmetry breaking" in done.out
    assert "Haar measure (control)" in done.out
    assert "its figures mean nothing" in done.out.replace("\n", " ")
    records = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("record.json"))
    assert records[0] == "independent-set/cayley-graphs/smoke/haar/seed0/record.json"
    assert len(records) == 6

    before = contents(tmp_path)
    again = call(capsys, *arguments, "--methods", "none", "sympe-labeling", "--json")
    assert contents(tmp_path) == before
    runs = json.loads(again.out)["runs"]
    assert [(run["method"], run["seed"]) for run in runs] == [
        (method, seed) for seed in (0, 1) for method in ("none", "sympe-labeling")
    ]
    assert runs[0]["error"] == 100


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("--experiment", "chess"),
            "unknown experiment 'chess'; choose one of independent-set, coloring, shapes, distortions",
        ),
        (("--seeds", 0), "seeds must be at least 1; got 0"),
        (("--methods", "magic"), "unknown method 'magic'; choose one of none, noise, "),
        (("--recipe", "poster"), "unknown recipe 'poster'"),
        (("--experiment", "shapes", "--data", "cube"), "unknown data 'cube'; choose one of square"),
        (
            ("--experiment", "shapes", "--data", "fragments", "--methods", "partial"),
            "partial keeps the symmetries of one",
        ),
        (("--data", "missing.g6"), "missing.g6"),
        (("--steps", 0), "steps must be at least 1; got 0"),
    ],
)
def test_bad_input(arguments: tuple, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "compare", "--out", tmp_path / "runs", *arguments)
    assert complaint in done.complaint
    assert not (tmp_path / "runs").exists()


def test_experiments_have_what_the_command_asks_for() -> None:
    compared = [entry for entry in EXPERIMENTS.values() if not entry.has_command]
    assert [entry.name for entry in compared] == [
        "independent-set",
        "coloring",
        "shapes",
        "distortions",
        "programs",
        "assignment",
    ]
    for entry in compared:
        settings = entry.load("config")
        assert entry.name == settings.NAME
        assert {"none", "haar"} <= set(settings.methods(None))
        assert any(method.startswith("sympe-") for method in settings.methods(None))
        assert callable(entry.load("run").run)
