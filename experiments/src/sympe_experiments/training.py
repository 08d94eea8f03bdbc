"""What all experiments share in training: a Lightning trainer that survives being killed at any moment.

Every run has a folder. After each epoch its whole state goes there, atomically, and ``resume`` continues from it.
No random state passes from one epoch to the next (experiments derive generators from seed, epoch and step), so a
run that was killed ends with the same weights, bit for bit on a CPU, as one that was not.
"""

import hashlib
import logging
import math
import subprocess
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from sympe.signals import listen_again, undisturbed
from sympe_experiments import __version__
from sympe_experiments.checkpoints import AtomicCheckpointIO
from sympe_experiments.records import code_commit
from sympe_experiments.resuming import CHECKPOINT, require_same_values

T = TypeVar("T")

_DIED = "a process died (out of memory?); the same command with --resume goes on"


def fingerprint(parts: Iterable[Tensor | str]) -> str:
    """A digest of what texts and tensors hold, in their order."""
    digest = hashlib.sha256()
    for part in parts:
        kind, content = (
            ("text", part.encode())
            if isinstance(part, str)
            else (f"{part.dtype} {[*part.shape]}", part.numpy().tobytes())
        )
        digest.update(f"{kind} {len(content)}".encode())
        digest.update(content)
    return digest.hexdigest()


