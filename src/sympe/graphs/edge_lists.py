"""Edge lists and tables of edges (.edges, .edgelist, .txt, .csv, .tsv): one undirected edge per line.

- Two names of nodes, separated by a tab, a semicolon, a comma or spaces; names may be quoted. A blank line ends a
  graph; ``#`` and ``%`` start comments. Repeats count once.
- A first line is a header if none of its words recurs, unless they look like the names below (``n1 n2`` above
  ``n3 n4``; numbers are never a header). A header may name the columns of the ends: source, target; src, dst; from, to;
  u, v; i, j; head, tail; node1, node2; id_1, id_2. Otherwise they are the first two.
- Further columns, or networkx's dictionary, must hold the same for every edge, and are dropped, as are columns named
  id or index. What differs between edges is refused: without it the graph would look more symmetric than it is.
- A table of values is refused: a header that names SMILES, names in one column and numbers in the other, or columns of
  different words none of which recurs. So is a first line that may count nodes and edges.
"""

import csv
import re
from collections.abc import Iterator, Sequence

from sympe.graphs.batch import Graphs
from sympe.graphs.convert import from_edges

_SOURCES = {"source", "src", "from", "u", "i", "tail", "node1", "nodeu", "id1", "nodeid1", "sourceid", "nodea"}
_TARGETS = {"target", "dst", "to", "v", "j", "head", "node2", "nodev", "id2", "nodeid2", "targetid", "nodeb", "dest"}
_IDS = {"", "id", "index", "edgeid"}
_STRUCTURES = {"structure", "smi", "mol", "molecule", "compound", "inchi"}

Row = tuple[int, list[str]]
_COMMENT = re.compile(r"(^|\s)#.*|^\s*%.*")
_DICTIONARY = re.compile(r"(.*?)[\s,;]*(\{.*\})")


def is_of_molecules(name: str) -> bool:
    """Whether the name of a column says that it holds SMILES."""
    return "smiles" in name.lower() or _plain(name) in _STRUCTURES


def cells_of(content: str) -> list[str]:
    """The cells of a line of a table.

    Raises:
        ValueError: If the quotes do not match.
    """
    found = _DICTIONARY.fullmatch(content)
    names, data = found.groups() if found else (content, None)
    delimiter = next((mark for mark in "\t;," if mark in names), None)
    try:
        cells = next(csv.reader([names], delimiter=delimiter, skipinitialspace=True)) if delimiter else names.split()
    except (csv.Error, StopIteration) as error:
        raise ValueError(f"expected a line of a table; {error}") from error
    return [cell.strip() for cell in cells] + ([data] if data else [])


