"""Crystals in files that ASE reads (:mod:`sympe.crystals.convert`); the target is what ASE calls by its name.

``forces``, ``magmoms``, ``displacements`` or any array of the atoms, result of a calculator, or entry of ``info``.
Three numbers are a vector and nine a matrix, which rotate with the crystal; anything else is invariant. Moments are
axial vectors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut, naming
from sympe.auditing.targets import VECTOR_SHAPES, Per, Target
from sympe.compressed import lines_of, suffix_of
from sympe.crystals import Crystals, concatenate, from_ase
from sympe.crystals.convert import read_atoms
from sympe.points.files import XYZ, is_of_crystals
from sympe.points.xyz import PERIODIC, frames

#: Targets that are axial vectors, and odd under time reversal.
MOMENTS = ("magmoms", "initial_magmoms")
#: Formats of crystals by suffix; POSCAR and CONTCAR with any.
SUFFIXES = (".cif", ".vasp", ".traj", ".db")
#: Those that are read for crystals alone.
CRYSTALS_ALONE = (".traj", ".db")


@dataclass(frozen=True)
class AtomsReader(Reader):
    """Reads periodic structures.

    Attributes:
        target: Name of the target, or None.
        per: ``point`` for a row per site, ``sample`` for one value, or None without a target.
        moments: Whether initial magnetic moments are part of the input.
    """

    target: str | None = None
    per: Per | None = None
    moments: bool = False
    kind: Kind = "crystals"

    def read(self, raw: Sequence[Any]) -> tuple[Crystals, Target | None]:
        x = concatenate([from_ase(atoms, self.moments) for atoms in raw])
        if self.target is None or self.per is None:
            return x, None
        found = [value_of(atoms, self.target) for atoms in raw]
        if self.per == "point":
            if any(len(value) != len(atoms) for value, atoms in zip(found, raw, strict=True)):
                raise ValueError(f"expected {self.target} for every site; some structures hold another number")
            values = torch.from_numpy(np.concatenate(found))
        else:
            values = torch.from_numpy(np.stack(found))
        is_axial = self.target in MOMENTS and values.shape[1:] == (3,)
        return x, Target(values, self.per, values.shape[1:] in VECTOR_SHAPES, "1x1e" if is_axial else None)


class CrystalFile(Source):
    """A file of crystals.

    Args:
        path: The file.
        target: Name of the target, or None.
        moments: Whether initial magnetic moments are part of the input.

    Raises:
        ValueError: If the file cannot be read, or its first structure lacks the target.
    """

    def __init__(self, path: Path, target: str | None = None, moments: bool = False) -> None:
        self.path, self.atoms = path, read_atoms(path)
        self.reader: Reader = AtomsReader(moments=moments)
        if target is not None:
            with naming(path):
                first = value_of(self.atoms[0], target)
            is_per_site = first.ndim > 0 and len(first) == len(self.atoms[0])
            self.reader = AtomsReader(target, "point" if is_per_site else "sample", moments)

    def chunks(self) -> Iterator[Chunk]:
        total = len(self.atoms)
        yield from cut((atoms, 100 * len(atoms), place / total) for place, atoms in enumerate(self.atoms, start=1))


def is_periodic(path: Path) -> bool:
    """Whether the first structure of a file is periodic; False if it is not, or the format is for something else.

    True for formats that are read for crystals alone: then their reader says what is wrong.
    """
    if suffix_of(path) in CRYSTALS_ALONE:
        return True
    if suffix_of(path) in XYZ:
        # Cheaper than ASE, and refuses what only looks periodic.
        lines = (line.decode(errors="replace") for line, _ in lines_of(path))
        try:
            next(frames(lines)).read()
            return False
        except (StopIteration, ValueError) as error:
            if PERIODIC not in str(error):
                return False
    elif suffix_of(path) not in SUFFIXES and not is_of_crystals(path):
        return False
    try:
        return bool(np.any(read_atoms(path, ":1")[0].pbc))
    except ValueError:
        return False


def value_of(atoms: Any, name: str) -> Any:
    """What the atoms hold under a name: an array, a result of their calculator, or an entry of ``info``.

    Raises:
        ValueError: If there is nothing of this name, or it is not numbers.
    """
    results = {} if atoms.calc is None else atoms.calc.results
    other = {"magmoms": "initial_magmoms"}.get(name, name)
    for held, key in ((results, name), (atoms.arrays, name), (atoms.info, name), (atoms.arrays, other)):
        if key in held:
            value = np.asarray(held[key])
            if value.dtype.kind not in "iufb":
                raise ValueError(f"expected numbers in {name}; got {value.dtype}")
            return value.astype(np.float64) if value.dtype.kind in "fb" else value.astype(np.int64)
    offered = ", ".join([*results, *atoms.arrays, *atoms.info])
    raise ValueError(f"expected {name} in the structures; they have {offered}")
