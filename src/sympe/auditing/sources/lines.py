"""Files with one sample per line (graph6, sparse6, SMILES), plain or compressed (.gz .xz .bz2)."""

import bz2
import gzip
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut
from sympe.auditing.targets import Target
from sympe.graphs import Graphs, from_graph6

_COMPRESSED: dict[str, Any] = {".gz": gzip, ".xz": lzma, ".bz2": bz2}


def suffix_of(path: Path) -> str:
    """The suffix of the format, without a suffix of compression; in lower case."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in _COMPRESSED:
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""


def lines_of(path: Path) -> Iterator[tuple[bytes, float]]:
    """Each line, and the share of the file read so far.

    Raises:
        ValueError: If the file cannot be unpacked.
    """
    size = max(path.stat().st_size, 1)
    with path.open("rb") as packed:
        module = _COMPRESSED.get(path.suffix.lower())
        unpacked: IO[bytes] = packed if module is None else module.open(packed)
        try:
            for line in unpacked:
                yield line.rstrip(b"\r\n"), packed.tell() / size
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise ValueError(f"{path}: the file cannot be unpacked: {error}") from error


@dataclass(frozen=True)
class Graph6Reader(Reader):
    """Reads graph6 and sparse6."""

    kind: Kind = "graphs"

    def read(self, raw: Sequence[bytes]) -> tuple[Graphs, Target | None]:
        try:
            return from_graph6(raw), None
        except ValueError as error:
            # Drop the line number: it counts within the chunk.
            raise ValueError(str(error).partition(" is ")[2] or str(error)) from error


class Lines(Source):
    """A file with one sample per line; skips blank lines and bare headers."""

    def __init__(self, path: Path, reader: Reader) -> None:
        self.path, self.reader = path, reader

    def chunks(self) -> Iterator[Chunk]:
        headers = (b"", b">>graph6<<", b">>sparse6<<")
        return cut((line, len(line), done) for line, done in lines_of(self.path) if line.strip() not in headers)
