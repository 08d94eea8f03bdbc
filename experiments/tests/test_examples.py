"""The scripts in `examples/` run as they stand, and learn what they say."""

import re
import subprocess
import sys
from ast import literal_eval
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, str(EXAMPLES / name)], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_short_and_tested() -> None:
    names = {path.name for path in EXAMPLES.glob("*.py")}
    assert names == {"pyg_leader.py", "lattice_checkerboard.py", "molecule_distortion.py", "e3nn_rectangle.py"}
    assert all(len((EXAMPLES / name).read_text().splitlines()) <= 25 for name in names)


def test_a_leader_is_elected_in_rings_of_new_sizes(tmp_path: Path) -> None:
    pytest.importorskip("torch_geometric", reason="needs PyG")
    assert run("pyg_leader.py", tmp_path) == "nodes elected in rings of 7 and 10: [1, 1]\n"


def test_a_checkerboard_comes_of_uniform_couplings(tmp_path: Path) -> None:
    boards = run("lattice_checkerboard.py", tmp_path).split("\n\n")[:2]
    assert set(boards) <= {"-+-+\n+-+-\n-+-+\n+-+-", "+-+-\n-+-+\n+-+-\n-+-+"}


def test_one_bond_of_methane_is_stretched(tmp_path: Path) -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    lines = run("molecule_distortion.py", tmp_path).splitlines()
    assert lines[0] == "symmetries of methane: 24 24"
    draws = [literal_eval(line) for line in lines[2:7]]
    assert all(sorted(draw) == [0, 0, 0, 1] for draw in draws)
    assert len({tuple(draw) for draw in draws}) > 1


def test_a_square_becomes_a_rectangle(tmp_path: Path) -> None:
    pytest.importorskip("e3nn", reason="needs e3nn")
    sides = [tuple(map(float, found)) for found in re.findall(r"of (\S+) by (\S+)", run("e3nn_rectangle.py", tmp_path))]
    assert len(sides) == 4
    assert all(sorted(pair) == pytest.approx([1.4, 2.6], abs=0.1) for pair in sides)
