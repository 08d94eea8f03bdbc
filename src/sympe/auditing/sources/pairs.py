"""Pairs (x, y) of an input and its target from the user's own code: PyG, networkx, arrays, points, crystals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from sympe import crystals, graphs, points
from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cut
from sympe.auditing.targets import VECTOR_SHAPES, Per, Target
from sympe.crystals.convert import is_crystal
from sympe.graphs import Graphs, concatenate
from sympe.graphs.convert import is_networkx
from sympe.groups.base import as_numbers

_LOOK_AHEAD = 100
#: What a target of a graph may belong to, the most specific first.
_GRAPH_TARGETS: tuple[Per, ...] = ("pair", "node", "edge", "sample")

#: Attributes by which PyG, scipy and RDKit, or PyG and ASE, are known.
_GRAPHS, _POINTS = {"edge_index", "adj_t", "tocoo", "GetAtoms"}, {"pos", "get_positions"}


@dataclass(frozen=True)
class PairReader(Reader):
    """Reads pairs (x, y).

    Attributes:
        kind: Kind of the inputs.
        per: What each entry of a target belongs to; None without targets.
        vector: Whether targets are vectors or matrices in space.
    """

    kind: Kind
    per: Per | None
    vector: bool = False

    def read(self, raw: Sequence[tuple[Any, Any]]) -> tuple[Any, Target | None]:
        inputs = [x for x, _ in raw]
        if self.kind == "fields":
            x: Any = _stacked([_tensor(value, "a field") for value in inputs], "fields")
        elif self.kind == "crystals":
            x = crystals.concatenate([crystals.as_crystals(value).to("cpu") for value in inputs])
        elif self.kind == "points":
            x = points.concatenate([as_points(value) for value in inputs])
        else:
            x = concatenate([graphs.as_graphs(value).to("cpu") for value in inputs])
        if self.per is None:
            return x, None
        targets = [_tensor(y, "a target") for _, y in raw]
        if self.per == "point" and [len(y) for y in targets] != x.sizes.tolist():
            raise ValueError(f"expected a target per point; got {[len(y) for y in targets]} for {x.sizes.tolist()}")
        if self.kind == "graphs":
            sizes = x.sizes.tolist()
            edges = torch.bincount(x.batch[x.edge_index[0]], minlength=len(x)).tolist()
            for y, n, m in zip(targets, sizes, edges, strict=True):
                if not _fits(y, self.per, n, m):
                    raise ValueError(
                        f"expected a target per {self.per} of a graph of {n} nodes and {m} directed edges; "
                        f"got shape {list(y.shape)}"
                    )
        if self.per == "pair":
            values = torch.cat([y.flatten(0, 1) for y in targets])
        elif self.per == "point":
            values = torch.cat(targets)
        elif self.per in ("node", "edge"):
            values = torch.cat([y.flatten(1) if y.dim() > 1 else y[:, None] for y in targets])
        else:
            values = _stacked(targets, "targets")
        return x, Target(values, self.per, self.vector)


class Pairs(Source):
    """A stream of inputs, or of pairs of an input and its target.

    Args:
        samples: Inputs x, or pairs (x, y). A tuple of two is a pair, unless points are expected and it holds positions
            ``[n, 3]`` and kinds ``[n]``, which make one input.
        kind: Kind of the inputs; by default inferred from the first one.
        per: What each entry of a target belongs to; by default inferred from the shapes of the first targets.
        total: Number of samples, if known.

    Raises:
        ValueError: If a target fits nothing, or the kind of an input is unknown.
    """

    def __init__(
        self,
        samples: Iterable[Any],
        kind: Kind | None = None,
        per: Per | None = None,
        total: int | None = None,
    ) -> None:
        self.total = total
        if per is not None and per not in get_args(Per):
            raise ValueError(f"per must be one of {', '.join(get_args(Per))}; got {per!r}")
        waiting = (_as_pair(sample, kind) for sample in samples)
        first = list(islice(waiting, _LOOK_AHEAD))
        self._pairs = chain(first, waiting)
        if kind is None:
            kind = kind_of(first[0][0]) if first else "graphs"
        vector = False
        if per is None and any(y is not None for _, y in first):
            per = _per_of(first, kind)
        if kind in ("points", "crystals") and per is not None:
            shapes = {_tensor(y, "a target").shape[per == "point" :] for _, y in first if y is not None}
            vector = len(shapes) == 1 and shapes <= VECTOR_SHAPES
        self.reader: PairReader = PairReader(kind, per, vector)

    def chunks(self) -> Iterator[Chunk]:
        def weighed() -> Iterator[tuple[Any, int, float | None]]:
            for place, (x, y) in enumerate(self._pairs, start=1):
                weight = 8 * sum(_numbers(value) for value in (x, y))
                yield (x, y), weight, None if self.total is None else place / self.total

        return cut(weighed())


def as_batch(data: Any, kind: Kind | None = None) -> Graphs | points.PointClouds | crystals.Crystals | Tensor | None:
    """A whole batch from what users hold; None if it may be a list or a stream of samples.

    Args:
        data: See :func:`sympe.graphs.as_graphs` and :func:`sympe.points.as_clouds`; a tensor or array of fields.
        kind: What it holds; by default inferred from its type.

    Raises:
        ValueError: If it is not valid.
    """
    if isinstance(data, tuple) and kind == "graphs" and len(data) == 2 and all(isinstance(x, Tensor) for x in data):
        return graphs.as_graphs(data)
    if isinstance(data, list | tuple) or (found := _kind_of(data)) is None:
        return None
    kind = kind or found
    if isinstance(data, Graphs | points.PointClouds | crystals.Crystals) or kind == "fields":
        return as_numbers(data, "fields") if isinstance(data, np.ndarray) else data
    if kind == "crystals":
        return crystals.as_crystals(data)
    return graphs.as_graphs(data) if kind == "graphs" else points.as_clouds(data)


def as_points(value: Any) -> points.PointClouds:
    """One cloud on the CPU: positions, (positions, kinds), or what :func:`sympe.points.as_clouds` takes."""
    kinds = None
    if isinstance(value, tuple) and len(value) == 2:
        value, kinds = value
    elif not isinstance(value, Tensor | np.ndarray | list | tuple):
        return points.as_clouds(value).to("cpu")
    positions = _tensor(value, "positions")
    if not positions.is_floating_point():
        positions = positions.double()
    return points.from_clouds([positions], None if kinds is None else [_tensor(kinds, "kinds")])


def _as_pair(sample: Any, kind: Kind | None) -> tuple[Any, Any]:
    """Input and target; see :class:`Pairs` for tuples of positions and kinds."""
    if isinstance(sample, tuple) and len(sample) == 2:
        first, second = (tuple(getattr(value, "shape", ())) for value in sample)
        if kind == "points" and len(first) == 2 and second == first[:1]:
            return sample, None
        return sample
    return sample, None


def kind_of(x: Any) -> Kind:
    """Kind of an input or of a batch of inputs; a tuple holds positions and kinds of points."""
    kind = "points" if isinstance(x, tuple) else _kind_of(x)
    if kind is None:
        raise ValueError(f"expected a graph, a field, points or a crystal; got {type(x).__name__}")
    return kind


def _kind_of(x: Any) -> Kind | None:
    if isinstance(x, Tensor | np.ndarray):
        return "fields"
    has = {name for name in _GRAPHS | _POINTS if getattr(x, name, None) is not None}
    if isinstance(x, Graphs) or is_networkx(x) or has & _GRAPHS:
        return "graphs"
    if is_crystal(x):
        return "crystals"
    return "points" if isinstance(x, points.PointClouds) or has or (isinstance(x, Mapping) and "pos" in x) else None


def _per_of(pairs: Sequence[tuple[Any, Any]], kind: Kind) -> Per:
    targets = [_tensor(y, "a target") for _, y in pairs]
    if kind == "fields":
        return "site" if all(y.dim() >= 2 for y in targets) else "sample"
    if kind in ("points", "crystals"):
        sizes = [(as_points(x) if kind == "points" else crystals.as_crystals(x)).num_points for x, _ in pairs]
        return "point" if all(y.shape[:1] == (n,) for y, n in zip(targets, sizes, strict=True)) else "sample"
    read = [graphs.as_graphs(x) for x, _ in pairs]
    for per in _GRAPH_TARGETS:
        if all(_fits(y, per, g.num_nodes, g.num_edges) for y, g in zip(targets, read, strict=True)):
            return per
    shapes = sorted({str(list(y.shape)) for y in targets})
    raise ValueError(f"expected targets per sample, node, edge or pair; got shapes {', '.join(shapes[:3])}")


def _fits(y: Tensor, per: Per, n: int, m: int) -> bool:
    if per == "pair":
        return y.dim() >= 2 and y.shape[:2] == (n, n)
    if per in ("node", "edge"):
        return y.shape[:1] == (n if per == "node" else m,)
    return True


def _stacked(values: Sequence[Tensor], what: str) -> Tensor:
    if len(shapes := {str(list(value.shape)) for value in values}) > 1:
        raise ValueError(f"expected {what} of one shape; got {' and '.join(sorted(shapes)[:2])}")
    return torch.stack(list(values))


def _tensor(value: Any, what: str) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    return as_numbers(value if np.isscalar(value) else np.asarray(value), what)


def _numbers(value: Any) -> int:
    """Approximate number of numbers in a value."""
    if isinstance(value, Tensor):
        return value.numel()
    if isinstance(value, np.ndarray):
        return value.size
    if is_networkx(value):
        return 4 * (len(value) + int(value.number_of_edges()))
    edges = getattr(value, "edge_index", None)
    return 64 + (0 if edges is None else 4 * edges.numel())
