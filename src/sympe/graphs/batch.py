"""The library's graph type: a ragged batch of graphs, stored flat as in PyG.

The nodes of all graphs are at positions ``0 .. N-1``, graph after graph; ``batch`` holds the graph of each node. An
undirected edge is stored in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from sympe.caching import cached

_TENSORS = ("edge_index", "batch", "node_label", "edge_label", "x")


@dataclass(frozen=True, eq=False)
class Graphs:
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
        for name in ("edge_index", "batch", "node_label", "edge_label"):
            value = getattr(self, name)
            if value is None:
                continue
            if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
                raise ValueError(f"{name} must hold integers; got {value.dtype}")
            if value.dtype != torch.int64:
                object.__setattr__(self, name, value.long())
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
        if self.num_nodes and (bool((self.batch[1:] < self.batch[:-1]).any()) or int(self.batch[0]) < 0):
            raise ValueError("batch must be non-decreasing and start at 0 or above: store the nodes graph after graph")
        if self.num_nodes and int(self.batch[-1]) >= self.num_graphs:
            raise ValueError(f"batch names graph {int(self.batch[-1])}; there are {self.num_graphs} graphs")
        if self.num_edges:
            low, high = map(int, self.edge_index.aminmax())
            if low < 0 or high >= self.num_nodes:
                raise ValueError(f"edges must join nodes 0..{self.num_nodes - 1}; got nodes {low}..{high}")
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

    @property
    def device(self) -> torch.device:
        return self.batch.device

    def __len__(self) -> int:
        return self.num_graphs

    @cached
    def sizes(self) -> Int[Tensor, "G"]:
        """Number of nodes of each graph."""
        ones = torch.ones_like(self.batch)
        return ones.new_zeros(self.num_graphs).index_add_(0, self.batch, ones)

    @cached
    def ptr(self) -> Int[Tensor, "G_plus_1"]:
        """First position of each graph, and the number of nodes at the end."""
        return torch.cat([self.sizes.new_zeros(1), self.sizes.cumsum(0)])

    @cached
    def start(self) -> Int[Tensor, "N"]:
        """First position of each node's graph."""
        return self.ptr[self.batch]

    @cached
    def max_nodes(self) -> int:
        """Number of nodes of the largest graph."""
        return int(self.sizes.max()) if self.num_graphs else 0

    def to(self, device: torch.device | str) -> "Graphs":
        """The same graphs on another device."""
        moved: dict[str, Any] = {name: value.to(device) for name, value in self._tensors().items()}
        return replace(self, **moved)

    def split(self) -> "list[Graphs]":
        """The graphs, each as a batch of one."""
        return [self.select([index]) for index in range(len(self))]

    def select(self, indices: Sequence[int] | Int[Tensor, "k"]) -> "Graphs":
        """The graphs at ``indices``, in that order (repeats allowed).

        Raises:
            ValueError: If an index is not an integer from 0 to the number of graphs less 1.
        """
        is_one = isinstance(indices, Sequence) and len(indices) == 1 and type(indices[0]) is int
        if is_one and 0 <= indices[0] < self.num_graphs:
            return self._one(int(indices[0]))
        chosen = torch.as_tensor(indices, device=self.device)
        if chosen.dim() != 1 or (chosen.numel() and (chosen.is_floating_point() or chosen.dtype == torch.bool)):
            raise ValueError(f"indices must be one row of integers; got {chosen.dtype} {list(chosen.shape)}")
        chosen = chosen.long()
        if len(chosen) and (int(chosen.min()) < 0 or int(chosen.max()) >= self.num_graphs):
            raise ValueError(
                f"indices must lie in 0..{self.num_graphs - 1}; got {int(chosen.min())}..{int(chosen.max())}"
            )
        sizes = self.sizes[chosen]
        batch = torch.repeat_interleave(torch.arange(len(chosen), device=self.device), sizes)
        ends = sizes.cumsum(0)
        nodes = torch.arange(batch.shape[0], device=self.device) + (self.ptr[chosen] - (ends - sizes))[batch]

        edge_order, edge_ptr = self._edges_by_graph
        counts = edge_ptr[chosen + 1] - edge_ptr[chosen]
        owner = torch.repeat_interleave(torch.arange(len(chosen), device=self.device), counts)
        within = torch.arange(owner.shape[0], device=self.device) - (counts.cumsum(0) - counts)[owner]
        edges = edge_ptr[chosen][owner] + within
        edges = edges if edge_order is None else edge_order[edges]
        shift = (ends - sizes - self.ptr[chosen])[owner]
        return Graphs(
            edge_index=self.edge_index[:, edges] + shift,
            batch=batch,
            node_label=None if self.node_label is None else self.node_label[nodes],
            edge_label=None if self.edge_label is None else self.edge_label[edges],
            x=None if self.x is None else self.x[nodes],
            num_graphs=len(chosen),
        )._trusted(bool(vars(self).get("_is_valid")))

    def _one(self, index: int) -> "Graphs":
        """The graph at ``index``, by slices: in time that does not depend on the rest of the batch."""
        node_ptr, edge_ptr = self._cuts
        first, end = int(node_ptr[index]), int(node_ptr[index + 1])
        order = self._edges_by_graph[0]
        edges: Any = slice(int(edge_ptr[index]), int(edge_ptr[index + 1]))
        edges = edges if order is None else order[edges]
        # Copied: a view would keep the whole batch.
        return Graphs(
            edge_index=self.edge_index[:, edges] - first,
            batch=self.batch.new_zeros(end - first),
            node_label=None if self.node_label is None else self.node_label[first:end].clone(),
            edge_label=None if self.edge_label is None else self.edge_label[edges].clone(),
            x=None if self.x is None else self.x[first:end].clone(),
            num_graphs=1,
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
    optional: dict[str, Tensor | None] = {}
    for name in ("node_label", "edge_label", "x"):
        values = [getattr(part, name) for part in parts]
        present: list[Tensor] = [value for value in values if value is not None]
        if present and len(present) < len(values):
            raise ValueError(f"either all batches carry {name} or none does; {len(present)} of {len(values)} do")
        if name == "x" and len(widths := {value.shape[1] for value in present}) > 1:
            raise ValueError(f"all batches must carry features of one width; got widths {sorted(widths)}")
        optional[name] = torch.cat(present) if present else None
    node_shift = list(accumulate((part.num_nodes for part in parts), initial=0))
    graph_shift = list(accumulate((part.num_graphs for part in parts), initial=0))
    return Graphs(
        edge_index=torch.cat([part.edge_index + shift for part, shift in zip(parts, node_shift, strict=False)], dim=1),
        batch=torch.cat([part.batch + shift for part, shift in zip(parts, graph_shift, strict=False)]),
        num_graphs=graph_shift[-1],
        **optional,
    )._trusted(all(vars(part).get("_is_valid") for part in parts))
