"""Molecules in XYZ (:mod:`sympe.points.xyz`); the target is a column of the atoms, or else a key of the frame.

Three numbers are a vector and nine a matrix, which rotate with the molecule; anything else is invariant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut, naming, with_share
from sympe.auditing.targets import Per, Target
from sympe.points import PointClouds
from sympe.points.files import named_clouds
from sympe.points.xyz import Frame, Molecule, frames


@dataclass(frozen=True)
class XyzReader(Reader):
    """Reads frames.

    Attributes:
        target: The column of the atoms or key of the frame to predict, or None.
        per: ``point`` for a column, ``sample`` for a key, or None without a target.
        width: How many numbers the target has in each row.
    """

    target: str | None = None
    per: Per | None = None
    width: int = 1
    kind: Kind = "points"

    def read(self, raw: Sequence[Frame]) -> tuple[PointClouds, Target | None]:
        molecules = [frame.read() for frame in raw]
        x = named_clouds([(molecule.where, molecule.positions, molecule.species) for molecule in molecules])
        if self.target is None or self.per is None:
            return x, None
        rows: list[list[float]] = []
        for molecule in molecules:
            found = molecule.values(self.target)
            if (per := "point" if self.target in molecule.columns else "sample") != self.per or any(
                len(row) != self.width for row in found
            ):
                got = f"{len(found[0])} per {per} ({molecule.where})"
                raise ValueError(f"expected {self.target} as {self.width} numbers per {self.per}; got {got}")
            rows += found
        values = torch.tensor(rows, dtype=torch.float64)
        is_vector = self.width in (3, 9)
        return x, Target(values.view(-1, 3, 3) if self.width == 9 else values, self.per, is_vector)


class XyzFile(Source):
    """A file of frames.

    Args:
        path: The file, plain or compressed.
        target: The column of the atoms or key of the frames to predict.

    Raises:
        ValueError: If there is a target, and no frame can be read or the first lacks the target.
    """

    def __init__(self, path: Path, target: str | None = None) -> None:
        self.path = path
        self.reader = XyzReader()
        if target is None:
            return
        with naming(path):
            first = self._first()
            width = len(first.values(target)[0])
        self.reader = XyzReader(target, "point" if target in first.columns else "sample", width)

    def chunks(self) -> Iterator[Chunk]:
        with naming(self.path):
            yield from cut((frame, sum(map(len, frame.rows)), done) for frame, done in with_share(self.path, frames))

    def _first(self) -> Molecule:
        """The first frame that can be read."""
        failed = ValueError("expected molecules; the file is empty")
        for number, (frame, _) in enumerate(with_share(self.path, frames)):
            try:
                return frame.read()
            except ValueError as error:
                failed = error if number == 0 else failed
        raise failed
