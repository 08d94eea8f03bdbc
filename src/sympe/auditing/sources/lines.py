"""Files with one sample per line (graph6, sparse6, SMILES), plain or compressed (.gz .xz .bz2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut
from sympe.auditing.targets import Target
from sympe.compressed import lines_of
from sympe.graphs import Graphs, from_graph6


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
