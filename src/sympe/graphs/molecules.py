"""Molecules as graphs, by RDKit: from SMILES, SDF, tables with a column of SMILES, or RDKit's own molecules.

Atoms are nodes, labeled by element, charge and isotope (:mod:`sympe.points.elements`). Bonds are edges, labeled by
their type, and aromatic bonds are a separate type: benzene from SMILES has 12 automorphisms, while in graphs with
Kekule bonds single and double ones alternate (6). Dative bonds point from donor to acceptor: the other direction has
the negative label. Stereochemistry is ignored.

SMILES and files are given all hydrogen atoms as nodes. A molecule of RDKit keeps its atoms; the hydrogens that it only
counts are part of the label of the atom they belong to, and ``Chem.AddHs`` makes nodes of them.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sympe.compressed import lines_of, suffix_of
from sympe.graphs.batch import Graphs
from sympe.graphs.convert import from_edges
from sympe.graphs.edge_lists import cells_of, is_of_molecules
from sympe.points.sdf import SDF, Record, explained, kind_of, rdkit, records

SMILES = (".smi", ".smiles")
TABLES = (".csv", ".tsv")

_HYDROGENS = 2**30

#: Types of bonds that RDKit draws from a donor to an acceptor.
_DATIVE = (16, 17, 18, 19)


def from_molecules(molecules: Sequence[Any], *, hydrogens: bool = False) -> Graphs:
    """Graphs from molecules of RDKit.

    Args:
        molecules: The molecules.
        hydrogens: Whether to add the hydrogen atoms that they only count.

    Raises:
        ValueError: If RDKit has not counted the hydrogens of a molecule, because it was not sanitized.
        ImportError: If RDKit is not installed.
    """
    if any(one.NeedsUpdatePropertyCache() for one in molecules):
        raise ValueError("expected molecules that RDKit has sanitized; pass them to Chem.SanitizeMol")
    molecules = [rdkit().AddHs(one) for one in molecules] if hydrogens else molecules
    bonds = [
        [(b.GetBeginAtomIdx(), b.GetEndAtomIdx(), int(b.GetBondType())) for b in one.GetBonds()] for one in molecules
    ]
    graphs = from_edges(
        [(one.GetNumAtoms(), [bond[:2] for bond in own]) for one, own in zip(molecules, bonds, strict=True)],
        node_label=[kind_of(atom) + _HYDROGENS * atom.GetTotalNumHs() for one in molecules for atom in one.GetAtoms()],
        edge_label=[bond[2] for own in bonds for bond in own],
    )
    kinds = graphs.edge_label
    assert kinds is not None
    # from_edges puts the other directions last.
    is_back = (torch.arange(len(kinds)) >= len(kinds) // 2) & torch.isin(kinds, torch.tensor(_DATIVE))
    return replace(graphs, edge_label=torch.where(is_back, -kinds, kinds))


@dataclass(frozen=True)
class Smiles:
    """A SMILES or an InChI, in a file or in memory.

    Attributes:
        text: The SMILES, or an InChI, which begins with ``InChI=``.
        target: The text of its target; empty without one.
        where: Its place, for messages.
    """

    text: str
    target: str = ""
    where: str = ""

    def molecule(self) -> Any:
        """The molecule of RDKit.

        Raises:
            ValueError: If RDKit refuses it.
            ImportError: If RDKit is not installed.
        """
        chem = rdkit()
        options = chem.SmilesParserParams()
        options.removeHs = False
        got = f"{self.text[:60]!r}{self.where and f' ({self.where})'}"
        if (text := self.text.strip()).startswith("InChI="):
            return explained(lambda: chem.MolFromInchi(text, removeHs=False), "an InChI that RDKit accepts", got)
        return explained(lambda: chem.MolFromSmiles(self.text, options), "a SMILES that RDKit accepts", got)

    def value(self, _: object, name: str) -> str:
        """The text of the target."""
        return self.target


def holds_molecules(path: Path) -> bool:
    """Whether a file holds molecules: by its suffix or, for tables, if the header names a column of SMILES.

    Raises:
        ValueError: If it is a table whose header cannot be read.
    """
    if suffix_of(path) not in TABLES:
        return suffix_of(path) in SMILES + SDF
    header = next((line for line, _ in lines_of(path) if line.strip()), b"").decode(errors="replace")
    return any(map(is_of_molecules, cells_of(header))) if header else False


def read_molecules(path: Path) -> Graphs:
    """The molecules in a file.

    Raises:
        ValueError: If one cannot be read.
        ImportError: If RDKit is not installed.
    """
    rdkit()
    lines = (line.decode(errors="replace") for line, _ in lines_of(path))
    return from_molecules([one.molecule() for one in parse(lines, suffix_of(path))], hydrogens=True)


def parse(lines: Iterable[str], suffix: str, target: str | None = None) -> Iterator[Record | Smiles]:
    """What a file holds, as text.

    Args:
        lines: The lines of the file.
        suffix: Its format.
        target: The column of a table, or the property of records, to keep beside the SMILES.

    Raises:
        ValueError: If a table has no column of this name, or not one column of SMILES.
    """
    if suffix in SDF:
        return records(lines)
    if suffix in TABLES:
        return _table(enumerate(lines, start=1), target)
    if target is not None:
        raise ValueError(f"expected a table (.csv, .tsv) for the target {target}")
    rows = ((number, line.split(maxsplit=1)) for number, line in enumerate(lines, start=1))
    return (
        Smiles(row[0], where=f"line {number}" + "".join(f" {name[:30]!r}" for name in row[1:]))
        for number, row in rows
        if row and not (number == 1 and is_of_molecules(row[0]))
    )


def _table(lines: Iterator[tuple[int, str]], target: str | None) -> Iterator[Smiles]:
    start, header = next(((number, line) for number, line in lines if line.strip()), (0, ""))
    names = cells_of(header) if header else []
    found = [place for place, name in enumerate(names) if is_of_molecules(name)]
    found = [place for place in found if names[place].lower() == "smiles"] or found
    if len(found) != 1:
        got = ", ".join(names) or "an empty file"
        raise ValueError(f"expected a column of SMILES, or one named smiles if there are more; got {got}")
    if target is not None and names.count(target) != 1:
        raise ValueError(f"expected a column {target}; got {', '.join(names)}")
    wanted = None if target is None else names.index(target)
    rows = csv.reader((line for _, line in lines), delimiter=next((mark for mark in "\t;," if mark in header), ","))
    try:
        for row in rows:
            where = f"line {start + rows.line_num}"
            if len(row) == len(names):
                yield Smiles(row[found[0]].strip(), "" if wanted is None else row[wanted], where)
            elif any(row):
                yield Smiles("", "", f"{where}: {len(row)} cells for {len(names)} columns")
    except csv.Error as error:
        reason = str(error).partition(" - do you need")[0]  # advice for programmers
        raise ValueError(f"expected a table; got line {start + rows.line_num}: {reason}") from error
