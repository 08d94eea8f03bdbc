"""A batch of graphs, fields or points in memory, with targets; moved to the CPU for the audit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

import torch
from torch import Tensor

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cuts
from sympe.auditing.sources.pairs import kind_of
from sympe.auditing.symmetry.graphs import target_counts
from sympe.auditing.targets import Per, Target
from sympe.graphs import Graphs
from sympe.points import PointClouds


@dataclass(frozen=True)
class Block:
    """Consecutive inputs and their targets; supports slices."""

    x: Graphs | PointClouds | Tensor
    target: Target | None

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, part: slice) -> "Block":
        first, last, _ = part.indices(len(self))
        return next(_blocks(self.x, self.target, [(first, last)]))


@dataclass(frozen=True)
class BlockReader(Reader):
    """Validates blocks."""

    kind: Kind

    def read(self, raw: Block) -> tuple[Graphs | PointClouds | Tensor, Target | None]:
        return raw.x if isinstance(raw.x, Tensor) else raw.x.validate(), raw.target


class InMemory(Source):
    """A batch of graphs, fields or point clouds.

    Args:
        x: The inputs.
        target: Their targets, or None.

    Raises:
        ValueError: If there is not one target per entry.
    """

    def __init__(self, x: Graphs | PointClouds | Tensor, target: Target | None = None) -> None:
        self.x = x.to("cpu")
        self.target = None if target is None else replace(target, values=target.values.detach().cpu())
        self.reader: Reader = BlockReader(kind_of(x))
        if target is not None:
            target.check(_counts(x))

    def chunks(self) -> Iterator[Chunk]:
        places = list(cuts(_weights(self.x)))
        for (_, last), block in zip(places, _blocks(self.x, self.target, places), strict=True):
            yield Chunk(block, last / len(self.x))


def _weights(x: Graphs | PointClouds | Tensor) -> list[int]:
    """Approximate size of each input in bytes."""
    if isinstance(x, Graphs):
        edges = torch.bincount(x.batch[x.edge_index[0]], minlength=len(x))
        return (40 * (x.sizes + edges)).tolist()
    if isinstance(x, PointClouds):
        return (8 * (x.dimension + 1) * x.sizes).tolist()
    return [8 * x[0].numel()] * len(x) if len(x) else []


def _counts(x: Graphs | PointClouds | Tensor) -> dict[Per, int]:
    if isinstance(x, Graphs):
        return target_counts(x)
    if isinstance(x, PointClouds):
        return {"sample": len(x), "point": x.num_points}
    return dict.fromkeys(get_args(Per), len(x))


def _blocks(x: Graphs | PointClouds | Tensor, target: Target | None, places: list[tuple[int, int]]) -> Iterator[Block]:
    """The inputs in each range, with their targets."""
    if isinstance(x, Graphs):
        return _blocks_of_graphs(x, target, places)
    return _blocks_of_points(x, target, places) if isinstance(x, PointClouds) else _blocks_of_fields(x, target, places)


def _blocks_of_fields(x: Tensor, target: Target | None, places: list[tuple[int, int]]) -> Iterator[Block]:
    for first, last in places:
        yield Block(x[first:last], _rows(target, slice(first, last)))


def _blocks_of_points(x: PointClouds, target: Target | None, places: list[tuple[int, int]]) -> Iterator[Block]:
    ptr = x.ptr.tolist()
    for first, last in places:
        points = slice(ptr[first], ptr[last])
        own = _rows(target, slice(first, last), point=points)
        species = None if x.species is None else x.species[points]
        yield Block(PointClouds(x.position[points], x.batch[points] - first, species, num_clouds=last - first), own)


def _blocks_of_graphs(graphs: Graphs, target: Target | None, places: list[tuple[int, int]]) -> Iterator[Block]:
    owner = graphs.batch[graphs.edge_index[0]] if graphs.num_edges else graphs.edge_index[0]
    order = torch.argsort(owner, stable=True) if bool((owner.diff() < 0).any()) else torch.arange(len(owner))
    edge_ptr = torch.searchsorted(owner[order], torch.arange(len(graphs) + 1)).tolist()
    node_ptr = graphs.ptr.tolist()
    pair_ptr = torch.cat([graphs.sizes.new_zeros(1), (graphs.sizes**2).cumsum(0)]).tolist()
    for first, last in places:
        nodes = slice(node_ptr[first], node_ptr[last])
        edges = order[edge_ptr[first] : edge_ptr[last]]
        pairs = slice(pair_ptr[first], pair_ptr[last])
        own = _rows(target, slice(first, last), node=nodes, edge=edges, pair=pairs)
        yield Block(
            Graphs(
                edge_index=graphs.edge_index[:, edges] - node_ptr[first],
                batch=graphs.batch[nodes] - first,
                node_label=None if graphs.node_label is None else graphs.node_label[nodes],
                edge_label=None if graphs.edge_label is None else graphs.edge_label[edges],
                x=None if graphs.x is None else graphs.x[nodes],
                num_graphs=last - first,
            ),
            own,
        )


def _rows(target: Target | None, samples: slice, **others: slice | Tensor) -> Target | None:
    """The targets of some samples, given the rows of other kinds of targets by ``per``."""
    return None if target is None else replace(target, values=target.values[others.get(target.per, samples)])
