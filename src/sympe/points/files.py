"""Read files of points; the suffix determines the format. ``sympe audit`` reads the same formats by the same code.

- ``.xyz .extxyz``: see :mod:`sympe.points.xyz`; pairs ``key=value`` need ASE (the extra ``crystals``).
- ``.sdf .sd .mol``: see :mod:`sympe.points.sdf`; needs RDKit (the extra ``molecules``).
- ``.cif .mcif .vasp .poscar``, and POSCAR and CONTCAR with any ending: by ASE; crystals are refused as such.

All may be compressed (.gz, .xz, .bz2). Any other suffix is taken for XYZ.
"""

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import pairwise, takewhile
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.compressed import lines_of, reason_of, suffix_of
from sympe.extras import require
from sympe.points.cif import atoms_of_cif
from sympe.points.clouds import PointClouds, from_clouds
from sympe.points.inputs import atoms_of_ase
from sympe.points.sdf import SDF, records
from sympe.points.xyz import frames

XYZ = (".xyz", ".extxyz")
_INTEGER = re.compile(r"[+-]?\d+(_\d+)*")
_CRYSTAL = re.compile(r"(poscar|contcar)([._-].*)?|.*\.(cif|mcif|vasp|poscar|contcar)(\.gz|\.xz|\.bz2)?", re.I)


def read(path: str | os.PathLike[str], dtype: torch.dtype = torch.float64) -> PointClouds:
    """All molecules of a file, with kinds of atoms (atomic numbers, if neutral) as species.

    Raises:
        ValueError: If the file cannot be read or holds a crystal; the message names the file and the place in it.
        ImportError: If the format needs an extra that is not installed.
    """
    path = Path(path)
    try:
        lines = (line.decode(errors="replace") for line, _ in lines_of(path))
        if is_of_crystals(path):
            found = list(_structures([*lines], "cif" if "cif" in suffix_of(path) else "vasp"))
        else:
            found = list(_sdf(lines) if suffix_of(path) in SDF else _xyz(lines))
        if not found:
            raise ValueError("expected at least one molecule; the file is empty")
        return named_clouds(found, dtype)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {reason_of(error).removeprefix(f'{path}: ')}") from error


def is_of_crystals(path: Path) -> bool:
    """Whether the name of a file says that it is of a format for crystals."""
    return suffix_of(path) not in XYZ + SDF and _CRYSTAL.fullmatch(path.name) is not None


#: A cloud: the place it was read from, its positions, and its species.
Named = tuple[str, Sequence[Sequence[float]] | Float[Tensor, "n 3"], Sequence[int]]


def named_clouds(found: Sequence[Named], dtype: torch.dtype = torch.float64) -> PointClouds:
    """A batch; the error for a bad cloud names the place it was read from."""
    try:
        return from_clouds([one[1] for one in found], [one[2] for one in found], dtype)
    except ValueError:
        for where, positions, species in found:
            try:
                from_clouds([positions], [species], dtype)
            except ValueError as error:
                raise ValueError(f"{error} ({where})") from None
        raise


def _xyz(lines: Iterator[str]) -> Iterator[Named]:
    for molecule in (frame.read() for frame in frames(lines)):
        yield molecule.where, molecule.positions, molecule.species


def check_counts(lines: Sequence[str], last: int | None = 7) -> None:
    """Raise ``ValueError`` if a POSCAR declares more atoms than it has lines: ASE makes room for all of them first.

    Args:
        lines: The lines of the file. Counts are on the sixth, or on the seventh below the names of the elements.
        last: The last line that may hold counts; None for any, as in an XDATCAR, whose header may come again.
    """
    for names, line in pairwise(lines[4:last]):
        counts = [int(word) for word in takewhile(_INTEGER.fullmatch, line.split())]
        if last is None:  # ASE reads the name H9 as 9 H
            counts += map(int, re.findall(r"[A-Za-z](\d+)", names))
        if (total := sum(count for count in counts if count > 0)) > len(lines):
            raise ValueError(f"expected at most as many atoms as lines, {len(lines)}; got {total}")


def _structures(lines: Sequence[str], kind: str) -> Iterator[Named]:
    read_all = require("ase.io", "crystals", "reading CIF and POSCAR").read
    text = "\n".join(lines)
    try:
        if kind == "vasp":
            check_counts(lines)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            structures = atoms_of_cif(text) if kind == "cif" else read_all(StringIO(text), index=":", format=kind)
    except Exception as error:  # ASE raises anything on a damaged file
        raise ValueError(f"expected a structure that ASE can read; got {type(error).__name__}: {error}") from error
    for number, atoms in enumerate(structures, start=1):
        if not atoms.cell.rank and "_atom_site_fract" in text:
            raise ValueError(f"expected a cell for fractional coordinates; got none (structure {number})")
        yield f"structure {number}", *atoms_of_ase(atoms)


def _sdf(lines: Iterator[str]) -> Iterator[Named]:
    for record in records(lines):
        yield record.where, *record.points(record.molecule(sanitize=False))
