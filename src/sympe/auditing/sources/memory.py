"""Graphs, fields and points that are in memory as one batch, with their targets; the audit itself is on the CPU."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cuts
from sympe.auditing.sources.pairs import kind_of
from sympe.auditing.targets import Target
from sympe.graphs import Graphs
from sympe.points import PointClouds


@dataclass(frozen=True)
class Block:
    """Some of the inputs and their targets; cut by slices."""

    x: Graphs | PointClouds | Tensor
    target: Target | None

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, part: slice) -> "Block":
        first, last, _ = part.indices(len(self))
        return next(_blocks(self.x, self.target, [(first, last)]))


@dataclass(frozen=True)
class BlockReader(Reader):
    """Reads blocks: they are read already.

    Attributes:
        kind: What the inputs are.
    """

    kind: Kind

    def read(self, raw: Block) -> tuple[Graphs | PointClouds | Tensor, Target | None]:
        if not isinstance(raw.x, Tensor):
            return raw.x.validate(), raw.target
        if raw.x.is_floating_point() and not bool(torch.isfinite(raw.x).all()):
            raise ValueError("fields must be finite; got infinity or not a number")
        return raw.x, raw.target


class InMemory(Source):
    """A batch of graphs, of fields or of clouds of points.

    Args:
        x: The inputs.
        target: Their targets, or None.
        name: What complaints call them.

    Raises:
        ValueError: If there is not one target per entry.
    """

    def __init__(self, x: Graphs | PointClouds | Tensor, target: Target | None = None, name: str = "the data") -> None:
        self.name = name
        self.x = x.to("cpu")
        self.target = None if target is None else replace(target, values=target.values.detach().cpu())
        self.reader: Reader = BlockReader(kind_of(x))
        if target is not None:
            expected = _rows(x, target.per)
            if len(target.values) != expected:
                raise ValueError(f"expected {expected} targets, one per {target.per}; got {len(target.values)}")

    def chunks(self) -> Iterator[Chunk]:
        places = list(cuts(_weights(self.x)))
        for (_, last), block in zip(places, _blocks(self.x, self.target, places), strict=True):
            yield Chunk(block, last / len(self.x))


def _weights(x: Graphs | PointClouds | Tensor) -> list[int]:
    """About how many bytes each of the inputs takes."""
    if isinstance(x, Graphs):
        edges = torch.bincount(x.batch[x.edge_index[0]], minlength=len(x))
        return (40 * (x.sizes + edges)).tolist()
    if isinstance(x, PointClouds):
        return (8 * (x.dimension + 1) * x.sizes).tolist()
    return [8 * x[0].numel()] * len(x) if len(x) else []


def _rows(x: Graphs | PointClouds | Tensor, per: str) -> int:
    if isinstance(x, PointClouds):
        if per not in ("point", "sample"):
            raise ValueError(f"a cloud of points has no targets per {per}; expected sample or point")
        return x.num_points if per == "point" else len(x)
    if isinstance(x, Graphs) and per != "sample":
        counts = {"node": x.num_nodes, "edge": x.num_edges, "pair": int((x.sizes**2).sum())}
        if per not in counts:
            raise ValueError(f"a graph has no targets per {per}; expected sample, node, edge or pair")
        return counts[per]
    return len(x)


def _blocks(x: Graphs | PointClouds | Tensor, target: Target | None, places: list[tuple[int, int]]) -> Iterator[Block]:
    """Runs of inputs that follow each other."""
    if isinstance(x, Graphs):
        return _blocks_of_graphs(x, target, places)
    return _blocks_of_points(x, target, places) if isinstance(x, PointClouds) else _blocks_of_fields(x, target, places)


def _blocks_of_fields(x: Tensor, target: Target | None, places: list[tuple[int, int]]) -> Iterator[Block]:
    for first, last in places:
        own = None if target is None else replace(target, values=target.values[first:last])
        yield Block(x[first:last], own)


def _blocks_of_points(x: PointClouds, target: Target | None, places: list[tuple[int, int]]) -> Iterator[Block]:
    ptr = x.ptr.tolist()
    for first, last in places:
        points = slice(ptr[first], ptr[last])
        own = target
        if target is not None:
            own = replace(target, values=target.values[points if target.per == "point" else slice(first, last)])
        species = None if x.species is None else x.species[points]
        yield Block(PointClouds(x.position[points], x.batch[points] - first, species, num_clouds=last - first), own)


def _blocks_of_graphs(graphs: Graphs, target: Target | None, places: list[tuple[int, int]]) -> Iterator[Block]:
    """Edges are sorted by graph once for all."""
    owner = graphs.batch[graphs.edge_index[0]] if graphs.num_edges else graphs.edge_index[0]
    order = torch.argsort(owner, stable=True) if bool((owner.diff() < 0).any()) else torch.arange(len(owner))
    edge_ptr = torch.searchsorted(owner[order], torch.arange(len(graphs) + 1)).tolist()
    node_ptr = graphs.ptr.tolist()
    pair_ptr = torch.cat([graphs.sizes.new_zeros(1), (graphs.sizes**2).cumsum(0)]).tolist()
    for first, last in places:
        nodes = slice(node_ptr[first], node_ptr[last])
        edges = order[edge_ptr[first] : edge_ptr[last]]
        own = None
        if target is not None:
            values = target.values
            if target.per == "edge":
                values = values[edges]
            else:
                ptr = {"node": node_ptr, "pair": pair_ptr}.get(target.per, range(len(graphs) + 1))
                values = values[ptr[first] : ptr[last]]
            own = replace(target, values=values)
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
