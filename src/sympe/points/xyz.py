"""Read and write molecules in XYZ and extended XYZ.

Each frame is a line with the number of atoms, a comment, and a line ``symbol x y z`` per atom, in angstrom; further
columns are ignored. If the comment has pairs ``key=value``, ASE reads it: ``Properties=species:S:1:pos:R:3:forces:R:3``
gives name, type and width of every column. Raw records of QM9 have further lines, which are skipped.

A frame is periodic, and refused, if its comment names a ``pbc`` that is not plainly false, or names no ``pbc`` but a
cell that is not zero.
"""

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import torch

from sympe.atomic import write_atomically
from sympe.extras import require
from sympe.points.clouds import PointClouds
from sympe.points.elements import SYMBOL_OF_KIND, SYMBOLS, kind_of_symbol

PERIODIC = "expected molecules; crystals are for sympe.crystals, as their symmetries are a space group; got one"

_SPECIES = ("species", "symbols", "symbol", "element", "z", "numbers", "atomic_numbers")
_POSITIONS = ("pos", "positions")
_PAIR = re.compile(r"[\w.\-]\s*=\s*[^\s=]")
_NESTED = re.compile(r"=\s*(\[\s*\[[^\"']*?\]\s*\])")
_PBC = re.compile(
    r"(?<!no )(?<!non-)\b(?:pbc\w*(?:[\s=:]|$)|(?:periodic|boundar)\w*\s*[=:])[\s=:\"'\[({]*"
    r"([\w.]*(?:[\s,;:/|]+(?:[tfp01]|true|false)\b(?!\s*=))*)",
    re.IGNORECASE,
)
_CELL = re.compile(r"\b(?:lattice|cell|box)\b(?:\(\w+\))?[\s=:\"'\[({]*[-+]?[\d.]", re.IGNORECASE)
_CELL_KEY = re.compile(
    r"(?:unit_?)?(?:cell|lattice|box)(?:_?(?:vectors?|matrix|par\w*|lengths?|size|dm|abc))?", re.IGNORECASE
)
_FALSE = ("f", "false", ".false.", "0", "0.0", "no", "none", "off")
_FLAG = {"t": 1.0, "true": 1.0, ".true.": 1.0, "f": 0.0, "false": 0.0, ".false.": 0.0}


@dataclass(frozen=True)
class Column:
    """A column of the atoms: its type (R, I, S or L) and its place in a row."""

    type: str
    place: slice

    @property
    def width(self) -> int:
        return int(self.place.stop - self.place.start)


@dataclass(frozen=True)
class Molecule:
    """A frame that was read.

    Attributes:
        where: The frame, for messages.
        species: Kinds of the atoms, see :mod:`sympe.points.elements`.
        positions: Coordinates.
        keys: What the comment says.
        columns: Columns of the atoms by name, without species and positions.
        rows: The words of every atom.
    """

    where: str
    species: list[int]
    positions: list[list[float]]
    keys: dict[str, object]
    columns: dict[str, Column]
    rows: list[list[str]]

    def values(self, name: str) -> list[list[float]]:
        """The numbers in a column, one row per atom, or under a key, in one row; true is 1 and false 0.

        Raises:
            ValueError: If there is nothing of this name, or what is there are not numbers.
        """
        value: object = None
        try:
            if name in self.columns:
                column = self.columns[name]
                words = [value := row[column.place] for row in self.rows]
                return [[_FLAG[w.lower()] if column.type == "L" else number(w) for w in value] for value in words]
            if name in self.keys:
                value = self.keys[name]
                return [_numbers(value)]
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"expected numbers in {name}; got {str(value)[:60]!r} ({self.where})") from None
        offered = ", ".join([*self.columns, *self.keys]) or "no others"
        raise ValueError(f"expected {name} in the frames; they have {offered}")


@dataclass(frozen=True)
class Frame:
    """A frame as text.

    Attributes:
        number: Its number in the file, from 1.
        line: The number of its first line.
        comment: Its second line.
        rows: The lines of the atoms.
    """

    number: int
    line: int
    comment: str
    rows: Sequence[str]

    def read(self) -> Molecule:
        """Read the frame.

        Raises:
            ValueError: If it cannot be read or is periodic; the message names the frame and the line.
            ImportError: If the comment has pairs ``key=value`` and ASE is not installed.
        """
        where, line = f"frame {self.number} {self.comment.strip()[:30]!r}", self.line + 1
        try:
            keys = _keys(self.comment)
            if _is_periodic(self.comment, keys):
                raise ValueError(f'{PERIODIC}: write pbc="F F F" if the cell is only a box around a molecule')
            declared = next((str(keys.pop(key)) for key in list(keys) if key.lower() == "properties"), None)
            columns = _columns(declared or "species:S:1:pos:R:3")
            kind = next(columns.pop(key) for name in _SPECIES for key in list(columns) if key.lower() == name)
            place = next(columns.pop(key) for name in _POSITIONS for key in list(columns) if key.lower() == name)
            width = kind.width + place.width + sum(column.width for column in columns.values())
            rows, species, positions = [], [], []
            for line, row in enumerate(self.rows, start=self.line + 2):  # noqa: B007  # the error names the line
                words = row.split()
                if len(words) < width or (declared is not None and len(words) > width):
                    what = "an element and three coordinates" if declared is None else f"{width} columns"
                    raise ValueError(f"expected {what}; got {row[:40]!r}")
                rows.append(words)
                species.append(kind_of_symbol("".join(words[kind.place])))
                positions.append([number(word) for word in words[place.place]])
        except ValueError as error:
            raise ValueError(f"{error} (line {line}, {where})") from None
        return Molecule(f"{where}, line {self.line}", species, positions, keys, columns, rows)


