"""Graphs in an archive of numpy arrays, in the layout of :mod:`sympe.graphs.npz`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cuts, naming
from sympe.auditing.targets import Per, Target
from sympe.graphs import Graphs
from sympe.graphs.archive import Archive, members, whole, wide
from sympe.graphs.npz import MOLECULES, OPTIONAL, PLAIN, parse_arrays

#: Target name for the bond types, which the file stores as the last column of ``bonds``.
BONDS = "bond_type"


@dataclass(frozen=True)
class GraphArrays:
    """Arrays of consecutive graphs and their targets; supports slices."""

    arrays: Mapping[str, NDArray[Any]]
    target: NDArray[Any] | None
    names: tuple[str, str, str]
    per: Per | None

    def __len__(self) -> int:
        return len(self.arrays[self.names[0]])

    def __getitem__(self, part: slice) -> "GraphArrays":
        nodes, edges = (np.concatenate([[0], np.cumsum(self.arrays[name])]) for name in self.names[:2])
        first, last, _ = part.indices(len(self))
        return self._rows(
            {
                "sample": slice(first, last),
                "node": slice(nodes[first], nodes[last]),
                "edge": slice(edges[first], edges[last]),
            }
        )

    def where(self, keep: NDArray[np.bool_]) -> "GraphArrays":
        """The graphs where ``keep`` is true."""
        nodes, edges = (np.repeat(keep, self.arrays[name]) for name in self.names[:2])
        return self._rows({"sample": keep, "node": nodes, "edge": edges})

    def _rows(self, rows: Mapping[Per, Any]) -> "GraphArrays":
        arrays = {name: array[rows[_per(name, self.names)]] for name, array in self.arrays.items()}
        target = None if self.target is None or self.per is None else self.target[rows[self.per]]
        return GraphArrays(arrays, target, self.names, self.per)


@dataclass(frozen=True)
class GraphArrayReader(Reader):
    """Reads blocks of graphs."""

    hydrogen: int | None = None
    directed: bool = False
    kind: Kind = "graphs"

    def read(self, raw: GraphArrays) -> tuple[Graphs, Target | None]:
        arrays = dict(raw.arrays)
        if self.directed:
            arrays["directed"] = np.array(True)
        if raw.names == MOLECULES[:3]:
            arrays.setdefault("atom_type", np.zeros(int(arrays["n_atoms"].sum()), np.int64))
        graphs = parse_arrays(arrays)
        if raw.target is None or raw.per is None:
            return graphs, None
        values = torch.from_numpy(np.ascontiguousarray(raw.target.astype(wide(raw.target))))
        if raw.per == "edge" and not self.directed:
            # Both directions of each edge, in the order of the graphs; a loop has only one.
            edges = arrays[raw.names[2]]
            values = values.repeat_interleave(torch.from_numpy(1 + (edges[:, 0] != edges[:, 1])), dim=0)
        return graphs, Target(values, raw.per)


class GraphFile(Source):
    """An archive of graphs.

    Args:
        path: The file.
        target: Name of the array to predict, which is removed from the input.
        per: What each entry of the target belongs to; by default the first of node, edge, sample that its length fits.
        split: Take only this split.

    Raises:
        ValueError: If the archive does not hold graphs, or has no such array.
    """

    def __init__(self, path: Path, target: str | None = None, per: Per | None = None, split: str | None = None) -> None:
        self.path, self.target, self.split = path, target, split
        with Archive(path) as archive:
            self.names = graph_arrays(archive.names)
            self._carried = [name for name in _labels(self.names) if name in archive.names and name != target]
            flag = archive.column("directed").take(1) if "directed" in archive.names else np.zeros(1, bool)
            if flag.dtype.kind not in "iub":
                raise ValueError(f"directed must hold a boolean; got {flag.dtype}")
            directed = bool(flag.any())
            if split is not None and "split" not in archive.names:
                raise ValueError(f"expected an array split to take {split!r} from; there is none")
            molecules = self.names == MOLECULES[:3]
            self.per: Per | None = None
            if target == BONDS and molecules:
                self.per = "edge"
            elif target is not None:
                sizes = whole(archive.column(self.names[0]))
                counts: dict[Per, int] = {"node": int(sizes.sum()), "edge": len(archive.column(self.names[2]))}
                counts["sample"] = len(sizes)
                length = len(archive.column(target))
                fits = [name for name, count in counts.items() if count == length and per in (None, name)]
                if not fits:
                    expected = ", ".join(f"{count} {name}s" for name, count in counts.items())
                    raise ValueError(f"expected {target} to have one row for each of {expected}; got {length}")
                self.per = fits[0]
        self.reader = GraphArrayReader(hydrogen=0 if molecules and target != "atom_type" else None, directed=directed)

    def chunks(self) -> Iterator[Chunk]:
        nodes_name, edges_name, list_name = self.names
        with naming(self.path), Archive(self.path) as archive:
            sizes, counts = (whole(archive.column(name)) for name in (nodes_name, edges_name))
            if len(sizes) != len(counts):
                raise ValueError(
                    f"{nodes_name} and {edges_name} must be equally long; got {len(sizes)} and {len(counts)}"
                )
            chosen = None if self.split is None else members(whole(archive.column("split")), self.split, len(sizes))
            columns = {name: archive.column(name) for name in [list_name, *self._carried]}
            totals: dict[Per, int] = {"node": int(sizes.sum()), "edge": int(counts.sum())}
            for name, column in columns.items():
                if len(column) > (total := totals[_per(name, self.names)]):
                    raise ValueError(
                        f"array {name} has {len(column)} rows; the graphs have {total} {_per(name, self.names)}s"
                    )
            named = self.target is not None and self.target != BONDS
            target = archive.column(self.target) if named and self.target else None
            for first, last in cuts((4 * sizes + 8 * counts).tolist()):
                rows = {
                    "sample": last - first,
                    "node": int(sizes[first:last].sum()),
                    "edge": int(counts[first:last].sum()),
                }
                arrays = {name: column.take(rows[_per(name, self.names)]) for name, column in columns.items()}
                own = None if target is None else target.take(rows[self.per])  # type: ignore[index]
                if self.target == BONDS:
                    own = arrays[list_name][:, 2]
                    arrays[list_name] = np.concatenate([arrays[list_name][:, :2], np.zeros((len(own), 1), np.int64)], 1)
                arrays |= {nodes_name: sizes[first:last], edges_name: counts[first:last]}
                for name, array in arrays.items():
                    if len(array) < rows[_per(name, self.names)]:
                        raise ValueError(f"array {name} is too short for the sizes of the graphs")
                block = GraphArrays(arrays, own, self.names, self.per)
                yield Chunk(block if chosen is None else block.where(chosen[first:last]), last / len(sizes))


def graph_arrays(names: list[str]) -> tuple[str, str, str]:
    """Names of the arrays of sizes, edge counts and edges.

    Raises:
        ValueError: If they are missing.
    """
    for required in (MOLECULES, PLAIN):
        if all(name in names for name in required):
            return required[:3]
    raise ValueError(f"expected arrays {', '.join(PLAIN)} or {', '.join(MOLECULES)}; got {', '.join(names) or 'none'}")


def _labels(names: tuple[str, str, str]) -> list[str]:
    return ["atom_type"] if names == MOLECULES[:3] else [name for name in OPTIONAL if name not in ("directed", "split")]


def _per(name: str, names: tuple[str, str, str]) -> Per:
    if name in names[:2]:
        return "sample"
    return "edge" if name in (names[2], "edge_label") else "node"
