"""What reports know of Ising ground states: their measurements, the phases and their colors."""

import re
from collections.abc import Iterable

from sympe_experiments.ising.config import METHODS
from sympe_experiments.records import Record
from sympe_experiments.report.statistics import Group, finite

EXACT, EXACT_OUT, GAP, GAP_OUT = "exact_percent_in", "exact_percent_out", "gap_in", "gap_out"

#: Models with a phase diagram, trained on half of its plane.
DRAWN = ("nearest", "j1j2")

#: Methods without anything to train.
SOLVERS = ("annealing", "milp")

#: Colors by the order parameters in the order in which runs keep them: the hues of the published phase diagram, in
#: tones that those who confuse red and green can tell apart (vermilion, bluish green, blue and sky blue of
#: :mod:`~sympe_experiments.report.palette`). What has no order is black.
PHASES = {
    "ferromagnet": (0.835, 0.369, 0.0),
    "antiferromagnet": (0.0, 0.620, 0.451),
    "stripes in columns": (0.0, 0.447, 0.698),
    "stripes in rows": (0.337, 0.706, 0.914),
}

#: Seeds of which one gets this much less exact than another are both shown, in per cent.
APART = 10.0

_BY_SIZE = re.compile(r"exact_percent_L(\d+)")


def sizes(records: Iterable[Record]) -> list[int]:
    """Sizes of lattices that runs were tested on, ascending."""
    found = (_BY_SIZE.fullmatch(name) for record in records for name in record.metrics)
    return sorted({int(match[1]) for match in found if match})


def shown_runs(group: Group) -> dict[str, Record]:
    """For each method, in the order of rows, the median of the runs that have arrays to draw."""
    found = {method: _with_arrays(group, method) for method in METHODS.in_order(group.methods)}
    return {method: runs[len(runs) // 2] for method, runs in found.items() if runs}


def panels(group: Group) -> list[Record]:
    """For each method, in the order of rows, the median run, or the best and the worst where they are far apart."""
    found: list[Record] = []
    for method in METHODS.in_order(group.methods):
        runs = _with_arrays(group, method)
        if runs and _exact(runs[-1]) - _exact(runs[0]) > APART:
            found += [runs[-1], runs[0]]
        elif runs:
            found.append(runs[len(runs) // 2])
    return found


def _with_arrays(group: Group, method: str) -> list[Record]:
    """Runs that have something to draw, the worst first."""
    return sorted((run for run in group.runs(method) if "order" in run.arrays()), key=_exact)


def _exact(record: Record) -> float:
    return sum(finite(record.metrics.get(name)) or 0.0 for name in (EXACT, EXACT_OUT)) / 2
