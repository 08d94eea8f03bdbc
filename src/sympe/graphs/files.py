"""Read and write files of graphs; the suffix determines the format.

- ``.g6 .graph6 .s6 .sparse6``: graph6 or sparse6, one graph per line, with or without a header.
- ``.graphml``: GraphML, see :mod:`sympe.graphs.graphml`; attributes are ignored.
- ``.edges .edgelist .txt .csv .tsv``: edges, see :mod:`sympe.graphs.edge_lists`.
- ``.npz``: arrays as described in :mod:`sympe.graphs.npz`; the only format with splits.
- ``.pt .pth``: PyG's ``Data``, see :func:`~sympe.graphs.from_pyg`.
- ``.smi .smiles .sdf .sd .mol``, and a column of a ``.csv`` or ``.tsv``: molecules, see :mod:`sympe.graphs.molecules`.

Any of them may be compressed (``.gz .xz .bz2``). Nodes are numbered in the order in which the file first names them.
Any problem with a file raises a one-line ``ValueError`` that names the file and, if known, the place in it.
"""

import os
from pathlib import Path

from sympe.atomic import write_atomically
from sympe.compressed import content_of, reason_of, suffix_of
from sympe.graphs.archive import SPLITS
from sympe.graphs.batch import Graphs, concatenate
from sympe.graphs.convert import from_networkx
from sympe.graphs.edge_lists import parse_edge_list
from sympe.graphs.graph6 import from_graph6, to_graph6
from sympe.graphs.graphml import parse_graphml
from sympe.graphs.molecules import SMILES, holds_molecules, read_molecules
from sympe.graphs.npz import is_undirected, parse_npz, to_npz
from sympe.graphs.pyg import from_pyg, read_pyg
from sympe.points.sdf import SDF

GRAPH6 = frozenset({".g6", ".graph6", ".s6", ".sparse6"})
EDGE_LISTS = frozenset({".edges", ".edgelist", ".txt", ".csv", ".tsv"})
PYG = frozenset({".pt", ".pth"})
#: Suffixes that :func:`read` accepts.
READABLE = GRAPH6 | EDGE_LISTS | PYG | {".graphml", ".npz", *SMILES, *SDF}


def read(path: str | os.PathLike[str], split: str | None = None) -> Graphs:
    """All graphs of a file, or of every readable file in a folder, in the order of the file names.

    Args:
        path: A file in one of the formats above, or a folder of such files (subfolders are ignored).
        split: Read only this split, one of ``train``, ``validation``, ``test``; for ``.npz`` with an array ``split``.

    Raises:
        ValueError: If there is nothing to read, or it cannot be read; the message names the file.
    """
    path = Path(path)
    if split is not None and split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}; got {split!r}")
    try:
        if path.is_dir():
            files = [file for file in sorted(path.iterdir()) if suffix_of(file) in READABLE and file.is_file()]
            if not files:
                raise ValueError(f"expected a folder of files ending in {_listed(READABLE)}; it holds none")
        else:
            graphs = _parse(path, split)
            if not len(graphs):
                raise ValueError("expected at least one graph; there is none" + (f" for {split}" if split else ""))
            return graphs
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {_one_line(error).removeprefix(f'{path}: ')}") from error
    except MemoryError as error:
        raise ValueError(f"{path}: the graphs do not fit in memory") from error
    parts = [read(file, split) for file in files]
    try:
        return concatenate(parts)
    except ValueError as error:
        raise ValueError(f"{path}: the files do not go together: {_one_line(error)}") from error


def write(graphs: Graphs, path: str | os.PathLike[str]) -> None:
    """Write graphs to a ``.g6``, ``.graph6`` or ``.npz`` file atomically, creating missing folders.

    An ``.npz`` keeps everything; graph6 holds only simple undirected graphs without labels.

    Raises:
        ValueError: If there are no graphs, the suffix is not one of these, or graph6 cannot hold the graphs.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    try:
        if not len(graphs):
            raise ValueError("expected at least one graph to write; got none")
        if suffix in (".g6", ".graph6"):
            content = _to_graph6_lines(graphs)
        elif suffix == ".npz":
            content = to_npz(graphs)
        else:
            raise ValueError(f"expected a file ending in .g6, .graph6 or .npz to write; got {suffix or 'no suffix'}")
    except ValueError as error:
        raise ValueError(f"{path}: {_one_line(error)}") from error
    write_atomically(path, lambda file: file.write(content))


def _parse(path: Path, split: str | None) -> Graphs:
    suffix = suffix_of(path)
    if suffix not in READABLE:
        path.open("rb").close()
        raise ValueError(f"expected a file ending in {_listed(READABLE)}; got {suffix or 'no suffix'}")
    raw = content_of(path)
    if not raw.strip():
        raise ValueError("expected graphs; the file is empty")
    if suffix == ".npz":
        return parse_npz(raw, split)
    if split is not None:
        raise ValueError(f"expected an .npz file with an array split to take {split!r} from")
    if holds_molecules(path):
        return read_molecules(path)
    if suffix in PYG:
        return concatenate([from_pyg(data) for data in read_pyg(path)])
    if suffix in GRAPH6:
        return from_graph6(raw.removeprefix(b"\xef\xbb\xbf").splitlines())
    return from_networkx(graph for graph, _ in parse_graphml(raw)) if suffix == ".graphml" else parse_edge_list(raw)


def _listed(suffixes: frozenset[str]) -> str:
    return " ".join(sorted(suffixes))


def _one_line(error: Exception) -> str:
    return " ".join(reason_of(error).splitlines())


def _to_graph6_lines(graphs: Graphs) -> bytes:
    held = {"node labels": graphs.node_label, "edge labels": graphs.edge_label, "node features": graphs.x}
    unfit = [name for name, value in held.items() if value is not None]
    loops = bool((graphs.edge_index[0] == graphs.edge_index[1]).any())
    if loops or not is_undirected(graphs):
        unfit.append("loops, parallel edges or directions")
    if unfit:
        raise ValueError(f"graph6 cannot hold {' or '.join(unfit)}; write an .npz file")
    return "".join(line + "\n" for line in to_graph6(graphs)).encode()