def frames(lines: Iterable[str]) -> Iterator[Frame]:
    """The frames of a file.

    Raises:
        ValueError: If a frame does not begin with a number of atoms or is cut short: what follows cannot be found.
    """
    numbered = enumerate(lines, start=1)
    found = trailing = 0
    for place, line in numbered:
        text = line.strip()
        if not text:
            continue
        if trailing and not text.isdecimal() and (len(text.split()) < 3 or _are_numbers(text.split())):
            trailing -= 1
            continue
        if not text.isdecimal() or not 0 < int(text[:18]) < 10**12:
            raise ValueError(f"expected a number of atoms; got {text[:40]!r} (line {place})")
        held = [row for _, row in islice(numbered, int(text) + 1)]
        found += 1
        if len(held) <= int(text):
            ended = f"the file ends after {max(len(held) - 1, 0)} (frame {found}, line {place})"
            raise ValueError(f"expected {text} atoms; {ended}")
        # QM9: a tag, an index and 15 properties; frequencies, SMILES and InChI follow the atoms.
        words = held[0].split()
        trailing = 3 if len(words) == 17 and _are_numbers(words[1:]) else 0
        yield Frame(found, place, held[0], held[1:])


def write(clouds: PointClouds, path: str | os.PathLike[str]) -> None:
    """Write molecules as XYZ, atomically; clouds without species get the symbol X.

    Raises:
        ValueError: If there are no clouds, they are not in three dimensions, or a species has no symbol.
    """
    if not len(clouds) or clouds.dimension != 3:
        raise ValueError(f"{path}: expected clouds in 3 dimensions; got {len(clouds)} in {clouds.dimension}")
    clouds.check_finite()
    kinds = (torch.zeros_like(clouds.batch) if clouds.species is None else clouds.species).tolist()
    if unknown := set(kinds) - SYMBOL_OF_KIND.keys():
        raise ValueError(f"{path}: expected atomic numbers up to {len(SYMBOLS) - 1}; got {min(unknown)}")
    rows = [
        f"{SYMBOL_OF_KIND[kind]} {x!r} {y!r} {z!r}"
        for kind, (x, y, z) in zip(kinds, clouds.position.tolist(), strict=True)
    ]
    ends = clouds.ptr.tolist()
    text = "".join(
        f"{end - start}\n\n" + "".join(row + "\n" for row in rows[start:end]) for start, end in pairwise(ends)
    )
    write_atomically(Path(path), lambda file: file.write(text.encode()))


def number(word: str) -> float:
    """A number as Python, Fortran (``1.2D-6``) or Mathematica (``1.2*^-6``) writes it.

    Raises:
        ValueError: If it is none, not finite, or an integer that a float cannot hold.
    """
    try:
        value = float(word.replace("*^", "e").replace("D", "e").replace("d", "e"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in word:
        raise ValueError(f"expected a finite number; got {word[:40]!r}")
    if abs(value) > 2**53 and word.lstrip("+-").isdecimal():
        raise ValueError(f"expected an integer up to 2^53; got {word[:40]}")
    return value


def _are_numbers(words: Iterable[str]) -> bool:
    try:
        return all(number(word) is not None for word in words)
    except ValueError:
        return False


def _numbers(value: object) -> list[float]:
    """The numbers in a value of ASE's, which leaves ``"[0 0 1]"`` a text."""
    if not isinstance(value, str):
        return [number(str(+one)) for one in np.ravel(np.asarray(value)).tolist()]
    words = re.findall(r"[^\s,;\[\](){}]+", value)
    if not words or any(value.count(pair[0]) != value.count(pair[1]) for pair in ("[]", "()", "{}")):
        raise ValueError
    return [number(word) for word in words]


def _keys(comment: str) -> dict[str, object]:
    if _PAIR.search(comment) is None:
        return {}
    parse = require("ase.io.extxyz", "crystals", "reading extxyz").key_val_str_to_dict
    # ASE ends a list of lists at its first "]", and refuses a stress that is no matrix even if nobody asks for it.
    text = _NESTED.sub(r'="\1"', comment.lstrip("= #;,"))
    text = re.sub(r"\b(virial|stress)(?=\s*=)", r"\1~", text)
    try:
        return {key.rstrip("~"): value for key, value in parse(text).items()}
    except (IndexError, ValueError) as error:
        raise ValueError(f"expected pairs key=value; got {comment[:60]!r}: {error}") from error


def _is_periodic(comment: str, keys: dict[str, object]) -> bool:
    said = [re.split(r"[\s,;:/|]+", match[1]) for match in _PBC.finditer(comment)]
    if said:
        return any(word.lower() not in _FALSE for words in said for word in words)
    cells = [value for key, value in keys.items() if _CELL_KEY.fullmatch(key)]
    if not cells:
        return _CELL.search(comment) is not None
    return any(cell.lower() not in _FALSE if isinstance(cell, str) else bool(np.asarray(cell).any()) for cell in cells)


def _columns(declared: str) -> dict[str, Column]:
    fields = declared.split(":")
    columns: dict[str, Column] = {}
    place = 0
    for name, kind, width in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if kind not in tuple("RISL") or not width.isdecimal() or name in columns:
            break
        columns[name] = Column(kind, slice(place, place := place + int(width)))
    widths = {name.lower(): column.width for name, column in columns.items()}
    is_whole = 3 * len(columns) == len(fields)
    if not is_whole or 1 not in map(widths.get, _SPECIES) or 3 not in map(widths.get, _POSITIONS):
        raise ValueError(f"expected columns species:S:1 (or Z:I:1) and pos:R:3; got Properties={declared[:80]}")
    return columns
