"""Whole runs: killed and taken up again, on a full disk, on several processes, and what they leave behind."""

import json
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer

from command_line import call, contents, start, struck
from sympe.graphs.datasets import erdos_renyi
from sympe_experiments.autoencoder import training as train
from sympe_experiments.autoencoder.config import make_config
from sympe_experiments.autoencoder.data import GraphSet
from sympe_experiments.autoencoder.evaluation import Errors, evaluate
from sympe_experiments.autoencoder.model import GraphAutoencoder
from sympe_experiments.autoencoder.training import TEST, VALIDATE, run
from sympe_experiments.records import Record, read_record
from sympe_experiments.training import SaveEachEpoch

#: The method with most state: eigenspaces, a learned sort and a table. Some seconds in all.
COMMAND = ("graph-autoencoder", "--method", "laplacian-sympe-sort", "--recipe", "smoke", "--epochs", "4")
COMMAND += ("--num-train", "60", "--hidden-dim", "8", "--draws", "2", "--accelerator", "cpu", "--json")


def without_times(record: Record) -> dict[str, Any]:
    kept = {
        name: getattr(record, name) for name in ("experiment", "method", "recipe", "data", "seed", "config", "history")
    }
    return kept | {"metrics": {name: value for name, value in record.metrics.items() if "seconds" not in name}}


def same_runs(first: Path, second: Path) -> None:
    assert without_times(read_record(first / "record.json")) == without_times(read_record(second / "record.json"))
    assert (first / "weights.safetensors").read_bytes() == (second / "weights.safetensors").read_bytes()


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Writing beyond ``size`` bytes of a file fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# ------------------------------------------------------------------------------------- killed and taken up again


@pytest.fixture(scope="module")
def killed_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed between its first checkpoint and its end."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    assert struck("kill", "last.ckpt", 2, *COMMAND, "--out", folder).code == -signal.SIGKILL
    assert not (folder / "record.json").exists()
    return folder


@pytest.fixture
def killed(killed_run: Path, tmp_path: Path) -> Path:
    """A copy of it to go on with."""
    return Path(shutil.copytree(killed_run, tmp_path / "killed"))


