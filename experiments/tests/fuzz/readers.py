"""Everything here that reads a file, by name: which files of the corpus it is given, and how it is called.

A reader returns, or raises one of :data:`REFUSALS`: the command line makes one line and exit code 2 of these. Anything
else is a fault.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sympe
from fuzz.corpus import PLAN, PROGRAM
from sympe import crystals, programs
from sympe.atomic import claimed
from sympe.auditing.parts import Folder
from sympe.auditing.run import Options
from sympe.programs.solutions import read_solution
from sympe_experiments.autoencoder.model import GraphAutoencoder
from sympe_experiments.checkpoints import AtomicCheckpointIO
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.ising.predict import read_couplings
from sympe_experiments.molecules.data import load_splits
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.sampling import _begin, summarize
from sympe_experiments.records import ARRAYS, FILE_NAME, Record, read_record

REFUSALS = (ValueError, OSError, ImportError)

_GRAPHS = ("g6", "s6", "graphml", "edges", "csv", "tsv", "txt", "csv-smiles", "smi", "sdf", "mol")
_GRAPHS += ("npz-graphs", "npz-labels", "npz-molecules", "pt", "g6.gz", "graphml.gz", "npz-graphs.gz", "sdf.gz")
_GRAPHS += ("edges.xz", "smi.xz", "csv.bz2")
_POINTS = ("xyz", "extxyz", "sdf", "mol", "xyz.gz", "extxyz.bz2", "sdf.gz")
_TARGETS = ("graphml", "csv-smiles", "sdf", "npz-fields", "npz-labels", "pt")


@dataclass(frozen=True)
class Reader:
    """One way to read a file.

    Attributes:
        files: Names in the corpus.
        read: Called with the path of the file.
        name: Name that the file must have; by default ``file`` with the suffix of its format.
    """

    files: tuple[str, ...]
    read: Callable[[Path], Any]
    name: str | None = None

    def path(self, folder: Path, held: str) -> Path:
        """Where a file of the corpus goes."""
        kind, dot, packed = held.partition(".")
        return folder / (self.name or f"file.{kind.partition('-')[0]}{dot}{packed}")


def _audit(target: str | None = None, **options: Any) -> Callable[[Path], Any]:
    return lambda path: drained(sympe.audit(path, target=target, **options).samples())


def drained(rows: Iterable[Any]) -> int:
    """How many there are."""
    return sum(1 for _ in rows)


READERS: dict[str, Reader] = {
    "graphs.read": Reader(_GRAPHS, sympe.graphs.read),
    "points.read": Reader(_POINTS, sympe.points.read),
    "audit": Reader((*dict.fromkeys(_GRAPHS + _POINTS), "npz-fields", "pt-points"), _audit()),
    "audit --target": Reader(_TARGETS, _audit("y")),
    "audit --target (xyz)": Reader(("extxyz", "extxyz.bz2"), _audit("dipole")),
    "audit --group o3": Reader((*_POINTS, "pt-points"), _audit(group="o3")),
    "audit --heavy-atoms": Reader(("smi", "sdf"), _audit(options=Options(heavy_atoms=True))),
    "audit --split": Reader(("npz-labels",), _audit(options=Options(split="train"))),
    "crystals.read": Reader(("cif", "cif.gz", "poscar", "traj", "extxyz-crystal"), crystals.read),
    "crystals.read (databases)": Reader(("db",), crystals.read),
    "crystals.read (XDATCAR)": Reader(("xdatcar",), crystals.read, "XDATCAR"),
    "points.read (CIF)": Reader(("cif-molecule",), sympe.points.read),
    "audit (crystals)": Reader(("cif", "poscar", "extxyz-crystal"), _audit()),
    "programs.read_solution": Reader(("sol",), lambda p: read_solution(p, PROGRAM)),
    "programs.read": Reader(("mps", "lp", "lp.xz", "mps.bz2"), programs.read),
    "molecules train --data": Reader(("smi", "sdf", "g6", "npz-molecules"), lambda p: load_splits(str(p), (9, 9, 9))),
    "ising predict --couplings": Reader(("npz-couplings",), read_couplings),
    "graph-autoencoder weights": Reader(("weights-autoencoder",), GraphAutoencoder.load, "weights.safetensors"),
    "ising predict --weights": Reader(("weights-ising",), SpinNetwork.load, "weights.safetensors"),
    "molecules sample --weights": Reader(("weights-molecules",), GraphDiffusion.load, "weights.safetensors"),
    "--resume: checkpoint": Reader(("ckpt",), AtomicCheckpointIO().load_checkpoint, "last.ckpt"),
    "table: record": Reader(("record",), read_record, FILE_NAME),
    "reproduce: arrays": Reader(("arrays",), lambda p: _record(p.parent).arrays(), ARRAYS),
    "audit --resume: part": Reader(("part",), lambda p: drained(Folder(p.parent)), "00000000.json"),
    "molecules sample --resume: plan": Reader(("plan",), lambda p: _begin(p.parent, PLAN, True), "plan.json"),
    "molecules sample --resume: samples": Reader(("parquet",), lambda p: summarize(p, PLAN), "s.parquet"),
    "lock": Reader(("mark",), lambda p: _hold(p.parent), ".sympe"),
}


def _record(folder: Path) -> Record:
    return Record("ising", "gcnn", "smoke", "nearest", 0, {}, {}, 0.0, environment={}, folder=folder)


def _hold(folder: Path) -> None:
    with claimed(folder):
        (folder / "kept").touch()
    (folder / "kept").unlink()
