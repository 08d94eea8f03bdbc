"""docs/speed.md says what the records of the benchmarks say, and what has become slower is found.

``python benchmarks/bench.py --table`` writes the tables into the page.
"""

import copy
import os
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


def test_the_pages_say_what_the_records_say(bench) -> None:
    for name, tables in bench.PAGES.items():
        page = (ROOT / "docs" / name).read_text()
        for mark, table in tables.items():
            assert f"<!-- {mark} -->\n\n" + "\n".join(table()) + "\n" in page


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


def test_the_command_warns_of_what_a_script_measures(
    bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "benchmarks"), prepend=os.pathsep)
    script = tmp_path / "planted.py"

    def warnings(slower: float) -> str:
        times = {"peer": [1.0], "steady": [2.0], "slower": [slower]}
        table = f"table = timing.Table('planted', 'seconds'); table.add_times({times}, 'peer'); table.write()"
        script.write_text(f"import timing; {table}\n")
        bench.main(["--quick", str(script)])
        return capsys.readouterr().err

    assert warnings(3.0) == ""
    assert warnings(4.3) == "warning: planted: slower: 4.30 times the peer; the last record says 3.00\n"


def test_a_goal_that_is_missed_is_said(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "GOALS", {"graphs_cfi": {"CFI graph, 200 ": 1e6, "": 1e-6}})
    assert [line.endswith("missed |") for line in list(bench.lines())[2:]] == [
        not line.startswith("| CFI graph, 200 ") for line in list(bench.lines())[2:]
    ]
