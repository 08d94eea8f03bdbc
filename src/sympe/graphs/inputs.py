"""One way in for graphs: whatever users hold becomes :class:`~sympe.Graphs`, or an error that names a converter."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sympe.graphs.batch import Graphs, concatenate
from sympe.graphs.convert import edge_kinds, from_dense, from_edges, from_networkx, from_sets, is_networkx
from sympe.graphs.molecules import Smiles, from_molecules
from sympe.graphs.pyg import from_pyg
from sympe.groups.base import as_numbers


def as_graphs(x: object) -> Graphs:
    """A valid batch of graphs, from what users hold.

    Nodes keep their order, so that one row per node comes back where it belongs. Accepted are

    - :class:`~sympe.Graphs`;
    - PyG's ``Data`` and ``Batch`` (see :func:`~sympe.graphs.from_pyg`), molecules of RDKit and SMILES (see
      :mod:`sympe.graphs.molecules` for their labels and hydrogen atoms), networkx graphs (integer attributes ``label``
      of nodes and edges count, and so does the ``weight`` of edges, 1 where there is none), or a list of one of these;
    - a pair ``(edge_index, batch)``;
    - a sparse matrix of scipy or PyTorch, a square matrix ``[n, n]``, or ``[B, n, n]`` of integers or booleans, with or
      without a mask ``[B, n]`` in a pair: adjacency matrices, as :func:`~sympe.graphs.from_dense` reads them;
    - floating-point tensors ``[B, n, d]`` that are not square, or a pair of one and a mask: sets without edges, as
      :func:`~sympe.graphs.from_sets` reads them.

    Raises:
        ValueError: If ``x`` is nothing of this kind, or not valid.
        ImportError: If SMILES are given and RDKit is not installed.

    Example:
        >>> import networkx
        >>> as_graphs(networkx.cycle_graph(5)).num_edges
        10
    """
    if isinstance(x, Graphs):
        return x.validate()
    found = _converted(x)
    if found is None:
        raise ValueError(
            f"expected sympe.Graphs; got {_described(x)}: pass PyG data, networkx graphs or molecules, or make a batch "
            f"with sympe.graphs.from_edges, from_networkx, from_pyg, from_dense or from_sets"
        )
    return found.validate()


def _converted(x: object) -> Graphs | None:
    if isinstance(x, Tensor) and x.layout != torch.strided:
        entries = x.detach().cpu().to_sparse_coo().coalesce()
        return _from_entries(entries.shape, entries.indices().numpy(), entries.values().numpy())
    if isinstance(x, Tensor | np.ndarray):
        return _from_array(as_numbers(x, "a graph"), None)
    if isinstance(x, tuple) and len(x) == 2 and all(isinstance(part, Tensor | np.ndarray) for part in x):
        first, second = (as_numbers(part, "a graph") for part in x)
        if second.dtype == torch.bool or (first.dim() == 3 and second.dim() == 2):
            return _from_array(first, second)
        if first.dim() == 2 and first.shape[0] == 2 and second.dim() == 1:
            return Graphs(first, second)
        return None
    if isinstance(x, list | tuple) and x:
        parts = [_converted(part) for part in x]
        known = [part for part in parts if part is not None]
        return concatenate(known) if len(known) == len(parts) else None
    if is_networkx(x):
        return _from_networkx(x)
    if isinstance(x, str):
        return from_molecules([Smiles(x).molecule()], hydrogens=True)
    if hasattr(x, "GetAtoms"):
        return from_molecules([x])
    if getattr(x, "edge_index", None) is not None or getattr(x, "adj_t", None) is not None:
        return from_pyg(x)
    if hasattr(x, "tocoo"):
        entries = x.tocoo(copy=True)
        entries.sum_duplicates()
        return _from_entries(entries.shape, np.stack([entries.row, entries.col]), entries.data)
    return None


def _from_array(x: Tensor, mask: Tensor | None) -> Graphs | None:
    square = x.dim() in (2, 3) and x.shape[-1] == x.shape[-2]
    if square and (x.dim() == 2 or not x.is_floating_point()) and not x.is_complex():
        batched = x if x.dim() == 3 else x[None]
        return from_dense(batched, mask)
    if x.dim() == 3 and x.is_floating_point():
        if square:
            raise ValueError(
                f"a floating-point tensor {list(x.shape)} may be adjacency matrices or sets: say which with "
                f"sympe.graphs.from_dense or from_sets"
            )
        return from_sets(x, mask)
    return None


def _from_networkx(graph: Any) -> Graphs:
    arcs = (graph if graph.is_directed() else graph.to_directed(as_view=True)).edges(data=True)
    parts = [[held for _, held in graph.nodes(data=True)], [held for *_, held in arcs]]
    names = ["label" if any("label" in held for held in part) else None for part in parts]
    try:
        graphs = from_networkx([graph], node_label=names[0], edge_label=names[1])
    except ValueError as error:
        raise ValueError(f"{error}: number the kinds; if labels are only names, pass from_networkx([graph])") from None
    if any("weight" in held for held in parts[1]):
        weights = as_numbers(np.array([held.get("weight", 1) for held in parts[1]]), "weights of edges")
        kinds = edge_kinds([weights] if graphs.edge_label is None else [weights, graphs.edge_label])
        graphs = replace(graphs, edge_label=kinds)
    return graphs


def _from_entries(shape: Sequence[int], places: NDArray[np.int64], values: NDArray[np.generic]) -> Graphs:
    """A sparse matrix; entries other than 1 are kinds of edges, as in :func:`~sympe.graphs.from_dense`."""
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"expected a square adjacency matrix; got shape {list(shape)}")
    kept = values != 0
    values = values[kept]
    if values.dtype.kind not in "iub" and not np.array_equal(values, np.round(values.real)):
        raise ValueError("entries of an adjacency matrix must be integers, one kind of edge each; got others")
    edges = places[:, kept].T.astype(np.int64)
    labels = None if bool((values == 1).all()) else torch.as_tensor(values.real.astype(np.int64))
    return from_edges([(shape[0], edges)], edge_label=labels, directed=True)


def _described(x: object) -> str:
    if isinstance(x, Tensor | np.ndarray):
        return f"{type(x).__name__} of shape {list(x.shape)}, {x.dtype}"
    if isinstance(x, list | tuple) and x:
        return f"a {type(x).__name__} of {type(x[0]).__name__}"
    return type(x).__name__
