"""SMILES and SDF (:mod:`sympe.graphs.molecules`): molecules as graphs of atoms and bonds, or as points."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut, naming, with_share
from sympe.auditing.targets import Target
from sympe.compressed import suffix_of
from sympe.graphs.molecules import from_molecules, parse
from sympe.points.files import named_clouds
from sympe.points.sdf import SDF, rdkit
from sympe.points.xyz import number

#: What a report should say of the bonds that RDKit finds.
BONDS = (
    "aromatic bonds are of one kind, as RDKit finds them (benzene has 12 automorphisms); in files of graphs with "
    "Kekule bonds single and double ones alternate (6)"
)


@dataclass(frozen=True)
class MoleculeReader(Reader):
    """Reads molecules from their text.

    Attributes:
        target: Name of the property or column to predict, or None.
        kind: ``graphs``, or ``points`` for atoms with coordinates.
        hydrogen: The label of a neutral hydrogen atom of no stated isotope.
    """

    target: str | None = None
    kind: Kind = "graphs"
    hydrogen: int | None = 1
    note: str | None = BONDS

    def read(self, raw: Sequence[Any]) -> tuple[Any, Target | None]:
        is_graphs = self.kind == "graphs"
        molecules = [one.molecule() if is_graphs else one.molecule(sanitize=False) for one in raw]
        pairs = list(zip(raw, molecules, strict=True))
        target = None
        if self.target is not None:
            values = [_number(one.value(molecule, self.target), self.target, one.where) for one, molecule in pairs]
            target = Target(torch.tensor(values, dtype=torch.float64), "sample")
        if is_graphs:
            return from_molecules(molecules, hydrogens=True), target
        return named_clouds([(record.where, *record.points(molecule)) for record, molecule in pairs]), target


class MoleculeFile(Source):
    """A file of molecules.

    Args:
        path: The file, plain or compressed.
        target: The property of records, or the column of a table, to predict.
        kind: ``graphs`` or, for records with coordinates, ``points``.

    Raises:
        ValueError: If a table lacks a column of SMILES or the target, or has several.
        ImportError: If RDKit is not installed.
    """

    def __init__(self, path: Path, target: str | None = None, kind: Kind = "graphs") -> None:
        rdkit()
        self.path, self.target = path, target
        is_graphs = kind == "graphs" or suffix_of(path) not in SDF
        self.reader = MoleculeReader(target, "graphs" if is_graphs else kind, note=BONDS if is_graphs else None)
        with naming(path):
            next(self._entries(), None)  # what is wrong with a header is said at once

    def chunks(self) -> Iterator[Chunk]:
        with naming(self.path):
            yield from cut((one, len(one.text), done) for one, done in self._entries())

    def _entries(self) -> Iterator[tuple[Any, float]]:
        return with_share(self.path, lambda lines: parse(lines, suffix_of(self.path), self.target))


def _number(text: str, name: str, where: str) -> float:
    try:
        return number(text.strip())
    except ValueError as error:
        raise ValueError(f"expected {name} to be a number; got {text[:40]!r} ({where})") from error
