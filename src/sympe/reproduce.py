"""Run the experiments side by side on the cores at hand, and make the report from their records.

A preset is a list of jobs. A job that has a finished record is not run again, one that was interrupted goes on
where it stopped: calling the same command twice costs nothing.
"""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sympe.results import FILE_NAME, Record, read_record
from sympe.tasks import graph_autoencoder


@dataclass(frozen=True)
class Job:
    """One run to make.

    Attributes:
        task: Name of the task.
        config: Its configuration, or None for the floor of the task's data.
        folder: Where the run goes, below the folder of all.
    """

    task: str
    config: graph_autoencoder.Config | None
    folder: Path

    @property
    def title(self) -> str:
        return self.folder.as_posix()


#: The poster's rows, then the combination with the Laplacian, the matched controls, and the best order found.
AUTOENCODER_ROWS = (
    "none",
    "noise",
    "permutation",
    "laplacian",
    "sympe",
    "laplacian-sympe",
    "laplacian-permutation",
    "laplacian-noise",
    "sympe-no-gradient",
    "sympe-depth-first",
)
#: Rows of the full preset alone: other orders, by the same recipe and three seeds.
AUTOENCODER_ORDERS = ("sympe-labelling", "sympe-breadth-first", "laplacian-depth-first")
#: Rows of the full preset that are trained longer.
AUTOENCODER_BEST = ("sympe", "laplacian", "laplacian-permutation")


def autoencoder_jobs(preset: str) -> list[Job]:
    """The runs of the graph autoencoder for a preset."""
    rows: list[tuple[str, str, int]] = []
    if preset == "smoke":
        rows = [(method, "smoke", 0) for method in AUTOENCODER_ROWS]
    if preset == "quick":
        rows = [(method, "fast", 0) for method in AUTOENCODER_ROWS]
    if preset == "full":
        rows = [(method, "fast", seed) for seed in range(3) for method in AUTOENCODER_ROWS + AUTOENCODER_ORDERS]
        rows += [(method, "best", seed) for seed in range(3) for method in AUTOENCODER_BEST]
    jobs = [Job(graph_autoencoder.TASK, None, Path(graph_autoencoder.TASK, "erdos-renyi", "floor"))]
    for method, recipe, seed in rows:
        config = graph_autoencoder.make_config(method, recipe, seed=seed)
        jobs.append(Job(graph_autoencoder.TASK, config, run_folder(config)))
    return jobs


def run_folder(config: graph_autoencoder.Config) -> Path:
    """Where a run goes below the folder of all runs."""
    data = Path(config.data).name
    return Path(graph_autoencoder.TASK, data, config.recipe, config.method, f"seed{config.seed}")


#: The experiments that exist, by the name of their task.
TASKS: dict[str, Callable[[str], list[Job]]] = {graph_autoencoder.TASK: autoencoder_jobs}
PRESETS = ("smoke", "quick", "full")


def reproduce(preset: str, out: Path, tasks: Sequence[str] | None = None, workers: int | None = None) -> list[Record]:
    """Make all runs of a preset.

    Args:
        preset: ``smoke`` (seconds a row), ``quick`` (one seed, minutes) or ``full`` (three seeds, hours).
        out: Folder of all runs.
        tasks: Names of the tasks; all that exist if left out.
        workers: Processes that run side by side, one thread each; as many as there are cores if left out.

    Raises:
        ValueError: If a preset or task is unknown.
    """
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; choose one of {', '.join(PRESETS)}")
    for name in tasks or ():
        if name not in TASKS:
            raise ValueError(f"unknown task {name!r}; choose one of {', '.join(TASKS)}")
    jobs = [job for name in tasks or TASKS for job in TASKS[name](preset)]
    count = workers or os.cpu_count() or 1
    records: dict[Job, Record] = {}
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        refresh_per_second=2,
    )
    # "spawn": a forked child inherits PyTorch's thread pools in an unusable state.
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_use_one_thread)
    with bar, pool:
        shown = bar.add_task(f"{preset}: {len(jobs)} runs, {count} at a time", total=len(jobs))
        pending: dict[Future[Record], Job] = {pool.submit(run_job, job, out): job for job in jobs}
        try:
            for done in as_completed(pending):
                job, record = pending[done], done.result()
                records[job] = record
                bar.console.print(f"{job.title}: {_headline(record)}", highlight=False)
                bar.advance(shown)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [records[job] for job in jobs]


def run_job(job: Job, out: Path) -> Record:
    """Make one run, or read it if it is there."""
    folder = out / job.folder
    if job.config is None:
        finished = folder / FILE_NAME
        return read_record(finished) if finished.exists() else graph_autoencoder.record_floor(folder)
    record = graph_autoencoder.run(job.config, folder, resume=True, progress=False)
    assert record is not None, "a job runs in one process"
    return record


def _use_one_thread() -> None:
    torch.set_num_threads(1)


def _headline(record: Record) -> str:
    metrics: dict[str, Any] = record.metrics
    if "test_error_percent" in metrics:
        return f"{metrics['test_error_percent']:.3f} % wrong in {record.seconds:.0f} s"
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
