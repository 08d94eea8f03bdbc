"""Runs that are terminated, met by a second one, damaged or robbed of files; folders that are not theirs."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from command_line import call, contents, start, struck
from sympe_experiments import weights
from sympe_experiments.autoencoder.config import make_config
from sympe_experiments.autoencoder.training import run
from sympe_experiments.checkpoints import AtomicCheckpointIO
from sympe_experiments.ising.config import make_config as ising_config
from sympe_experiments.ising.training import run as run_ising
from sympe_experiments.records import read_record

Capture = pytest.CaptureFixture[str]

COMMAND = ("graph-autoencoder", "--method", "none", "--recipe", "smoke", "--num-train", "20", "--hidden-dim", "8")
COMMAND += ("--draws", "2", "--epochs", "3", "--accelerator", "cpu", "--json")
CONFIG = make_config("none", "smoke", num_train=20, hidden_dim=8, draws=2, epochs=3)
WEIGHTS, CHECKPOINT, RECORD = "weights.safetensors", "last.ckpt", "record.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run leaves, by name."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    run(CONFIG, folder, progress=False, accelerator="cpu")
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def unpacked(files: dict[str, bytes], folder: Path, *without: str) -> Path:
    folder.mkdir()
    for name in files.keys() - set(without):
        (folder / name).write_bytes(files[name])
    return folder


def metrics(folder: Path) -> dict[str, Any]:
    return {name: value for name, value in read_record(folder / RECORD).metrics.items() if "seconds" not in name}


# -------------------------------------------------------------------------------------------------------- signals


def test_a_training_that_is_terminated_says_so(tmp_path: Path) -> None:
    """And the checkpoint that it was writing is there."""
    folder = tmp_path / "run"
    done = struck("term-before", CHECKPOINT, 2, *COMMAND, "--out", folder)
    assert (done.code, done.out) == (143, "")
    assert done.err.splitlines()[-1] == "sympe: ended by SIGTERM; the same command with --resume goes on"
    assert not (folder / RECORD).exists()
    assert AtomicCheckpointIO().load_checkpoint(folder / CHECKPOINT)["epoch"] == 1


# ---------------------------------------------------------------------------------------------------------- locks


def test_the_second_run_in_a_folder_ends_with_one_line(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "run"
    process = start(*COMMAND, "--epochs", 100_000, "--out", folder, stderr=subprocess.DEVNULL)
    while not (folder / CHECKPOINT).exists():
        assert process.poll() is None
    more = ("--epochs", 100_000, "--out", folder)
    assert f"in use by process {process.pid} on " in call(capsys, *COMMAND, *more, "--resume").complaint
    assert "already holds a run (last.ckpt)" in call(capsys, *COMMAND, *more).complaint
    process.kill()
    process.communicate()
    checkpoint = (folder / CHECKPOINT).read_bytes()
    refused = call(capsys, *COMMAND, "--epochs", 3, "--out", folder, "--resume").complaint
    assert "other values of epochs" in refused, "the lock has died with its process"
    assert (folder / CHECKPOINT).read_bytes() == checkpoint


# --------------------------------------------------------------------------------------------- damage and theft


def test_a_checkpoint_with_a_flipped_bit_is_refused(finished: dict[str, bytes], tmp_path: Path) -> None:
    """Wherever it is: in what is stored, the directory of the archive, its end, or the checksum."""
    content, path, random_bits = finished[CHECKPOINT], tmp_path / CHECKPOINT, random.Random(0)
    places = {*random_bits.sample(range(len(content)), 200), *range(len(content) - 100, len(content))}
    for at in places:
        damaged = bytearray(content)
        damaged[at] ^= 1 << random_bits.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="is no checkpoint of this program, or damaged"):
            AtomicCheckpointIO().load_checkpoint(path)


def test_a_checkpoint_of_an_earlier_version_is_read(finished: dict[str, bytes], tmp_path: Path) -> None:
    """Its archive has no comment; the checksums of its members are compared."""
    path = tmp_path / CHECKPOINT
    older = finished[CHECKPOINT][:-66] + b"\0\0"
    path.write_bytes(older)
    assert AtomicCheckpointIO().load_checkpoint(path)["epoch"] == 2
    path.write_bytes(older.replace(b"state_dict", b"state_Dict", 1))
    with pytest.raises(ValueError, match="is no checkpoint of this program, or damaged"):
        AtomicCheckpointIO().load_checkpoint(path)


def test_a_checkpoint_with_numbers_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    io, path = AtomicCheckpointIO(), tmp_path / CHECKPOINT
    for bad in (torch.tensor(torch.nan), torch.zeros(1).expand(10**12)):
        io.save_checkpoint({"state_dict": {"w": torch.ones(2)}, "optimizer_states": [{"state": {0: (bad,)}}]}, path)
        with pytest.raises(ValueError, match="is no checkpoint of this program, or damaged"):
            io.load_checkpoint(path)


def test_weights_with_a_flipped_bit_are_refused(finished: dict[str, bytes], tmp_path: Path) -> None:
    content, path, random_bits = finished[WEIGHTS], tmp_path / WEIGHTS, random.Random(0)
    path.write_bytes(content)
    assert weights.is_whole(path)
    for _ in range(200):
        damaged = bytearray(content)
        damaged[random_bits.randrange(len(content))] ^= 1 << random_bits.randrange(8)
        path.write_bytes(damaged)
        assert not weights.is_whole(path)


def test_weights_without_a_checksum_are_said_to_be_unchecked(finished: dict[str, bytes], tmp_path: Path) -> None:
    from safetensors.torch import load, save

    length = int.from_bytes(finished[WEIGHTS][:8], "little")
    described = json.loads(json.loads(finished[WEIGHTS][8 : 8 + length])["__metadata__"]["model"])
    del described["sha256"]
    path = tmp_path / WEIGHTS
    path.write_bytes(save(load(finished[WEIGHTS]), {"model": json.dumps(described)}))
    with pytest.warns(UserWarning, match="has no checksum: what it holds is taken as it is"):
        assert weights.is_whole(path)


def test_a_description_of_a_giant_is_refused_before_it_is_built(finished: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / WEIGHTS
    path.write_bytes(finished[WEIGHTS])
    for build in (lambda _: torch.nn.Linear(20_000, 10_000), lambda _: torch.nn.ModuleList(map(giant, range(10**9)))):
        with pytest.raises(ValueError, match="its description is of a larger model"):
            weights.load(path, "a giant", build)


def giant(_: int) -> torch.nn.Module:
    return torch.nn.Linear(100, 1000)


def test_what_a_finished_run_has_lost_is_made_again_or_said(finished: dict[str, bytes], tmp_path: Path) -> None:
    robbed = unpacked(finished, tmp_path / "robbed", WEIGHTS)
    before = metrics(robbed)
    run(CONFIG, robbed, resume=True, progress=False, accelerator="cpu")
    assert (robbed / WEIGHTS).read_bytes() == finished[WEIGHTS]
    assert metrics(robbed) == before

    (robbed / WEIGHTS).write_bytes(finished[WEIGHTS][:-1] + b"?")
    run(CONFIG, robbed, resume=True, progress=False, accelerator="cpu")
    assert (robbed / WEIGHTS).read_bytes() == finished[WEIGHTS]

    bare = unpacked(finished, tmp_path / "bare", WEIGHTS, CHECKPOINT)
    with pytest.raises(ValueError, match=r"has lost weights\.safetensors and its checkpoint; remove record\.json"):
        run(CONFIG, bare, resume=True, progress=False)


def test_lost_arrays_are_made_again(tmp_path: Path) -> None:
    config = ising_config("gcnn", "smoke")
    folder = tmp_path / "run"
    record = run_ising(config, folder, progress=False, accelerator="cpu")
    assert record is not None
    before = {name: value.tobytes() for name, value in record.arrays().items()}
    (folder / "arrays.npz").unlink()
    again = run_ising(config, folder, resume=True, progress=False, accelerator="cpu")
    assert again is not None
    assert {name: value.tobytes() for name, value in again.arrays().items()} == before


# ------------------------------------------------------------------------------------------- folders of others


def test_a_folder_of_the_user_is_left_alone(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / WEIGHTS).write_bytes(b"of another program")
    before = contents(tmp_path)
    refused = call(capsys, *COMMAND, "--out", tmp_path)
    assert "holds files that are not of this program; give another folder" in refused.complaint
    assert contents(tmp_path) == before


def test_a_folder_beside_the_samples_is_left_alone(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    parts = tmp_path / "s.parquet.parts"
    parts.mkdir()
    (parts / "thesis.tex").write_text("all there is")
    sample = ("molecules", "sample", "--num", 2, "--steps", 1, "--accelerator", "cpu", "--out", tmp_path / "s.parquet")
    for more in ((), ("--resume",)):
        assert "holds files that are not of this program" in call(capsys, *sample, *more).complaint
    (parts / "thesis.tex").rename(tmp_path / "thesis.tex")
    assert call(capsys, *sample).code == 0
    parts.mkdir(exist_ok=True)
    (tmp_path / "thesis.tex").rename(parts / "thesis.tex")
    assert call(capsys, *sample, "--resume").code == 0
    assert (parts / "thesis.tex").read_text() == "all there is"
