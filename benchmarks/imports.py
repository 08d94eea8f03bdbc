"""What it costs to import the library and to ask its command line for help, beside PyTorch alone.

Each row is a process of its own; its time is the processor time, user and system, of the whole process.
"""

import argparse
import os
import subprocess
import sys

from timing import Table

COMMANDS = {
    "import torch": ["-c", "import torch"],
    "import sympe": ["-c", "import sympe"],
    "import sympe, every public name used": ["-c", "import sympe; [getattr(sympe, name) for name in sympe.__all__]"],
    "sympe --help": ["-m", "sympe.cli", "--help"],
    "sympe audit --help": ["-m", "sympe.cli", "audit", "--help"],
}


def processor_seconds(arguments: list[str]) -> float:
    """Processor time of one process that runs Python with these arguments."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def import_table(repeats: int) -> Table:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(repeats + 1):
        for name, arguments in COMMANDS.items():
            seconds = processor_seconds(arguments)
            if turn:  # the first turn fills the caches of files and bytecode
                times[name].append(seconds)
    table = Table("imports", "processor seconds of one process")
    table.add_times(times, relative_to="import torch")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    made = import_table(parser.parse_args().repeats)
    made.print()
    made.write()
