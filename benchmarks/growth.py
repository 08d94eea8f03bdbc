"""Time and memory against size, from 10^3 to 10^6 nodes: labeling, refinement, Laplacian vectors and frames.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/growth.py``; ``--quick`` stops at 10^5, ``--only`` takes some
of the works. The graphs are random with five edges per node (for the Laplacian each has ten neighbors: others have
isolated nodes, and nothing to compute), the clouds have 20 points. Each size is a process of its
own, which makes its input, warms up on a small one, runs once, and tells the most memory that it held, imports and
input included. ``slope`` is that of the least squares line through the logarithms of size and time, from 10^4 nodes on:
1 is linear.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from inputs import regular, sparse
from sympe import InversionKernel
from sympe.breaking import Laplacian
from sympe.canonicalize import Frames, Labeling, Refinement
from sympe.points import PointClouds
from timing import Table, peak_memory

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def clouds(points: int) -> PointClouds:
    position = torch.randn(points, 3, generator=torch.Generator().manual_seed(0))
    return PointClouds(position, torch.arange(points // 20).repeat_interleave(20), num_clouds=points // 20)


def graph(nodes: int) -> Any:
    return sparse(nodes, 5 * nodes)


#: What makes the input of a size, and what is timed.
WORKS: dict[str, tuple[Callable[[int], Any], Callable[[], Callable[[Any], object]]]] = {
    "labeling": (graph, Labeling),
    "refinement": (graph, Refinement),
    "laplacian": (lambda n: regular(n, 10), lambda: Laplacian(4)),
    "frames": (clouds, lambda: InversionKernel(Frames())),
}


def measure(work: str, size: int) -> dict[str, float]:
    """Seconds and MB of one run, in this process."""
    make, draw = WORKS[work]
    draw()(make(2_000))  # large enough for all imports
    x, run = make(size), draw()
    before = peak_memory()
    start = time.process_time()
    run(x)
    return {"seconds": time.process_time() - start, "peak_MB": round(peak_memory()), "before_MB": round(before)}


def slope(sizes: list[int], seconds: list[float]) -> float:
    return statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, seconds))).slope


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="up to 10^5 nodes")
    parser.add_argument("--only", nargs="+", choices=WORKS, default=list(WORKS), help="some of the works")
    parser.add_argument("--one", nargs=2, metavar=("WORK", "SIZE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.one:
        print(json.dumps(measure(args.one[0], int(args.one[1]))))
        return
    sizes = [size for size in SIZES if size <= 100_000 or not args.quick]
    for work in args.only:
        rows = []
        for size in sizes:
            command = [sys.executable, __file__, "--one", work, str(size)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ)
            rows.append(json.loads(done.stdout))
        seconds = [row.pop("seconds") for row in rows]
        steep = {"slope": slope(sizes[1:], seconds[1:])}
        table = Table(f"growth_{work}", f"seconds: {work}, by number of {'points' if work == 'frames' else 'nodes'}")
        names = [f"{size:,}" for size in sizes]
        more = {name: row | (steep if name == names[-1] else {}) for name, row in zip(names, rows, strict=True)}
        table.add_times({name: [t] for name, t in zip(names, seconds, strict=True)}, more=more)
        table.print()
        print(f"written to {table.write()}")


if __name__ == "__main__":
    main()
