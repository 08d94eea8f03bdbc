"""Read and write molecules in XYZ format.

Each molecule is a line with the number of atoms, a comment line, and a line ``symbol x y z`` per atom, in angstrom. An
atomic number may replace the symbol; further columns are ignored. In extended XYZ the comment's ``Properties=...``
says which columns hold ``species`` and ``pos``.
"""

import os
import re
from itertools import pairwise
from pathlib import Path

import torch

from sympe.atomic import write_atomically
from sympe.points.clouds import PointClouds, from_clouds
from sympe.points.elements import ATOMIC_NUMBER, SYMBOLS


def read(path: str | os.PathLike[str], dtype: torch.dtype = torch.float64) -> PointClouds:
    """All molecules of an XYZ file, with atomic numbers as species.

    Raises:
        ValueError: If the file cannot be read; the message names the file and the line.
    """
    path = Path(path)
    try:
        lines = path.read_text().splitlines()
        positions: list[list[list[float]]] = []
        species: list[list[int]] = []
        at = 0
        while at < len(lines):
            if not lines[at].strip():
                at += 1
                continue
            count = lines[at].strip()
            if not count.isdecimal() or int(count) < 1:
                raise ValueError(f"line {at + 1}: expected a number of atoms; got {count[:40]!r}")
            atoms = lines[at + 2 : at + 2 + int(count)]
            if len(atoms) < int(count):
                raise ValueError(f"line {at + 1}: expected {count} atoms; the file ends after {len(atoms)}")
            columns = _columns(lines[at + 1])
            parsed = [_atom(line, at + 3 + i, *columns) for i, line in enumerate(atoms)]
            species.append([kind for kind, _ in parsed])
            positions.append([coordinates for _, coordinates in parsed])
            at += 2 + int(count)
        if not positions:
            raise ValueError("expected at least one molecule; the file is empty")
        return from_clouds(positions, species, dtype)
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"{path}: {text}") from error


def write(clouds: PointClouds, path: str | os.PathLike[str]) -> None:
    """Write molecules as XYZ, atomically; clouds without species get the symbol X.

    Raises:
        ValueError: If there are no clouds, they are not in three dimensions, or a species is not an atomic number.
    """
    if not len(clouds) or clouds.dimension != 3:
        raise ValueError(f"{path}: expected clouds in 3 dimensions; got {len(clouds)} in {clouds.dimension}")
    clouds.check_finite()
    kinds = torch.zeros_like(clouds.batch) if clouds.species is None else clouds.species
    if int(kinds.min()) < 0 or int(kinds.max()) >= len(SYMBOLS):
        raise ValueError(f"{path}: expected atomic numbers up to {len(SYMBOLS) - 1}; got {int(kinds.max())}")
    rows = [
        f"{SYMBOLS[kind]} {x!r} {y!r} {z!r}"
        for kind, (x, y, z) in zip(kinds.tolist(), clouds.position.tolist(), strict=True)
    ]
    ends = clouds.ptr.tolist()
    text = "".join(
        f"{end - start}\n\n" + "".join(row + "\n" for row in rows[start:end]) for start, end in pairwise(ends)
    )
    write_atomically(Path(path), lambda file: file.write(text.encode()))


def _columns(comment: str) -> tuple[int, int]:
    """The columns of the species and of the first coordinate."""
    match = re.search(r'Properties="?([^\s"]+)', comment)
    if match is None:
        return 0, 1
    place, found = 0, {}
    fields = match[1].split(":")
    for name, width in zip(fields[::3], fields[2::3], strict=False):
        found[name] = place
        place += int(width) if width.isdecimal() else 1
    return found.get("species", 0), found.get("pos", 1)


def _atom(line: str, number: int, kind: int, first: int) -> tuple[int, list[float]]:
    words = line.split()
    try:
        symbol = words[kind]
        coordinates = [float(word.replace("*^", "e")) for word in words[first : first + 3]]
        if len(coordinates) < 3:
            raise ValueError
        return int(symbol) if symbol.isdecimal() else ATOMIC_NUMBER[symbol.capitalize()], coordinates
    except (IndexError, KeyError, ValueError):
        raise ValueError(f"line {number}: expected an element and three coordinates; got {line[:40]!r}") from None
