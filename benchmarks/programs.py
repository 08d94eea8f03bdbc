"""Audits of integer programs: seconds, and orders of groups against dreadnaut (of nauty), if it is installed.

    python benchmarks/programs.py FILE_OR_FOLDER ...

The graph for dreadnaut is made here, in another way than in the library: every coefficient is a node on its edge,
colored by its value. Duplicate constraints stay, so that the order divided by the permutations of these is compared.
"""

import math
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from sympe.compressed import suffix_of
from sympe.programs import Program, read, symmetry_of


def dreadnaut_order(program: Program) -> tuple[float, int]:
    """Order of the group, in dreadnaut's mantissa and exponent of ten, of variables and constraints together."""
    matrix = program.matrix.tocoo()
    n, m = program.num_variables, len(program.row_lower)
    variables = zip(program.cost, program.lower, program.upper, program.kind, strict=True)
    kinds: list[tuple] = [("variable", *map(float, row)) for row in variables]
    kinds += [("constraint", low, high) for low, high in zip(program.row_lower, program.row_upper, strict=True)]
    kinds += [("coefficient", value) for value in matrix.data]
    cells: dict[tuple, list[int]] = {}
    for node, kind in enumerate(kinds):
        cells.setdefault(kind, []).append(node)
    edges: list[list[int]] = [[] for _ in kinds]
    for place, (row, column) in enumerate(zip(matrix.row.tolist(), matrix.col.tolist(), strict=True)):
        edges[n + m + place] += [column, n + row]
    lists = ";\n".join(" ".join(map(str, targets)) for targets in edges)
    colors = "|".join(",".join(map(str, cell)) for cell in cells.values())
    script = f"At -a -m n={len(kinds)} g {lists}.\nf=[{colors}] x q\n"
    done = subprocess.run(["dreadnaut"], input=script, capture_output=True, text=True, check=True)
    found = re.search(r"grpsize=([\d.]+)(?:e(\d+))?", done.stdout)
    assert found is not None, done.stdout[-300:] + done.stderr[-300:]
    return float(found[1]), int(found[2] or 0)


def of_constraints_alone(program: Program) -> float:
    """Log of the number of permutations of constraints that are equal."""
    rows = program.matrix.toarray() if program.matrix.shape[0] < 2000 else program.matrix.tolil().rows
    if isinstance(rows, np.ndarray) and rows.dtype != object:
        held = Counter(zip(map(bytes, rows + 0.0), program.row_lower, program.row_upper, strict=True))
    else:
        data = program.matrix.tolil().data
        sides = zip(map(tuple, rows), map(tuple, data), program.row_lower, program.row_upper, strict=True)
        held = Counter(sides)
    return sum(math.lgamma(count + 1) for count in held.values())


def of_free_constraints(program: Program) -> bool:
    """Whether a constraint binds nothing: the library leaves it out, dreadnaut's graph does not."""
    return bool((~np.isfinite(program.row_lower) & ~np.isfinite(program.row_upper)).any())


def main(paths: list[str]) -> None:
    files = [file for path in map(Path, paths) for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    has_dreadnaut = shutil.which("dreadnaut") is not None
    counts: Counter[str] = Counter()
    for file in files:
        if suffix_of(file) not in (".mps", ".lp"):
            continue
        started = time.perf_counter(), time.process_time()
        try:
            program = read(file)
        except ValueError as error:
            counts["refused"] += 1
            print(f"{file.name}: refused: {str(error).partition(': ')[2][:110]}")
            continue
        symmetry = symmetry_of(program)
        wall, processor = time.perf_counter() - started[0], time.process_time() - started[1]
        told = f"{file.name}: {program.num_variables} variables, {math.log(symmetry.order):.4f} nats, {processor:.2f} s"
        told += f" ({wall:.2f} s)"
        if has_dreadnaut and len(program.matrix.data) and not of_free_constraints(program):
            mantissa, exponent = dreadnaut_order(program)
            expected = math.log(mantissa) + exponent * math.log(10) - of_constraints_alone(program)
            # dreadnaut prints as many digits as it has of a large order.
            same = abs(expected - math.log(symmetry.order)) < 1e-4 * max(expected, 1)
            counts["same" if same else "DIFFERENT"] += 1
            told += "" if same else f", dreadnaut says {expected:.4f}"
        print(told, flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main(sys.argv[1:])
