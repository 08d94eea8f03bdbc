"""The command line: what it prints where, exit codes, and one line for whatever is wrong."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import networkx
import pytest

from command_line import call, contents
from sympe.graphs import concatenate, from_edges, from_networkx, write
from sympe_experiments.records import read_record

TRAIN = ("graph-autoencoder", "--recipe", "smoke", "--accelerator", "cpu", "--hidden-dim", 8, "--epochs", 1)

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty small graphs, and three that have no pair of nodes."""
    path = tmp_path_factory.mktemp("data") / "graphs.g6"
    random = from_networkx([networkx.gnp_random_graph(2 + i % 5, 0.5, seed=i) for i in range(30)])
    write(concatenate([from_edges([(1, []), (0, []), (1, [])]), random]), path)
    return path


@pytest.fixture(scope="module")
def finished(own_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on the user's file."""
    from sympe.cli import main

    folder = tmp_path_factory.mktemp("runs")
    main([*map(str, TRAIN), "--data", str(own_file), "--draws", "3", "--out", str(folder / "run"), "--json"])
    return folder


def test_a_run_on_the_users_own_file(own_file: Path, tmp_path: Path, capsys: Capture) -> None:
    done = call(capsys, *TRAIN, "--data", own_file, "--draws", 3, "--seed", 4, "--out", tmp_path / "run", "--json")
    assert done.code == 0
    summary = json.loads(done.out)
    assert done.out.count("\n") == 1
    expected = {
        "experiment": "graph-autoencoder",
        "method": "sympe-sort",
        "recipe": "smoke",
        "seed": 4,
        "data": str(own_file),
    }
    assert expected.items() <= summary.items()
    numbers = ("test_error_percent", "test_error_std_over_draws", "best_of_3_error_percent")
    assert all(0 <= summary[name] <= 100 for name in numbers)
    assert "best_of_10_error_percent" not in summary
    assert summary["epochs"] == 1
    assert summary["skipped_graphs"] == 3
    assert 0 <= summary["floor_pair_percent"] <= summary["floor_difference_percent"] <= summary["trivial_percent"]
    assert summary["trivial_percent"] > 0
    assert 0 < summary["seconds"] < 600
    assert summary["n_parameters"] > 1000
    assert summary == read_record(tmp_path / "run" / "record.json").summary()
    assert "Traceback" not in done.err


def test_ten_draws_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """And a run goes below ``runs`` in the current folder."""
    monkeypatch.chdir(tmp_path)
    done = call(capsys, *TRAIN, "--method", "haar", "--num-train", 20, "--json")
    summary = json.loads(done.out)
    fields = "experiment method seed data test_error_percent test_error_std_over_draws best_of_10_error_percent"
    assert {*fields.split(), "epochs", "seconds", "n_parameters"} <= summary.keys()
    assert (summary["method"], summary["data"], summary["seed"]) == ("haar", "erdos-renyi", 0)
    folder = tmp_path / "runs" / "graph-autoencoder" / "erdos-renyi" / "smoke" / "haar" / "seed0"
    assert read_record(folder / "record.json").summary() == summary


def test_a_table_for_people(finished: Path, capsys: Capture) -> None:
    done = call(capsys, *TRAIN, "--data", finished / "none.g6", "--out", finished / "run", "--resume")
    assert "holds a finished run with another configuration" in done.complaint
    table = call(capsys, "table", finished)
    assert table.code == 0
    record = read_record(finished / "run" / "record.json")
    assert f"{record.metrics['test_error_percent']:.2f}" in table.out
    assert table.err == ""


def data_folder() -> Path | None:
    """Where the data sets are: named by SYMPE_DATA, or beside the source tree."""
    named = os.environ.get("SYMPE_DATA")
    folder = Path(named) if named else Path(__file__).parents[3] / "shared" / "data"
    return folder if (folder / "qm9.npz").is_file() else None


@pytest.mark.skipif(
    data_folder() is None, reason="there is no qm9.npz where SYMPE_DATA says, nor beside the source tree"
)
def test_qm9(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("SYMPE_DATA", str(data_folder()))
    done = call(capsys, *TRAIN, "--data", "qm9", "--draws", 2, "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    summary = json.loads(done.out)
    assert summary["data"] == "qm9"
    # Heavy atoms: at most nine, so at most 72 ordered pairs in each of 40 graphs.
    assert 40 * 42 < summary["test_pairs"] <= 40 * 72
    assert 0 < summary["test_error_percent"] < 100


# ---------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "magic"), "unknown method 'magic'; choose one of none, noise, haar, "),
        (("--recipe", "tasty"), "unknown recipe 'tasty'; choose one of smoke, fast, best, poster"),
        (("--epochs", 0), "epochs must be positive; got 0"),
        (("--draws", 0), "draws must be positive; got 0"),
        (("--batch-size", -3), "batch_size must be positive; got -3"),
        (("--learning-rate", "nan"), "learning_rate must be positive; got nan"),
        (("--seed", -1), "seed must be from 0 to 2^63 - 1; got -1"),
        (("--devices", 0), "devices must be at least 1; got 0"),
        (("--num-train", 0), "num_train must be positive; got 0"),
        (("--num-train", 20, "--accelerator", "quantum"), "quantum"),
    ],
)
def test_values_that_cannot_be(arguments: tuple[object, ...], message: str, tmp_path: Path, capsys: Capture) -> None:
    refused = call(capsys, *TRAIN, *arguments, "--out", tmp_path / "run", "--json")
    assert message in refused.complaint
    assert refused.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.g6", None, "No such file"),
        ("graphs.g6", b"DQc\nDQ", "line 2 is not graph6"),
        ("graphs.g6", b"A_\nA_\n", "expected at least 3 graphs, to train, validate and test; got 2"),
        ("graphs.g6", b"@\n@\n@\n@\n", "expected graphs of two nodes or more"),
        ("graphs.npz", b"PK\3\4 junk", "expected an archive of numpy arrays"),
        ("graphs.graphml", b"<graphml><graph>", "expected GraphML"),
        ("graphs.edges", b"a b\nc\n", "line 2: expected two names of nodes"),
        ("graphs.edges", b"a b\n\nb b\n\nc d\n\ne f\n\ng h", "has a self-loop"),
        ("graphs.pdf", b"%PDF", "expected a file ending in"),
    ],
)
def test_damaged_data(name: str, content: bytes | None, message: str, tmp_path: Path, capsys: Capture) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused = call(capsys, *TRAIN, "--data", tmp_path / name, "--out", tmp_path / "run", "--json")
    assert message in refused.complaint
    assert refused.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_qm9_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("SYMPE_DATA", str(tmp_path))
    assert "expected qm9.npz in the folder" in call(capsys, *TRAIN, "--data", "qm9", "--out", tmp_path / "r").complaint
    monkeypatch.delenv("SYMPE_DATA")
    assert "SYMPE_DATA" in call(capsys, *TRAIN, "--data", "qm9", "--out", tmp_path / "r").complaint


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("a file, not a folder")
    refused = call(capsys, *TRAIN, "--method", "none", "--num-train", 20, "--out", tmp_path / "file" / "run")
    assert "file" in refused.complaint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "tiny"), "unknown preset 'tiny'; choose one of smoke, quick, full"),
        (("--preset", "smoke", "--experiment", "chess"), "unknown experiment 'chess'; choose one of graph-autoencoder"),
        (("--preset", "smoke", "--workers", 0), "workers must be at least 1; got 0"),
    ],
)
def test_reproduce_refuses(arguments: tuple[object, ...], message: str, tmp_path: Path, capsys: Capture) -> None:
    assert message in call(capsys, "reproduce", *arguments, "--out", tmp_path / "runs", "--json").complaint
    assert list(tmp_path.iterdir()) == []


