"""The scripts in `examples/` run as they stand, and learn what they say; the notebooks are the same code."""

import json
import re
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable
from pathlib import Path

import pytest

from notebooks import EXAMPLES, cells, outputs, paragraphs, run


def one_leader(said: str) -> bool:
    return said == "nodes elected in rings of 7 and 10: [1, 1]\n"


def two_checkerboards(said: str) -> bool:
    return set(said.split("\n\n")[:2]) <= {"-+-+\n+-+-\n-+-+\n+-+-", "+-+-\n-+-+\n+-+-\n-+-+"}


def one_long_bond(said: str) -> bool:
    lines = said.splitlines()
    draws = [literal_eval(line) for line in lines[2:7]]
    is_one = all(sorted(draw) == [0, 0, 0, 1] for draw in draws)
    return lines[0] == "symmetries of methane: 24 24" and is_one and len({tuple(draw) for draw in draws}) > 1


def two_rectangles(said: str) -> bool:
    sides = [tuple(map(float, found)) for found in re.findall(r"of (\S+) by (\S+)", said)]
    return len(sides) == 4 and all(sorted(pair) == pytest.approx([1.4, 2.6], abs=0.1) for pair in sides)


def a_way_down(said: str) -> bool:
    held, *free = map(float, re.findall(r"(\S+) eV", said))
    return "held by 384 symmetries" in said and len(free) == 3 and max(free) < held - 0.1


def permutations(said: str) -> bool:
    lines = said.splitlines()
    answers = [literal_eval(line.partition(": ")[2]) for line in lines[1:]]
    is_right = len(answers) == 4 and all(sorted(answer) == [0, 1, 2, 3] for answer in answers)
    return lines[0].startswith("1152 symmetries; labels for 6 of 24 ") and is_right


def nearly_all_served(said: str) -> bool:
    return float(re.findall(r"(\S+) of 4 targets", said)[0]) > 3.4


#: What an example needs beyond PyTorch, and whether a text is what it should print.
EXPECTED: dict[str, tuple[str, Callable[[str], bool]]] = {
    "crystal_distortion": ("moyopy", a_way_down),
    "e3nn_rectangle": ("e3nn", two_rectangles),
    "lattice_checkerboard": ("torch", two_checkerboards),
    "molecule_distortion": ("rdkit", one_long_bond),
    "program_machines": ("highspy", permutations),
    "pyg_leader": ("torch_geometric", one_leader),
    "set_agents": ("torch", nearly_all_served),
}


def test_every_example_is_short_and_tested() -> None:
    scripts = {path.stem: path.read_text() for path in EXAMPLES.glob("*.py")}
    assert scripts.keys() == EXPECTED.keys() == {path.stem for path in EXAMPLES.glob("*.ipynb")}
    assert all(sum(map(bool, text.splitlines())) <= 25 for text in scripts.values())


@pytest.mark.parametrize("name", EXPECTED)
def test_it_learns_what_it_says(name: str, tmp_path: Path) -> None:
    package, is_right = EXPECTED[name]
    pytest.importorskip(package, reason=f"needs {package}")
    script = str(EXAMPLES / f"{name}.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert is_right(done.stdout), done.stdout


@pytest.mark.parametrize("name", EXPECTED)
def test_the_notebook_is_the_script_and_what_it_prints(name: str) -> None:
    """``python experiments/tests/notebooks.py`` writes it."""
    stored, script = (EXAMPLES / f"{name}{suffix}" for suffix in (".ipynb", ".py"))
    notebook = json.loads(stored.read_text())
    made = cells(script.read_text())
    assert [(cell["cell_type"], cell["source"]) for cell in notebook["cells"]] == [
        (cell["cell_type"], cell["source"]) for cell in made
    ]
    assert EXPECTED[name][1](outputs(notebook)), outputs(notebook)
    assert stored.stat().st_size < 10_000


@pytest.mark.parametrize(("name", "wrong"), [
    ("pyg_leader", "nodes elected in rings of 7 and 10: [1, 2]\n"),
    ("lattice_checkerboard", "++++\n" * 4 + "\n" + "++++\n" * 4),
    ("crystal_distortion", "x: 0.4 eV, held by 384 symmetries\n" + "y: 0.4 eV\n" * 3),
    ("program_machines", "1152 symmetries; labels for 6 of 24 nodes\n" + "m: [0, 1, 1, 2]\n" * 4),
    ("set_agents", "2.0 of 4 targets served"),
])  # fmt: skip
def test_what_is_wrong_is_rejected(name: str, wrong: str) -> None:
    assert not EXPECTED[name][1](wrong)


def test_cells_are_paragraphs_and_keep_what_they_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = (
        '"""Kind: what it does."""\n\nimport os\n\nimport sys\n\n\ndef f():\n\n    return 2\n\n\nx = f()\n\nprint(x)\n'
    )
    assert paragraphs(script) == ["import os\n\nimport sys", "def f():\n\n    return 2", "x = f()", "print(x)"]
    made = cells(script)
    run(made, "script")
    assert made[0]["source"] == "# Kind\n\nWhat it does."
    assert [cell["outputs"] for cell in made[1:4]] == [[], [], []]
    assert outputs({"cells": made}) == "2\n"
