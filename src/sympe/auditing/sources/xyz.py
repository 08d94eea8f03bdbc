"""Molecules in XYZ and extended XYZ; the target is a column of the atoms or a key of the frame.

Extended XYZ has ``key=value`` pairs on the second line of a frame; ``Properties=species:S:1:pos:R:3:forces:R:3`` gives
the name, type and width of each column. Periodic structures are refused: their symmetries are space groups.
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
    """Reads frames, each a list of lines.

    Attributes:
        target: The column of the atoms or key of the frame to predict, or None.
        per: ``point`` for a column, ``sample`` for a key.
        vector: Whether the target rotates with the molecule: three numbers are a vector, nine a matrix.
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
        path: The file, plain or compressed.
        target: The column of the atoms or key of the frames to predict.

    Raises:
        ValueError: If there is a target, and the file is empty or its first frame lacks the target.
    """

    def __init__(self, path: Path, target: str | None = None) -> None:
        self.path = path
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
            raise ValueError(f"{path}: expected {target} in the frames; they have {', '.join(offered) or 'no others'}")
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
                    # The next frame cannot be found, so the rest of the file is lost.
                    raise ValueError(f"{self.path}: line {place}: expected a number of atoms; got {count[:40]!r}")
                frame, left = [text], int(count) + 1
        if frame:
            yield frame, done


def frame_keys(frame: Frame) -> dict[str, str]:
    """The keys and values on the second line of a frame."""
    if len(frame) < int(frame[0]) + 2:
        raise ValueError(f"expected {int(frame[0])} atoms; the file ends after {max(len(frame) - 2, 0)}")
    return {
        match[1]: next(text for text in match.groups()[1:] if text is not None) for match in _PAIR.finditer(frame[1])
    }


def refuse_periodic(keys: dict[str, str]) -> None:
    """Raise a ``ValueError`` for a periodic structure."""
    periodic = keys.get("pbc", "T T T" if "Lattice" in keys else "F").split()
    if any(flag.upper() in ("T", "TRUE", "1") for flag in periodic):
        raise ValueError("expected a molecule, not a periodic structure, whose symmetries are a space group")


def columns_of(keys: dict[str, str]) -> dict[str, slice]:
    """Columns of each property of the atoms."""
    fields = keys.get("Properties", _PLAIN).split(":")
    columns: dict[str, slice] = {}
    place = 0
    for name, _, width in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if not width.isdecimal():
            raise ValueError(f"expected Properties as name:type:width; got {keys['Properties'][:60]!r}")
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
