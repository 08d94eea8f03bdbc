"""A batch of graphs, fields, points or crystals in memory, with targets; moved to the CPU for the audit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

import torch
from torch import Tensor

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cuts
from sympe.auditing.sources.pairs import kind_of
from sympe.auditing.symmetry.graphs import target_counts
from sympe.auditing.targets import Per, Target
from sympe.crystals import Crystals
from sympe.graphs import Graphs
from sympe.points import PointClouds

Inputs = Graphs | PointClouds | Crystals | Tensor


@dataclass(frozen=True)
class Block:
    """Consecutive inputs and their targets; supports slices."""

    x: Inputs
    target: Target | None

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, part: slice) -> "Block":
        first, last, _ = part.indices(len(self))
        x: Any = self.x[first:last] if isinstance(self.x, Tensor) else self.x.select(range(first, last))
        if self.target is None:
            return Block(x, None)
        return Block(x, replace(self.target, values=self.target.values[self._rows(self.target.per, first, last)]))

    def _rows(self, per: Per, first: int, last: int) -> slice | Tensor:
        """Where the targets of a range of inputs are."""
        x = self.x
        if isinstance(x, Graphs) and per == "edge":
            return x.edges_between(first, last)
        if isinstance(x, Graphs) and per == "pair":
            before, own = (int((x.sizes[part] ** 2).sum()) for part in (slice(first), slice(first, last)))
            return slice(before, before + own)
        if not isinstance(x, Tensor) and per in ("node", "point"):
            return slice(int(x.ptr[first]), int(x.ptr[last]))
        return slice(first, last)


@dataclass(frozen=True)
class BlockReader(Reader):
    """Validates blocks."""

    kind: Kind
    is_bonds: bool = False

    def read(self, raw: Block) -> tuple[Inputs, Target | None]:
        return raw.x if isinstance(raw.x, Tensor) else raw.x.validate(), raw.target


class InMemory(Source):
    """A batch of graphs, fields, point clouds or crystals.

    Args:
        x: The inputs.
        target: Their targets, or None.
        is_bonds: Whether fields hold numbers for bonds.

    Raises:
        ValueError: If there is not one target per entry.
    """

    def __init__(self, x: Inputs, target: Target | None = None, is_bonds: bool = False) -> None:
        own = None if target is None else replace(target, values=target.values.detach().cpu())
        self.block = Block(x.to("cpu"), own)
        self.reader: Reader = BlockReader(kind_of(x), is_bonds)
        if target is not None:
            target.check(_counts(x))

    def chunks(self) -> Iterator[Chunk]:
        for first, last in cuts(_weights(self.block.x)):
            yield Chunk(self.block[first:last], last / len(self.block))


def _weights(x: Inputs) -> list[int]:
    """Approximate size of each input in bytes."""
    if isinstance(x, Graphs):
        edges = torch.bincount(x.batch[x.edge_index[0]], minlength=len(x))
        return (40 * (x.sizes + edges)).tolist()
    if isinstance(x, PointClouds | Crystals):
        return (32 * x.sizes).tolist()
    return [8 * x[0].numel()] * len(x) if len(x) else []


def _counts(x: Inputs) -> dict[Per, int]:
    if isinstance(x, Graphs):
        return target_counts(x)
    if isinstance(x, PointClouds | Crystals):
        return {"sample": len(x), "point": x.num_points}
    return dict.fromkeys(get_args(Per), len(x))
