"""One record per run: what was asked for, what it ran on, what came out. Tables and figures read nothing else.

What figures need beyond numbers and curves (fields, maps) goes into arrays, in a file beside the record.
"""

import json
import math
import platform
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sympe.atomic import write_atomically
from sympe.compressed import content_of, open_regular
from sympe_experiments.old_names import record_now

FILE_NAME = "record.json"
ARRAYS = "arrays.npz"


@runtime_checkable
class RunConfig(Protocol):
    """What every configuration of a run has."""

    @property
    def method(self) -> str: ...
    @property
    def recipe(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def seed(self) -> int: ...
    def as_dict(self) -> dict[str, Any]:
        """All of it, as plain values."""
        ...


@dataclass(frozen=True)
class Record:
    """The outcome of one run.

    Attributes:
        experiment: Name of the experiment, as on the command line.
        method: Name of the method.
        recipe: Name of the recipe that the configuration started from.
        data: Name of the data set, or of the user's file.
        seed: The seed that everything random in the run came from.
        config: The resolved configuration.
        metrics: What was measured, by name; numbers only.
        history: Curves over training, one list of numbers per name.
        seconds: Wall time of the run.
        environment: Commit, versions and hardware; ``begun_by`` lists commits that trained before.
        examples: Some of what came out, as text, by name.
        folder: Where the record was read from; not part of the record.
    """

    experiment: str
    method: str
    recipe: str
    data: str
    seed: int
    config: dict[str, Any]
    metrics: dict[str, float | int | None]
    seconds: float
    history: dict[str, list[float]] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=lambda: describe_environment())
    examples: dict[str, list[str]] = field(default_factory=dict)
    folder: Path | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        experiment: str,
        config: "RunConfig",
        metrics: dict[str, float | int | None],
        seconds: float,
        *,
        data: str | None = None,
        history: dict[str, list[float]] | None = None,
        examples: dict[str, list[str]] | None = None,
        begun_by: Sequence[str] = (),
    ) -> "Record":
        """The record of a run.

        ``data`` names the data set where the configuration does not; ``begun_by`` are commits that trained before this
        one, before the run was resumed.
        """
        return cls(
            experiment=experiment,
            method=config.method,
            recipe=config.recipe,
            data=config.data if data is None else data,
            seed=config.seed,
            config=config.as_dict(),
            metrics=metrics,
            seconds=seconds,
            history=history or {},
            environment=describe_environment() | ({"begun_by": [*begun_by]} if begun_by else {}),
            examples=examples or {},
        )

    def as_dict(self) -> dict[str, Any]:
        """The record as plain values."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}

    def summary(self) -> dict[str, Any]:
        """The record without configuration, history, environment and examples, flat: what ``--json`` prints."""
        kept = ("experiment", "method", "recipe", "data", "seed")
        return {name: getattr(self, name) for name in kept} | self.metrics | {"seconds": round(self.seconds, 2)}

    def arrays(self) -> dict[str, NDArray]:
        """The arrays beside the record, by name; empty if there are none or the record was not read from a file.

        Raises:
            ValueError: If the file is damaged.
        """
        path = None if self.folder is None else self.folder / ARRAYS
        if path is None or not path.exists():
            return {}
        try:
            with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
                return dict(archive)
        except Exception as error:  # a damaged file may raise anything
            raise ValueError(f"{path} does not hold the arrays of a run: {error}") from error

    def write(self, folder: Path, arrays: dict[str, NDArray] | None = None) -> Path:
        """Write ``record.json`` into ``folder`` (made if missing), whole or not at all.

        Args:
            folder: Folder of the run.
            arrays: What figures need; written to ``arrays.npz`` before the record.
        """
        if arrays:
            write_atomically(folder / ARRAYS, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]
        path = folder / FILE_NAME
        text = json.dumps(self.as_dict(), indent=1, sort_keys=True, allow_nan=False) + "\n"
        write_atomically(path, lambda file: file.write(text.encode()))
        return path


@dataclass(frozen=True)
class Job:
    """One run to make, in any process.

    Attributes:
        folder: Where the run goes, below the folder of all.
        make: Makes the run in a folder, resumes it, or reads it if it is finished. Must survive pickling.
        headline: Name of the metric to show when it is done.
    """

    folder: Path
    make: Callable[[Path], Record]
    headline: str

    @classmethod
    def training(cls, folder: Path, run: Callable[..., Record | None], config: RunConfig, headline: str) -> "Job":
        """One run of a training, in one process and without a progress bar.

        Args:
            folder: Where the run goes, below the folder of all.
            run: Called with the configuration, the folder, ``resume`` and ``progress``.
            config: The configuration.
            headline: Name of the metric to show when it is done.
        """
        return cls(folder, partial(_train, run, config), headline)

    @classmethod
    def once(cls, folder: Path, make: Callable[[Path], Record], headline: str) -> "Job":
        """What is made in one go, unless it is there."""
        return cls(folder, partial(_make_once, make), headline)

    def run(self, out: Path) -> Record:
        """Make the run, or read it if it is there."""
        return self.make(out / self.folder)

    def summary(self, record: Record) -> str:
        """The headline in words."""
        value = record.metrics.get(self.headline)
        shown = "-" if value is None else f"{value:.4g}"
        return f"{self.headline.replace('_', ' ')} {shown} in {record.seconds:.0f} s"


def _train(run: Callable[..., Record | None], config: RunConfig, folder: Path) -> Record:
    record = run(config, folder, resume=True, progress=False)
    assert record is not None, "a job runs in one process"
    return record


def _make_once(make: Callable[[Path], Record], folder: Path) -> Record:
    finished = folder / FILE_NAME
    return read_record(finished) if finished.exists() else make(folder)


def read_record(path: Path) -> Record:
    """Read one ``record.json``.

    Raises:
        ValueError: If the file is not a record; the message names it.
    """
    try:
        record = Record(**record_now(json.loads(content_of(path))))
        _check_types(record)
        return replace(record, folder=path.parent)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is not a record of a run: {error}") from error


def _check_types(record: Record) -> None:
    """Raise TypeError where a field, a metric or a curve is not of its type, or not finite."""
    kinds: dict[str, Any] = {"seed": int, "seconds": int | float}
    kinds |= dict.fromkeys(("experiment", "method", "recipe", "data"), str)
    kinds |= dict.fromkeys(("config", "metrics", "history", "environment", "examples"), dict)
    for name, kind in kinds.items():
        if not isinstance(getattr(record, name), kind):
            raise TypeError(f"{name} must be of type {getattr(kind, '__name__', kind)}; got {getattr(record, name)!r}")
    for name, value in record.metrics.items():
        if not (value is None or _is_number(value)):
            raise TypeError(f"metric {name} must be a finite number or null; got {value!r}")
    for name, curve in record.history.items():
        if not isinstance(curve, list) or not all(map(_is_number, curve)):
            raise TypeError(f"history {name} must be a list of finite numbers; got {curve!r}")
    for name, texts in record.examples.items():
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise TypeError(f"examples {name} must be a list of texts; got {texts!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def read_records(folder: Path) -> list[Record]:
    """All records below a folder, ordered by path.

    Raises:
        ValueError: If the folder does not exist, or one of its files of records is damaged.
    """
    if not folder.is_dir():
        raise ValueError(f"expected a folder of runs; {folder} does not exist")
    return [read_record(path) for path in sorted(folder.rglob(FILE_NAME))]


def describe_environment() -> dict[str, Any]:
    """Commit, versions and hardware of this process."""
    import torch

    return {
        "commit": code_commit(),
        "python": platform.python_version(),
        "versions": dict(_versions("sympe", "torch", "lightning", "numpy", "igraph", "networkx")),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _versions(*packages: str) -> Iterator[tuple[str, str]]:
    for package in packages:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def code_commit() -> str | None:
    """Commit of the source tree, marked if files have changed since; None outside of a clone."""
    where = Path(__file__).parent

    def git(*args: str) -> str:
        done = subprocess.run(["git", "-C", str(where), *args], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", __file__)
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
