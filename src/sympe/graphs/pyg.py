"""Graphs from and to PyG, and its files: a ``Data``, a list of ``Data``, or the (data, slices) of a stored data set."""

import pickle
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sympe.compressed import opened
from sympe.extras import require
from sympe.graphs.batch import Graphs
from sympe.graphs.convert import edge_kinds
from sympe.graphs.npz import MOST_ALONE
from sympe.settings import require_at_least

_CACHE = "collections.defaultdict"
_PER_NODE = ("x", "pos", "z", "node_label")
_PER_EDGE = ("edge_attr", "edge_weight", "edge_label")


def from_pyg(data: Any) -> Graphs:
    """Graphs from a PyG ``Data`` or ``Batch``.

    Node features ``x``, ``node_label`` (or integer species ``z``) and ``edge_label`` are kept. Without an
    ``edge_label``, ``edge_attr`` and ``edge_weight`` become one: edges are of one kind if their attributes are equal,
    to the last bit.

    Raises:
        ValueError: If there is no ``edge_index``, the number of nodes is not known, or a value is no tensor, out of
            range or not finite.
    """
    for name in ("edge_index", "batch", "x", "node_label", "edge_label", "edge_attr", "edge_weight"):
        value = getattr(data, name, None)
        if value is None or (isinstance(value, Tensor) and value.layout == torch.strided and value.dim()):
            continue
        got = f"one of shape {list(value.shape)}, {value.layout}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"expected {name} to be a dense tensor of rows; got {got}")
    given: list[Tensor | None] = []
    edge_index = getattr(data, "edge_index", None)
    if edge_index is None and getattr(data, "adj_t", None) is not None:
        if hasattr(data.adj_t, "coo"):
            target, source, value = data.adj_t.coo()
        else:
            entries = data.adj_t.to_sparse_coo().coalesce()
            (target, source), value = entries.indices(), entries.values()
        edge_index = torch.stack([source, target])
        given.append(None if value is None or bool((value == 1).all()) else value)
    if edge_index is None:
        raise ValueError(f"expected a PyG Data or Batch with edge_index or adj_t; got {type(data).__name__} without")
    batch = getattr(data, "batch", None)
    if batch is None:
        batch = torch.zeros(num_nodes_of(data), dtype=torch.long, device=edge_index.device)
        num_graphs = 1
    else:
        # A Data batched by hand does not know its number of graphs.
        num_graphs = getattr(data, "num_graphs", -1)
    edge_label = getattr(data, "edge_label", None)
    if edge_label is None:
        given += [getattr(data, name, None) for name in ("edge_attr", "edge_weight")]
        edge_label = edge_kinds([value for value in given if value is not None])
    return Graphs(
        edge_index=edge_index,
        batch=batch,
        node_label=_node_label(data),
        edge_label=edge_label,
        x=_as_features(getattr(data, "x", None)),
        num_graphs=num_graphs,
    ).validate()


def num_nodes_of(data: Any) -> int:
    """The number of nodes of a PyG ``Data``.

    Raises:
        ValueError: If it is no integer, or PyG could only guess it from the edges, which name no isolated nodes.
    """
    if "num_nodes" in data:
        count = data.num_nodes
        count = count.item() if isinstance(count, Tensor) and count.numel() == 1 else count
        require_at_least(0, num_nodes=count)
        return int(count)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            return len(data.z) if "z" in data else int(data.num_nodes)
        except UserWarning as error:
            raise ValueError("expected a Data that knows its number of nodes; set num_nodes") from error


def _node_label(data: Any) -> Tensor | None:
    """``node_label``, or the integer species ``z`` that data of molecules have."""
    label, z = getattr(data, "node_label", None), getattr(data, "z", None)
    if label is not None or not isinstance(z, Tensor) or z.dim() not in (1, 2) or z.shape[1:] not in ((), (1,)):
        return label
    whole = not z.is_floating_point() or bool((z == z.round()).all())
    return z.reshape(-1).long() if whole and not z.is_complex() else None


def _as_features(x: Tensor | None) -> Tensor | None:
    """Features as floating-point columns that keep different integers apart."""
    if x is None:
        return None
    x = x[:, None] if x.dim() == 1 else x
    if x.is_complex():
        raise ValueError("node features must be real; got complex ones: stack their real and imaginary parts")
    if x.is_floating_point():
        return x
    most = int(x.abs().max()) if x.numel() and x.dtype != torch.bool else 0
    if most > 2**53:
        raise ValueError(f"node features must be exact in double precision; got the integer {most}")
    return x.double() if most > 2**24 else x.float()


def to_pyg(graphs: Graphs) -> Any:
    """A PyG ``Batch`` with the same nodes, edges, labels and features.

    Raises:
        ValueError: If there are no graphs, which a ``Batch`` cannot hold.
        ImportError: If PyG is not installed (``pip install 'sympe[pyg]'``).
    """
    pyg = require("torch_geometric.data", "pyg", "to_pyg")
    if not len(graphs):
        raise ValueError("expected at least one graph; got none")
    parts = []
    for index in range(len(graphs)):
        one = graphs.select([index])
        extra = {name: getattr(one, name) for name in ("node_label", "edge_label", "x")}
        present = {name: value for name, value in extra.items() if value is not None}
        parts.append(pyg.Data(edge_index=one.edge_index, num_nodes=one.num_nodes, **present))
    return pyg.Batch.from_data_list(parts)


