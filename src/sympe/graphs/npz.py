"""Graphs as one ``.npz`` of arrays that run over all graphs, one graph after another.

- ``n_nodes [G]`` and ``n_edges [G]``: the number of nodes and edges of each graph.
- ``edges [M, 2]``: the ends of each edge, counted from 0 within its graph. An undirected edge is listed once;
  if ``directed []`` is true, every row is one directed edge.
- Optional: ``node_label [N]``, ``edge_label [M]`` and node features ``x [N, d]``.
- Optional: ``split [G]``, 0 for training, 1 for validation, 2 for test.

For molecules ``n_atoms [G]``, ``n_bonds [G]``, ``atom_type [N]`` and ``bonds [M, 3]``, with the bond type in the
last column, replace the first three arrays; the types become labels. Arrays of any other name are ignored.
"""

import io
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.graphs.archive import Archive, members
from sympe.graphs.batch import Graphs

PLAIN = ("n_nodes", "n_edges", "edges")
MOLECULES = ("n_atoms", "n_bonds", "bonds", "atom_type")
OPTIONAL = ("node_label", "edge_label", "x", "directed", "split")

# Pairs of positions are packed into 64 bits.
_MOST_NODES = 2**31 - 1
#: Nodes of a file that have neither edges nor features: a corrupt count must not allocate all memory.
MOST_ALONE = 2**20


def parse_npz(raw: bytes, split: str | None = None) -> Graphs:
    """The graphs in the content of a file, or one split of them.

    Raises:
        ValueError: If the content does not have the layout above.
    """
    arrays = _load(raw)
    graphs = parse_arrays(arrays)
    if split is None:
        return graphs
    if "split" not in arrays:
        raise ValueError(f"expected an array split to take {split!r} from; there is none")
    chosen = members(_integers(arrays, "split", "G"), split, len(graphs))
    return graphs.select(torch.from_numpy(np.flatnonzero(chosen)))


def parse_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> Graphs:
    """The graphs in arrays with the layout above, ignoring any split.

    Raises:
        ValueError: If the arrays do not have that layout.
    """
    node_label: NDArray[np.int64] | None = None
    edge_label: NDArray[np.int64] | None = None
    if all(name in arrays for name in MOLECULES):
        names = MOLECULES[:3]
        columns = _integers(arrays, "bonds", "M", 3)
        edges, edge_label = columns[:, :2], columns[:, 2]
        node_label = _integers(arrays, "atom_type", "N")
    elif all(name in arrays for name in PLAIN):
        names = PLAIN
        edges = _integers(arrays, "edges", "M", 2)
        if "node_label" in arrays:
            node_label = _integers(arrays, "node_label", "N")
        if "edge_label" in arrays:
            edge_label = _integers(arrays, "edge_label", "M")
    else:
        expected = f"{', '.join(PLAIN)} or {', '.join(MOLECULES)}"
        raise ValueError(f"expected arrays {expected}; got {', '.join(arrays) or 'none of these'}")
    sizes, counts = _integers(arrays, names[0], "G"), _integers(arrays, names[1], "G")
    _check_counts(sizes, counts, len(edges), names)
    return _assemble(
        sizes,
        counts,
        edges,
        node_label=node_label,
        edge_label=edge_label,
        x=_features(arrays["x"]) if "x" in arrays else None,
        directed="directed" in arrays and bool(_integers(arrays, "directed").item()),
        edge_array=names[2],
    )


def to_npz(graphs: Graphs) -> bytes:
    """The content of a file with these graphs, their labels and features."""
    source, target = graphs.edge_index.cpu().numpy()
    owner, start = graphs.batch.cpu().numpy()[source], graphs.start.cpu().numpy()[source]
    directed = not is_undirected(graphs)
    kept = np.argsort(owner, kind="stable")
    if not directed:
        kept = kept[source[kept] <= target[kept]]
    arrays: dict[str, NDArray[np.generic]] = {
        "n_nodes": graphs.sizes.cpu().numpy(),
        "n_edges": np.bincount(owner[kept], minlength=len(graphs)),
        "edges": np.stack([source - start, target - start], axis=1)[kept],
        "directed": np.array(directed),
    }
    if graphs.node_label is not None:
        arrays["node_label"] = graphs.node_label.cpu().numpy()
    if graphs.edge_label is not None:
        arrays["edge_label"] = graphs.edge_label.cpu().numpy()[kept]
    if graphs.x is not None:
        arrays["x"] = graphs.x.detach().cpu().numpy()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    return buffer.getvalue()


def is_undirected(graphs: Graphs) -> bool:
    """Whether there are no parallel edges, and every edge has its reverse with the same label."""
    source, target = graphs.edge_index.cpu().numpy()
    label = np.zeros_like(source) if graphs.edge_label is None else graphs.edge_label.cpu().numpy()
    forward, backward = np.lexsort((target, source)), np.lexsort((source, target))
    twice = (np.diff(source[forward]) == 0) & (np.diff(target[forward]) == 0)
    pairs = ((source, target), (target, source), (label, label))
    return not twice.any() and all(np.array_equal(a[forward], b[backward]) for a, b in pairs)


