"""docs/speed.md says what the records of the benchmarks say, and what has become slower is found.

``python benchmarks/bench.py --table`` prints the tables of the page.
"""

import copy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import bench

    yield bench
    sys.modules.pop("bench")


def test_the_page_says_what_the_records_say(bench) -> None:
    page = (ROOT / "docs" / "speed.md").read_text()
    for table in (bench.lines, bench.refinement, bench.growth):
        assert "\n".join(table()) in page


def test_a_worse_ratio_is_named(bench) -> None:
    before = bench.records(ROOT / "benchmarks" / "results")
    assert list(bench.worse(before, before)) == []
    after = copy.deepcopy(before)
    row = next(row for row in after["graphs_cfi"]["rows"] if row["row"] != row["ratio_to"])
    row["ratio"] *= 1.19
    assert list(bench.worse(before, after)) == []
    row["ratio"] *= 1.02
    (line,) = bench.worse(before, after)
    assert row["row"] in line


def test_a_goal_that_is_missed_is_said(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "GOALS", {"graphs_cfi": {"CFI graph, 200 ": 1e6, "": 1e-6}})
    assert [line.endswith("missed |") for line in list(bench.lines())[2:]] == [
        not line.startswith("| CFI graph, 200 ") for line in list(bench.lines())[2:]
    ]