def parse_edge_list(raw: bytes) -> Graphs:
    """The graphs in the content of a file.

    Raises:
        ValueError: If a line is no edge, or would be read as less than it says; the message names the line.
    """
    parts = list(_parts(_decoded(raw)))
    rows = [row for part in parts for row in part]
    if not rows:
        return from_edges([])
    header = rows[0][1] if _is_header([cells for _, cells in rows]) else []
    ends = _ends(header)
    _check_columns(rows[len(header) > 0 :], ends, header)
    if not {_plain(name) for name in header} & _SOURCES:
        _check_names(rows[len(header) > 0 :], ends, len(rows))
    skipped = len(header) > 0
    graphs = []
    for part in parts:
        place: dict[str, int] = {}
        edges: dict[tuple[int, int], None] = {}
        for _, cells in part[skipped:]:
            u, v = sorted(place.setdefault(cells[end], len(place)) for end in ends)
            edges[u, v] = None
        skipped = False
        if place:
            graphs.append((len(place), list(edges)))
    return from_edges(graphs)


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {raw[error.start]:#04x} at position {error.start}"
        raise ValueError(f"expected text in UTF-8; got {found}") from error
    if "\0" in text:
        raise ValueError(f"expected text; got a zero byte at position {raw.index(0)}")
    return text


def _parts(text: str) -> Iterator[list[Row]]:
    """The lines of each graph, numbered, as cells."""
    held: list[Row] = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = _COMMENT.sub("", line).strip()
        if content:
            try:
                cells = cells_of(content)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
            if len(cells) < 2:
                raise ValueError(f"line {number}: expected two names of nodes; got {content[:40]!r}")
            held.append((number, cells))
        elif not line.strip() and held:
            yield held
            held = []
    if held:
        yield held


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _is_header(rows: Sequence[list[str]]) -> bool:
    first, later = rows[0], {cell for cells in rows[1:] for cell in cells}
    if any(cell in later or _is_number(cell) for cell in first):
        return False
    known = {_plain(name) for name in first}
    if not later:
        return known == {"source", "target"}
    if (known & _SOURCES and known & _TARGETS) or any(map(is_of_molecules, first)):
        return True
    return not {_shape(cell) for cell in first} <= {_shape(cell) for cell in later}


def _shape(name: str) -> str:
    """Names that are numbered in the same way, and single letters, look alike."""
    return re.sub(r"\d+", "0", name) if len(name) > 1 else "a"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _ends(header: Sequence[str]) -> tuple[int, int]:
    """The columns of the ends of an edge."""
    if any(map(is_of_molecules, header)):
        held = ", ".join(header)[:60]
        raise ValueError(
            f"expected edges; got a table of molecules ({held}): sympe audit reads SMILES in a .csv or .tsv"
        )
    names = [_plain(name) for name in header]
    found = [[place for place, name in enumerate(names) if name in known] for known in (_SOURCES, _TARGETS)]
    return (found[0][0], found[1][0]) if [len(places) for places in found] == [1, 1] else (0, 1)


def _check_columns(rows: Sequence[Row], ends: tuple[int, int], header: Sequence[str]) -> None:
    ignored = {*ends, *(place for place, name in enumerate(header) if _plain(name) in _IDS)}
    first: tuple[int, list[str | float]] | None = None
    for number, cells in rows:
        width = len(header or rows[0][1])
        if len(cells) != width:
            raise ValueError(f"line {number}: expected {width} columns, as above; got {len(cells)}")
        if not all(cells[end] for end in ends):
            raise ValueError(f"line {number}: expected two names of nodes; got {', '.join(cells)!r}")
        rest = [cell for place, cell in enumerate(cells) if place not in ignored]
        if "directed" in map(str.lower, rest):
            raise ValueError(f"line {number}: expected undirected edges; got {rest}: save directed graphs as .graphml")
        data = [float(cell) if _is_number(cell) else cell for cell in rest]
        first = first or (number, data)
        if data != first[1]:
            raise ValueError(
                f"line {number}: expected the same data for every edge; got {data}, and {first[1]} on line "
                f"{first[0]}: drop the columns, or keep them as edge_label in an .npz"
            )


def _check_names(rows: Sequence[Row], ends: tuple[int, int], lines: int) -> None:
    """Refuse what looks like a table of values: columns of other kinds of names, and no name twice."""
    columns = [[cells[end] for _, cells in rows] for end in ends]
    kinds = [set(map(_is_number, column)) for column in columns]
    shapes = [set(map(_shape, column)) for column in columns]
    recurs = len({name for column in columns for name in column}) < 2 * len(rows)
    if ({True} in kinds and {False} in kinds) or not (lines == 1 or recurs or shapes[0] & shapes[1]):
        raise ValueError(
            f"line {rows[0][0]}: expected two names of nodes; got what looks like a table of values: name the columns "
            f"source,target if they are edges, or smiles if they are molecules"
        )
    later = {name for column in columns for name in column[1:]}
    if [column[0] for column in columns] == [str(len(later)), str(len(rows) - 1)] and all(map(_is_number, later)):
        raise ValueError(
            f"line {rows[0][0]}: expected an edge; got what may be the numbers of nodes and edges: drop it"
        )
