"""A source cuts its data into chunks; a reader turns a chunk into inputs and targets.

Cutting is fast: one process, one pass, in the order of the data. Reading is parallel. The cuts depend only on the data,
so an interrupted audit can resume.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from sympe.auditing.targets import Target
from sympe.compressed import lines_of

Kind = Literal["graphs", "fields", "points", "crystals"]
Entry = TypeVar("Entry")

#: Most samples and bytes (or numbers) in a chunk; a single sample may be larger.
MOST_SAMPLES = 1000
MOST_WEIGHT = 2_000_000


class Reader(ABC):
    """Turns raw samples into inputs and targets; can be pickled, to run in other processes.

    Attributes:
        kind: Kind of the inputs.
        hydrogen: Node label of hydrogen atoms, if nodes are atoms.
        note: What a report should say of what was read, if anything.
        is_bonds: Whether fields on a lattice are bonds.
    """

    kind: Kind
    hydrogen: int | None = None
    note: str | None = None
    is_bonds: bool = False

    @abstractmethod
    def read(self, raw: Any) -> tuple[Any, Target | None]:
        """The inputs as one batch, and their targets, if any.

        Raises:
            ValueError: If a sample cannot be read. The samples are then read in halves, and the bad ones skipped.
        """


@dataclass(frozen=True)
class Chunk:
    """Consecutive raw samples.

    Attributes:
        raw: The samples; supports ``len`` and slices.
        done: Share of the source read up to the end of this chunk; None if unknown.
    """

    raw: Any
    done: float | None = None


class Source(ABC):
    """Samples in a fixed order.

    Attributes:
        reader: Reads the chunks.
    """

    reader: Reader

    @abstractmethod
    def chunks(self) -> Iterator[Chunk]:
        """All samples, always cut at the same places.

        Raises:
            ValueError: If the source is damaged; earlier chunks remain valid.
        """


def cut(samples: Iterable[tuple[Any, int, float | None]]) -> Iterator[Chunk]:
    """Chunks from a stream of samples, each with its weight and the share of the source read so far.

    If the stream raises a ``ValueError``, the samples before it are yielded first.
    """
    held: list[Any] = []
    weight, done = 0, None
    try:
        for sample, more, position in samples:
            if held and (len(held) == MOST_SAMPLES or weight + more > MOST_WEIGHT):
                yield Chunk(held, done)
                held, weight = [], 0
            held.append(sample)
            weight += more
            done = position
    except ValueError:
        if held:
            yield Chunk(held, done)
        raise
    if held:
        yield Chunk(held, 1.0)


def cuts(weights: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Chunks of samples with these weights, as half-open ranges."""
    first = weight = 0
    for place, more in enumerate(weights):
        if place > first and (place - first == MOST_SAMPLES or weight + more > MOST_WEIGHT):
            yield first, place
            first, weight = place, 0
        weight += more
    if first < len(weights):
        yield first, len(weights)


def with_share(path: Path, parse: Callable[[Iterator[str]], Iterator[Entry]]) -> Iterator[tuple[Entry, float]]:
    """What ``parse`` finds in the lines of a file, each with the share of the file read so far."""
    done = 0.0

    def lines() -> Iterator[str]:
        nonlocal done
        for line, done in lines_of(path):  # noqa: B007
            yield line.decode(errors="replace")

    for found in parse(lines()):
        yield found, done


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Prefix the message of any ``ValueError`` with the path, once."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
