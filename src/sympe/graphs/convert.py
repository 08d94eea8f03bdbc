"""Graphs from and to edge lists, networkx and dense padded tensors."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from numpy.typing import NDArray
from torch import Tensor

from sympe.graphs.batch import Graphs

if TYPE_CHECKING:
    import networkx


def from_edges(
    graphs: Iterable[tuple[int, Sequence[tuple[int, int]] | NDArray[np.int64]]],
    *,
    node_label: Sequence[int] | None = None,
    edge_label: Sequence[int] | Tensor | None = None,
    directed: bool = False,
) -> Graphs:
    """Graphs from pairs (number of nodes, edges), with nodes counted within each graph.

    Args:
        graphs: The number of nodes and the edges of each graph; list an undirected edge once.
        node_label: Kinds of all nodes, graph after graph.
        edge_label: Kinds of all listed edges, graph after graph.
        directed: Whether an edge (i, j) does not imply (j, i).

    Raises:
        ValueError: If an edge is not a pair of existing nodes, or the number of labels does not match.
    """
    sizes: list[int] = []
    arcs: list[np.ndarray] = []
    shift = 0
    for index, pair in enumerate(graphs):
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], int | np.integer):
            raise ValueError(
                f"expected pairs (number of nodes, edges), one per graph; got {str(pair)[:40]!r} as graph {index}"
            )
        n, edges = pair
        pairs = np.asarray(edges) if len(edges) else np.zeros((0, 2), np.int64)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
            hint = ": transpose it" if pairs.ndim == 2 and pairs.shape[0] == 2 else ""
            raise ValueError(
                f"edges of graph {index} must be pairs of integers; got {pairs.dtype} {list(pairs.shape)}{hint}"
            )
        if n < 0:
            raise ValueError(f"graph {index} must have 0 nodes or more; got {n}")
        if pairs.size and (pairs.min() < 0 or pairs.max() >= n):
            raise ValueError(f"edges of graph {index} must join nodes 0..{n - 1}; got {pairs.min()}..{pairs.max()}")
        arcs.append(pairs.astype(np.int64) + shift)
        sizes.append(n)
        shift += n
    flat = torch.from_numpy(np.concatenate(arcs, axis=0) if arcs else np.zeros((0, 2), np.int64)).T
    labels = None if edge_label is None else _as_kinds(edge_label, "edge_label")
    if labels is not None and labels.shape[0] != flat.shape[1]:
        raise ValueError(f"expected {flat.shape[1]} edge labels, one per named edge; got {labels.shape[0]}")
    if not directed:
        # A loop is its own reverse; adding it again would make a double edge.
        proper = flat[0] != flat[1]
        flat = torch.cat([flat, flat.flip(0)[:, proper]], dim=1)
        labels = None if labels is None else torch.cat([labels, labels[proper]])
    return Graphs(
        edge_index=flat.contiguous(),
        batch=torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes, dtype=torch.long)),
        node_label=None if node_label is None else _as_kinds(node_label, "node_label"),
        edge_label=labels,
        num_graphs=len(sizes),
    ).validate()


def _as_kinds(values: Sequence[int] | Tensor, name: str) -> Int[Tensor, "n"]:
    """Integers as a tensor; casting a float would truncate it silently."""
    kinds = torch.as_tensor(values)
    if kinds.is_floating_point() and not kinds.numel():
        return kinds.long()
    if kinds.is_floating_point() or kinds.is_complex():
        raise ValueError(f"{name} must hold integers, one kind each; got {kinds.dtype}, such as {kinds[0].item()}")
    return kinds.long()


def is_networkx(value: object) -> bool:
    """Whether a value is a networkx graph; does not import networkx."""
    networkx = sys.modules.get("networkx")
    return networkx is not None and isinstance(value, networkx.Graph)


def from_networkx(
    graphs: "Iterable[networkx.Graph]", *, node_label: str | None = None, edge_label: str | None = None
) -> Graphs:
    """Graphs from networkx, with nodes in networkx's order.

    Args:
        graphs: The graphs.
        node_label: Attribute that holds the integer kind of each node; attributes that are not named are ignored.
        edge_label: Attribute that holds the integer kind of each edge.

    Raises:
        ValueError: If a node or an edge lacks an attribute that is named, or it is not an integer.
    """
    listed, nodes, edges = [], [], []
    for graph in graphs:
        place = {node: i for i, node in enumerate(graph)}
        arcs = (graph if graph.is_directed() else graph.to_directed(as_view=True)).edges(data=True)
        listed.append((len(place), [(place[u], place[v]) for u, v, _ in arcs]))
        nodes += [] if node_label is None else [_attribute(held, node_label) for _, held in graph.nodes(data=True)]
        edges += [] if edge_label is None else [_attribute(held, edge_label) for _, _, held in arcs]
    return from_edges(
        listed,
        node_label=None if node_label is None else nodes,
        edge_label=None if edge_label is None else edges,
        directed=True,
    )


def _attribute(held: Mapping[str, object], name: str) -> int:
    value = held.get(name)
    if not isinstance(value, int | np.integer | np.bool_):
        raise ValueError(f"expected an integer attribute {name!r} everywhere; got {value!r}")
    return int(value)


def to_networkx(graphs: Graphs) -> "list[networkx.Graph]":
    """One undirected ``networkx.Graph`` per graph, with nodes 0 .. n-1 and labels as the attribute ``label``."""
    import networkx

    ptr = graphs.ptr.tolist()
    built: list[networkx.Graph] = [networkx.empty_graph(size) for size in graphs.sizes.tolist()]
    if graphs.node_label is not None:
        for position, (owner, label) in enumerate(zip(graphs.batch.tolist(), graphs.node_label.tolist(), strict=True)):
            built[owner].nodes[position - ptr[owner]]["label"] = label
    owners = graphs.batch[graphs.edge_index[0]].tolist()
    labels = [None] * graphs.num_edges if graphs.edge_label is None else graphs.edge_label.tolist()
    for owner, u, v, label in zip(owners, *graphs.edge_index.tolist(), labels, strict=True):
        attributes = {} if label is None else {"label": label}
        built[owner].add_edge(u - ptr[owner], v - ptr[owner], **attributes)
    return built


def edge_kinds(attributes: Sequence[Tensor]) -> Int[Tensor, "E"] | None:
    """One integer per edge that is equal where all attributes of the edges are equal; None without attributes.

    Raises:
        ValueError: If attributes differ in length or hold numbers that are not finite.
    """
    if not attributes:
        return None
    rows = {values.shape[:1] for values in attributes}
    if len(rows) > 1 or torch.Size() in rows:
        shapes = ", ".join(str(list(values.shape)) for values in attributes)
        raise ValueError(f"edge attributes must have one row per edge; got shapes {shapes}")
    count = len(attributes[0])
    for values in attributes:
        if (values.is_floating_point() or values.is_complex()) and not bool(values.isfinite().all()):
            raise ValueError("edge attributes must be finite; got NaN or infinity")
    if (
        len(attributes) == 1
        and attributes[0].dim() == 1
        and not (attributes[0].is_floating_point() or attributes[0].is_complex())
    ):
        return attributes[0].long()
    kinds = torch.zeros(count, dtype=torch.long, device=attributes[0].device)
    for values in (values for values in attributes if values.numel()):
        columns = torch.view_as_real(values) if values.is_complex() else values
        number = columns.reshape(count, -1).unique(dim=0, return_inverse=True)[1].reshape(-1)
        kinds = torch.stack([kinds, number], dim=1).unique(dim=0, return_inverse=True)[1].reshape(-1)
    return kinds


def from_dense(
    adjacency: Shaped[Tensor, "B n n"],
    mask: Bool[Tensor, "B n"] | None = None,
    *,
    node_label: Int[Tensor, "B n"] | None = None,
    x: Float[Tensor, "B n d"] | None = None,
) -> Graphs:
    """Graphs from padded adjacency matrices; a non-zero integer entry other than 1 becomes an edge label.

    Args:
        adjacency: Entry (i, j) is non-zero where there is an edge from i to j.
        mask: True where there is a node; by default everywhere.
        node_label: Integer kind of each node; padding is ignored.
        x: Features of each node; padding is ignored.

    Raises:
        ValueError: If the shapes do not fit, an entry is not an integer, or an edge touches a padded node.
    """
    if adjacency.dim() != 3 or adjacency.shape[1] != adjacency.shape[2]:
        raise ValueError(f"adjacency must have shape [B, n, n]; got {list(adjacency.shape)}")
    count, n, _ = adjacency.shape
    if mask is None:
        mask = torch.ones(count, n, dtype=torch.bool, device=adjacency.device)
    if mask.shape != (count, n):
        raise ValueError(f"mask must have shape [{count}, {n}]; got {list(mask.shape)}")
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must hold booleans; got {mask.dtype}")
    for name, value in (("node_label", node_label), ("x", x)):
        if value is not None and value.shape[:2] != mask.shape:
            raise ValueError(f"{name} must have shape {[*mask.shape]} or {[*mask.shape, 'd']}; got {list(value.shape)}")
    owner, source, target = adjacency.nonzero(as_tuple=True)
    if bool((~(mask[owner, source] & mask[owner, target])).any()):
        raise ValueError("an edge touches a padded node: adjacency must be zero where mask is False")
    position = mask.flatten().cumsum(0).view(count, n) - 1
    values = adjacency[owner, source, target]
    if adjacency.is_floating_point():
        unfit = ~(values.isfinite() & (values == values.round()))
        if bool(unfit.any()):
            raise ValueError(f"entries of adjacency must be integers; got {values[unfit][0].item()}")
    plain = adjacency.dtype == torch.bool or bool((values == 1).all())
    return Graphs(
        edge_index=torch.stack([position[owner, source], position[owner, target]]),
        batch=torch.arange(count, device=adjacency.device)[:, None].expand(count, n)[mask],
        node_label=None if node_label is None else node_label[mask],
        edge_label=None if plain else values.long(),
        x=None if x is None else x[mask],
        num_graphs=count,
    ).validate()


def from_sets(
    x: Float[Tensor, "B n d"],
    mask: Bool[Tensor, "B n"] | None = None,
    node_label: Int[Tensor, "B n"] | None = None,
) -> Graphs:
    """Sets of elements without edges, padded as transformers hold them; elements with equal features are alike.

    Args:
        x: Features of the elements.
        mask: True where there is an element; by default everywhere.
        node_label: Optional integer kinds of the elements.

    Raises:
        ValueError: If the shapes do not fit, or a feature is not finite.

    Example:
        >>> from_sets(torch.zeros(2, 3, 5), torch.tensor([[True, True, False], [True, True, True]])).sizes
        tensor([2, 3])
    """
    if x.dim() != 3 or not x.is_floating_point():
        raise ValueError(f"x must hold floating-point features [B, n, d]; got {x.dtype} {list(x.shape)}")
    adjacency = torch.zeros(x.shape[0], x.shape[1], x.shape[1], dtype=torch.bool, device=x.device)
    return from_dense(adjacency, mask, node_label=node_label, x=x)


def to_padded(
    values: Shaped[Tensor, "N *d"], graphs: Graphs, mask: Bool[Tensor, "B n"] | None = None
) -> Shaped[Tensor, "B n *d"]:
    """Rows of nodes in the padded layout of dense tensors, with zeros where there is no node.

    Args:
        values: One row per node of ``graphs``.
        graphs: The graphs.
        mask: Where nodes stand, as it was given to ``from_dense`` or ``from_sets``; by default the first places.

    Raises:
        ValueError: If there is not one row per node, or the mask has other numbers of nodes.
    """
    if mask is None:
        mask = torch.arange(graphs.max_nodes, device=graphs.device) < graphs.sizes[:, None]
    if len(values) != graphs.num_nodes or not torch.equal(mask.sum(1), graphs.sizes):
        expected = f"{graphs.num_nodes} rows and a mask with {graphs.sizes.tolist()} nodes"
        raise ValueError(f"expected {expected}; got {len(values)} rows and {mask.sum(1).tolist()}")
    padded = values.new_zeros(*mask.shape, *values.shape[1:])
    padded[mask] = values
    return padded


def to_dense(graphs: Graphs) -> tuple[Int[Tensor, "B n n"], Bool[Tensor, "B n"]]:
    """Padded adjacency matrices (with edge labels, or 1, as entries) and the mask of nodes; parallel edges count once.

    Raises:
        ValueError: If an edge label is 0, which would mean "no edge" in a matrix.
    """
    if graphs.edge_label is not None and bool((graphs.edge_label == 0).any()):
        raise ValueError("edge labels must be non-zero to be entries of an adjacency matrix; got a 0")
    count, n = len(graphs), graphs.max_nodes
    place = torch.arange(graphs.num_nodes, device=graphs.device) - graphs.start
    mask = torch.zeros(count, n, dtype=torch.bool, device=graphs.device)
    mask[graphs.batch, place] = True
    source, target = graphs.edge_index
    values = torch.ones_like(source) if graphs.edge_label is None else graphs.edge_label
    adjacency = torch.zeros(count, n, n, dtype=torch.long, device=graphs.device)
    adjacency[graphs.batch[source], place[source], place[target]] = values
    return adjacency, mask


def neighbors(graphs: Graphs) -> tuple[Bool[Tensor, "B n n"], Bool[Tensor, "B n"]]:
    """Padded matrices of which nodes are joined, in either direction, and the mask of nodes; labels are ignored."""
    adjacency, mask = to_dense(Graphs(graphs.edge_index, graphs.batch, num_graphs=graphs.num_graphs))
    return (adjacency + adjacency.transpose(1, 2)) > 0, mask
