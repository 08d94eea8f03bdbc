"""Audits of integer programs: processor seconds, and orders of groups against dreadnaut (of nauty), if installed.

    PYTHONPATH=tests python benchmarks/programs.py NAME=FOLDER ...

One table for each folder: its files, those that are refused, how many orders dreadnaut says are right, and the user
seconds of ``sympe audit`` of the largest one, with all that it imports.
"""

import math
import resource
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from dreadnaut import TOLERANCE, log_order
from sympe.compressed import suffix_of
from sympe.programs import read, symmetry_of
from sympe.programs.files import READABLE
from timing import Table

COUNTS = ("files", "refused", "with_symmetry", "right", "wrong", "most_variables", "its_seconds", "its_command_seconds")


def audit(folder: Path) -> tuple[list[float], dict[str, float]]:
    """Processor seconds of each program that is read, and counts."""
    seconds: list[float] = []
    counts = dict.fromkeys(COUNTS, 0.0)
    largest = None
    for file in sorted(file for file in folder.iterdir() if suffix_of(file) in READABLE):
        counts["files"] += 1
        start = time.process_time()
        try:
            program = read(file)
        except ValueError as error:
            counts["refused"] += 1
            print(f"{file.name}: refused: {str(error).partition(': ')[2][:110]}", flush=True)
            continue
        symmetry = symmetry_of(program)
        seconds.append(time.process_time() - start)
        counts["with_symmetry"] += symmetry.order > 1
        if program.num_variables > counts["most_variables"]:
            counts |= {"most_variables": program.num_variables, "its_seconds": seconds[-1]}
            largest = file
        nats = math.log(symmetry.order)
        told = f"{file.name}: {program.num_variables} variables, {nats:.4f} nats, {seconds[-1]:.2f} s"
        if shutil.which("dreadnaut"):
            expected = log_order(program)
            is_right = abs(expected - nats) < TOLERANCE
            counts["right" if is_right else "wrong"] += 1
            told += "" if is_right else f", dreadnaut says {expected:.4f}"
        print(told, flush=True)
    if largest is not None:
        counts["its_command_seconds"] = command_seconds(largest)
    return seconds, counts


def command_seconds(file: Path) -> float:
    """User seconds of ``sympe audit`` of a file, the least of three runs."""
    used = []
    for _ in range(4):
        used.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)
        subprocess.run([sys.executable, "-m", "sympe.cli", "audit", file], check=True, stdout=subprocess.DEVNULL)
    return min(b - a for a, b in pairwise(used))


def main(folders: list[str]) -> None:
    for given in folders:
        name, _, folder = given.rpartition("=")
        seconds, counts = audit(Path(folder))
        table = Table(f"programs_{name}", "processor seconds of reading a program and finding its symmetry")
        table.add_times({name: seconds}, more={name: counts})
        table.print()
        table.write()


if __name__ == "__main__":
    main(sys.argv[1:])
