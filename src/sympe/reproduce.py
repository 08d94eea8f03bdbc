"""Run the experiments side by side on the cores at hand, and make the report from their records.

A preset is a list of jobs. A job that has a finished record is not run again, one that was interrupted goes on
where it stopped: calling the same command twice costs nothing.
"""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sympe.results import Job, Record
from sympe.tasks import graph_autoencoder, ising, molecules

#: The experiments that exist, by the name of their task.
TASKS: dict[str, Callable[[str], list[Job]]] = {
    graph_autoencoder.TASK: graph_autoencoder.jobs,
    ising.TASK: ising.jobs,
    molecules.TASK: molecules.jobs,
}
PRESETS = ("smoke", "quick", "full")


def reproduce(preset: str, out: Path, tasks: Sequence[str] | None = None, workers: int | None = None) -> list[Record]:
    """Make all runs of a preset.

    Args:
        preset: ``smoke`` (seconds a row), ``quick`` (one seed, minutes) or ``full`` (three seeds, hours).
        out: Folder of all runs.
        tasks: Names of the tasks; all that exist if left out, but for those whose data or software is missing.
        workers: Processes that run side by side, one thread each; as many as there are cores if left out.

    Raises:
        ValueError: If a preset or task is unknown, or the data of a task that was named is missing.
        ImportError: If the software of a task that was named is missing.
    """
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; choose one of {', '.join(PRESETS)}")
    for name in tasks or ():
        if name not in TASKS:
            raise ValueError(f"unknown task {name!r}; choose one of {', '.join(TASKS)}")
    console = Console(stderr=True)
    jobs: list[Job] = []
    for name in tasks or TASKS:
        try:
            jobs += TASKS[name](preset)
        except (ValueError, ImportError) as error:
            if tasks:
                raise
            console.print(f"{name}: skipped: {error}", highlight=False, soft_wrap=True)
    count = workers or os.cpu_count() or 1
    records: dict[Job, Record] = {}
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        refresh_per_second=2,
    )
    # "spawn": a forked child inherits PyTorch's thread pools in an unusable state.
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_use_one_thread)
    with bar, pool:
        shown = bar.add_task(f"{preset}: {len(jobs)} runs, {count} at a time", total=len(jobs))
        pending: dict[Future[Record], Job] = {pool.submit(job.run, out): job for job in jobs}
        try:
            for done in as_completed(pending):
                job, record = pending[done], done.result()
                records[job] = record
                bar.console.print(f"{job.folder.as_posix()}: {job.summary(record)}", highlight=False)
                bar.advance(shown)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [records[job] for job in jobs]


def _use_one_thread() -> None:
    torch.set_num_threads(1)