def test_a_killed_run_ends_as_if_it_had_not_been(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    epochs = torch.load(killed / "last.ckpt", weights_only=True)["epoch"] + 1
    assert epochs == 2
    resumed = call(capsys, *COMMAND, "--out", killed, "--resume")
    whole = call(capsys, *COMMAND, "--out", tmp_path / "whole")
    assert resumed.code == whole.code == 0
    same_runs(killed, tmp_path / "whole")
    history = read_record(killed / "record.json").history
    assert len(history["train_loss"]) == 4
    assert history["validation_epoch"] == [1, 2, 3, 4]
    assert history["train_loss"][-1] < history["train_loss"][0]

    # A finished run is read, not made again.
    before = contents(killed)
    again = call(capsys, *COMMAND, "--out", killed, "--resume")
    assert json.loads(again.out) == json.loads(resumed.out)
    assert contents(killed) == before
    other = call(capsys, *COMMAND, "--out", killed, "--resume", "--seed", 1)
    assert "holds a finished run with another configuration" in other.complaint
    refused = call(capsys, *COMMAND, "--out", killed)
    assert "already holds a run (record.json)" in refused.complaint
    assert contents(killed) == before


def test_a_run_is_not_written_over(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(killed)
    refused = call(capsys, *COMMAND, "--out", killed)
    assert "already holds a run (last.ckpt); resume it or give another folder" in refused.complaint
    assert contents(killed) == before


def test_a_run_goes_on_with_its_own_configuration_only(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (killed / "last.ckpt").read_bytes()
    refused = call(capsys, *COMMAND, "--out", killed, "--resume", "--learning-rate", 0.1, "--seed", 5)
    assert refused.complaint.endswith("was started with other values of learning_rate, seed")
    assert (killed / "last.ckpt").read_bytes() == before


@pytest.mark.parametrize("kept", [0, 1000, -1])
def test_a_damaged_checkpoint_is_named(killed: Path, kept: int, capsys: pytest.CaptureFixture[str]) -> None:
    path = killed / "last.ckpt"
    path.write_bytes(path.read_bytes()[:kept])
    assert (
        f"{path} is no checkpoint of this program, or damaged"
        in call(capsys, *COMMAND, "--out", killed, "--resume").complaint
    )


def test_a_full_disk_costs_no_more_than_an_epoch(killed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = killed / "last.ckpt"
    before = path.read_bytes()
    present = set(killed.iterdir())
    with file_size_limit(len(before) // 2):
        failed = call(capsys, *COMMAND, "--out", killed, "--resume")
    assert "File too large" in failed.complaint
    assert str(path) in failed.complaint
    assert path.read_bytes() == before
    assert set(killed.iterdir()) == present, "no half-written file may stay"


def test_an_interrupted_run_says_how_to_go_on(killed: Path) -> None:
    done = struck("interrupt", "last.ckpt", 1, *COMMAND, "--out", killed, "--resume")
    assert (done.code, done.out) == (130, "")
    assert done.err.endswith("sympe: interrupted; the same command with --resume goes on\n")
    assert not (killed / "record.json").exists()


# ------------------------------------------------------------------------------------------ weights and metrics

CONFIG = make_config("sympe-sort", "smoke", num_train=40, hidden_dim=8, draws=2, epochs=3)


class Interruption(Exception):
    pass


def test_the_best_weights_outlive_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation is best after the first epoch; the run is interrupted after the second."""
    config = replace(CONFIG, select="best", schedule="cosine")
    validation_loss = {1: 1.0, 2: 3.0, 3: 2.0}

    def scripted(model: GraphAutoencoder, data: GraphSet, draws: int, *seed: int) -> Errors:
        errors = evaluate(model, data, draws, *seed)
        return replace(errors, loss=validation_loss[seed[2]]) if seed[1] == VALIDATE else errors

    monkeypatch.setattr(train, "evaluate", scripted)
    save = SaveEachEpoch.on_train_epoch_end

    def save_and_stop(self: SaveEachEpoch, trainer: Trainer, pl_module: LightningModule) -> None:
        save(self, trainer, pl_module)
        if trainer.current_epoch == 1:
            raise Interruption

    with monkeypatch.context() as patch:
        patch.setattr(SaveEachEpoch, "on_train_epoch_end", save_and_stop)
        with pytest.raises(Interruption):
            run(config, tmp_path / "resumed", accelerator="cpu", progress=False)
    best = torch.load(tmp_path / "resumed" / "last.ckpt", weights_only=True)["best"]
    run(config, tmp_path / "resumed", accelerator="cpu", progress=False, resume=True)
    run(config, tmp_path / "whole", accelerator="cpu", progress=False)
    same_runs(tmp_path / "resumed", tmp_path / "whole")

    assert best["loss"] == 1.0
    chosen = GraphAutoencoder.load(tmp_path / "resumed" / "weights.safetensors").state_dict()
    assert all(torch.equal(chosen[name], value) for name, value in best["state"].items())
    last = torch.load(tmp_path / "resumed" / "last.ckpt", weights_only=True)["state_dict"]
    assert not torch.equal(chosen["weight"], last["model.weight"])


def test_the_record_says_what_the_weights_do(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    record = run(CONFIG, tmp_path, accelerator="cpu", progress=False)
    assert record is not None
    assert torch.equal(state, torch.get_rng_state()), "the global generator must be left as it was"
    assert read_record(tmp_path / "record.json") == record
    assert record.config == CONFIG.as_dict()

    model = GraphAutoencoder.load(tmp_path / "weights.safetensors")
    errors = evaluate(model, GraphSet(erdos_renyi("test", 40)), 2, CONFIG.seed, TEST)
    metrics = record.metrics
    assert metrics["test_error_percent"] == errors.percent
    assert metrics["test_error_std_over_draws"] == errors.std_over_draws
    assert metrics["best_of_2_error_percent"] == errors.best_percent
    assert metrics["best_of_2_wrong"] == errors.best_wrong
    assert metrics["test_loss"] == errors.loss
    assert metrics["test_pairs"] == 5160
    assert metrics["epochs"] == 3
    assert metrics["n_parameters"] == sum(p.numel() for p in model.parameters())
    assert record.seconds == pytest.approx(metrics["train_seconds"] + metrics["test_seconds"])
    logs = next((tmp_path / "logs" / "csv").rglob("metrics.csv")).read_text()
    assert logs.startswith("epoch,step,train_loss,validation_error_percent,validation_loss")
    assert list((tmp_path / "logs" / "tensorboard").rglob("events*"))


def test_seeds_give_different_runs(tmp_path: Path) -> None:
    records = [
        run(replace(CONFIG, epochs=1, seed=seed), tmp_path / str(seed), accelerator="cpu", progress=False)
        for seed in (0, 1)
    ]
    losses = [record.history["train_loss"][0] for record in records if record is not None]
    assert losses[0] != losses[1]


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path: Path) -> None:
    config = replace(CONFIG, method="none", learning_rate=1e30)
    with pytest.raises(ValueError, match="the training loss became nan in epoch 1; a lower learning rate may help"):
        run(config, tmp_path, accelerator="cpu", progress=False)
    assert not {"record.json", "weights.safetensors", "last.ckpt"} & {path.name for path in tmp_path.iterdir()}


# --------------------------------------------------------------------------------------------- two processes


def test_two_processes_make_one_run_even_if_terminated(tmp_path: Path) -> None:
    command = (*COMMAND, "--epochs", 2, "--devices", 2, "--out")
    done = struck("term", "last.ckpt", 1, *command, tmp_path / "struck")
    assert (done.code, done.out) == (143, "")
    said = [line for line in done.err.splitlines() if line.startswith("sympe: ")]
    assert said == ["sympe: ended by SIGTERM; the same command with --resume goes on"]
    assert running_below(tmp_path) == []
    for folder, more in (("struck", ["--resume"]), ("whole", [])):
        process = start(*command, tmp_path / folder, *more)
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert json.loads(out) == read_record(tmp_path / folder / "record.json").summary()
    same_runs(tmp_path / "struck", tmp_path / "whole")
    checkpoint = torch.load(tmp_path / "whole" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 10, "two epochs of ten batches, shared by two processes"
    assert {path.name for path in (tmp_path / "struck").iterdir()} == {
        ".sympe",
        "last.ckpt",
        "logs",
        "record.json",
        "weights.safetensors",
    }


def running_below(folder: Path) -> list[int]:
    """The processes whose command names a folder; those that have ended have no command any more."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += [int(path.parent.name)] if str(folder).encode() in path.read_bytes() else []
    return found
