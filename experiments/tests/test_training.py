"""What all experiments share in training: checkpoints, seeds and devices."""

import pickle
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from sympe_experiments.checkpoints import AtomicCheckpointIO
from sympe_experiments.resuming import require_same_values
from sympe_experiments.training import accelerator_here, build_from_seed, fingerprint, in_company, make_trainer

STATE = {"state_dict": {"w": torch.arange(5.0)}, "epoch": 3, "best": {"loss": 0.5, "state": None}}


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    checkpoints, path = AtomicCheckpointIO(), tmp_path / "run" / "last.ckpt"
    checkpoints.save_checkpoint(STATE, path)
    back = checkpoints.load_checkpoint(path)
    assert torch.equal(back["state_dict"]["w"], STATE["state_dict"]["w"])
    assert (back["epoch"], back["best"]) == (3, {"loss": 0.5, "state": None})
    assert list(path.parent.iterdir()) == [path]


class NotSavable:
    def __reduce__(self) -> str:
        raise OSError(28, "No space left on device")


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(tmp_path: Path) -> None:
    checkpoints, path = AtomicCheckpointIO(), tmp_path / "last.ckpt"
    checkpoints.save_checkpoint(STATE, path)
    with pytest.raises(OSError, match="No space left on device"):
        checkpoints.save_checkpoint({"state_dict": NotSavable()}, path)
    assert checkpoints.load_checkpoint(path)["epoch"] == 3
    assert list(tmp_path.iterdir()) == [path]


class Touch:
    """Makes a file when it is unpickled: a checkpoint must not be able to run anything."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)  # type: ignore[return-value]


def saved(checkpoint: object, path: Path) -> bytes:
    torch.save(checkpoint, path)
    return path.read_bytes()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize(
    "damage", ["empty", "lines", "words", "half", "end", "pickle", "code", "list", "tensor", "foreign"]
)
def test_other_files_are_refused(damage: str, tmp_path: Path) -> None:
    path, scratch, touched = tmp_path / "last.ckpt", tmp_path / "scratch", tmp_path / "touched"
    whole = saved(STATE, scratch)
    path.write_bytes(
        {
            "empty": b"",
            "lines": b"\n\n\n",
            "words": b"junk " * 50,
            "half": whole[: len(whole) // 2],
            "end": whole[:-10],
            "pickle": pickle.dumps(STATE["epoch"]),
            "code": saved({"state_dict": Touch(touched)}, scratch),
            "list": saved([1, 2], scratch),
            "tensor": saved(torch.ones(3), scratch),
            "foreign": saved({"weights": torch.ones(3)}, scratch),
        }[damage]
    )
    with pytest.raises(
        ValueError, match=r"last\.ckpt is no checkpoint of this program, or damaged; remove it"
    ) as caught:
        AtomicCheckpointIO().load_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert not touched.exists()


def test_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = build_from_seed(lambda: nn.Linear(3, 3).weight, 7)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    assert torch.equal(build_from_seed(lambda: nn.Linear(3, 3).weight, 7), first)
    assert not torch.equal(build_from_seed(lambda: nn.Linear(3, 3).weight, 8), first)


def test_a_build_that_fails_leaves_the_global_generator() -> None:
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match="no"):
        build_from_seed(lambda: (_ for _ in ()).throw(ValueError("no")), 7)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("accelerator", "devices"), [("quantum", 1), ("gpu", 1000)])
def test_devices_that_are_not_there(accelerator: str, devices: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=accelerator):
        make_trainer(tmp_path, 1, devices=devices, accelerator=accelerator)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("has_cuda", [True, False])
def test_auto_is_a_gpu_with_cuda_or_the_cpu(has_cuda: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    assert accelerator_here("auto") == ("cuda" if has_cuda else "cpu")
    assert accelerator_here("cpu") == "cpu"
    if not has_cuda:
        with pytest.raises(ValueError, match="gpu is not available here: found no GPU with CUDA"):
            accelerator_here("gpu")
        return
    assert accelerator_here("gpu") == "cuda"
    # What Lightning itself refuses is one line of ours.
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match="1000 x gpu is not available here: "):
        make_trainer(tmp_path, 1, devices=1000, accelerator="gpu")


def test_a_fingerprint_tells_contents_apart() -> None:
    a, b = torch.tensor([1, 2]), torch.tensor([3])
    same = fingerprint([a, b, "x"])
    assert same == fingerprint(iter([a.clone(), b, "x"]))
    others: list[list[torch.Tensor | str]] = [[], [a, b], [b, a, "x"], [a, b, "y"], [torch.cat([a, b]), "x"]]
    others += [[a.float(), b, "x"], [a[None], b, "x"], ["x", a, b], [torch.zeros(0), a, b, "x"]]
    assert len({same, *map(fingerprint, others)}) == len(others) + 1


def test_only_the_asked_for_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainer = make_trainer(tmp_path, 1, accelerator="cpu")
    assert trainer.max_epochs == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("is_first", "error", "line"), [(True, ChildProcessError, "a process died"), (False, SystemExit, "1")]
)
def test_the_first_process_answers_for_all(is_first: bool, error: type[BaseException], line: str) -> None:
    with subprocess.Popen(["false"]) as other:
        launcher = SimpleNamespace(procs=[other])
        trainer: Any = SimpleNamespace(is_global_zero=is_first, strategy=SimpleNamespace(launcher=launcher))
        with pytest.raises(error, match=line), in_company(trainer):
            raise RuntimeError("Connection closed by peer")


def test_values_that_only_one_side_has_are_named() -> None:
    """Also those of a setting that is gone."""
    require_same_values("the run", {"seed": 0, "spacing": None}, {"spacing": None, "seed": 0})
    for known, wanted in (({"seed": 0, "gone": None}, {"seed": 1}), ({"seed": 0}, {"seed": 1, "gone": 30})):
        with pytest.raises(ValueError, match="the run to resume was started with other values of gone, seed"):
            require_same_values("the run", known, wanted)