class ResumableModule(LightningModule):
    """What every training remembers so that it can be resumed: its configuration, its curves and the time it took.

    Args:
        config: The configuration of the run, as plain values; only a run with the same one may resume.
        data: What the run sees of its data, with the orders that it computes of it once. A configuration only names
            the data; files change, and so do canonical orders with the code.

    Attributes:
        begun_by: The commits that trained before the one that trains now, if there were others.
    """

    #: What a checkpoint of this program holds, beside what Lightning puts there.
    checkpointed: tuple[str, ...] = ("config", "data", "processes", "history")

    def __init__(self, config: dict[str, Any], data: Iterable[Tensor | str] = ()) -> None:
        super().__init__()
        self._config = config
        self._data = fingerprint(data)
        self._commit = code_commit() or f"version {__version__}"
        self.begun_by: list[str] = []
        self.history: dict[str, list[float]] = {}
        self.seconds = 0.0

    def remember(self, name: str, value: int | float) -> None:
        """Put the next value of a curve into the history, and into the logs unless it counts epochs."""
        self.history.setdefault(name, []).append(value)
        if name != "validation_epoch":
            self.log(name, value, sync_dist=True)

    def require_finite(self, loss: float) -> None:
        """Check that training has not diverged.

        Raises:
            ValueError: If the loss is not finite.
        """
        if not math.isfinite(loss):
            raise ValueError(
                f"the training loss became {loss} in epoch {self.current_epoch + 1}; a lower learning rate may help"
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["config"] = self._config
        checkpoint["data"] = self._data
        checkpoint["processes"] = self.trainer.world_size
        checkpoint["commits"] = [*self.begun_by, self._commit]
        checkpoint["history"] = self.history
        checkpoint["seconds"] = self.seconds

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if lacking := sorted(set(self.checkpointed) - checkpoint.keys()):
            raise ValueError(
                f"the checkpoint to resume is of another program, or of another version: no {', '.join(lacking)} in it"
            )
        if checkpoint["processes"] != self.trainer.world_size:
            # Steps per epoch, and so the schedule, depend on it.
            raise ValueError(f"the run to resume was started with {checkpoint['processes']} devices")
        require_same_values("the run", checkpoint["config"], self._config)
        if checkpoint["data"] != self._data:
            raise ValueError("the run to resume was started with other data, or other orders; give another folder")
        self.begun_by = [one for one in dict.fromkeys(checkpoint.get("commits", [])) if one != self._commit]
        if self.begun_by and self.trainer.is_global_zero:
            warnings.warn(
                f"the run to resume was trained by {', '.join(self.begun_by)}, this is {self._commit}: what comes out "
                "may differ from a run of either; the record names both",
                stacklevel=2,
            )
        self.history = checkpoint["history"]
        self.seconds = checkpoint["seconds"]


class SaveEachEpoch(Checkpoint):
    """Write the state of the run after every epoch, once the module is done with it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        with undisturbed():
            trainer.save_checkpoint(self.path)


class HearSigterm(Callback):
    """Leave SIGTERM to the command line: Lightning's handler ends with exit code 0, or waits for other processes."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        listen_again()

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        listen_again()


class ShowProgress(Callback):
    """A bar on stderr over all steps of the run.

    Args:
        shown: Logged values to print beside the bar, and their labels.
    """

    def __init__(self, shown: dict[str, str]) -> None:
        self.console = Console(stderr=True)
        self.shown = shown

    @rank_zero_only
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.bar = Progress(
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("<"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[values]}"),
            console=self.console,
            refresh_per_second=2,
        )
        total = int(trainer.estimated_stepping_batches)
        self.task = self.bar.add_task("training", total=total, completed=trainer.global_step, values="")
        self.bar.start()

    @rank_zero_only
    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        self.bar.update(self.task, completed=trainer.global_step)

    @rank_zero_only
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        logged = trainer.callback_metrics
        values = [f"{label} {float(logged[name]):.3g}" for name, label in self.shown.items() if name in logged]
        self.bar.update(self.task, values=", ".join(values))

    @rank_zero_only
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.bar.stop()

    @rank_zero_only
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if hasattr(self, "bar"):
            self.bar.stop()


def accelerator_here(accelerator: str) -> str:
    """``cpu`` or ``cuda``: ``auto`` is CUDA where there is a GPU that has it (others lack double precision).

    Raises:
        ValueError: If ``accelerator`` is not ``auto``, ``cpu`` or ``gpu``, or there is no such GPU.
    """
    if accelerator not in ("auto", "cpu", "gpu"):
        raise ValueError(f"accelerator must be auto, cpu or gpu; got {accelerator!r}")
    has_cuda = torch.cuda.is_available()
    if accelerator == "gpu" and not has_cuda:
        raise ValueError("accelerator gpu is not available here: found no GPU with CUDA")
    return "cuda" if has_cuda and accelerator != "cpu" else "cpu"


class Options(TypedDict, total=False):
    """How a run is carried out: everything that has no part in what comes out.

    Attributes:
        resume: Whether to read a finished run in the folder, or to continue an unfinished one. By default a folder that
            holds a run is refused.
        devices: Processes to train with; more than one train by DDP (gloo on CPUs, nccl on GPUs). One by default.
        accelerator: ``auto`` (the default), ``cpu`` or ``gpu``.
        progress: Whether to show a bar on stderr; true by default.
    """

    resume: bool
    devices: int
    accelerator: str
    progress: bool


def fit(
    module: ResumableModule,
    folder: Path,
    epochs: int,
    shown: dict[str, str],
    *,
    precision: str = "32",
    accumulate: int = 1,
    resume: bool = False,
    devices: int = 1,
    accelerator: str = "auto",
    progress: bool = True,
) -> Trainer | None:
    """Train a module, from the start or from the last checkpoint in ``folder``.

    Args:
        module: What to train.
        folder: Folder of the run.
        epochs: Passes over the training data.
        shown: Logged values to show beside the progress bar, and their labels.
        precision: ``32``, or ``bf16`` for mixed precision.
        accumulate: Batches whose gradients make one step.
        resume: See :class:`Options`, as for all that follow.
        devices: Processes to train with.
        accelerator: What to train on.
        progress: Whether to show a bar.

    Returns:
        The trainer; None in all processes but the first, which have nothing left to do.

    Raises:
        ValueError: If the devices are missing, the checkpoint is of another run, or the loss is not finite.
        ChildProcessError: If one of several processes dies.
    """
    trainer = make_trainer(
        folder,
        epochs,
        devices=devices,
        accelerator=accelerator,
        shown=shown if progress else None,
        precision=precision,
        accumulate=accumulate,
    )
    checkpoint = folder / CHECKPOINT
    with in_company(trainer):
        trainer.fit(module, ckpt_path=checkpoint if resume and checkpoint.exists() else None, weights_only=True)
    return trainer if trainer.is_global_zero else None


@contextmanager
def in_company(trainer: Trainer) -> Iterator[None]:
    """Have the first of several processes answer for all; the others end without a word.

    Raises:
        ChildProcessError: If another process has died.
    """
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        if not trainer.is_global_zero:
            raise SystemExit(1) from error
        if isinstance(error, RuntimeError) and _has_lost_a_process(trainer):
            raise ChildProcessError(
                "a process died (out of memory?); the same command with --resume goes on"
            ) from error
        raise


def _has_lost_a_process(trainer: Trainer) -> bool:
    launched: list[subprocess.Popen[bytes]] = getattr(trainer.strategy.launcher, "procs", [])
    processes = [*launched]
    launched.clear()  # or Lightning would notice, and kill this process too
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return True
    return False


def make_trainer(
    folder: Path,
    epochs: int,
    *,
    devices: int = 1,
    accelerator: str = "auto",
    shown: dict[str, str] | None = None,
    precision: str = "32",
    accumulate: int = 1,
) -> Trainer:
    """A trainer that logs to CSV and TensorBoard below ``folder`` and checkpoints there after every epoch.

    Args:
        folder: Folder of the run.
        epochs: Passes over the training data.
        devices: Processes.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        shown: Logged values to show beside a progress bar on stderr, and their labels; None for no bar.
        precision: ``32``, or ``bf16`` for mixed precision.
        accumulate: Batches whose gradients make one step.

    Raises:
        ValueError: If there is no such accelerator, or not that many devices.
    """
    if devices < 1:
        raise ValueError(f"devices must be at least 1; got {devices}")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for known in (".*num_workers.*", ".*logging interval.*", ".*LeafSpec.*"):
        warnings.filterwarnings("ignore", message=known)
    try:
        return Trainer(
            max_epochs=epochs,
            accelerator=accelerator_here(accelerator),
            devices=devices,
            # Graphs without pairs, of one node, leave parameters of pairs unused.
            strategy="ddp_find_unused_parameters_true" if devices > 1 else "auto",
            use_distributed_sampler=False,
            logger=[CSVLogger(folder, name="logs/csv"), TensorBoardLogger(folder, name="logs/tensorboard")],
            callbacks=[SaveEachEpoch(folder / CHECKPOINT), HearSigterm()]
            + ([] if shown is None else [ShowProgress(shown)]),
            plugins=[AtomicCheckpointIO()],
            precision="bf16-mixed" if precision == "bf16" else "32-true",
            accumulate_grad_batches=accumulate,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=True,
            num_sanity_val_steps=0,
        )
    except MisconfigurationException as error:
        raise ValueError(f"{devices} x {accelerator} is not available here: {error}") from error


def build_from_seed(build: Callable[[], T], seed: int) -> T:
    """Call ``build()`` with initial weights that depend on ``seed`` alone; the global generator is left as it was.

    PyTorch's layers draw their weights from the global generator and take no other.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build()
