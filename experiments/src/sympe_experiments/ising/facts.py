"""What reports know of the Ising task: its methods, their controls, its phases and their colors."""

import re
from collections.abc import Iterable

from sympe_experiments.records import Record
from sympe_experiments.report.statistics import Group

EXACT, EXACT_OUT, GAP, GAP_OUT = "exact_percent_in", "exact_percent_out", "gap_in", "gap_out"
#: What is compared: the share of ground states over both halves of the plane that is missed.
MISSED = "missed_percent"

#: Methods in the order of rows, and what to call them. Others follow under their own names.
LABELS = {
    "mlp": "MLP, not equivariant",
    "cnn": "CNN + learned tile, translations broken in place",
    "gcnn": "group CNN, no symmetry breaking",
    "gcnn-noise": "group CNN + noise at every site",
    "haar": "group CNN + learned tile, g~ Haar (control)",
    "sympe-template-frozen": "SymPE, tile frozen at random (control)",
    "sympe-template": "SymPE, learned tile",
    "sympe-template-field": "SymPE, learned field, by its Fourier amplitudes",
    "sympe-template-field-plain": "SymPE, learned field, by its values",
    "sympe-template-field-frozen": "SymPE, field frozen at random (control)",
    "annealing": "simulated annealing, best of 20 reads",
    "milp": "integer programming (HiGHS)",
}

#: The matched controls of each method: the same network with more randomness than needed, with a vector that is not
#: learned, or with no vector.
CONTROLS: dict[str, tuple[str, ...]] = {
    "sympe-template": ("gcnn", "gcnn-noise", "haar", "sympe-template-frozen"),
    "sympe-template-field": ("gcnn", "gcnn-noise", "sympe-template-field-plain", "sympe-template-field-frozen"),
}

#: What cannot be trained, and what only has a time to solution.
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


def label(method: str) -> str:
    """What to call a method."""
    return LABELS.get(method, method)


def in_order(methods: Iterable[str]) -> list[str]:
    """Methods in the order of rows."""
    known = list(LABELS)
    return sorted(methods, key=lambda name: (known.index(name) if name in LABELS else len(known), name))


def sizes(records: Iterable[Record]) -> list[int]:
    """Sizes of lattices that runs were tested on, ascending."""
    found = (_BY_SIZE.fullmatch(name) for record in records for name in record.metrics)
    return sorted({int(match[1]) for match in found if match})


def shown_runs(group: Group) -> dict[str, Record]:
    """For each method, in the order of rows, the first run that has arrays to draw."""
    found: dict[str, Record] = {}
    for method in in_order(group.methods):
        run = next((run for run in group.runs(method) if "order" in run.arrays()), None)
        if run is not None:
            found[method] = run
    return found
