"""What reports know of the graph autoencoder: names and order of its methods, their controls, the poster's figures."""

import re
from collections.abc import Iterable, Sequence

from sympe_experiments.records import Record
from sympe_experiments.report.statistics import Group, finite, group_records

ERROR = "test_error_percent"

#: Methods in the order of rows, and what to call them. Others follow under their own names.
LABELS = {
    "none": "no symmetry breaking",
    "noise": "noise (random node features)",
    "haar": "random permutation instead of sorting (control)",
    "laplacian": "Laplacian encodings",
    "sympe-sort": "SymPE: sort by a learned scalar",
    "sympe-sort-no-gradient": "SymPE: the same sort, no gradient through it (control)",
    "sympe-labeling": "SymPE: exact labeling",
    "sympe-refinement": "SymPE: color refinement",
    "sympe-spectral": "SymPE: sort by the Fiedler vector",
    "sympe-breadth-first": "SymPE: breadth-first order",
    "sympe-depth-first": "SymPE: depth-first order",
    "sympe-canonical-depth-first": "SymPE: depth-first order of a canonical form",
    "laplacian-noise": "Laplacian + noise (control)",
    "laplacian-haar": "Laplacian + random permutation (control)",
    "laplacian-sympe-sort": "Laplacian + SymPE: sort by a learned scalar",
    "laplacian-sympe-sort-no-gradient": "Laplacian + the same sort, no gradient through it (control)",
    "laplacian-sympe-spectral": "Laplacian + SymPE: sort by the Fiedler vector",
    "laplacian-sympe-breadth-first": "Laplacian + SymPE: breadth-first order",
    "laplacian-sympe-depth-first": "Laplacian + SymPE: depth-first order",
}

#: What the poster of the paper reports on the random graphs, in per cent.
POSTER_DATA = "erdos-renyi"
POSTER = {"none": 3.9, "noise": 2.3, "haar": 1.3, "laplacian": 0.98, "sympe-sort": 0.77}

#: The matched controls of each method: the same network with random ranks in place of the sorted ones, without a
#: gradient through the sort, or with each of its other inputs alone.
CONTROLS: dict[str, tuple[str, ...]] = {
    "sympe-sort": ("haar", "sympe-sort-no-gradient"),
    "sympe-labeling": ("haar",),
    "sympe-refinement": ("haar",),
    "sympe-spectral": ("haar",),
    "sympe-breadth-first": ("haar",),
    "sympe-depth-first": ("haar",),
    "sympe-canonical-depth-first": ("haar", "sympe-depth-first"),
    "laplacian-haar": ("laplacian", "laplacian-noise"),
    "laplacian-sympe-sort": ("laplacian", "laplacian-haar", "laplacian-sympe-sort-no-gradient"),
    "laplacian-sympe-spectral": ("laplacian", "laplacian-haar"),
    "laplacian-sympe-breadth-first": ("laplacian", "laplacian-haar"),
    "laplacian-sympe-depth-first": ("laplacian", "laplacian-haar", "sympe-depth-first"),
}

#: What the record of a floor holds, and what to say of it.
FLOORS = {
    "floor_pair_percent": "any decoder of pairs",
    "floor_difference_percent": "decoder of differences of codes",
    "trivial_percent": 'answering "no edge" always',
}

_BEST_OF = re.compile(r"best_of_(\d+)_error_percent")


def label(method: str) -> str:
    """What to call a method."""
    return LABELS.get(method, method)


def in_order(methods: Iterable[str]) -> list[str]:
    """Methods in the order of rows."""
    known = list(LABELS)
    return sorted(methods, key=lambda name: (known.index(name) if name in LABELS else len(known), name))


def floor_values(record: Record) -> dict[str, float]:
    """The floors that a record holds, in per cent, by name; most hold none."""
    values = {name: finite(record.metrics.get(name)) for name in FLOORS}
    return {name: value for name, value in values.items() if value is not None}


def is_trained(record: Record) -> bool:
    """Whether a record is of a network, rather than of what no network of a kind can do better."""
    return ERROR in record.metrics or not (record.method == "floor" or floor_values(record))


def trained(records: Iterable[Record]) -> list[Group]:
    """Groups of runs that trained a network."""
    return group_records(filter(is_trained, records))


def floors(group: Group, records: Iterable[Record]) -> dict[str, float]:
    """Floors of the very test graphs that a group was tested on, in per cent, by name."""
    found: dict[str, float] = {}
    for record in records:
        if _has_test_graphs(group, record):
            found |= floor_values(record)
    return found


def floors_apart(records: Sequence[Record]) -> list[Record]:
    """Records of the floors of test graphs that no network was tested on."""
    groups = trained(records)
    alone = (record for record in records if not is_trained(record))
    return [record for record in alone if not any(_has_test_graphs(group, record) for group in groups)]


def test_pairs(record: Record) -> float | None:
    """Number of ordered node pairs that a record's errors are counted on, if known."""
    return finite(record.metrics.get("test_pairs"))


def _has_test_graphs(group: Group, record: Record) -> bool:
    # A recipe may test on a part of the data set; its number of pairs tells.
    tested = {test_pairs(run) for run in group.records} - {None}
    pairs = test_pairs(record)
    return record.data == group.data and (pairs is None or not tested or tested == {pairs})


def poster_figure(group: Group, method: str) -> float | None:
    """The poster's figure for a method on the data of a group, in per cent."""
    return POSTER.get(method) if group.data == POSTER_DATA else None


def most_draws(records: Sequence[Record]) -> int | None:
    """The largest K for which runs have a best-of-K error."""
    found = [match for record in records for name in record.metrics if (match := _BEST_OF.fullmatch(name))]
    return max((int(match[1]) for match in found), default=None)


def best_of(draws: int | None) -> str:
    """Name of the best-of-K error."""
    return f"best_of_{draws}_error_percent"
