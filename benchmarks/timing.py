"""Times of several ways to do one thing, measured in turns, as a table and as JSON.

Times are processor time, of all threads: run with one (``OMP_NUM_THREADS=1``). Then they are the wall times of a
machine that does nothing else, whatever share of a core other programs leave. What those still do is slow memory
and caches down, for all ways alike and not for long: so each way is run once per turn. The ratio of two ways
within a turn says more than their times do; times of two tables should not be compared. What a GPU does is timed by the
clock on the wall, from the moment it has nothing left to do to the next.
"""

import argparse
import gc
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table as RichTable

from sympe.atomic import write_atomically
from sympe_experiments.records import describe_environment

#: Where records go; ``BENCH_RESULTS`` tells another folder.
RESULTS = Path(os.environ.get("BENCH_RESULTS", Path(__file__).parent / "results"))


def gpu_clock() -> float:
    """Seconds on the wall when the GPU has done all that it was asked for."""
    torch.cuda.synchronize()
    return time.perf_counter()


class Missing(Exception):
    """What a table needs, a peer or data, is not there."""


class Seconds(float):
    """What a run returns that measures itself, as a separate program does."""


def mean_of(run: Callable[[], object], times: int) -> Callable[[], Seconds]:
    """A run that tells the mean processor time of several, one after the other."""

    def several() -> Seconds:
        start = time.process_time()
        for _ in range(times):
            run()
        return Seconds((time.process_time() - start) / times)

    return several


def interleave(
    runs: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Seconds that each run takes by the clock, in ``repeats`` turns after one to warm up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            gc.collect()
            start = clock()
            done = run()
            seconds = clock() - start
            if turn:
                times[name].append(done if isinstance(done, Seconds) else seconds)
    return times


def peak_memory() -> float:
    """Most memory that this program has held so far, in MB."""
    return _status().get("VmHWM", _largest())


def memory_now() -> float:
    """Memory that this program holds, in MB; where the system does not tell, the most it has held."""
    return _status().get("VmRSS", _largest())


def _status() -> dict[str, float]:
    """What Linux knows of this program's memory, in MB."""
    path = Path("/proc/self/status")
    lines = (line.split() for line in path.read_text().splitlines()) if path.exists() else ()
    return {words[0].rstrip(":"): float(words[1]) / 2**10 for words in lines if words[-1] == "kB"}


def _largest() -> float:
    """The same from getrusage. On Linux that begins with what the parent held, even in another program."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


class Table:
    """Rows of medians with their range, and ratios to one of the rows.

    Args:
        name: Name of the JSON file.
        title: What the numbers are, with their unit.
    """

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.rows: list[dict[str, Any]] = []

    def add_times(
        self,
        times: Mapping[str, Sequence[float]],
        relative_to: str | None = None,
        more: Mapping[str, Mapping[str, float | int | None]] | None = None,
    ) -> None:
        """One row for each list of times, taken in turns.

        Args:
            times: The times of each row, in the table's unit.
            relative_to: The row whose time the others are divided by: the median over turns is given.
            more: Further columns, by row.
        """
        for name, values in times.items():
            row = {
                "row": name,
                "median": statistics.median(values),
                "lowest": min(values),
                "highest": max(values),
                "repeats": len(values),
            }
            if relative_to is not None:
                ratios = [v / r for v, r in zip(values, times[relative_to], strict=True)]
                row["ratio"] = statistics.median(ratios)
                row["ratio_lowest"], row["ratio_highest"] = min(ratios), max(ratios)
                row["ratio_to"] = relative_to
            self.rows.append(row | dict((more or {}).get(name, {})))

    def print(self) -> None:
        hidden = ("row", "repeats", "ratio_to", "ratio_lowest", "ratio_highest")
        columns = [c for c in dict.fromkeys(key for row in self.rows for key in row) if c not in hidden]
        table = RichTable("", *columns, title=self.title, title_justify="left")
        for column in table.columns[1:]:
            column.justify = "right"
        for row in self.rows:
            table.add_row(row["row"], *(_format(row.get(column)) for column in columns))
        Console(width=None if sys.stdout.isatty() else 120).print(table)

    def write(self) -> Path:
        """Write ``results/<name>.json`` beside this file, with the environment."""
        busy = dict(zip(("1_min", "5_min", "15_min"), os.getloadavg(), strict=True))
        environment = describe_environment() | {"cores": os.cpu_count(), "load_average": busy}
        content = {"title": self.title, "rows": self.rows, "environment": environment}
        text = json.dumps(content, indent=1, allow_nan=False) + "\n"
        path = RESULTS / f"{self.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: file.write(text.encode()))
        return path


def run_tables(about: str | None, names: Collection[str], measure: Callable[[str, bool], Table]) -> None:
    """The command line of a script with several tables: measure them, or some, print and write them.

    Args:
        about: What the script says of itself.
        names: Names of the tables.
        measure: Makes the table of a name, smaller if the second argument says so. Tables that miss something are left
            out, with a line that says so.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller inputs, or fewer turns")
    parser.add_argument("--only", nargs="+", choices=names, default=list(names), help="some of the tables")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.only:
        try:
            table = measure(name, args.quick)
        except (Missing, ImportError) as missing:
            print(f"{name} is left out: {missing}", file=sys.stderr)
            continue
        table.print()
        print(f"written to {table.write()}")


def _format(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