def _load(raw: bytes) -> dict[str, NDArray[np.generic]]:
    with Archive(io.BytesIO(raw)) as archive:
        known = [name for name in dict.fromkeys(PLAIN + MOLECULES + OPTIONAL) if name in archive.names]
        return {name: archive.column(name).whole() for name in known}


def _integers(arrays: Mapping[str, NDArray[np.generic]], name: str, *shape: int | str) -> NDArray[np.int64]:
    """One array of integers in 64 bits, as sums and shifts of uint8 would overflow.

    Args:
        shape: Expected length of each dimension; a letter stands for any.
    """
    value = arrays[name]
    if value.dtype.kind not in ("iu" if shape else "iub"):
        raise ValueError(f"{name} must hold integers; got {value.dtype}")
    fits = value.ndim == len(shape)
    if not fits or any(isinstance(m, int) and n != m for n, m in zip(value.shape, shape, strict=True)):
        raise ValueError(f"{name} must have shape [{', '.join(map(str, shape))}]; got {list(value.shape)}")
    if value.dtype == np.uint64 and value.size and value.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must hold integers below 2^63; got {value.max()}")
    return value.astype(np.int64)


def _features(value: NDArray[np.generic]) -> torch.Tensor:
    if value.dtype.kind != "f" or value.ndim != 2:
        raise ValueError(f"x must hold floating-point numbers in shape [N, d]; got {value.dtype} {list(value.shape)}")
    return torch.from_numpy(value.astype(np.float32 if value.dtype.itemsize <= 4 else np.float64))


def _check_counts(sizes: NDArray[np.int64], counts: NDArray[np.int64], num_edges: int, names: tuple[str, ...]) -> None:
    n_nodes, n_edges, edge_array = names
    if len(sizes) != len(counts):
        raise ValueError(f"{n_nodes} and {n_edges} must be equally long; got {len(sizes)} and {len(counts)}")
    for name, count in ((n_nodes, sizes), (n_edges, counts)):
        if count.size and (count.min() < 0 or count.max() > _MOST_NODES):
            raise ValueError(f"{name} must hold numbers from 0 to {_MOST_NODES}; got {count.min()}..{count.max()}")
    if sizes.sum() > _MOST_NODES:
        raise ValueError(f"{n_nodes} must add up to at most {_MOST_NODES}; got {sizes.sum()}")
    if sizes.sum() > MOST_ALONE + 2 * num_edges:
        raise ValueError(f"{n_nodes} adds up to {sizes.sum()}; expected at most {MOST_ALONE} nodes without edges")
    if counts.sum() != num_edges:
        raise ValueError(f"{n_edges} adds up to {counts.sum()}; {edge_array} has {num_edges} rows")


def _assemble(
    sizes: NDArray[np.int64],
    counts: NDArray[np.int64],
    edges: NDArray[np.int64],
    *,
    node_label: NDArray[np.int64] | None,
    edge_label: NDArray[np.int64] | None,
    x: torch.Tensor | None,
    directed: bool,
    edge_array: str,
) -> Graphs:
    owner = np.repeat(np.arange(len(counts)), counts)
    wrong = ((edges < 0) | (edges >= sizes[owner][:, None])).any(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        graph, nodes = owner[row], f"nodes 0..{sizes[owner[row]] - 1}"
        raise ValueError(f"{edge_array} of graph {graph} must join {nodes}; got {edges[row].tolist()} in row {row}")
    for name, rows in (("node_label", node_label), ("x", x)):
        if rows is not None and len(rows) != sizes.sum():
            raise ValueError(f"{name} must have {sizes.sum()} rows, one per node; got {len(rows)}")
    if edge_label is not None and len(edge_label) != len(edges):
        raise ValueError(f"expected {len(edges)} edge labels, one per row of {edge_array}; got {len(edge_label)}")
    flat = edges + (np.cumsum(sizes) - sizes)[owner][:, None]
    if not directed:
        _check_named_once(flat, owner, edge_array)
        # Each edge next to its reverse keeps the edges in the order of their graphs; a loop is its own reverse.
        kept = np.stack([np.ones(len(flat), bool), flat[:, 0] != flat[:, 1]], axis=1).reshape(-1)
        flat = np.stack([flat, flat[:, ::-1]], axis=1).reshape(-1, 2)[kept]
        edge_label = None if edge_label is None else np.repeat(edge_label, 2)[kept]
    return Graphs(
        edge_index=torch.from_numpy(np.ascontiguousarray(flat.T)),
        batch=torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)),
        node_label=None if node_label is None else torch.from_numpy(node_label),
        edge_label=None if edge_label is None else torch.from_numpy(np.ascontiguousarray(edge_label)),
        x=x,
        num_graphs=len(sizes),
    ).validate()


def _check_named_once(flat: NDArray[np.int64], owner: NDArray[np.int64], edge_array: str) -> None:
    key = flat.min(axis=1) * (_MOST_NODES + 1) + flat.max(axis=1)
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(np.diff(key[order]) == 0)
    if len(again):
        first, second = order[again[0] : again[0] + 2].tolist()
        place = f"graph {owner[first]} has one in rows {first} and {second}"
        raise ValueError(f"{edge_array} must name each edge once; {place}")
