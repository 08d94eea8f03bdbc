"""The long jobs at their smallest: how to start each, how to go on, and what it must have made in the end."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SMILES = "CCO\nCC\nCN\nC=O\nC#N\nCOC\nCCN\nCC=O\nCO\nNC=O\nCCC\nC1CC1\nOCO\nCNC\nN#CC\nOC=O\nCC#C\nC=C\nCF\nCCF\n"
GRAPHS = "import networkx\n\ndef samples():\n    for i in range({n}):\n        yield networkx.cycle_graph(3 + i % 7)\n"


@dataclass(frozen=True)
class Job:
    """A command that takes long when it is not this small.

    Attributes:
        start: Its arguments; each job runs in a separate folder.
        resume: What the second call has in addition.
        files: Files that it needs, by name.
        alone: Whether it writes everything in one process.
        workers: Whether it has worker processes that may be lost.
        flips: Whether it leaves files that may be damaged before it goes on.
        turns: How often it is struck with each kind of fault before the next job's turn.
    """

    start: tuple[str, ...]
    resume: tuple[str, ...] = ("--resume",)
    files: Callable[[], dict[str, str]] = dict
    alone: bool = True
    workers: bool = False
    flips: bool = True
    turns: int = 1


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


def _compare(experiment: str, *more: str, seeds: str = "2", turns: int = 3) -> Job:
    start = ("compare", "--experiment", experiment, "--recipe", "smoke", "--seeds", seeds, "--out", "out", *more)
    return Job(start, (), flips=False, turns=turns)


def _audit(n: int, *more: str) -> Job:
    start = ("audit", "mine:samples", "--rows", "out/rows.csv", *more)
    return Job(start, files=lambda: {"mine.py": GRAPHS.format(n=n)}, workers=more[-1] == "2")


_TRAIN = ("--recipe", "smoke", "--accelerator", "cpu", "--out", "out/run")

JOBS: dict[str, Job] = {
    "graph-autoencoder": Job(
        (*_words("graph-autoencoder --method sympe-sort --epochs 3 --num-train 20 --hidden-dim 8 --draws 2"), *_TRAIN),
        turns=3,
    ),
    "ising": Job(("ising", "--method", "sympe-template", "--epochs", "3", "--hidden-dim", "2", *_TRAIN), turns=3),
    "molecules train": Job(
        ("molecules", "train", "--data", "mine.smi", "--epochs", "3", "--steps", "3", "--num-samples", "4", *_TRAIN),
        files=lambda: {"mine.smi": SMILES},
        turns=3,
    ),
    "compare independent-set": _compare("independent-set", "--methods", "none", "sympe-labeling"),
    "compare shapes": _compare("shapes", "--methods", "none", "sympe-frames", seeds="1", turns=1),
    "compare programs": _compare("programs", "--data", "bin-packing", "--methods", "none", "sympe-labeling"),
    "compare assignment": _compare("assignment", "--methods", "none", "haar"),
    "molecules sample": Job(
        _words("molecules sample --num 12 --shard-size 2 --steps 3 --accelerator cpu --out out/s.parquet"), turns=3
    ),
    "audit, 1 worker": _audit(4500, "--workers", "1"),
    "audit, 2 workers": _audit(4500, "--workers", "2"),
    "audit on Ray": _audit(2500, "--engine", "ray", "--workers", "1"),
    "reproduce": Job(
        ("reproduce", "--preset", "smoke", "--experiment", "graph-autoencoder", "--workers", "2", "--out", "out"),
        (),
        alone=False,
        workers=True,
    ),
    "compare distortions": _compare("distortions", "--methods", "none", "sympe-frames", seeds="1", turns=1),
}


def outcome(folder: Path) -> dict[str, Any]:
    """What a job has made, without times: bytes of weights, samples and rows, and what records say."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name == "record.json":
            record = json.loads(path.read_text())
            del record["seconds"], record["environment"]
            record["metrics"] = {k: v for k, v in record["metrics"].items() if "second" not in k and "_ms" not in k}
            found[name] = record
        elif path.suffix in (".safetensors", ".parquet", ".csv", ".npz") and "logs" not in path.parts:
            found[name] = path.read_bytes()
        elif path.name.endswith(".part") or path.suffix == ".parts":
            found[name] = "left behind"
    return found
