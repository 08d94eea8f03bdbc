"""A short fuzz of every reader, the damaged files of others, and what the fuzzer itself must notice."""

import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import call
from fuzz import run
from fuzz.corpus import make_corpus
from fuzz.readers import READERS, Reader

#: Files that ended in a traceback or hung before; each is named by the command that reads its kind.
DAMAGED = Path(__file__).parents[3].parent / "shared" / "cases" / "damaged"


@pytest.fixture(scope="module")
def corpus() -> dict[str, bytes]:
    return make_corpus()


def test_all_that_the_corpus_holds_is_read(corpus: dict[str, bytes], tmp_path: Path) -> None:
    """Or a mutation of it would say nothing."""
    for name, reader in READERS.items():
        for held in reader.files:
            (tmp_path / name / held).mkdir(parents=True, exist_ok=True)
            path = reader.path(tmp_path / name / held, held)
            path.write_bytes(corpus[held])
            reader.read(path)


@pytest.mark.parametrize("reader", READERS)
def test_mutated_files_are_read_or_refused(reader: str, corpus: dict[str, bytes], tmp_path: Path) -> None:
    found = run.fuzz(reader, 0, 10, 0, corpus, tmp_path)
    assert found.faults == {}
    assert found.read + found.refused == found.inputs == 10


def broken(path: Path) -> None:
    raise KeyError("x")


def slow(path: Path) -> None:
    while True:
        time.process_time()


def hungry(path: Path) -> None:
    # New pages: what this process has freed may still be its own, and would not count.
    mmap.mmap(-1, run.MEMORY * 5 // 4, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


def untidy(path: Path) -> None:
    path.with_name("half").touch()


def crashing(path: Path) -> None:
    os.abort()


def silent(path: Path) -> None:
    raise ValueError


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (broken, "KeyError: "),
        (slow, "hang: "),
        (hungry, "memory: "),
        (untidy, "left a file behind"),
        (crashing, "crash: SIGABRT"),
        (silent, "refused without a reason: "),
    ],
)
def test_the_fuzzer_notices(
    read: Callable[[Path], object], kind: str, corpus: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if read is slow:  # a busy machine takes long for new pages: others keep the limit that no input reaches
        monkeypatch.setattr(run, "SECONDS", 1)
    monkeypatch.setattr(run, "MEMORY", 2**28)
    monkeypatch.setitem(READERS, "wrong", Reader(("g6",), read))
    found = run.fuzz("wrong", 0, 2, 0, corpus, tmp_path)
    assert [name for name in found.faults if not name.startswith(kind)] == []
    assert sorted(number for numbers in found.faults.values() for number in numbers) == [0, 1]
    assert found.inputs == 2


def test_an_input_depends_on_its_number_alone(corpus: dict[str, bytes]) -> None:
    inputs = [run.input_of(corpus, "audit", 0, number) for number in range(50)]
    assert inputs[7] == run.input_of(corpus, "audit", 0, 7)
    assert len(set(inputs)) > 45
    assert inputs[7] != run.input_of(corpus, "audit", 1, 7)


@pytest.mark.skipif(not DAMAGED.is_dir(), reason="the damaged files are not here")
def test_damaged_files_of_others_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted(DAMAGED.iterdir()):
        commands = {
            ".npz": [("audit", path), ("graph-autoencoder", "--data", path), ("ising", "predict", "--couplings", path)],
            ".safetensors": [("molecules", "evaluate", "--weights", path), ("ising", "predict", "--weights", path)],
            ".ckpt": [("graph-autoencoder", "--recipe", "smoke", "--out", tmp_path / path.name, "--resume")],
        }.get(path.suffix, [("audit", path)])
        if path.suffix == ".ckpt":
            (tmp_path / path.name).mkdir()
            (tmp_path / path.name / "last.ckpt").write_bytes(path.read_bytes())
        for command in commands:
            done = call(capsys, *command)
            assert done.code in (0, 2), (command, done)
            if done.code == 2:
                assert done.complaint.isprintable()
