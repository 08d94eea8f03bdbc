"""SMILES and SDF, read by RDKit: molecules as graphs of atoms and bonds, or as point clouds.

Every atom, including hydrogen, is a node labeled by element, charge and isotope (:mod:`sympe.points.elements`). Edges
are labeled by bond type, with RDKit's aromaticity. Stereochemistry is ignored.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut
from sympe.auditing.targets import Target
from sympe.compressed import lines_of, suffix_of
from sympe.graphs import Graphs
from sympe.graphs.edge_lists import is_of_molecules
from sympe.points.files import named_clouds
from sympe.points.sdf import Record, explained, kind_of, rdkit, records
from sympe.points.xyz import number

#: What a report should say of the bonds that RDKit finds.
BONDS = (
    "aromatic bonds are of one kind, as RDKit finds them (benzene has 12 automorphisms); in files of graphs with "
    "Kekule bonds single and double ones alternate (6)"
)
#: Label of a neutral hydrogen atom without a specified isotope.
HYDROGEN = 1
_BOND = {"SINGLE": 1, "DOUBLE": 2, "TRIPLE": 3, "AROMATIC": 4, "QUADRUPLE": 5, "DATIVE": 6, "ZERO": 7}


@dataclass(frozen=True)
class Row:
    """A SMILES, the text of its target, or None, and its place for messages."""

    smiles: str
    target: str | None
    where: str


@dataclass(frozen=True)
class SmilesReader(Reader):
    """Reads SMILES.

    Attributes:
        target: Name of the target, for error messages.
    """

    target: str | None = None
    kind: Kind = "graphs"
    hydrogen: int | None = HYDROGEN
    note: str | None = BONDS

    def read(self, raw: Sequence[Row]) -> tuple[Graphs, Target | None]:
        graphs = _graphs([_from_smiles(row) for row in raw])
        return graphs, _scalars([(row.target or "", row.where) for row in raw], self.target)


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
    note: str | None = BONDS

    def read(self, raw: Sequence[Record]) -> tuple[Any, Target | None]:
        is_graphs = self.kind == "graphs"
        molecules = [record.molecule(sanitize=is_graphs) for record in raw]
        texts = []
        if self.target is not None:
            for record, molecule in zip(raw, molecules, strict=True):
                if not molecule.HasProp(self.target):
                    held = ", ".join(molecule.GetPropNames()) or "no others"
                    raise ValueError(f"expected a property {self.target}; got {held} ({record.where})")
                texts.append((molecule.GetProp(self.target), record.where))
        target = _scalars(texts, self.target)
        if is_graphs:
            return _graphs([rdkit().AddHs(molecule) for molecule in molecules]), target
        pairs = zip(raw, molecules, strict=True)
        return named_clouds([(record.where, *record.points(molecule)) for record, molecule in pairs]), target


class SmilesFile(Source):
    """SMILES, one per line, with an optional name; or a table (.csv, .tsv) with a column of SMILES.

    Args:
        path: The file, plain or compressed.
        target: The column of the table to predict.

    Raises:
        ValueError: If the table lacks a column of SMILES or the target, or has several.
        ImportError: If RDKit is not installed.
    """

    def __init__(self, path: Path, target: str | None = None) -> None:
        rdkit()
        self.path = path
        self.reader = SmilesReader(target)
        self.delimiter = {".tsv": "\t", ".csv": ","}.get(suffix_of(path))
        self.column, self.wanted = 0, None
        if self.delimiter is not None:
            header = next(self._rows(), None)
            names = [name.strip() for name in header[0]] if header else []
            found = [place for place, name in enumerate(names) if is_of_molecules(name)]
            found = [place for place in found if names[place].lower() == "smiles"] or found
            if len(found) != 1:
                got = ", ".join(names) or "an empty file"
                raise ValueError(
                    f"{path}: expected a column of SMILES, or one named smiles if there are more; got {got}"
                )
            self.column = found[0]
            if target is not None:
                if names.count(target) != 1:
                    raise ValueError(f"{path}: expected a column {target}; got {', '.join(names)}")
                self.wanted = names.index(target)
        elif target is not None:
            raise ValueError(f"{path}: expected a table (.csv, .tsv) for the target {target}")

    def chunks(self) -> Iterator[Chunk]:
        rows = enumerate(self._rows(), start=1)
        if self.delimiter is not None:
            next(rows, None)

        def samples() -> Iterator[tuple[Any, int, float | None]]:
            for line, (row, done) in rows:
                if any(row):
                    smiles, target = (
                        row[at] if at is not None and at < len(row) else "" for at in (self.column, self.wanted)
                    )
                    name = f" {row[1][:30]!r}" if self.delimiter is None and len(row) > 1 else ""
                    yield Row(smiles.strip(), target, f"line {line}{name}"), 8 * len(smiles), done

        return cut(samples())

    def _rows(self) -> Iterator[tuple[list[str], float]]:
        for line, done in lines_of(self.path):
            text = line.decode(errors="replace")
            if self.delimiter is None:
                yield text.split(maxsplit=1), done
            else:
                try:
                    cells = next(csv.reader([text], delimiter=self.delimiter), [])
                except csv.Error as error:
                    raise ValueError(f"{self.path}: expected a table; got the line {text[:40]!r}: {error}") from error
                yield cells, done


class SdfFile(Source):
    """SDF records, each terminated by ``$$$$``.

    Raises:
        ImportError: If RDKit is not installed.
    """

    def __init__(self, path: Path, target: str | None = None, kind: Kind = "graphs") -> None:
        rdkit()
        self.path = path
        self.reader = SdfReader(target, kind, note=BONDS if kind == "graphs" else None)

    def chunks(self) -> Iterator[Chunk]:
        done = 0.0

        def lines() -> Iterator[str]:
            nonlocal done
            for line, done in lines_of(self.path):  # noqa: B007
                yield line.decode(errors="replace")

        return cut((record, len(record.text), done) for record in records(lines()))


def _from_smiles(row: Row) -> Any:
    chem = rdkit()
    options = chem.SmilesParserParams()
    options.removeHs = False
    got = f"{row.smiles[:60]!r} ({row.where})"
    parse = partial(chem.MolFromSmiles, row.smiles, options)
    return chem.AddHs(explained(parse, "a SMILES that RDKit accepts", got))


def _graphs(molecules: Sequence[Any]) -> Graphs:
    sizes = [molecule.GetNumAtoms() for molecule in molecules]
    labels = [kind_of(atom) for molecule in molecules for atom in molecule.GetAtoms()]
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


def _scalars(texts: Sequence[tuple[str, str]], name: str | None) -> Target | None:
    """The numbers in pairs of a text and its place."""
    if name is None:
        return None
    values = []
    for text, where in texts:
        try:
            values.append(number(text.strip()))
        except ValueError as error:
            raise ValueError(f"expected {name} to be a number; got {text[:40]!r} ({where})") from error
    return Target(torch.tensor(values, dtype=torch.float64), "sample")
