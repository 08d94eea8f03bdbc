"""SMILES and SDF, read by RDKit: molecules as graphs of atoms and bonds, or as point clouds if there are coordinates.

Every atom, including hydrogen, is a node labeled by element, charge and isotope. Edges are labeled by bond type, with
RDKit's aromaticity. Stereochemistry is ignored.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut
from sympe.auditing.sources.lines import lines_of
from sympe.auditing.targets import Target
from sympe.extras import require
from sympe.graphs import Graphs
from sympe.points import PointClouds, from_clouds

#: Label of a neutral hydrogen atom without a specified isotope.
HYDROGEN = 1
_BOND = {"SINGLE": 1, "DOUBLE": 2, "TRIPLE": 3, "AROMATIC": 4, "QUADRUPLE": 5, "DATIVE": 6, "ZERO": 7}


@dataclass(frozen=True)
class SmilesReader(Reader):
    """Reads pairs of a SMILES and the text of its target, or None.

    Attributes:
        target: Name of the target, for error messages.
    """

    target: str | None = None
    kind: Kind = "graphs"
    hydrogen: int | None = HYDROGEN

    def read(self, raw: Sequence[tuple[str, str | None]]) -> tuple[Graphs, Target | None]:
        return _graphs([_from_smiles(text) for text, _ in raw]), _scalars([y for _, y in raw], self.target)


@dataclass(frozen=True)
class SdfReader(Reader):
    """Reads SDF records.

    Attributes:
        target: Name of the property to predict, or None.
        kind: ``graphs``, or ``points`` for atoms with coordinates.
    """

    target: str | None = None
    kind: Kind = "graphs"
    hydrogen: int | None = HYDROGEN

    def read(self, raw: Sequence[str]) -> tuple[Any, Target | None]:
        molecules = [_from_sdf(record, add_hydrogens=self.kind == "graphs") for record in raw]
        texts = None
        if self.target is not None:
            for molecule in molecules:
                if not molecule.HasProp(self.target):
                    raise ValueError(f"expected a property {self.target}; got {', '.join(molecule.GetPropNames())}")
            texts = [molecule.GetProp(self.target) for molecule in molecules]
        x = _graphs(molecules) if self.kind == "graphs" else _clouds(molecules)
        return x, None if texts is None else _scalars(texts, self.target)


class SmilesFile(Source):
    """SMILES, one per line, with an optional name; or a table (.csv, .tsv) with a column of SMILES.

    Args:
        path: The file, plain or compressed.
        target: The column of the table to predict.

    Raises:
        ValueError: If the table lacks a column of SMILES or the target.
        ImportError: If RDKit is not installed.
    """

    def __init__(self, path: Path, target: str | None = None) -> None:
        _rdkit()
        self.path = path
        self.reader = SmilesReader(target)
        suffixes = [suffix.lower() for suffix in path.suffixes]
        self.delimiter = "\t" if ".tsv" in suffixes else "," if ".csv" in suffixes else None
        self.column, self.wanted = 0, None
        if self.delimiter is not None:
            header = next(self._rows(), None)
            names = [name.strip() for name in header[0]] if header else []
            found = [place for place, name in enumerate(names) if "smiles" in name.lower()]
            if not found:
                raise ValueError(f"{path}: expected a column of SMILES; got {', '.join(names) or 'an empty file'}")
            self.column = found[0]
            if target is not None:
                if target not in names:
                    raise ValueError(f"{path}: expected a column {target}; got {', '.join(names)}")
                self.wanted = names.index(target)
        elif target is not None:
            raise ValueError(f"{path}: expected a table (.csv, .tsv) for the target {target}")

    def chunks(self) -> Iterator[Chunk]:
        rows = self._rows()
        if self.delimiter is not None:
            next(rows, None)

        def samples() -> Iterator[tuple[Any, int, float | None]]:
            for row, done in rows:
                if not any(row):
                    continue
                smiles = row[self.column] if self.column < len(row) else ""
                target = None if self.wanted is None else (row[self.wanted] if self.wanted < len(row) else "")
                yield (smiles, target), 8 * len(smiles), done

        return cut(samples())

    def _rows(self) -> Iterator[tuple[list[str], float]]:
        for line, done in lines_of(self.path):
            text = line.decode(errors="replace")
            if self.delimiter is None:
                yield text.split()[:1], done
            else:
                yield next(csv.reader([text], delimiter=self.delimiter), []), done


class SdfFile(Source):
    """SDF records, each terminated by ``$$$$``.

    Raises:
        ImportError: If RDKit is not installed.
    """

    def __init__(self, path: Path, target: str | None = None, kind: Kind = "graphs") -> None:
        _rdkit()
        self.path = path
        self.reader = SdfReader(target, kind)

    def chunks(self) -> Iterator[Chunk]:
        def records() -> Iterator[tuple[Any, int, float | None]]:
            held: list[str] = []
            for line, done in lines_of(self.path):
                text = line.decode(errors="replace")
                if text.startswith("$$$$"):
                    yield "\n".join(held) + "\n", sum(map(len, held)), done
                    held = []
                else:
                    held.append(text)
            if any(text.strip() for text in held):
                yield "\n".join(held) + "\n", sum(map(len, held)), 1.0

        return cut(records())


def _rdkit() -> Any:
    require("rdkit", "molecules", "SMILES and SDF files")
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    return Chem


def _from_smiles(text: str) -> Any:
    chem = _rdkit()
    options = chem.SmilesParserParams()
    options.removeHs = False
    molecule = chem.MolFromSmiles(text, options) if text else None
    if molecule is None or not molecule.GetNumAtoms():
        raise ValueError(f"expected a SMILES that passes RDKit's sanitization; got {text[:60]!r}")
    return chem.AddHs(molecule)


def _from_sdf(record: str, add_hydrogens: bool) -> Any:
    chem = _rdkit()
    supplier = chem.SDMolSupplier()
    supplier.SetData(record, removeHs=False)
    molecule = next(iter(supplier), None)
    if molecule is None or not molecule.GetNumAtoms():
        title = record.split("\n", 1)[0].strip()
        raise ValueError(f"expected an SDF record that passes RDKit's sanitization; got {title[:40]!r}")
    return chem.AddHs(molecule) if add_hydrogens else molecule


def _graphs(molecules: Sequence[Any]) -> Graphs:
    sizes = [molecule.GetNumAtoms() for molecule in molecules]
    labels = [_label(atom) for molecule in molecules for atom in molecule.GetAtoms()]
    bonds: list[tuple[int, int, int]] = []
    shift = 0
    for molecule, n in zip(molecules, sizes, strict=True):
        for bond in molecule.GetBonds():
            kind = _BOND.get(str(bond.GetBondType()), 8 + int(bond.GetBondType()))
            bonds.append((bond.GetBeginAtomIdx() + shift, bond.GetEndAtomIdx() + shift, kind))
        shift += n
    table = np.array(bonds, dtype=np.int64).reshape(-1, 3)
    both = np.concatenate([table, table[:, [1, 0, 2]]]).T
    return Graphs(
        edge_index=torch.from_numpy(np.ascontiguousarray(both[:2])),
        batch=torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes, dtype=torch.long)),
        node_label=torch.tensor(labels, dtype=torch.long),
        edge_label=torch.from_numpy(np.ascontiguousarray(both[2])),
        num_graphs=len(sizes),
    )


def _label(atom: Any) -> int:
    """Element, charge and isotope in one number: the atomic number for a neutral atom without isotope."""
    charge, isotope = atom.GetFormalCharge(), atom.GetIsotope()
    return int(atom.GetAtomicNum() + 256 * (2 * abs(charge) - (charge > 0)) + 2**20 * isotope)


def _clouds(molecules: Sequence[Any]) -> PointClouds:
    for molecule in molecules:
        if not molecule.GetNumConformers() or not molecule.GetConformer().Is3D():
            raise ValueError("expected coordinates in three dimensions; got none")
    positions = [torch.from_numpy(molecule.GetConformer().GetPositions()) for molecule in molecules]
    return from_clouds(positions, [[_label(atom) for atom in molecule.GetAtoms()] for molecule in molecules])


def _scalars(texts: Sequence[str | None] | None, name: str | None) -> Target | None:
    if texts is None or name is None:
        return None
    try:
        return Target(torch.tensor([float(text or "") for text in texts], dtype=torch.float64), "sample")
    except ValueError as error:
        raise ValueError(f"expected {name} to be a finite number; {error}") from error
