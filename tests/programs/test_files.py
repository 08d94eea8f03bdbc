"""Files of programs: read right, or refused in a line."""

import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest

from sympe.programs import Program, read, symmetry_of
from sympe.programs.solutions import load, read_solution, solve

pytest.importorskip("highspy", reason="needs highspy")

INF = np.inf

MPS = """NAME t
ROWS
 N  COST
 L  r1
 G  r2
COLUMNS
    x  COST 1 r1 1
    x  r2 1
    y  COST 1 r1 1
RHS
    RHS r1 4 r2 1
BOUNDS
 UP BND x 4
ENDATA
"""

LP = """Minimize
 obj: x + y
Subject To
 c1: x + y <= 4
End
"""

SPACES = """NAME          with spaces
ROWS
 N  COST
 L  my row
COLUMNS
    my x      COST               1.0   my row             1.0
    my y      COST               1.0   my row             1.0
RHS
    RHS       my row             4.0
ENDATA
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("old", "new", "upper", "sides"),
    [
        ("", "", [4, INF], [(-INF, 4), (1, INF)]),
        ("UP BND x 4", "UP BND x 1e30", [INF, INF], [(-INF, 4), (1, INF)]),
        ("UP BND x 4", "BV BND x", [1, INF], [(-INF, 4), (1, INF)]),
        ("UP BND x 4", "UP BND x -4", [-4, INF], [(-INF, 4), (1, INF)]),  # infeasible, and read as it is
        ("UP BND x 4", "FR BND x", [INF, INF], [(-INF, 4), (1, INF)]),  # unbounded below
        ("r1 4", "r1 1e30", [4, INF], [(-INF, INF), (1, INF)]),
        (" G  r2", " N  r2", [4, INF], [(-INF, 4)]),  # a free row
        ("BOUNDS", "RANGES\n    RNG r1 2\nBOUNDS", [4, INF], [(2, 4), (1, INF)]),
        ("BOUNDS", "RANGES\n    RNG r2 2\nBOUNDS", [4, INF], [(-INF, 4), (1, 3)]),
        (" L  r1", " E  r1", [4, INF], [(4, 4), (1, INF)]),
        ("UP BND x 4", "UP BND x 4\n LO BND x 5", [4, INF], [(-INF, 4), (1, INF)]),  # crossed, and so infeasible
    ],
)
def test_what_is_read(old: str, new: str, upper: list, sides: list, tmp_path: Path) -> None:
    p = read(write(tmp_path, "p.mps", MPS.replace(old, new) if old else MPS))
    assert p.upper.tolist() == upper
    assert list(zip(p.row_lower.tolist(), p.row_upper.tolist(), strict=True)) == sides
    assert p.variables == ("x", "y")


@pytest.mark.parametrize(
    ("old", "new", "upper", "sides"),
    [
        ("<= 4", "<= 4\n c2: x + y >= 5", [INF, INF], [(-INF, 4), (5, INF)]),  # infeasible
        ("End", "Bounds\n x free\n y free\nEnd", [INF, INF], [(-INF, 4)]),  # unbounded
        ("End", "Bounds\n -1e30 <= x <= 1e30\nEnd", [INF, INF], [(-INF, 4)]),
        ("<= 4", "<= 1e30", [INF, INF], [(-INF, INF)]),
        (" c1: x + y <= 4\n", "", [INF, INF], []),
    ],
)
def test_what_is_read_of_lp(old: str, new: str, upper: list, sides: list, tmp_path: Path) -> None:
    p = read(write(tmp_path, "p.lp", LP.replace(old, new)))
    assert p.upper.tolist() == upper
    assert list(zip(p.row_lower.tolist(), p.row_upper.tolist(), strict=True)) == sides


def test_kinds_senses_and_formats(tmp_path: Path) -> None:
    marked = MPS.replace("    y  COST", "    MARKER 'MARKER' 'INTORG'\n    y  COST")
    assert read(write(tmp_path, "i.mps", marked)).kind.tolist() == [0, 1]
    assert read(write(tmp_path, "s.mps", MPS.replace("UP BND", "SC BND"))).kind.tolist() == [2, 0]
    assert read(write(tmp_path, "m.mps", MPS.replace("ROWS", "OBJSENSE\n    MAX\nROWS"))).maximize
    assert not read(write(tmp_path, "p.lp", LP)).maximize
    assert symmetry_of(read(tmp_path / "p.lp")).order == 2
    for name, pack in (("p.lp.gz", gzip.compress), ("P.LP.xz", lzma.compress)):
        (tmp_path / name).write_bytes(pack(LP.encode()))
        assert symmetry_of(read(tmp_path / name)).order == 2
    spaced = read(write(tmp_path, "a b.mps", SPACES))
    assert (spaced.variables, spaced.constraints) == (("my x", "my y"), ("my row",))
    alone = read(write(tmp_path, "n.mps", "NAME e\nROWS\n N C\nCOLUMNS\n    x C 1\n    y C 1\nRHS\nENDATA\n"))
    assert symmetry_of(alone).order == 2


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("p.mps", "", "expected a program; the file is empty"),
        ("p.lp", "\n", "expected a program; the file is empty"),
        ("p.mps", "hello\n", "expected a linear or integer program"),
        ("p.mps", MPS[:90], "expected a linear or integer program"),
        ("p.mps", MPS.replace("ENDATA\n", ""), "expected a linear or integer program"),
        ("p.mps", MPS.replace("r1 4", "r1 nan"), "has upper bound of nan"),
        ("p.mps", MPS.replace("UP BND x 4", "UP BND x nan"), "has upper bound of nan"),
        ("p.mps", MPS.replace("x  COST 1", "x  COST nan"), "expected finite coefficients"),
        ("p.mps", MPS.replace("x  r2 1", "x  r2 nan"), "expected finite coefficients"),
        ("p.mps", MPS.replace("x  r2 1", "x  r2 1e31"), "at/above tolerance"),
        ("p.mps", MPS.replace("    y  COST 1", "    y  COST 1 r9"), "expected a linear or integer program"),
        ("p.mps", MPS.replace("y  COST 1 r1 1", "y  COST 1 r9 1"), '"r9" in COLUMNS section is not defined'),
        ("p.mps", MPS.replace(" G  r2", " G  r2\n G  r2"), 'have the same name "r2"'),
        ("p.mps", MPS.replace("ENDATA", "SOS\n S1 SOS s1 1\n    SOS x 1\n    SOS y 2\nENDATA"), "SOS not supported"),
        ("p.mps", MPS.replace("ENDATA", "QUADOBJ\n    x x 2\nENDATA"), "got a quadratic one"),
        ("p.mps", MPS.replace("ENDATA", "QCMATRIX r1\n    x x 2\nENDATA"), "Quadratic rows not supported"),
        ("p.mps", MPS.replace("ENDATA", "INDICATORS\n IF r1 x 1\nENDATA"), "cannot parse INDICATORS"),
        ("p.mps", "NAME e\nROWS\n N C\nCOLUMNS\nRHS\nENDATA\n", "expected variables; the program has none"),
        ("p.lp", "Minimize\n obj:\nSubject To\nEnd\n", "expected variables; the program has none"),
        ("p.lp", LP.replace("End", "SOS\n s1: S1:: x:1 y:2\nEnd"), "SOS constraints are not supported"),
        ("p.lp", LP.replace("x + y\n", "x + [ x^2 ] / 2\n"), "got a quadratic one"),
        ("p.lp", LP.replace("<= 4", "<= "), "expected a linear or integer program"),
        ("p.lp", LP.replace("<= 4", "<= nan"), "expected a number, found `nan`"),
        ("p.lp", LP.replace("c1: x", "c1: 1e30 x"), "at/above tolerance"),
        ("p.lp", LP.replace("obj: x", "obj: 1e30 x"), "expected finite coefficients"),
        ("p.lp", LP.replace("x + y <=", "-1 <= x + y <="), "expected a number, found `x`"),  # HiGHS has no ranges there
        ("p.lp", LP.replace("x + y <=", "x + [ x^2 ] <="), "quadratic constraints are not supported"),
        ("p.lp", LP.replace("End", " c2: x = 1 -> y <= 3\nEnd"), "indicator constraints are not supported"),
        ("p.lp", LP.replace("c1: x", "c1: my x"), "expected `+` or `-`"),
        ("p.mps", MPS.replace("BOUNDS", "RANGES\n    RNG r1 nan\nBOUNDS"), "has lower bound of nan"),
        ("p.mps", MPS.replace("BOUNDS", "RANGES\n    RNG r9 1\nBOUNDS"), '"r9" in RANGES section is not defined'),
        ("p.mps", MPS.replace("ENDATA", "CSECTION K1 0 QUAD\n    x\n    y\nENDATA"), "Cones not supported"),
        ("p.txt", LP, "expected a file ending in .mps or .lp; got .txt"),
    ],
)
def test_what_is_refused(name: str, text: str, complaint: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(ValueError, match=name) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert complaint in " ".join(str(caught.value).split())


@pytest.mark.parametrize(("name", "text"), [("p.lp", LP), ("p.mps", MPS), ("p.mps", "* a comment\n" + MPS)])
def test_a_byte_order_mark_is_no_part_of_a_program(name: str, text: str, tmp_path: Path) -> None:
    p = read(write(tmp_path, name, "\ufeff" + text))
    assert p.variables == ("x", "y")
    assert read_solution(write(tmp_path, "p.sol", "\ufeffx 3\ny 0.5\n"), p).tolist() == [3, 0.5]


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no\.mps: No such file"):
        read(tmp_path / "no.mps")
    (tmp_path / "cut.mps.gz").write_bytes(gzip.compress(MPS.encode())[:-9])
    with pytest.raises(ValueError, match="cannot be unpacked"):
        read(tmp_path / "cut.mps.gz")


#: As HiGHS, SCIP, Gurobi and MIPLIB write the solution x = 3, y = 0.5.
SOLUTIONS = {
    "highs": "Model status\nOptimal\n\n# Primal solution values\nFeasible\nObjective 3.5\n# Columns 2\nx 3\ny 0.5\n"
    "# Rows 2\nx 1\nr2 3\n\n# Dual solution values\nNone\n\n# Basis\nHiGHS_basis_file v2\nNone\n",
    "scip": f"solution status: optimal solution found\nobjective value:{3.5:>36}\n"
    f"{'y':<32} {0.5:>20} \t(obj:1)\n{'x':<32} {3:>20} \t(obj:1)\n",
    "gurobi": "# Solution for model t\n# Objective value = 3.5\nx 3\ny 5e-01\n",
    "miplib": "=obj= 3.5\r\nx 3\r\ny  0.5\r\n",
    "tabs": "x\t3\ny 0.5\n",
}


@pytest.mark.parametrize("solver", SOLUTIONS)
def test_solutions(solver: str, tmp_path: Path) -> None:
    p = read(write(tmp_path, "p.mps", MPS))
    assert read_solution(write(tmp_path, "p.sol", SOLUTIONS[solver]), p).tolist() == [3, 0.5]


@pytest.mark.parametrize("kind", [0, 1])
def test_solutions_that_highs_writes_are_read_without_rows_duals_and_basis(kind: int, tmp_path: Path) -> None:
    """Of a linear program the file has all of them; a row may be named like a variable, a variable like a heading."""
    names, rows = ("x", "Objective"), ("Objective", "d")
    p = Program([1, 2], [0, 0], [1, 1], [kind, 0], [[1, 1], [1, 0]], [1, -INF], [INF, 0.75], names, rows)
    highs = load(p)
    for k in range(2):
        highs.passColName(k, names[k])
        highs.passRowName(k, rows[k])
    highs.run()
    highs.writeSolution(str(tmp_path / "p.sol"), 0)
    assert read_solution(tmp_path / "p.sol", p).tolist() == [[0.75, 0.25], [0, 1]][kind]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("z 1\n", "none names a variable"),
        ("# Primal solution values\nNone\n\n# Basis\nValid\n# Columns 2\nx 1\ny 1\n", "none names a variable"),
        ("Optimal - objective value 3.5\n      0 x    3    0\n      1 y   0.5   0\n", "none names a variable"),  # CBC
        ("x three\n", "expected a finite number for x; got 'three'"),
        ("x\ny 1\n", "expected a finite number for x; got ''"),
        ("x nan\n", "expected a finite number for x; got 'nan'"),
        ("x 1\ny +infinity (obj:1)\n", r"expected a finite number for y; got '\+infinity'"),
        ("x 1\ny 0\nx 2\n", "expected one value for x; got two"),
    ],
)
def test_solutions_that_are_refused(text: str, complaint: str, tmp_path: Path) -> None:
    p = read(write(tmp_path, "p.mps", MPS))
    with pytest.raises(ValueError, match=rf"p\.sol: .*{complaint}"):
        read_solution(write(tmp_path, "p.sol", text), p)


def test_solutions_that_cannot_be_had(tmp_path: Path) -> None:
    p = read(write(tmp_path, "p.mps", MPS))
    assert p.value(solve(p)) == pytest.approx(1)
    with pytest.raises(ValueError, match=r"no\.sol: No such file"):
        read_solution(tmp_path / "no.sol", p)
    with pytest.raises(ValueError, match=r"HiGHS found no solution in 60 s: Infeasible"):
        solve(read(write(tmp_path, "i.mps", MPS.replace("UP BND x 4", "UP BND x -4"))))
