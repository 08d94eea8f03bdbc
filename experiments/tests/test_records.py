import json
from dataclasses import replace
from pathlib import Path

import pytest

from sympe_experiments.records import FILE_NAME, Record, describe_environment, read_record, read_records

RECORD = Record(
    experiment="graph-autoencoder",
    method="SymPE",
    recipe="tiny",
    data="random",
    seed=3,
    config={"epochs": 2, "encoder": {"hidden": 8}},
    metrics={"error": 0.5, "graphs": 7, "floor": None},
    seconds=1.23456,
    history={"loss": [2.0, 1.0]},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = RECORD.write(tmp_path / "a" / "run")
    assert path == tmp_path / "a" / "run" / FILE_NAME
    assert read_record(path) == RECORD
    assert [entry.name for entry in path.parent.iterdir()] == [FILE_NAME]


def test_a_record_is_readable_as_it_is(tmp_path: Path) -> None:
    held = json.loads(RECORD.write(tmp_path).read_text())
    assert held["metrics"] == {"error": 0.5, "floor": None, "graphs": 7}
    assert held["config"]["encoder"]["hidden"] == 8
    assert held["seed"] == 3


def test_a_record_replaces_the_one_before(tmp_path: Path) -> None:
    RECORD.write(tmp_path)
    replace(RECORD, seed=4).write(tmp_path)
    assert [record.seed for record in read_records(tmp_path)] == [4]


def test_a_record_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    RECORD.write(tmp_path)
    with pytest.raises(ValueError, match="not JSON compliant"):
        replace(RECORD, seed=4, metrics={"error": float("nan")}).write(tmp_path)
    assert read_records(tmp_path) == [RECORD]
    assert [entry.name for entry in tmp_path.iterdir()] == [FILE_NAME]


def test_records_come_in_the_order_of_their_folders(tmp_path: Path) -> None:
    for seed, folder in enumerate(["b", "a/z", "a/b"]):
        replace(RECORD, seed=seed).write(tmp_path / folder)
    (tmp_path / "notes.json").write_text("{}")
    assert [record.seed for record in read_records(tmp_path)] == [2, 1, 0]
    (tmp_path / "empty").mkdir()
    assert read_records(tmp_path / "empty") == []


def test_the_summary_is_flat() -> None:
    assert RECORD.summary() == {
        "experiment": "graph-autoencoder",
        "method": "SymPE",
        "recipe": "tiny",
        "data": "random",
        "seed": 3,
        "error": 0.5,
        "graphs": 7,
        "floor": None,
        "seconds": 1.23,
    }


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a folder of runs; .*nowhere does not exist"):
        read_records(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"{}",
        b'{"experiment": "e"}',
        b'{"task": "t"}',
        b"\xff\xfe",
        json.dumps({**vars(RECORD), "colour": 1}).encode(),
        json.dumps({**vars(RECORD), "metrics": [1, 2]}).encode(),
        json.dumps({**vars(RECORD), "metrics": {"error": "small"}}).encode(),
        json.dumps({**vars(RECORD), "history": {"loss": 1.0}}).encode(),
        json.dumps({**vars(RECORD), "seed": "three"}).encode(),
        json.dumps({**vars(RECORD), "config": None}).encode(),
        json.dumps({**vars(RECORD), "seconds": None}).encode(),
    ],
)
def test_what_is_no_record(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    for read in (lambda: read_record(path), lambda: read_records(tmp_path)):
        with pytest.raises(ValueError, match=f"{FILE_NAME} is not a record of a run"):
            read()


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a record of a run"):
        read_record(tmp_path / FILE_NAME)


def test_the_environment_says_what_it_ran_on() -> None:
    environment = describe_environment()
    assert {"sympe", "torch", "numpy"} <= set(environment["versions"])
    assert environment["threads"] >= 1
    assert json.loads(json.dumps(environment)) == environment
