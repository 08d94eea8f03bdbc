"""Where samples come from: a source cuts its data into chunks, a reader makes inputs and targets of a chunk.

Cutting is quick and done in one process, in one pass and in the order of the data. Reading is done wherever there is
a core. The cuts depend on the data alone, so that an audit can be taken up again after a kill.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sympe.auditing.targets import Target

Kind = Literal["graphs", "fields", "points"]

#: Samples and bytes (or numbers) of a chunk, at most; one sample may be larger.
MOST_SAMPLES = 1000
MOST_WEIGHT = 2_000_000


class Reader(ABC):
    """Makes inputs and targets of raw samples; survives pickling, so that it can be sent to other processes.

    Attributes:
        kind: What the inputs are.
    """

    kind: Kind
    #: Label of the nodes that are hydrogen atoms, where nodes are atoms.
    hydrogen: int | None = None

    @abstractmethod
    def read(self, raw: Any) -> tuple[Any, Target | None]:
        """The inputs as one batch, and the targets if there are any.

        Raises:
            ValueError: If a sample cannot be read. Each is then read by itself, and those that fail are skipped.
        """


@dataclass(frozen=True)
class Chunk:
    """Raw samples that follow each other.

    Attributes:
        raw: The samples; has a length and can be cut by slices.
        done: Share of the source that has been read when this chunk is, or None if that is unknown.
    """

    raw: Any
    done: float | None = None


class Source(ABC):
    """Samples in an order of their own.

    Attributes:
        name: What complaints call it.
        reader: What reads its chunks.
    """

    name: str
    reader: Reader

    @abstractmethod
    def chunks(self) -> Iterator[Chunk]:
        """All samples, cut in the same places every time.

        Raises:
            ValueError: If the source is damaged; what was cut before stays good.
        """


def cut(samples: Iterable[tuple[Any, int, float | None]]) -> Iterator[Chunk]:
    """Chunks of samples that come one by one, each with its weight and the share that has been read.

    What came before damage is handed out first.
    """
    held: list[Any] = []
    weight, done = 0, None
    damage: ValueError | None = None
    try:
        for sample, more, position in samples:
            if held and (len(held) == MOST_SAMPLES or weight + more > MOST_WEIGHT):
                yield Chunk(held, done)
                held, weight = [], 0
            held.append(sample)
            weight += more
            done = position
    except ValueError as error:
        damage = error
    if held:
        yield Chunk(held, done if damage else 1.0)
    if damage:
        raise damage


def cuts(weights: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where to cut samples of these weights, as pairs of first and last plus one."""
    first = weight = 0
    for place, more in enumerate(weights):
        if place > first and (place - first == MOST_SAMPLES or weight + more > MOST_WEIGHT):
            yield first, place
            first, weight = place, 0
        weight += more
    if first < len(weights):
        yield first, len(weights)
