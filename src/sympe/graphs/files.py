"""Read and write files of graphs; the suffix determines the format.

- ``.g6 .graph6 .s6 .sparse6``: graph6 or sparse6, one graph per line, with or without a header.
- ``.graphml``: GraphML; attributes are ignored.
- ``.edges .edgelist .txt .csv``: one undirected edge per line, as two names separated by spaces, tabs or a comma.
  A blank line ends a graph, ``#`` starts a comment, a first line ``source,target`` is a header. Repeats count once.
- ``.npz``: arrays as described in :mod:`sympe.graphs.npz`; the only format with labels and splits.

Nodes are numbered in the order in which the file first names them. Any problem with a file raises a one-line
``ValueError`` that names the file and, if known, the place in it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from sympe.atomic import write_atomically
from sympe.graphs.batch import Graphs, concatenate
from sympe.graphs.convert import from_graph6, from_networkx, to_graph6
from sympe.graphs.npz import SPLITS, is_undirected, parse_npz, to_npz

if TYPE_CHECKING:
    import networkx

_GRAPH6 = frozenset({".g6", ".graph6", ".s6", ".sparse6"})
_EDGE_LISTS = frozenset({".edges", ".edgelist", ".txt", ".csv"})
#: Suffixes that :func:`read` accepts.
READABLE = _GRAPH6 | _EDGE_LISTS | {".graphml", ".npz"}


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
            files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in READABLE and file.is_file()]
            if not files:
                raise ValueError(f"expected a folder of files ending in {_listed(READABLE)}; it holds none")
        else:
            graphs = _parse(path.read_bytes(), path.suffix.lower(), split)
            if not len(graphs):
                raise ValueError("expected at least one graph; there is none" + (f" for {split}" if split else ""))
            return graphs
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {_one_line(error)}") from error
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


def _parse(raw: bytes, suffix: str, split: str | None) -> Graphs:
    if suffix not in READABLE:
        raise ValueError(f"expected a file ending in {_listed(READABLE)}; got {suffix or 'no suffix'}")
    if not raw.strip():
        raise ValueError("expected graphs; the file is empty")
    if suffix == ".npz":
        return parse_npz(raw, split)
    if split is not None:
        raise ValueError(f"expected an .npz file with an array split to take {split!r} from")
    if suffix in _GRAPH6:
        return from_graph6(raw.splitlines())
    return from_networkx(parse_graphml(raw)) if suffix == ".graphml" else _parse_edge_list(raw)


def _listed(suffixes: frozenset[str]) -> str:
    return " ".join(sorted(suffixes))


def _one_line(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.splitlines())


def _parse_edge_list(raw: bytes) -> Graphs:
    import networkx

    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {raw[error.start]:#04x} at position {error.start}"
        raise ValueError(f"expected text in UTF-8; got {found}") from error
    if "\0" in text:
        raise ValueError(f"expected text; got a zero byte at position {raw.index(0)}")
    parsed = [networkx.Graph()]
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() and len(parsed[-1]):
            parsed.append(networkx.Graph())
        content = line.split("#", 1)[0].strip()
        if not content:
            continue
        names = [name.strip() for name in content.split(",")] if "," in content else content.split()
        if len(names) != 2 or not all(names):
            raise ValueError(f"line {number}: expected two names of nodes; got {content[:40]!r}")
        if number > 1 or [name.lower() for name in names] != ["source", "target"]:
            parsed[-1].add_edge(*names)
    return from_networkx(graph for graph in parsed if len(graph))


def parse_graphml(raw: bytes) -> "list[networkx.Graph]":
    """The graphs in the content of a GraphML file, with their attributes.

    Raises:
        ValueError: If it is not GraphML.
    """
    import networkx
    from networkx.readwrite.graphml import GraphMLReader

    _check_graphml(raw)
    # Files without the namespace are common, and the reader finds nothing in them.
    bare, named = b"<graphml>", b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    try:
        parsed = list(GraphMLReader()(string=raw.replace(bare, named)))
    except (networkx.NetworkXException, ParseError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"expected GraphML; got {type(error).__name__}: {error}") from error
    if not parsed:
        raise ValueError("expected GraphML; there is no <graph> in a <graphml>")
    return parsed


def _check_graphml(raw: bytes) -> None:
    """Refuse what the reader would expand without bound (entities) or invent (a missing end of an edge)."""
    parser = expat.ParserCreate()
    needed = {"node": ("id",), "edge": ("source", "target")}

    def declare_entity(name: str, *_: object) -> None:
        raise ValueError(f"line {parser.CurrentLineNumber}: expected no entities; got the declaration of {name!r}")

    def start_element(name: str, attributes: Mapping[str, str]) -> None:
        kind = name.rpartition(":")[2]
        for key in needed.get(kind, ()):
            if key not in attributes:
                raise ValueError(f"line {parser.CurrentLineNumber}: expected <{kind}> to have {key!r}; it has none")

    parser.EntityDeclHandler = declare_entity
    parser.StartElementHandler = start_element
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(f"expected GraphML; got {error}") from error


def _to_graph6_lines(graphs: Graphs) -> bytes:
    held = {"node labels": graphs.node_label, "edge labels": graphs.edge_label, "node features": graphs.x}
    unfit = [name for name, value in held.items() if value is not None]
    loops = bool((graphs.edge_index[0] == graphs.edge_index[1]).any())
    if loops or not is_undirected(graphs):
        unfit.append("loops, parallel edges or directions")
    if unfit:
        raise ValueError(f"graph6 cannot hold {' or '.join(unfit)}; write an .npz file")
    return "".join(line + "\n" for line in to_graph6(graphs)).encode()
