"""``sympe audit``: what it prints where, what it writes, and one line for whatever is wrong."""

import csv
import json
import signal
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from command_line import call, struck
from examples import LARGE
from sympe.auditing.parts import Folder
from sympe.graphs import concatenate, to_graph6, write

Capture = pytest.CaptureFixture[str]

NAMES = ["petersen", "frucht", "star 6", "cycle 8"]
GRAPHS = concatenate([LARGE[name][0] for name in NAMES])
FIELDS = ["index", "n", "stabilizer_order", "log_stabilizer", "point_group", "irreducible_error"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(GRAPHS, Path("graphs.g6"))


@pytest.mark.parametrize(("bottleneck", "percent"), [("node-codes", 0.750), ("node-differences", 1.197)])
def test_the_floors_of_the_autoencoder(bottleneck: str, percent: float, capsys: Capture) -> None:
    done = call(capsys, "audit", "erdos-renyi", "--target", "adjacency", "--bottleneck", bottleneck, "--json")
    assert done.code == 0
    assert done.out.count("\n") == 1
    answer = json.loads(done.out)
    assert list(answer) == ["summary", "samples"]
    summary = answer["summary"]
    assert round(100 * summary["irreducible_error"], 3) == percent
    assert round(100 * summary["symmetric_share"], 1) == 47.0
    assert summary["samples"] == len(answer["samples"]) == 500
    assert [list(row) for row in answer["samples"]] == [FIELDS] * 500
    assert done.err == ""
    assert not any(Path("runs/audit").glob("*"))


def test_a_table_for_people(capsys: Capture) -> None:
    done = call(capsys, "audit", "graphs.g6")
    assert done.code == 0
    shown = " ".join(done.out.split())
    for text in ("graphs.g6", "samples 4", "symmetric 3 (75.0 %)", "log|Stab|, nats mean", "It depends on the target"):
        assert text in shown
    shown = " ".join(
        call(capsys, "audit", "erdos-renyi", "--target", "adjacency", "--bottleneck", "node-codes").out.split()
    )
    assert "irreducible error 0.750 % wrong entries, of 64,500 entries" in shown
    assert "Needed: in 86 of 500 samples (17.2 %)" in shown
    assert "Use sympe.SymPE(" in shown


def test_rows_and_page(capsys: Capture) -> None:
    done = call(capsys, "audit", "graphs.g6", "--rows", "out/rows.csv", "--html", "out/page.html", "--json")
    assert done.code == 0
    rows = json.loads(done.out)["samples"]
    with open("out/rows.csv") as file:
        read = list(csv.DictReader(file))
    assert [list(row) for row in read] == [FIELDS] * 4
    assert [int(row["stabilizer_order"]) for row in read] == [row["stabilizer_order"] for row in rows]
    assert [float(row["log_stabilizer"]) for row in read] == [row["log_stabilizer"] for row in rows]
    page = Path("out/page.html").read_text()
    assert "It depends on the target: 3 of 4 samples" in page
    assert "Orders of the stabilizers" in page
    assert "What is alike" in page
    assert page.count("<figure>") == 3
    assert "sympe audit graphs.g6 --html out/page.html --rows out/rows.csv" in page
    assert f"sympe {version('sympe')}" in page
    assert page.count("<script") == 1
    assert "http" not in page


def test_the_page_names_what_was_skipped(capsys: Capture) -> None:
    lines = Path("graphs.g6").read_bytes()
    Path("some.g6").write_bytes(lines + b"not a graph\n")
    assert call(capsys, "audit", "some.g6", "--html", "page.html").code == 0
    page = Path("page.html").read_text()
    assert "<h2>Skipped</h2>" in page
    assert '<td class="number">4</td><td>' in page


def test_parquet_of_small_and_of_huge_orders(capsys: Capture) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    call(capsys, "audit", "graphs.g6", "--rows", "rows.parquet")
    table = parquet.read_table("rows.parquet").to_pydict()
    assert list(table) == FIELDS
    assert table["stabilizer_order"] == [LARGE[name][1] for name in NAMES]
    Path("star.edges").write_text("\n".join(f"0 {i}" for i in range(1, 30)))
    call(capsys, "audit", "star.edges", "--rows", "rows.parquet")
    assert parquet.read_table("rows.parquet").to_pydict()["stabilizer_order"] == ["8841761993739701954543616000000"]


def test_what_was_skipped_is_counted(capsys: Capture) -> None:
    lines = to_graph6(GRAPHS)
    Path("bad.g6").write_text("\n".join([lines[0], "D  c", lines[1]]))
    done = call(capsys, "audit", "bad.g6", "graphs.g6", "--json")
    assert done.code == 0
    summary = json.loads(done.out)["summary"]
    assert (summary["samples"], summary["skipped"]) == (6, 1)
    assert list(summary["skipped_reasons"].values()) == [1]
    assert "6, 1 skipped" in " ".join(call(capsys, "audit", "bad.g6", "graphs.g6").out.split())


def test_a_function_of_ones_own(capsys: Capture) -> None:
    Path("mine.py").write_text(
        "import networkx\n\n\n"
        "def samples():\n"
        "    for n in range(3, 8):\n"
        "        yield networkx.cycle_graph(n), [1] + [0] * (n - 1)\n\n\n"
        "value = 3\n\n\n"
        "def number():\n"
        "    return 3\n"
    )
    done = call(capsys, "audit", "mine:samples", "--json")
    assert done.code == 0, done
    assert [row["irreducible_error"] for row in json.loads(done.out)["samples"]] == [
        pytest.approx(1 / n) for n in range(3, 8)
    ]
    assert "can be imported" in call(capsys, "audit", "mine:missing").complaint
    assert "expected a function" in call(capsys, "audit", "mine:value").complaint
    assert "it returned int" in call(capsys, "audit", "mine:number").complaint
    assert "expected module:function" in call(capsys, "audit", "no_such_module:samples").complaint


def test_molecules_and_fields(capsys: Capture) -> None:
    Path("water.xyz").write_text("3\n\nO 0 0 0.12\nH 0 0.76 -0.48\nH 0 -0.76 -0.48\n")
    for options, name in (((), "C2v"), (("--group", "so3"), "C2"), (("--group", "o3", "--tolerance", "0.1"), "C2v")):
        done = call(capsys, "audit", "water.xyz", *options, "--json")
        assert json.loads(done.out)["samples"][0]["point_group"] == name
    import numpy as np

    j = np.stack([np.full((6, 6), 0.5), np.full((6, 6), -0.9)])[None]
    s = (1.0 - 2 * (np.arange(6)[:, None] % 2) * np.ones((6, 6)))[None]
    np.savez("ising.npz", x=j, y=s)
    done = call(capsys, "audit", "ising.npz", "--target", "y", "--fields", "bonds", "--json")
    answer = json.loads(done.out)
    assert answer["samples"][0]["stabilizer_order"] == 4 * 36
    assert answer["summary"]["irreducible_error"] == pytest.approx(1)
    shifts = call(capsys, "audit", "ising.npz", "--target", "y", "--point-group", "C1", "--json")
    assert json.loads(shifts.out)["samples"][0]["stabilizer_order"] == 36


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.g6",), "missing.g6: expected a file, a folder or one of"),
        (("graphs.g6", "--target", "y"), "the format has no targets"),
        (("graphs.g6", "--group", "o3"), "expected points for this group; got graphs"),
        (("graphs.g6", "--bottleneck", "node-codes"), "needs a target"),
        (("graphs.g6", "--rows", "rows.txt"), "expected a file ending in .csv or .parquet; got .txt"),
        (("graphs.g6", "--workers", "0"), "workers must be at least 1"),
        (("graphs.g6", "--tolerance", "0.1"), "tolerance is for the groups torus, o3, so3, e3 and se3"),
        (("graphs.g6", "--group", "torus", "--tolerance", "inf"), "tolerance must be positive and finite; got inf"),
        (("graphs.g6", "--group", "o3", "--tolerance", "inf"), "tolerance must be positive and finite; got inf"),
        (("graphs.g6", "--group", "se3", "--tolerance", "nan"), "tolerance must be positive and finite; got nan"),
        (("graphs.g6", "--group", "o3", "--fields", "bonds"), "are for the group torus"),
        (("graphs.g6", "--split", "test"), "expected an .npz file with an array split"),
        (("graphs.g6", "--heavy-atoms"), "expected molecules with elements"),
        ((), "expected a file, a folder"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], message: str, capsys: Capture) -> None:
    assert message in call(capsys, "audit", *arguments).complaint
    assert sorted(path.name for path in Path().rglob("*") if path.is_file()) == ["graphs.g6"]


