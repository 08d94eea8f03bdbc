"""``sympe audit`` of programs."""

import gzip
import json
from pathlib import Path

import pytest

from command_line import call

pytest.importorskip("highspy", reason="needs highspy")

#: Five items in three alike bins.
BINS = "\n".join(
    [
        "Minimize",
        " obj: " + " + ".join(f"y{j}" for j in range(3)),
        "Subject To",
        *(f" item{i}: " + " + ".join(f"x{i}_{j}" for j in range(3)) + " = 1" for i in range(5)),
        *(f" bin{j}: " + " + ".join(f"{i + 2} x{i}_{j}" for i in range(5)) + f" - 10 y{j} <= 0" for j in range(3)),
        "Binary",
        " " + " ".join([f"x{i}_{j}" for i in range(5) for j in range(3)] + [f"y{j}" for j in range(3)]),
        "End",
    ]
)


@pytest.fixture
def bins(tmp_path: Path) -> Path:
    path = tmp_path / "three bins.lp.gz"
    path.write_bytes(gzip.compress(BINS.encode()))
    return path


def test_facts_of_a_program(bins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "audit", bins, "--json")
    (row,) = json.loads(done.out)["programs"]
    assert row["file"] == str(bins)
    assert (row["variables"], row["group_order"], row["orbits"], row["largest_orbit"]) == (18, 6, 6, 3)
    assert (row["tied_integer_variables"], row["tied_share"], row["base"]) == (18, 1, 2)
    assert row["least_errors"] is None
    shown = call(capsys, "audit", bins, "--target", "highs").out
    assert "6, 1.79 nats" in shown
    assert "2 nodes: bin" in shown
    assert "Needed: an equivariant network cannot tell 18 of 18" in " ".join(shown.split())


def test_solutions_beside_programs(bins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    placed = [0, 0, 0, 1, 1]  # 2 + 3 + 4 and 5 + 6 > 10: what counts is the symmetry, not the bounds
    lines = [f"x{i}_{j} 1" for i, j in enumerate(placed)] + ["y0 1", "y1 1"]
    (bins.parent / "three bins.sol").write_text("\n".join(lines))
    (row,) = json.loads(call(capsys, "audit", bins.parent, "--target", "solution", "--json").out)["programs"]
    assert row["least_errors"] == 5 + 1
    assert "at least 6 of this solution wrong" in row["verdict"]


def test_bad_input(bins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, complaint in (
        (("--target", "x"), "target of programs must be solution"),
        (("--target", "solution"), "three bins.sol: No such file"),
        (("--group", "sn", "--per", "node"), "the audit knows target and json; got per, group"),
    ):
        assert complaint in call(capsys, "audit", bins, *arguments).complaint
    bins.with_name("damaged.mps").write_text("ROWS\n")
    assert "damaged.mps: expected a linear or integer program" in call(capsys, "audit", bins.parent).complaint
