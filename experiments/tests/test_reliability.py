"""The tables of docs/reliability.md are what the records of ``make fuzz`` and ``make faults`` say.

python experiments/tests/test_reliability.py    # prints them
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

#: Columns of the table of faults, and the kinds of faults that are counted there.
COLUMNS = {
    "kill -9": ("kill-before", "kill"),
    "SIGTERM": ("term-before", "term"),
    "SIGINT": ("interrupt",),
    "full disk": ("full",),
    "read-only": ("read-only",),
    "lost worker": ("lost worker",),
    "flipped bit": ("flipped bit",),
    "two runs": ("two runs",),
}


def held(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((ROOT / "results" / "reliability" / f"{name}.json").read_text())
    return record


def row(*cells: object) -> str:
    return f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else str(cell) for cell in cells)} |"


def fuzz(readers: dict[str, Any]) -> Iterator[str]:
    yield "| reader | files | read | refused | faults | slowest, s | most memory, MiB |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    found = {name: [it["inputs"], it["read"], it["refused"], faults_of(it)] for name, it in sorted(readers.items())}
    for name, counts in found.items():
        yield row(name, *counts, readers[name]["slowest_seconds"], readers[name]["peak_mib"])
    slowest, peak = (max(it[key] for it in readers.values()) for key in ("slowest_seconds", "peak_mib"))
    yield row("all", *map(sum, zip(*found.values(), strict=True)), slowest, peak)


def faults_of(reader: dict[str, Any]) -> int:
    return sum(map(len, reader["faults"].values()))


def faults(jobs: dict[str, Any]) -> Iterator[str]:
    yield f"| job | {' | '.join(COLUMNS)} | all | with harm |"
    yield f"|---|{'---:|' * (len(COLUMNS) + 2)}"
    found = {name: counts_of(kinds) for name, kinds in sorted(jobs.items())}
    for name, counts in [*found.items(), ("all", [*map(sum, zip(*found.values(), strict=True))])]:
        yield row(name, *counts)


def counts_of(kinds: dict[str, Any]) -> list[int]:
    """Faults of each column, of all, and those that did harm."""
    counts = [sum(kinds.get(kind, {}).get("struck", 0) for kind in column) for column in COLUMNS.values()]
    return [*counts, sum(it["struck"] for it in kinds.values()), sum(len(it["wrong"]) for it in kinds.values())]


def made() -> dict[str, str]:
    return {"fuzz": "\n".join(fuzz(held("fuzz")["readers"])), "faults": "\n".join(faults(held("faults")["jobs"]))}


@pytest.mark.parametrize("name", ["fuzz", "faults"])
def test_tables_are_those_of_the_records(name: str) -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    shown = page[page.index(f"<!-- {name} -->") : page.index(f"<!-- end of {name} -->")].split("\n", 1)[1]
    assert shown.strip() == made()[name]


def test_no_fault_is_lost_in_the_tables() -> None:
    jobs = {"a": {"kill": {"struck": 2, "wrong": []}, "kill-before": {"struck": 1, "wrong": ["x"]}}}
    assert [*faults(jobs)][-1] == "| all | 3 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 3 | 1 |"
    reader = {"inputs": 1003, "read": 1, "refused": 1000, "slowest_seconds": 0.5, "peak_mib": 7}
    assert [*fuzz({"b": reader | {"faults": {"hang": [4, 5]}}})][-1] == "| all | 1,003 | 1 | 1,000 | 2 | 0.5 | 7 |"
    struck = {kind for kinds in held("faults")["jobs"].values() for kind in kinds}
    assert struck <= {kind for column in COLUMNS.values() for kind in column}


if __name__ == "__main__":
    for text in made().values():
        print(text, end="\n\n")
