"""What reports know of graph diffusion: names and order of its methods, their controls, the poster's figures."""

import re
from collections.abc import Iterable, Sequence

from sympe_experiments.records import Record
from sympe_experiments.report.statistics import Group, finite, group_records

CLASS_NLL = "class_nll"

#: Methods in the order of rows, and what to call them. Others follow under their own names.
LABELS = {
    "none": "no symmetry breaking",
    "noise": "noise (random node features)",
    "haar-carried": "random order, carried (control)",
    "haar-fresh": "random order, fresh (control)",
    "sympe-labeling-fresh": "SymPE fresh: exact labeling",
    "sympe-refinement-fresh": "SymPE fresh: color refinement",
    "sympe-sort-fresh": "SymPE fresh: learned sort",
    "sympe-depth-first-carried": "SymPE carried: random depth-first",
    "sympe-canonical-depth-first-carried": "SymPE carried: canonical depth-first",
    "sympe-labeling-carried": "SymPE carried: exact labeling",
    "sympe-refinement-carried": "SymPE carried: color refinement",
    "sympe-sort-carried": "SymPE carried: learned sort",
    "file-order": "order of the file (leak test)",
}

#: What the poster of the paper reports on QM9 with hydrogens, without saying of what it is the likelihood.
POSTER_DATA = "qm9-hydrogens"
POSTER = {"none": 129.7, "noise": 126.5, "sympe-labeling-fresh": 30.3}

#: The matched controls of each method.
CONTROLS: dict[str, tuple[str, ...]] = {
    "noise": ("none",),
    "haar-carried": ("none",),
    "haar-fresh": ("none",),
    "sympe-labeling-fresh": ("none", "noise", "haar-fresh"),
    "sympe-refinement-fresh": ("none", "haar-fresh"),
    "sympe-sort-fresh": ("none", "haar-fresh"),
    "sympe-depth-first-carried": ("none", "haar-carried"),
    "sympe-canonical-depth-first-carried": ("none", "haar-carried"),
    "sympe-labeling-carried": ("none", "haar-carried"),
    "sympe-refinement-carried": ("none", "haar-carried"),
    "sympe-sort-carried": ("none", "haar-carried"),
}

_AT = re.compile(r"(?:valid_percent|degree_mmd)_at_(\d+)")
_OF = re.compile(r"class_nll_of_(\d+)(?:_at_(\d+))?")


def label(method: str) -> str:
    """What to call a method."""
    return LABELS.get(method, method)


def in_order(methods: Iterable[str]) -> list[str]:
    """Methods in the order of rows."""
    known = list(LABELS)
    return sorted(methods, key=lambda name: (known.index(name) if name in LABELS else len(known), name))


def is_trained(record: Record) -> bool:
    """Whether a record is of a network, rather than of a data set."""
    return record.method != "floor"


def trained(records: Iterable[Record]) -> list[Group]:
    """Groups of runs that trained a network."""
    return group_records(filter(is_trained, records))


def floor_of(data: str, records: Iterable[Record]) -> Record | None:
    """The record of a data set itself, if there is one."""
    return next((record for record in records if not is_trained(record) and record.data == data), None)


def floor_value(record: Record | None, name: str) -> float | None:
    """A measurement of a data set, if known."""
    return None if record is None else finite(record.metrics.get(name))


def poster_figure(group: Group, method: str) -> float | None:
    """The poster's figure for a method on the data of a group."""
    return POSTER.get(method) if group.data == POSTER_DATA else None


def sample_steps(records: Sequence[Record]) -> list[int]:
    """Numbers of steps that samples were taken with, in increasing order."""
    return sorted({int(match[1]) for record in records for name in record.metrics if (match := _AT.fullmatch(name))})


def trajectory_bounds(records: Iterable[Record]) -> dict[int, dict[int, str]]:
    """Tighter bounds: by the steps of the sampler, and by the number of trajectories, the name of the measurement."""
    found: dict[int, dict[int, str]] = {}
    for record in records:
        for name in record.metrics:
            if match := _OF.fullmatch(name):
                steps = int(match[2] or (record.config or {}).get("steps", 0))
                found.setdefault(steps, {})[int(match[1])] = name
    return {steps: dict(sorted(found[steps].items())) for steps in sorted(found)}


def is_molecular(records: Sequence[Record]) -> bool:
    """Whether samples were judged as molecules."""
    return any(name.startswith("valid_percent_at") for record in records for name in record.metrics)