def test_killed_and_resumed(capsys: Capture) -> None:
    """What was found before a kill is kept and not made again; the rest is made once."""
    Path("many.py").write_text(
        "import networkx\n\n\n"
        "def samples():\n"
        "    for i in range(2500):\n"
        "        yield networkx.cycle_graph(3 + i % 7)\n"
    )
    arguments = ("audit", "many:samples", "--workers", 1, "--rows", "rows.csv")
    assert struck("kill", "0*.json", 2, *arguments).code == -signal.SIGKILL
    made = sorted(Path("runs/audit").rglob("0*.json"))
    assert len(made) == 2
    assert not Path("rows.csv").exists()
    # A mark that would be lost if the part were made again.
    part = next(iter(Folder(made[0].parent)))
    part.n[0] = 12345
    Folder(made[0].parent).commit(0, part)

    assert call(capsys, *arguments, "--resume").code == 0
    with open("rows.csv") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(2500))
    assert [int(row["stabilizer_order"]) for row in rows] == [2 * (3 + i % 7) for i in range(2500)]
    assert rows[0]["n"] == "12345"
    assert not any(Path("runs/audit").rglob("*"))

    assert call(capsys, *arguments).code == 0
    with open("rows.csv") as file:
        assert next(csv.DictReader(file))["n"] == "3"
    assert sys.get_int_max_str_digits() in (0, 4300)
