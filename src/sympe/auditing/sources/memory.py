"""Graphs, fields and points that are in memory as one batch, with their targets; the audit itself is on the CPU."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cuts
from sympe.auditing.targets import Target
from sympe.graphs import Graphs
from sympe.points import PointClouds


@dataclass(frozen=True)
class GraphBlock:
    """Some graphs and their targets; cut by slices."""

    graphs: Graphs
    target: Target | None

    def __len__(self) -> int:
        return len(self.graphs)

    def __getitem__(self, part: slice) -> "GraphBlock":
        first, last, _ = part.indices(len(self))
        return next(_blocks(self.graphs, self.target, [(first, last)]))


@dataclass(frozen=True)
class FieldBlock:
    """Some fields and their targets; cut by slices."""

    fields: Tensor
    target: Target | None

    def __len__(self) -> int:
        return len(self.fields)

    def __getitem__(self, part: slice) -> "FieldBlock":
        target = self.target
        own = None if target is None else replace(target, values=target.values[part])
        return FieldBlock(self.fields[part], own)


@dataclass(frozen=True)
class PointBlock:
    """Some clouds of points and their targets; cut by slices."""

    clouds: PointClouds
    target: Target | None

    def __len__(self) -> int:
        return len(self.clouds)

    def __getitem__(self, part: slice) -> "PointBlock":
        first, last, _ = part.indices(len(self))
        clouds, target = self.clouds, self.target
        points = slice(int(clouds.ptr[first]), int(clouds.ptr[last]))
        if target is not None:
            target = replace(target, values=target.values[points if target.per == "point" else part])
        species = None if clouds.species is None else clouds.species[points]
        own = PointClouds(clouds.position[points], clouds.batch[points] - first, species, num_clouds=last - first)
        return PointBlock(own, target)


@dataclass(frozen=True)
class GraphBlocks(Reader):
    """Reads blocks of graphs: they are read already."""

    kind: Kind = "graphs"

    def read(self, raw: GraphBlock) -> tuple[Graphs, Target | None]:
        return raw.graphs.validate(), raw.target


@dataclass(frozen=True)
class FieldBlocks(Reader):
    """Reads blocks of fields."""

    kind: Kind = "fields"

    def read(self, raw: FieldBlock) -> tuple[Tensor, Target | None]:
        if raw.fields.is_floating_point() and not bool(torch.isfinite(raw.fields).all()):
            raise ValueError("fields must be finite; got infinity or not a number")
        return raw.fields, raw.target


@dataclass(frozen=True)
class PointBlocks(Reader):
    """Reads blocks of clouds."""

    kind: Kind = "points"

    def read(self, raw: PointBlock) -> tuple[PointClouds, Target | None]:
        return raw.clouds.validate(), raw.target


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
        readers = {Graphs: GraphBlocks, PointClouds: PointBlocks}
        self.reader: Reader = readers.get(type(x), FieldBlocks)()
        if target is not None:
            expected = _rows(x, target.per)
            if len(target.values) != expected:
                raise ValueError(f"expected {expected} targets, one per {target.per}; got {len(target.values)}")

    def chunks(self) -> Iterator[Chunk]:
        if isinstance(self.x, Graphs):
            edges = torch.bincount(self.x.batch[self.x.edge_index[0]], minlength=len(self.x))
            weights = 40 * (self.x.sizes + edges)
            places = list(cuts(weights.tolist()))
            for (_, last), block in zip(places, _blocks(self.x, self.target, places), strict=True):
                yield Chunk(block, last / len(self.x))
        elif isinstance(self.x, PointClouds):
            clouds = PointBlock(self.x, self.target)
            for first, last in cuts((8 * (self.x.dimension + 1) * self.x.sizes).tolist()):
                yield Chunk(clouds[first:last], last / len(clouds))
        else:
            fields = FieldBlock(self.x, self.target)
            for first, last in cuts([8 * self.x[0].numel()] * len(fields) if len(fields) else []):
                yield Chunk(fields[first:last], last / len(fields))


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


def _blocks(graphs: Graphs, target: Target | None, places: list[tuple[int, int]]) -> Iterator[GraphBlock]:
    """Runs of graphs that follow each other; edges are sorted by graph once for all."""
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
        yield GraphBlock(
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
