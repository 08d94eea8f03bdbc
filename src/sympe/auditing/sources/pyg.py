"""PyG files: a ``Data``, a list of ``Data``, or the (data, slices) of a stored data set."""

import pickle
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from sympe.extras import require


def read_pyg(path: Path) -> list[Any]:
    """The ``Data`` objects in a ``.pt`` file, loaded without running code from the file.

    Raises:
        ValueError: If the file holds anything but PyG's plain containers.
        ImportError: If PyG is not installed.
    """
    require("torch_geometric", "pyg", "PyG files")
    from torch_geometric.data import Data
    from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
    from torch_geometric.data.storage import BaseStorage, EdgeStorage, GlobalStorage, NodeStorage

    known = [Data, DataEdgeAttr, DataTensorAttr, BaseStorage, EdgeStorage, GlobalStorage, NodeStorage]
    try:
        with torch.serialization.safe_globals(known):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = str(error).partition("Unsupported global: GLOBAL ")[2].split(" ")[0]
        reason = f"it names {found}" if found else "it holds neither tensors nor Data"
        if "DynamicInheritanceGetter" in found:
            reason = "a Batch does (save its to_data_list())"
        raise ValueError(f"{path}: expected PyG's Data, and nothing that runs code when loaded; {reason}") from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: expected a .pt file; {' '.join(str(error).split())[:120]}") from error
    try:
        listed = list(_listed(content, Data))
    except (IndexError, KeyError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path}: expected the (data, slices) of a PyG data set; {error}") from error
    if not listed:
        raise ValueError(f"{path}: expected a PyG Data or a list of them; got {type(content).__name__}")
    return listed


def _listed(content: Any, Data: Any) -> Iterator[Any]:
    if isinstance(content, Data):
        yield content
    elif isinstance(content, tuple) and len(content) >= 2 and isinstance(content[1], dict):
        yield from _sliced(content[0], content[1], Data)
    elif isinstance(content, list | tuple):
        for part in content:
            if not isinstance(part, Data):
                raise TypeError(f"expected Data in the list; got {type(part).__name__}")
            yield part


def _sliced(held: Any, slices: dict[str, Any], Data: Any) -> Iterator[Any]:
    """The samples of a data set joined by PyG's ``collate``."""
    values = held if isinstance(held, dict) else held.to_dict()
    cuts = {name: list(pairwise(torch.as_tensor(ptr).tolist())) for name, ptr in slices.items() if name in values}
    count = min((len(places) for places in cuts.values()), default=0)
    for place in range(count):
        one: dict[str, Any] = {}
        for name, places in cuts.items():
            first, last = places[place]
            value = values[name]
            if not isinstance(value, torch.Tensor):
                one[name] = value[first] if last - first == 1 else value[first:last]
            else:
                one[name] = value[:, first:last] if "index" in name or name == "face" else value[first:last]
        if isinstance(one.get("num_nodes"), torch.Tensor):
            one["num_nodes"] = int(one["num_nodes"])
        yield Data(**one)