def test_tables_need_records(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    assert f"no records of runs below {tmp_path}" in call(capsys, "table", tmp_path).complaint
    assert "expected a folder of runs" in call(capsys, "table", tmp_path / "missing", "--json").complaint
    shutil.copytree(finished / "run", tmp_path / "good")
    (tmp_path / "bad").mkdir()
    whole = (finished / "run" / "record.json").read_text()
    for broken in (whole[: len(whole) // 2], "[1]", "{}", whole.replace('"seed"', '"seeds"'), "\xff"):
        (tmp_path / "bad" / "record.json").write_bytes(broken.encode("latin-1"))
        complaint = call(capsys, "table", tmp_path).complaint
        assert f"{tmp_path / 'bad' / 'record.json'} is not a record of a run" in complaint


def test_tables_in_json(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    summary = read_record(finished / "run" / "record.json").summary()
    assert json.loads(call(capsys, "table", finished, "--json").out) == summary
    for name in ("a", "b"):
        shutil.copytree(finished / "run", tmp_path / name)
    before = contents(tmp_path)
    assert json.loads(call(capsys, "table", tmp_path, "--json").out) == {"runs": [summary, summary]}
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "arguments",
    [(), ("dance",), ("graph-autoencoder", "--bogus", 3), ("graph-autoencoder", "--epochs", "many"), ("table",)],
)
def test_words_that_mean_nothing(arguments: tuple[object, ...], capsys: Capture) -> None:
    refused = call(capsys, *arguments)
    assert refused.code == 2
    assert refused.out == ""
    assert refused.err
    assert "Traceback" not in refused.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("graph-autoencoder", "reproduce", "table")),
        (("graph-autoencoder",), ("--method", "--recipe", "--resume", "--devices", "--json")),
        (("reproduce",), ("--preset", "--workers", "--experiment")),
    ],
)
def test_help(arguments: tuple[str, ...], words: tuple[str, ...], capsys: Capture) -> None:
    helped = call(capsys, *arguments, "--help")
    assert helped.code == 0
    assert all(word in helped.out for word in words)
    assert helped.err == ""


FAULTS = """
import resource, sys, torch
if sys.argv[1] == "keep":
    from sympe.cli.memory import keep_freed_memory
    keep_freed_memory()
for turn in range(40):
    if turn == 20:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(12_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks glibc's allocator")
def test_commands_keep_freed_memory() -> None:
    """The system clears no page again for tensors that take the place of others."""
    faults = {
        name: int(subprocess.run([sys.executable, "-c", FAULTS, name], capture_output=True, check=True).stdout)
        for name in ("keep", "return")
    }
    assert faults["keep"] < 100
    assert faults["return"] > 1000
