"""What reports know of graph diffusion: its measurements, its floors, the poster's figures."""

import re
from collections.abc import Iterable, Sequence

from sympe_experiments.molecules.config import METHODS
from sympe_experiments.records import Record
from sympe_experiments.report.statistics import Group, finite, group_records

CLASS_NLL = "class_nll"

#: What the poster's figures were measured on; it does not say of what they are the likelihood.
POSTER_DATA = "qm9-hydrogens"

_AT = re.compile(r"(?:valid_percent|degree_mmd)_at_(\d+)")
_OF = re.compile(r"class_nll_of_(\d+)(?:_at_(\d+))?")


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
    return METHODS.poster(method) if group.data == POSTER_DATA else None


def sample_steps(records: Sequence[Record]) -> list[int]:
    """Numbers of steps that samples were taken with, in increasing order."""
    return sorted({int(match[1]) for record in records for name in record.metrics if (match := _AT.fullmatch(name))})


def trajectory_bounds(records: Iterable[Record]) -> dict[int, dict[int, str]]:
    """Names of tighter bounds, by the steps of the sampler and the number of trajectories."""
    found: dict[int, dict[int, str]] = {}
    for record in records:
        for name in record.metrics:
            if match := _OF.fullmatch(name):
                steps = int(match[2] or (record.config or {}).get("steps", 0))
                found.setdefault(steps, {})[int(match[1])] = name
    return {steps: dict(sorted(found[steps].items())) for steps in sorted(found)}


def is_molecular(records: Sequence[Record]) -> bool:
    """Whether the samples are molecules."""
    return any(name.startswith("atoms_stable_percent_at") for record in records for name in record.metrics)
