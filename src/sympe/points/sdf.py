"""Records of SDF and MOL files, read by RDKit; refusals carry RDKit's own sentence.

Coordinates and elements need no sanitization, so valences do not matter for points; they do for graphs. Kinds of atoms
are those of :mod:`sympe.points.elements`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.extras import require
from sympe.points.elements import kind_of_atom

#: Suffixes of files of records.
SDF = (".sdf", ".sd", ".mol")

_SENTENCE = re.compile(r"^\[\d\d:\d\d:\d\d\] (?:ERROR: )?(?!Warning|WARNING)(\S.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Record:
    """A record as text.

    Attributes:
        number: Its number in the file, from 1.
        text: Its lines, without the final ``$$$$``.
    """

    number: int
    text: str

    @property
    def where(self) -> str:
        """The record, for messages."""
        return f"record {self.number} {self.text.partition(chr(10))[0].strip()[:40]!r}"

    def molecule(self, sanitize: bool = True) -> Any:
        """The molecule of RDKit, with all its hydrogen atoms.

        Raises:
            ValueError: If RDKit refuses it.
            ImportError: If RDKit is not installed.
        """

        def parse() -> Any:
            supplier = rdkit().SDMolSupplier()
            supplier.SetData(self.text, sanitize=sanitize, removeHs=False)
            return next(iter(supplier), None)

        advice = "; as points (sympe.points.read, --group o3) it needs no valences" if sanitize else ""
        return explained(parse, "an SDF record that RDKit accepts", self.where, advice)

    def points(self, molecule: Any) -> tuple[Float[Tensor, "n 3"], list[int]]:
        """Coordinates and kinds of the atoms of its molecule.

        Raises:
            ValueError: If the record is marked 2D: a drawing.
        """
        position = torch.from_numpy(molecule.GetConformer().GetPositions())
        header = self.text.split("\n", 2)[1]
        is_drawing = header[20:22].upper() == "2D" or "2D" in header.upper().split()
        if is_drawing and not bool(position[:, 2].any()):
            advice = "embed it, or mark it 3D if it is planar"
            raise ValueError(f"expected coordinates in three dimensions; got {self.where}, marked 2D: {advice}")
        return position, [kind_of(atom) for atom in molecule.GetAtoms()]

    def value(self, molecule: Any, name: str) -> str:
        """The text of a property of its molecule.

        Raises:
            ValueError: If there is no such property.
        """
        if not molecule.HasProp(name):
            held = ", ".join(molecule.GetPropNames()) or "no others"
            raise ValueError(f"expected a property {name}; got {held} ({self.where})")
        return str(molecule.GetProp(name))


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The records of a file; blank lines among atoms and bonds are dropped."""
    held: list[str] = []
    number, in_table = 1, True
    for line in lines:
        if line.startswith("$$$$"):
            yield Record(number, "\n".join(held) + "\n")
            held, number, in_table = [], number + 1, True
        elif line.strip() or len(held) < 4 or not in_table:
            held.append(line)
            in_table = in_table and line.split() != ["M", "END"]
    if any(line.strip() for line in held):
        yield Record(number, "\n".join(held) + "\n")


def kind_of(atom: Any) -> int:
    """Element, charge and isotope of an atom of RDKit in one number."""
    return kind_of_atom(atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetIsotope())


def rdkit() -> Any:
    """The module ``rdkit.Chem``.

    Raises:
        ImportError: If RDKit is not installed.
    """
    return require("rdkit.Chem", "molecules", "SMILES and SDF files")


def explained(parse: Callable[[], Any], expected: str, got: str, advice: str = "") -> Any:
    """The molecule that RDKit parses; RDKit's log goes into the error.

    Raises:
        ValueError: If there is none, or it has no atoms.
    """
    base = require("rdkit.rdBase", "molecules", "SMILES and SDF files")
    base.LogToPythonStderr()
    try:
        with redirect_stderr(StringIO()) as log:
            molecule = parse()
    finally:
        base.LogToCppStreams()
    if molecule is None or not molecule.GetNumAtoms():
        said = _SENTENCE.search(log.getvalue())
        reason = "it has no atoms" if molecule is not None else said[1] if said else "RDKit gives no reason"
        raise ValueError(f"expected {expected}; got {got}: {reason}{advice}")
    return molecule
