"""One folder for one run: it is held while the run works, and a finished run is read in place of another."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from zipfile import ZipFile

import torch
from lightning.pytorch.utilities import rank_zero_only

from sympe.atomic import claimed
from sympe.signals import be_a_worker
from sympe_experiments import weights
from sympe_experiments.records import FILE_NAME, Record, RunConfig, read_record

P = ParamSpec("P")
R = TypeVar("R")

CHECKPOINT = "last.ckpt"


def is_first() -> bool:
    """Whether this is the only process of a run, or the first of several."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank() == 0
    return getattr(rank_zero_only, "rank", 0) == 0


def resumable(*made: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have ``run(config, folder, resume=...)`` hold its folder while it works, and read what is finished.

    Args:
        made: Files that a finished run has beside its record; those that are lost are made again from the checkpoint.

    The run raises a ``ValueError`` if the finished run had another configuration, or has lost files and its
    checkpoint; if ``folder`` holds a run and ``resume`` is not set, or what is not ours; or if another process uses it.
    """

    def decorate(run: Callable[P, R]) -> Callable[P, R]:
        @wraps(run)
        def held(*args: P.args, **options: P.kwargs) -> R:
            config, folder, resume = args[0], args[1], bool(options.get("resume", False))
            assert isinstance(config, RunConfig)
            assert isinstance(folder, Path)
            due = [] if getattr(config, "is_solver", False) else [folder / name for name in made]
            if (record := finished_run(folder, config.as_dict(), resume, due)) is not None:
                return record  # type: ignore[return-value]
            if not is_first():
                be_a_worker()
                return run(*args, **options)
            with claimed(folder, adopt=resume):
                record = finished_run(folder, config.as_dict(), resume, due)
                return run(*args, **options) if record is None else record  # type: ignore[return-value]

        return held

    return decorate


def finished_run(folder: Path, config: dict[str, Any], resume: bool = False, due: Iterable[Path] = ()) -> Record | None:
    """The record of the finished run in ``folder`` if ``resume`` asks for it; None if there is something left to do.

    Args:
        folder: Folder of the run.
        config: Its configuration, as plain values.
        resume: Whether to read a finished run.
        due: Files that it must have made.

    Raises:
        ValueError: See :func:`resumable`.
    """
    if (folder / FILE_NAME).exists() and resume:
        record = read_record(folder / FILE_NAME)
        if record.config != config:
            raise ValueError(f"{folder} holds a finished run with another configuration; give another folder")
        lost = [path.name for path in due if not _is_whole(path)]
        if lost and not (folder / CHECKPOINT).exists():
            raise ValueError(
                f"{folder} has lost {', '.join(lost)} and its checkpoint; remove {FILE_NAME} to start anew"
            )
        return None if lost else record
    # Later processes of one run start when the first has begun to write: only the first may look.
    held = [name for name in (FILE_NAME, CHECKPOINT) if (folder / name).exists()]
    if held and not resume and is_first():
        raise ValueError(f"{folder} already holds a run ({held[0]}); resume it or give another folder")
    return None


def require_same_values(what: str, known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Check that what is resumed was started with the values of now, also those that only one side has.

    Raises:
        ValueError: Naming the values.
    """
    lacking = object()
    if changed := sorted(name for name in {*known, *wanted} if known.get(name, lacking) != wanted.get(name, lacking)):
        raise ValueError(f"{what} to resume was started with other values of {', '.join(changed)}")


def _is_whole(path: Path) -> bool:
    """Whether a file of a finished run is there, and undamaged."""
    if path.suffix == ".safetensors":
        return weights.is_whole(path)
    try:
        with ZipFile(path) as file:
            return file.testzip() is None
    except Exception:  # a damaged file may raise anything
        return False
