"""Run the experiments in parallel on the available cores; the report is made from their records.

A preset is a list of jobs. A finished job does not run again, and an interrupted one resumes where it stopped: calling
the same command twice costs nothing. Before it starts it says how long the runs took before: ``durations.json`` holds
the least seconds of one core that records tell of, by experiment, data, recipe and method. Beside others a run takes
longer: cores share memory and cache.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sympe.auditing.engine import process_pool
from sympe.html import readable
from sympe_experiments.catalog import EXPERIMENTS, find_experiment
from sympe_experiments.records import FILE_NAME, Job, Record
from sympe_experiments.report.statistics import finite

PRESETS = ("smoke", "quick", "full")

#: Seconds of one core by experiment, data, recipe and method.
DURATIONS: dict[str, float] = json.loads((Path(__file__).parent / "durations.json").read_text())

#: How much longer a run takes beside others: 17 of the preset quick, two at a time on both cores of an AMD EPYC, took
#: 1,527 s, where their least seconds add up to 1,255 s.
BESIDE = 1.22


def least_seconds(records: Iterable[Record]) -> dict[str, float]:
    """What runs took on an idle core: the least of all seeds, in processor time where it is known."""
    found: dict[str, float] = {}
    for record in records:
        training, test = (finite(record.metrics.get(f"{name}_seconds")) for name in ("train_processor", "test"))
        seconds = record.seconds if training is None or test is None else training + test
        parts = [record.experiment, Path(record.data).name, record.recipe, record.method]
        key = "/".join(part for part in parts if (part, record.method) != (record.recipe, "floor"))
        found[key] = round(min(seconds, found.get(key, seconds)), 1)
    return dict(sorted(found.items()))


def expected_seconds(job: Job, out: Path) -> float | None:
    """What a job will take on an idle core: nothing if it is finished, None if nothing is known."""
    if (out / job.folder / FILE_NAME).exists():
        return 0.0
    return DURATIONS.get("/".join(part for part in job.folder.parts if not re.fullmatch(r"(seed|L)\d+", part)))


def makespan(seconds: Iterable[float], workers: int) -> float:
    """How long jobs take in this order, each on the first worker that is free."""
    free = [0.0] * workers
    for each in seconds:
        free[free.index(min(free))] += each
    return max(free)


def _forecast(expected: dict[Job, float | None], workers: int, preset: str) -> list[str]:
    """How long every job will take, a line for those of one recipe, and how long all of them."""
    lines: dict[str, dict[str, list[float | None]]] = {}
    for job, seconds in expected.items():
        *parents, name = [part for part in job.folder.parts if not part.startswith("seed")]
        lines.setdefault("/".join(parents), {}).setdefault(name, []).append(seconds)
    told = []
    for folder, methods in lines.items():
        shown = (f"{name} {_seconds(of_seeds)}" for name, of_seeds in methods.items())
        told.append(f"{folder}: {', '.join(shown)}")
    known = sorted((seconds for seconds in expected.values() if seconds is not None), reverse=True)
    span = makespan(known, workers)
    ends = (span, span * BESIDE) if workers > 1 else (span,)
    unit = 60 if span >= 90 else 1
    total = " to ".join(dict.fromkeys(f"{end / unit:.0f}" for end in ends)) + (" minutes" if unit > 1 else " seconds")
    runs = "run" if len(expected) == 1 else "runs"
    unknown = f"; {len(expected) - len(known)} runs of unknown length" if len(known) < len(expected) else ""
    return [
        *told,
        f"{preset}: {len(expected)} {runs}, about {total} on {workers} idle cores, as they took before{unknown}",
    ]


def _seconds(of_seeds: Sequence[float | None]) -> str:
    longest = None if None in of_seeds else max(seconds or 0.0 for seconds in of_seeds)
    times = f" x {len(of_seeds)}" if len(of_seeds) > 1 else ""
    return f"{'?' if longest is None else f'{longest:.0f} s'}{times}"


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
    expected = {job: expected_seconds(job, out) for job in jobs}
    for line in _forecast(expected, count, preset):
        console.print(readable(line), highlight=False, markup=False, soft_wrap=True)
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
        # The longest first: at the end no core waits for long.
        queue = sorted(jobs, key=lambda job: -(expected[job] or 0.0))
        pending: dict[Future[Record], Job] = {pool.submit(job.run, out): job for job in queue}
        for done in as_completed(pending):
            job, record = pending[done], done.result()
            records[job] = record
            line = readable(f"{job.folder.as_posix()}: {job.summary(record)}")
            bar.console.print(line, highlight=False, markup=False)
            bar.advance(shown)
    return [records[job] for job in jobs]
