"""What reports know of the graph autoencoder: its measurements, its floors, the poster's figures."""

import re
from collections.abc import Iterable, Sequence

from sympe_experiments.autoencoder.config import METHODS
from sympe_experiments.records import Record
from sympe_experiments.report.statistics import Group, finite, group_records

ERROR = "test_error_percent"

#: What the poster's figures were measured on.
POSTER_DATA = "erdos-renyi"

#: What the record of a floor holds, and what to say of it.
FLOORS = {
    "floor_pair_percent": "any decoder of pairs",
    "floor_difference_percent": "decoder of differences of codes",
    "trivial_percent": 'answering "no edge" always',
}

_BEST_OF = re.compile(r"best_of_(\d+)_error_percent")


def floor_values(record: Record) -> dict[str, float]:
    """The floors that a record holds, in per cent, by name; most hold none."""
    values = {name: finite(record.metrics.get(name)) for name in FLOORS}
    return {name: value for name, value in values.items() if value is not None}


def is_trained(record: Record) -> bool:
    """Whether a record is of a network, rather than of a floor."""
    return ERROR in record.metrics or not (record.method == "floor" or floor_values(record))


def trained(records: Iterable[Record]) -> list[Group]:
    """Groups of runs that trained a network."""
    return group_records(filter(is_trained, records))


def floors(group: Group, records: Iterable[Record]) -> dict[str, float]:
    """Floors of the test graphs of a group, in per cent, by name."""
    found: dict[str, float] = {}
    for record in records:
        if _has_test_graphs(group, record):
            found |= floor_values(record)
    return found


def floors_apart(records: Sequence[Record]) -> list[Record]:
    """Records of floors of other test graphs than those of the runs."""
    groups = trained(records)
    alone = (record for record in records if not is_trained(record))
    return [record for record in alone if not any(_has_test_graphs(group, record) for group in groups)]


def test_pairs(record: Record) -> float | None:
    """Number of ordered node pairs in the test graphs of a record, if known."""
    return finite(record.metrics.get("test_pairs"))


def _has_test_graphs(group: Group, record: Record) -> bool:
    # A recipe may test on a part of the data set; its number of pairs tells.
    tested = {test_pairs(run) for run in group.records} - {None}
    pairs = test_pairs(record)
    return record.data == group.data and (pairs is None or not tested or tested == {pairs})


def poster_figure(group: Group, method: str) -> float | None:
    """The poster's figure for a method on the data of a group, in per cent."""
    return METHODS.poster(method) if group.data == POSTER_DATA else None


def most_draws(records: Sequence[Record]) -> int | None:
    """The largest K for which runs have a best-of-K error."""
    found = [match for record in records for name in record.metrics if (match := _BEST_OF.fullmatch(name))]
    return max((int(match[1]) for match in found), default=None)


def best_of(draws: int | None) -> str:
    """Name of the best-of-K error."""
    return f"best_of_{draws}_error_percent"