def read_pyg(path: Path) -> list[Any]:
    """The ``Data`` objects in a ``.pt`` file, with ``edge_index``, loaded without running code from the file.

    Raises:
        ValueError: If the file holds anything but PyG's plain containers, or a ``Data`` does not say how many nodes it
            has, or has an attribute of another length.
        ImportError: If PyG is not installed.
    """
    require("torch_geometric", "pyg", "PyG files")
    from torch_geometric.data import Data

    try:
        with _plain_classes(), opened(path) as file:
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = str(error).partition("Unsupported global: GLOBAL ")[2].split(" ")[0]
        reason = f"it names {found}" if found else "it holds neither tensors nor Data"
        if "DynamicInheritanceGetter" in found:
            reason = "a Batch does (save its to_data_list())"
        raise ValueError(f"{path}: expected PyG's Data, and nothing that runs code when loaded; {reason}") from error
    except Exception as error:  # the unpickler may raise anything on a damaged file
        raise ValueError(f"{path}: expected a .pt file; {' '.join(str(error).split())[:120]}") from error
    try:
        listed = list(_listed(content, Data))
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected the (data, slices) of a PyG data set; {error}") from error
    if not listed:
        raise ValueError(f"{path}: expected a PyG Data or a list of them; got {type(content).__name__}")
    for number, data in enumerate(listed):
        try:
            _complete(data)
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: graph {number}: {error}") from error
    _require_stored(path, listed)
    return listed


@contextmanager
def _plain_classes() -> Iterator[None]:
    """Allow classes of PyG and numpy that only hold data; numpy has had its constructors in two places."""
    from torch_geometric.data import Data
    from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
    from torch_geometric.data.storage import AttrType, BaseStorage, EdgeStorage, GlobalStorage, NodeStorage

    held = [Data, DataEdgeAttr, DataTensorAttr, AttrType, BaseStorage, EdgeStorage, GlobalStorage, NodeStorage, set]
    makers: list[Any] = [np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0]]
    arrays = [(maker, f"numpy.{core}.multiarray.{maker.__name__}") for maker in makers for core in ("core", "_core")]
    kinds = [type(np.dtype(code)) for code in np.typecodes["All"] if code not in "OV"]
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals([known for known in before if known is not defaultdict])
    torch.serialization.add_safe_globals([*held, *arrays, np.dtype, np.ndarray, *kinds, (_cache, _CACHE)])
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def _cache(_: object) -> dict[object, object]:
    """In place of the ``defaultdict``, which torch cannot fill, in which a ``Data`` notes what attributes belong to."""
    return {}


def _listed(content: Any, Data: Any) -> Iterator[Any]:
    if isinstance(content, Data):
        yield content
    elif isinstance(content, tuple) and len(content) >= 2 and isinstance(content[1], dict):
        from torch_geometric.data.separate import separate

        joined, slices = content[:2]
        joined = Data.from_dict(joined) if isinstance(joined, dict) else joined
        for place in range(min((len(ptr) - 1 for ptr in slices.values()), default=0)):
            yield separate(Data, joined, place, slices, decrement=False)
    elif isinstance(content, list | tuple):
        for part in content:
            if not isinstance(part, Data):
                raise TypeError(f"expected Data in the list; got {type(part).__name__}")
            yield part


def _require_stored(path: Path, listed: list[Any]) -> None:
    """Check that a file stores what its graphs claim.

    A count, or the shape of a tensor that repeats one number, is small in a file and may fill all memory.
    """
    held = (value for data in listed for store in data.stores for value in store.values())
    tensors = [value for value in held if isinstance(value, Tensor) and value.layout == torch.strided]
    claimed = sum(data.num_nodes for data in listed) + sum(tensor.numel() for tensor in tensors)
    if claimed <= MOST_ALONE:
        return
    storages = (tensor.untyped_storage() for tensor in tensors)
    stored = sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
    if claimed > MOST_ALONE + 2 * stored:
        raise ValueError(
            f"{path}: expected at most {MOST_ALONE} nodes and numbers beyond twice the bytes of all tensors; "
            f"got {claimed} with {stored} bytes: save copies of what is repeated or shared"
        )


def _complete(data: Any) -> None:
    """Set ``edge_index`` and ``num_nodes``, and check what has a row per node or edge."""
    for store in data.stores:
        vars(store).pop("_cached_attr", None)
    if data.get("edge_index") is None and data.get("adj_t") is not None:
        # Rows of a transposed adjacency matrix are targets.
        entries = data.adj_t.to_sparse_coo()
        if entries.shape[0] != entries.shape[1]:
            raise ValueError(f"expected a square adj_t; got shape {list(entries.shape)}")
        data.num_nodes, data.edge_index = entries.shape[0], entries._indices().flip(0)  # parallel edges stay apart
        if bool((entries._values() != 1).any()):
            data.edge_weight = entries._values()
        del data.adj_t
    data.num_nodes = num_nodes_of(data)
    counts = {"node": (data.num_nodes, _PER_NODE), "edge": (data.num_edges, _PER_EDGE)}
    for per, (count, names) in counts.items():
        for name in names:
            if name in data and len(data[name]) != count:
                raise ValueError(f"expected {name} to have {count} rows, one per {per}; got {len(data[name])}")
