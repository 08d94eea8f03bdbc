"""What reports know of Ising ground states: their measurements, the phases and their colors."""

import re
from collections.abc import Iterable

from sympe_experiments.ising.config import METHODS
from sympe_experiments.records import Record
from sympe_experiments.report.statistics import Group

EXACT, EXACT_OUT, GAP, GAP_OUT = "exact_percent_in", "exact_percent_out", "gap_in", "gap_out"

#: Models with a phase diagram, trained on half of its plane.
DRAWN = ("nearest", "j1j2")

#: Methods without anything to train.
SOLVERS = ("annealing", "milp")

#: The published phase diagram's colors, by the order parameters in the order in which runs keep them. Both kinds of
#: stripes are blue, as there; what has no order is black.
PHASES = {
    "ferromagnet": (0.84, 0.15, 0.16),
    "antiferromagnet": (0.10, 0.62, 0.24),
    "stripes in columns": (0.12, 0.38, 0.82),
    "stripes in rows": (0.36, 0.66, 0.95),
}

_BY_SIZE = re.compile(r"exact_percent_L(\d+)")


def sizes(records: Iterable[Record]) -> list[int]:
    """Sizes of lattices that runs were tested on, ascending."""
    found = (_BY_SIZE.fullmatch(name) for record in records for name in record.metrics)
    return sorted({int(match[1]) for match in found if match})


def shown_runs(group: Group) -> dict[str, Record]:
    """For each method, in the order of rows, the first run that has arrays to draw."""
    found: dict[str, Record] = {}
    for method in METHODS.in_order(group.methods):
        run = next((run for run in group.runs(method) if "order" in run.arrays()), None)
        if run is not None:
            found[method] = run
    return found
