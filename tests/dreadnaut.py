"""Orders of the groups of programs by dreadnaut (of nauty), where it is installed.

The graph is made here, in another way than in the library: every coefficient is a node on its edge, colored by its
value, and equal constraints stay, whose permutations are divided out of the order.
"""

import math
import re
import subprocess
from collections import Counter
from collections.abc import Hashable

import numpy as np

from sympe.programs import Program

#: Orders are integers: logs that differ by less are of one order, up to the digits that dreadnaut prints.
TOLERANCE = 1e-3


def log_order(program: Program) -> float:
    """Log of the number of formulation symmetries of a program, in nats."""
    bind = np.flatnonzero(np.isfinite(program.row_lower) | np.isfinite(program.row_upper))
    sides = list(zip(program.row_lower[bind].tolist(), program.row_upper[bind].tolist(), strict=True))
    matrix = program.matrix[bind].tocsr()
    n, ends = program.num_variables, matrix.tocoo()
    variables = zip(program.cost, program.lower, program.upper, program.kind, strict=True)
    kinds: list[Hashable] = [("variable", *map(float, row)) for row in variables]
    kinds += [("constraint", *pair) for pair in sides]
    kinds += [("coefficient", value) for value in ends.data]
    edges: list[list[int]] = [[] for _ in kinds]
    for place, (row, column) in enumerate(zip(ends.row.tolist(), ends.col.tolist(), strict=True)):
        edges[n + len(bind) + place] += [column, n + row]
    rows = (slice(*pair) for pair in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True))
    held = Counter(
        (matrix.indices[row].tobytes(), matrix.data[row].tobytes(), *pair)
        for row, pair in zip(rows, sides, strict=True)
    )
    return _log_automorphisms(kinds, edges) - sum(math.lgamma(times + 1) for times in held.values())


def _log_automorphisms(kinds: list[Hashable], edges: list[list[int]]) -> float:
    cells: dict[Hashable, list[int]] = {}
    for node, kind in enumerate(kinds):
        cells.setdefault(kind, []).append(node)
    lists = ";\n".join(" ".join(map(str, targets)) for targets in edges)
    colors = "|".join(",".join(map(str, cell)) for cell in cells.values())
    script = f"At -a -m n={len(kinds)} g {lists}.\nf=[{colors}] x q\n"
    done = subprocess.run(["dreadnaut"], input=script, capture_output=True, text=True, check=True)
    found = re.search(r"grpsize=([\d.]+)(?:e(\d+))?", done.stdout)
    assert found is not None, done.stdout[-300:] + done.stderr[-300:]
    return math.log(float(found[1])) + int(found[2] or 0) * math.log(10)
