"""Samples in files: the same whatever the shards and however often sampling was interrupted."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import call, struck
from molecule_runs import Interruption, rows
from sympe_experiments.molecules import sampling
from sympe_experiments.molecules.sampling import sample_to_file

pytest.importorskip("rdkit", reason="needs RDKit")
pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

Capture = pytest.CaptureFixture[str]


def test_samples_are_the_same_whatever_the_shards(weights: Path, tmp_path: Path) -> None:
    for size in (3, 100):
        sample_to_file(weights, tmp_path / f"{size}.parquet", 20, shard_size=size, accelerator="cpu")
    assert rows(tmp_path / "3.parquet") == rows(tmp_path / "100.parquet")
    found = rows(tmp_path / "3.parquet")
    assert [row["index"] for row in found] == list(range(20))
    assert {row["seed"] for row in found} == {0}
    assert all((row["smiles"] is not None) == row["valid"] for row in found)
    assert not (tmp_path / "3.parquet.parts").exists()
    sample_to_file(weights, tmp_path / "other.parquet", 20, seed=1, accelerator="cpu")
    assert [row["num_nodes"] for row in rows(tmp_path / "other.parquet")] != [row["num_nodes"] for row in found]


def interrupted(weights: Path, out: Path, monkeypatch: pytest.MonkeyPatch, after: int = 2) -> None:
    """Sample, and stop after some shards."""
    write_shard, written = sampling._write, []

    def stop(path: Path, found: Any) -> None:
        if len(written) == after:
            raise Interruption
        write_shard(path, found)
        written.append(path)

    with monkeypatch.context() as patch:
        patch.setattr(sampling, "_write", stop)
        with pytest.raises(Interruption):
            sample_to_file(weights, out, 20, shard_size=3, accelerator="cpu")
    assert len(written) == after


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


@pytest.mark.parametrize("harm", [lambda path: None, damage, Path.unlink])
def test_an_interrupted_sampling_loses_nothing_and_doubles_nothing(
    harm: Callable[[Path], None], weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "s.parquet"
    interrupted(weights, out, monkeypatch)
    shards = sorted((tmp_path / "s.parquet.parts").glob("shard-*"))
    assert len(shards) == 2
    kept = shards[0].stat().st_mtime_ns
    harm(shards[1])
    with pytest.raises(ValueError, match="holds shards of an interrupted sampling; resume it or give another file"):
        sample_to_file(weights, out, 20, shard_size=3, accelerator="cpu")
    with pytest.raises(ValueError, match="was started with other values of num, seed"):
        sample_to_file(weights, out, 21, shard_size=3, seed=2, resume=True, accelerator="cpu")
    assert shards[0].stat().st_mtime_ns == kept
    sample_to_file(weights, out, 20, shard_size=3, resume=True, accelerator="cpu")
    sample_to_file(weights, tmp_path / "whole.parquet", 20, accelerator="cpu")
    assert rows(out) == rows(tmp_path / "whole.parquet")
    assert {path.name for path in tmp_path.iterdir()} == {"s.parquet", "whole.parquet"}


def test_a_sampling_that_was_killed_goes_on(weights: Path, tmp_path: Path, capsys: Capture) -> None:
    sample = ("molecules", "sample", "--weights", weights, "--num", 300, "--shard-size", 1, "--accelerator", "cpu")
    sample += ("--steps", 4, "--out", tmp_path / "s.parquet")
    assert struck("kill", "shard-*", 2, *sample).code == -signal.SIGKILL
    assert len(list(tmp_path.glob("s.parquet.parts/shard-*.parquet"))) == 2
    assert not (tmp_path / "s.parquet").exists()
    assert call(capsys, *sample, "--resume").code == 0
    sample_to_file(weights, tmp_path / "whole.parquet", 300, steps=4, accelerator="cpu")
    assert rows(tmp_path / "s.parquet") == rows(tmp_path / "whole.parquet")
    assert {path.name for path in tmp_path.iterdir()} == {"s.parquet", "whole.parquet"}
