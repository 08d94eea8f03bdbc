"""Run the experiments in parallel on the available cores; the report is made from their records.

A preset is a list of jobs. A finished job does not run again, and an interrupted one resumes where it stopped: calling
the same command twice costs nothing.
"""

import os
from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sympe.auditing.engine import process_pool
from sympe.html import readable
from sympe_experiments.catalog import EXPERIMENTS, find_experiment
from sympe_experiments.records import Job, Record

PRESETS = ("smoke", "quick", "full")


def reproduce(
    preset: str, out: Path, experiments: Sequence[str] | None = None, workers: int | None = None
) -> list[Record]:
    """Carry out all runs of a preset.

    Args:
        preset: ``smoke`` (seconds a row), ``quick`` (one seed, minutes) or ``full`` (three seeds, hours).
        out: Folder of all runs.
        experiments: Names of experiments; by default all whose data and software are available.
        workers: Processes to run in parallel, one thread each; by default as many as there are cores.

    Raises:
        ValueError: If a preset or experiment is unknown, or the data of an experiment in ``experiments`` is missing.
        ImportError: If the software of an experiment in ``experiments`` is missing.
    """
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; choose one of {', '.join(PRESETS)}")
    console = Console(stderr=True)
    jobs: list[Job] = []
    for entry in [find_experiment(name) for name in experiments or EXPERIMENTS]:
        try:
            jobs += entry.jobs(preset)
        except (ValueError, ImportError) as error:
            if experiments:
                raise
            console.print(readable(f"{entry.name}: skipped: {error}"), highlight=False, markup=False, soft_wrap=True)
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
    with bar, process_pool(count) as pool:
        shown = bar.add_task(f"{preset}: {len(jobs)} runs, {count} at a time", total=len(jobs))
        pending: dict[Future[Record], Job] = {pool.submit(job.run, out): job for job in jobs}
        for done in as_completed(pending):
            job, record = pending[done], done.result()
            records[job] = record
            line = readable(f"{job.folder.as_posix()}: {job.summary(record)}")
            bar.console.print(line, highlight=False, markup=False)
            bar.advance(shown)
    return [records[job] for job in jobs]
