"""Molecules in XYZ and extended XYZ, frame by frame, with what a frame says of its atoms or of itself as the target.

Extended XYZ writes ``key=value`` pairs on the second line of a frame; ``Properties=species:S:1:pos:R:3:forces:R:3``
names the columns that follow, each with its kind and width. Periodic structures are refused: they have space groups.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut
from sympe.auditing.sources.lines import lines_of
from sympe.auditing.targets import Per, Target
from sympe.points import ATOMIC_NUMBER, PointClouds, from_clouds

_PLAIN = "species:S:1:pos:R:3"
_PAIR = re.compile(r"""([\w.\-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|\{([^}]*)\}|(\S+))""")

Frame = Sequence[str]


@dataclass(frozen=True)
class XyzReader(Reader):
    """Reads frames, each a list of its lines.

    Attributes:
        target: A column of the atoms, or a key of the frame, that is to be predicted; None for none.
        per: Whether that is given per ``point`` or per ``sample``.
        vector: Whether it turns with the molecule: three numbers are a vector, nine a matrix.
    """

    target: str | None = None
    per: Per = "sample"
    vector: bool = False
    kind: Kind = "points"

    def read(self, raw: Sequence[Frame]) -> tuple[PointClouds, Target | None]:
        positions, species, targets = [], [], []
        for frame in raw:
            keys = frame_keys(frame)
            refuse_periodic(keys)
            columns = columns_of(keys)
            rows = [line.split() for line in frame[2:]]
            kinds, cloud = _atoms(rows, columns)
            species.append(kinds)
            positions.append(cloud)
            if self.target is not None:
                targets.append(self._target(keys, columns, rows))
        x = from_clouds(positions, species, torch.float64)
        if self.target is None:
            return x, None
        values = torch.tensor(list(chain.from_iterable(targets)), dtype=torch.float64)
        if self.vector and values.shape[1] == 9:
            values = values.view(-1, 3, 3)
        return x, Target(values, self.per, self.vector)

    def _target(self, keys: dict[str, str], columns: dict[str, slice], rows: list[list[str]]) -> list[list[float]]:
        assert self.target is not None
        if self.per == "point":
            if self.target not in columns:
                raise ValueError(f"expected a column {self.target}; got {', '.join(columns)}")
            return [_numbers(row[columns[self.target]]) for row in rows]
        if self.target not in keys:
            raise ValueError(f"expected {self.target} on the second line; got {', '.join(keys) or 'no keys'}")
        return [_numbers(keys[self.target].split())]


class XyzFile(Source):
    """A file of frames.

    Args:
        path: The file, compressed or not.
        target: A column of the atoms or a key of the frames that is to be predicted; the first frame must have it.

    Raises:
        ValueError: If the file is empty or its first frame has no such target.
    """

    def __init__(self, path: Path, target: str | None = None) -> None:
        self.name, self.path = str(path), path
        self.reader = XyzReader()
        if target is None:
            return
        frame = next(self._frames(), None)
        if frame is None:
            raise ValueError(f"{path}: expected molecules; the file is empty")
        keys = frame_keys(frame[0])
        columns = columns_of(keys)
        if target in columns and target not in ("species", "pos"):
            per: Per = "point"
            width = columns[target].stop - columns[target].start
        elif target in keys:
            per, width = "sample", len(keys[target].split())
        else:
            offered = [name for name in [*columns, *keys] if name not in ("species", "pos", "Properties")]
            raise ValueError(f"{path}: expected {target} in the frames; they have {', '.join(offered) or 'no more'}")
        self.reader = XyzReader(target, per, vector=width in (3, 9))

    def chunks(self) -> Iterator[Chunk]:
        return cut((frame, sum(map(len, frame)), done) for frame, done in self._frames())

    def _frames(self) -> Iterator[tuple[Frame, float]]:
        frame: list[str] = []
        left = 0
        done = 0.0
        for place, (line, done) in enumerate(lines_of(self.path), start=1):
            text = line.decode(errors="replace")
            if frame:
                frame.append(text)
                left -= 1
                if left == 0:
                    yield frame, done
                    frame = []
            elif text.strip():
                count = text.strip()
                if not count.isdecimal() or int(count) < 1:
                    # Where the next frame begins cannot be told, so nothing after this line can be read.
                    raise ValueError(f"{self.path}: line {place}: expected a number of atoms; got {count[:40]!r}")
                frame, left = [text], int(count) + 1
        if frame:
            yield frame, done


def frame_keys(frame: Frame) -> dict[str, str]:
    """What the second line of a frame says."""
    if len(frame) < int(frame[0]) + 2:
        raise ValueError(f"expected {int(frame[0])} atoms; the file ends after {max(len(frame) - 2, 0)}")
    return {
        match[1]: next(text for text in match.groups()[1:] if text is not None) for match in _PAIR.finditer(frame[1])
    }


def refuse_periodic(keys: dict[str, str]) -> None:
    """Raise a ``ValueError`` for a structure that repeats in space."""
    periodic = keys.get("pbc", "T T T" if "Lattice" in keys else "F").split()
    if any(flag.upper() in ("T", "TRUE", "1") for flag in periodic):
        raise ValueError("expected a molecule; the structure is periodic, and its symmetries are a space group")


def columns_of(keys: dict[str, str]) -> dict[str, slice]:
    """Where each property of the atoms stands in their lines."""
    fields = keys.get("Properties", _PLAIN).split(":")
    columns: dict[str, slice] = {}
    place = 0
    for name, _, width in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if not width.isdecimal():
            raise ValueError(f"expected Properties as name:kind:width; got {keys['Properties'][:60]!r}")
        columns[name] = slice(place, place + int(width))
        place += int(width)
    if not {"species", "pos"} <= columns.keys() or columns["pos"].stop - columns["pos"].start != 3:
        raise ValueError(f"expected columns species and pos; got {', '.join(columns)}")
    return columns


def _atoms(rows: list[list[str]], columns: dict[str, slice]) -> tuple[list[int], list[list[float]]]:
    kinds, positions = [], []
    for row in rows:
        symbol = "".join(row[columns["species"]])
        kind = int(symbol) if symbol.isdecimal() else ATOMIC_NUMBER.get(symbol.capitalize())
        if kind is None:
            raise ValueError(f"expected the symbol of an element; got {symbol[:20]!r}")
        coordinates = _numbers(row[columns["pos"]])
        if len(coordinates) != 3:
            raise ValueError(f"expected an element and three coordinates; got {' '.join(row)[:40]!r}")
        kinds.append(kind)
        positions.append(coordinates)
    return kinds, positions


def _numbers(words: Sequence[str]) -> list[float]:
    try:
        return [float(word.replace("*^", "e")) for word in words]
    except ValueError as error:
        raise ValueError(f"expected numbers; {error}") from error
