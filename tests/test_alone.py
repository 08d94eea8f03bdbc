"""The library runs on its required dependencies alone: no extra, no experiments."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXTRAS = [
    "e3nn",
    "escnn",
    "fcd",
    "huggingface_hub",
    "lightning",
    "matplotlib",
    "pandas",
    "pyarrow",
    "ray",
    "rdkit",
    "safetensors",
    "sympe_experiments",
    "tensorboard",
    "torch_geometric",
]

BLOCKED = f"""
import sys


class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS}:
            raise ImportError(f"{{name}} is not installed")


sys.meta_path.insert(0, Block())
"""

EVERY_GROUP = """
import torch

import sympe
from sympe import InversionKernel, RankEncoding, SymPE, actions, breaking, canonicalize, encoding, groups, points


class Shifts(actions.Action):
    group = groups.cyclic(3)

    def act(self, g, x):
        return torch.stack([row.roll(int(n)) for row, n in zip(x, g)])


ring = sympe.graphs.from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])])
rod = points.from_clouds([[[0.0, 0.0, 0.0], [0.0, 0.0, 1.1]]], species=[[6, 8]])
fields, scalars = torch.zeros(2, 1, 4, 4), actions.ScalarFields(groups.Torus("D4", spin_flip=True))
for method in breaking.GRAPH_METHODS:
    assert len(breaking.for_graphs(method, 4, 8)(ring)) == 6
for method in breaking.POINT_METHODS:
    assert len(breaking.for_points(method, "1x1o")(rod)) == 1
for tau in (canonicalize.Template(scalars), canonicalize.LexicographicMinimum(scalars)):
    assert SymPE(InversionKernel(tau), encoding.TileEncoding(3, 2))(fields).shape == (2, 3, 4, 4)
joint = InversionKernel(canonicalize.JointFrames(canonicalize.Frames()))
assert SymPE(joint, encoding.FactorEncoding(RankEncoding(4, 4), 0))(rod).shape == (2, 4)
shifts = InversionKernel(canonicalize.Constant(Shifts()))
assert SymPE(shifts, encoding.RepresentationEncoding(Shifts.group))(torch.ones(2, 3)).shape == (2, 3)
print(sympe.audit(ring, target=torch.tensor([1, 0, 0, 1, 0, 0])).needed)
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, cwd=folder)


def test_the_first_block_of_the_readme(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found is not None
    done = run(found[1], tmp_path)
    assert done.stdout.splitlines() == ["1 answer for six nodes", "6 answers"], done.stderr


def test_kernels_and_encodings_of_every_group(tmp_path: Path) -> None:
    done = run(EVERY_GROUP, tmp_path)
    assert done.stdout == "True\n", done.stderr


COMMANDS = """
import sympe.cli

sympe.cli.entry_points = lambda group: ()  # an entry point whose package is missing is not installed either
for arguments in {}:
    try:
        sympe.cli.main(arguments)
    except SystemExit as end:
        print(end.code)
"""


def call(commands: list[list[str]], folder: Path) -> subprocess.CompletedProcess[str]:
    """Commands in one process; it prints the exit code of each that ends it."""
    return run(COMMANDS.format(commands), folder)


def test_the_audit_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "rings.g6").write_text("Dhc\nE?~o\n")
    done = call([["audit", "rings.g6", "--target", "adjacency", "--bottleneck", "node-codes"]], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Needed" in done.stdout


def test_commands_of_the_experiments_say_what_to_install(tmp_path: Path) -> None:
    commands = ["ising", "molecules", "graph-autoencoder", "compare", "reproduce", "table"]
    done = call([[command, "--help"] for command in commands], tmp_path)
    assert done.stdout == "2\n" * len(commands), done.stderr
    for command, line in zip(commands, done.stderr.splitlines(), strict=True):
        assert line.startswith(f"sympe: unknown command '{command}'; installed here: audit, distort, doctor, version.")
        assert "pip install ./experiments" in line
