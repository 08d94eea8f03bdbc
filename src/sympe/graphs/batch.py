"""The library's graph type: a ragged batch of graphs, stored flat as in PyG.

The nodes of all graphs are at positions ``0 .. N-1``, graph after graph; ``batch`` holds the graph of each node. An
undirected edge is stored in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from sympe.ragged import Ragged, cached, joined, rows_of

_TENSORS = ("edge_index", "batch", "node_label", "edge_label", "x")


@dataclass(frozen=True, eq=False)
class Graphs(Ragged):
    """A batch of graphs, with optional labels and features that symmetries must preserve.

    The constructor checks shapes, types and devices; :meth:`validate`, which the ``from_...`` functions call, also
    checks values. Integers of any width are accepted and kept in 64 bits: hashes and pairs of nodes would overflow.

    Attributes:
        edge_index: Source and target position of each directed edge.
        batch: The graph of each node, non-decreasing.
        node_label: Integer kind of each node (an element, say), or None.
        edge_label: Integer kind of each directed edge (a bond type), or None.
        x: Node features, or None. Nodes with different features are not symmetric.
        num_graphs: Number of graphs; by default read off ``batch``, which assumes that the last graph is not empty.

    Raises:
        ValueError: If shapes, types or devices do not fit together.
    """

    edge_index: Int[Tensor, "2 E"]
    batch: Int[Tensor, "N"]
    node_label: Int[Tensor, "N"] | None = None
    edge_label: Int[Tensor, "E"] | None = None
    x: Float[Tensor, "N d"] | None = None
    num_graphs: int = -1
    words: ClassVar[tuple[str, str]] = ("graph", "node")

    def __post_init__(self) -> None:
        if self.edge_index.dim() != 2 or self.edge_index.shape[0] != 2:
            raise ValueError(f"edge_index must have shape [2, E]; got {list(self.edge_index.shape)}")
        if self.batch.dim() != 1:
            raise ValueError(f"batch must have shape [N]; got {list(self.batch.shape)}")
        rows = {"node_label": (self.num_nodes, 1), "edge_label": (self.num_edges, 1), "x": (self.num_nodes, 2)}
        for name, (count, dim) in rows.items():
            value = getattr(self, name)
            if value is None:
                continue
            if value.shape[:1] != (count,):
                where = "" if name == "edge_label" else f" (batch names {count} nodes)"
                raise ValueError(f"{name} must have {count} rows; got shape {list(value.shape)}{where}")
            if value.dim() != dim:
                raise ValueError(f"{name} must have {dim} dimension{'s'[: dim - 1]}; got shape {list(value.shape)}")
        self._widen_integers("edge_index", "batch", "node_label", "edge_label")
        if self.x is not None and not self.x.is_floating_point():
            raise ValueError(f"x must hold floating-point numbers; got {self.x.dtype}")
        devices = {t.device for t in self._tensors().values()}
        if len(devices) > 1:
            raise ValueError(f"all tensors must be on one device; got {sorted(map(str, devices))}")
        if self.num_graphs < 0:
            object.__setattr__(self, "num_graphs", int(self.batch[-1]) + 1 if self.num_nodes else 0)

    def _tensors(self) -> dict[str, Tensor]:
        return {name: value for name in _TENSORS if (value := getattr(self, name)) is not None}

    def validate(self) -> "Graphs":
        """Check every value, once per batch, and return the batch itself.

        Raises:
            ValueError: If ``batch`` decreases or is out of range, an edge leaves its graph or the batch, or a feature
                is not finite.
        """
        if vars(self).get("_is_valid"):
            return self
        self.check_batch()
        if self.num_edges:
            low, high = map(int, self.edge_index.aminmax())
            if low < 0 or high >= self.num_nodes:
                raise ValueError(f"edges must join nodes 0..{self.num_nodes - 1}; got nodes {low}..{high}")
        if self.num_edges and len(self) > 1:
            source, target = (self.batch.index_select(0, ends) for ends in self.edge_index)
            if not torch.equal(source, target):
                e = int((source != target).nonzero()[0])
                raise ValueError(
                    f"edge {e} joins graph {int(source[e])} to graph {int(target[e])}; edges stay in one graph"
                )
        if self.x is not None and not bool(torch.isfinite(self.x).all()):
            row = int((~torch.isfinite(self.x)).flatten(1).any(1).nonzero()[0])
            raise ValueError(f"node features must be finite; got {self.x[row].tolist()} at node {row}")
        return self._trusted(True)

    def _trusted(self, is_valid: bool) -> "Graphs":
        """Record that all values have been checked, or come from values that were."""
        if is_valid:
            vars(self)["_is_valid"] = True
        return self

    @property
    def num_nodes(self) -> int:
        return self.batch.shape[0]

    @property
    def num_edges(self) -> int:
        """Number of directed edges; an undirected edge counts twice."""
        return self.edge_index.shape[1]

    def __len__(self) -> int:
        return self.num_graphs

    @cached
    def max_nodes(self) -> int:
        """Number of nodes of the largest graph."""
        return int(self.sizes.max()) if self.num_graphs else 0

    def to(self, device: torch.device | str) -> "Graphs":
        """The same graphs on another device."""
        moved: dict[str, Any] = {name: value.to(device) for name, value in self._tensors().items()}
        return replace(self, **moved)

    def select(self, indices: Sequence[int] | Int[Tensor, "k"]) -> "Graphs":
        """The graphs at ``indices``, in that order (repeats allowed); a range of them, or one, by slices.

        Raises:
            ValueError: If an index is not an integer from 0 to the number of graphs less 1.
        """
        if isinstance(indices, Sequence) and len(indices) == 1 and type(indices[0]) is int:
            indices = range(indices[0], indices[0] + 1)
        if isinstance(indices, range) and indices.step == 1 and 0 <= indices.start < indices.stop <= len(self):
            return self._between(indices.start, indices.stop)
        chosen = self._chosen(indices)
        batch, nodes = rows_of(chosen, self.ptr)
        order, edge_ptr = self._edges_by_graph
        place, edges = rows_of(chosen, edge_ptr)
        sizes = self.sizes[chosen]
        shift = (sizes.cumsum(0) - sizes - self.ptr[chosen])[place]
        return self._taken(nodes, edges if order is None else order[edges], batch, shift, len(chosen))

    def _between(self, first: int, last: int) -> "Graphs":
        """The graphs from ``first`` up to ``last``, in time that does not depend on the rest of the batch."""
        nodes = slice(int(self._cuts[0][first]), int(self._cuts[0][last]))
        batch = self.batch[nodes] - first
        return self._taken(nodes, self.edges_between(first, last), batch, -nodes.start, last - first)

    def edges_between(self, first: int, last: int) -> slice | Int[Tensor, "k"]:
        """Positions of the edges of the graphs from ``first`` up to ``last``, graph after graph."""
        order, edges = self._edges_by_graph[0], slice(int(self._cuts[1][first]), int(self._cuts[1][last]))
        return edges if order is None else order[edges]

    def _taken(
        self, nodes: slice | Tensor, edges: slice | Tensor, batch: Tensor, shift: Tensor | int, count: int
    ) -> "Graphs":
        def rows(values: Tensor | None, taken: slice | Tensor) -> Tensor | None:
            # A slice is copied: as a view it would keep the whole batch.
            return values if values is None else values[taken].clone() if isinstance(taken, slice) else values[taken]

        return Graphs(
            edge_index=self.edge_index[:, edges] + shift,
            batch=batch,
            node_label=rows(self.node_label, nodes),
            edge_label=rows(self.edge_label, edges),
            x=rows(self.x, nodes),
            num_graphs=count,
        )._trusted(bool(vars(self).get("_is_valid")))

    @cached
    def _edges_by_graph(self) -> tuple[Int[Tensor, "E"] | None, Int[Tensor, "G_plus_1"]]:
        """Edges graph after graph, None if they are stored so; the first of each graph, and their number at the end."""
        graph = self.batch[self.edge_index[0]]
        is_stored_so = bool((graph[1:] >= graph[:-1]).all())
        counts = torch.bincount(graph, minlength=self.num_graphs)
        ptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return None if is_stored_so else torch.argsort(graph, stable=True), ptr

    @cached
    def _cuts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first node and the first edge of each graph, on the CPU."""
        return self.ptr.cpu().numpy(), self._edges_by_graph[1].cpu().numpy()


