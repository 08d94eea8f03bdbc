"""``sympe compare``, called inside this process."""

import json
from pathlib import Path

import pytest

from command_line import call, contents
from sympe_experiments.commands.compare import TASKS


def test_a_table_of_methods(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    arguments = ("compare", "--recipe", "smoke", "--steps", 2, "--seeds", 2, "--out", tmp_path)
    done = call(capsys, *arguments, "--methods", "none", "sympe", "permutation")
    assert done.code == 0, done
    assert "no symmetry breaking" in done.out
    assert "random permutation (control)" in done.out
    assert "its figures mean nothing" in done.out.replace("\n", " ")
    records = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("record.json"))
    assert records[0] == "independent-set/cayley-graphs/smoke/none/seed0/record.json"
    assert len(records) == 6

    before = contents(tmp_path)
    again = call(capsys, *arguments, "--methods", "none", "sympe", "--json")
    assert contents(tmp_path) == before
    runs = json.loads(again.out)["runs"]
    assert [(run["method"], run["seed"]) for run in runs] == [("none", 0), ("sympe", 0), ("none", 1), ("sympe", 1)]
    assert runs[0]["error"] == 100


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--task", "chess"), "unknown task 'chess'; choose one of independent-set, shapes"),
        (("--seeds", 0), "seeds must be at least 1; got 0"),
        (("--methods", "magic"), "unknown method 'magic'; choose one of none, noise, "),
        (("--recipe", "poster"), "unknown recipe 'poster'"),
        (("--task", "shapes", "--data", "cube"), "unknown data 'cube'; choose one of square"),
        (("--task", "shapes", "--data", "fragments", "--methods", "partial"), "partial keeps the symmetries of one"),
        (("--data", "missing.g6"), "missing.g6"),
        (("--steps", 0), "steps must be at least 1; got 0"),
    ],
)
def test_bad_input(arguments: tuple, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "compare", "--out", tmp_path / "runs", *arguments)
    assert complaint in done.complaint
    assert not (tmp_path / "runs").exists()


def test_tasks_have_what_the_command_asks_for() -> None:
    from sympe.tasks import independent_set, shapes

    for name, task in zip(TASKS, (independent_set, shapes), strict=True):
        assert name == task.TASK
        assert set(task.methods(None)) >= {"none", "noise", "sympe"}