def check_graphs(x: object) -> None:
    """Check that ``x`` is a valid batch of graphs.

    Raises:
        ValueError: If it is not; see also :meth:`Graphs.validate`.
    """
    if not isinstance(x, Graphs):
        raise ValueError(
            f"expected sympe.Graphs; got {type(x).__name__}: make a batch with sympe.graphs.from_edges, "
            f"from_networkx, from_pyg or from_dense"
        )
    if not torch.compiler.is_compiling():
        x.validate()


def concatenate(parts: Sequence[Graphs]) -> Graphs:
    """Join several batches into one.

    Raises:
        ValueError: If there are none, only some carry labels or features, or features differ in width.
    """
    if not parts:
        raise ValueError("expected at least one batch of graphs; got none")
    node_shift = list(accumulate((part.num_nodes for part in parts), initial=0))
    graph_shift = list(accumulate((part.num_graphs for part in parts), initial=0))
    return Graphs(
        edge_index=torch.cat([part.edge_index + shift for part, shift in zip(parts, node_shift, strict=False)], dim=1),
        batch=torch.cat([part.batch + shift for part, shift in zip(parts, graph_shift, strict=False)]),
        num_graphs=graph_shift[-1],
        node_label=joined(parts, "node_label"),
        edge_label=joined(parts, "edge_label"),
        x=joined(parts, "x"),
    )._trusted(all(vars(part).get("_is_valid") for part in parts))
