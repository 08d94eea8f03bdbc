"""GraphML through networkx: the graphs, and one attribute if it is asked for. No other attribute is looked at.

The namespace may be missing. A group of yEd is a node, next to the nodes in it. Without ``edgedefault`` a graph is
undirected. An edge must join nodes that the file lists.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers import expat

import numpy as np

if TYPE_CHECKING:
    import networkx

_NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"
_PARTS = {"graphml", "key", "default", "graph", "node", "edge", "hyperedge", "data"}
_NEEDED = {"node": ("id",), "edge": ("source", "target")}
_DEEPEST = 300
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def parse_graphml(raw: bytes, target: str | None = None) -> "list[tuple[networkx.Graph, Any]]":
    """The graphs in the content of a file without attributes, each with its target or None.

    Args:
        raw: The content.
        target: An attribute of all nodes, all edges, or the graphs. Strings become classes.

    Raises:
        ValueError: If it is not GraphML, or some nodes and edges lack the attribute.
    """
    import networkx
    from networkx.readwrite.graphml import GraphMLReader

    _check(raw)
    classes: dict[str, int] = {}
    parsed = []
    try:
        root = fromstring(raw)
        keys = _simplify(root, target)
        names = {
            key: {"name": target if "yfiles.type" not in at.attrib else "", "type": str} for key, at in keys.items()
        }
        for element in root.findall(f"{_NAMESPACE}graph") if root.tag == f"{_NAMESPACE}graphml" else []:
            graph = GraphMLReader().make_graph(element, names, {})
            parsed.append((graph, None if target is None else _target(graph, target, keys.values(), classes)))
            for _, data in [*graph.nodes(data=True), *((None, edge[-1]) for edge in graph.edges(data=True))]:
                data.clear()
    except (networkx.NetworkXException, ParseError) as error:
        raise ValueError(f"expected GraphML; got {type(error).__name__}: {error}") from error
    if not parsed:
        raise ValueError("expected GraphML; there is no <graph> in a <graphml>")
    return parsed


def _check(raw: bytes) -> None:
    """Refuse what the reader would expand without bound (entities, depth) or invent (nodes that no line lists)."""
    parser = expat.ParserCreate()
    inside: list[str] = []
    nodes: set[str] = set()
    ends: list[tuple[int, str]] = []

    def declare_entity(name: str, *_: object) -> None:
        raise ValueError(f"line {parser.CurrentLineNumber}: expected no entities; got the declaration of {name!r}")

    def start_element(name: str, attributes: Mapping[str, str]) -> None:
        kind, line = name.rpartition(":")[2], parser.CurrentLineNumber
        inside.append(kind)
        if len(inside) > _DEEPEST:
            raise ValueError(f"line {line}: expected elements at most {_DEEPEST} deep; got more")
        if "data" in inside:
            return
        for key in _NEEDED.get(kind, ()):
            if key not in attributes:
                raise ValueError(f"line {line}: expected <{kind}> to have {key!r}; it has none")
        if kind == "node":
            if attributes["id"] in nodes:
                raise ValueError(f"line {line}: expected each node once; got {attributes['id']!r} again")
            nodes.add(attributes["id"])
        if kind == "edge":
            ends.extend((line, attributes[key]) for key in _NEEDED["edge"])

    def end_element(_: str) -> None:
        if inside.pop() == "graph" and "graph" not in inside:
            for line, end in ends:
                if end not in nodes:
                    raise ValueError(f"line {line}: expected an edge between nodes of the graph; got {end!r}")
            nodes.clear()
            ends.clear()

    parser.EntityDeclHandler = declare_entity
    parser.StartElementHandler = start_element
    parser.EndElementHandler = end_element
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(f"expected GraphML; got {error}") from error


def _simplify(root: Element, target: str | None) -> dict[str, Element]:
    """Keep what networkx needs, in the namespace that it expects; returns the keys of the target by id."""
    local = {element: element.tag.rpartition("}")[2] for element in root.iter() if "yworks" not in element.tag}
    keys = [element for element, name in local.items() if name == "key" and target is not None]
    wanted = [key for key in keys if target in (key.get("attr.name"), key.get("id"))]
    # networkx takes label, x, y and shape_type from the graphics of yEd.
    chosen = {key.get("id", ""): key for key in wanted or keys if wanted or key.get("yfiles.type")}
    for element, name in local.items():
        if name not in _PARTS:
            continue
        element.tag = _NAMESPACE + name
        if name in ("graph", "node", "edge"):
            inner = [child for child in element if local.get(child) in _PARTS]
            element[:] = [child for child in inner if local[child] != "data" or child.get("key") in chosen]
            if name == "node" and any(local[child] == "graph" for child in element):
                element.set("yfiles.foldertype", "group")
    return chosen


def _target(graph: "networkx.Graph", name: str, keys: Any, classes: dict[str, int]) -> Any:
    kinds = {key.get("for", "all"): key for key in keys}
    edges = list(graph.edges(data=True))
    lists = {
        "graph": [graph.graph],
        "node": [data for _, data in graph.nodes(data=True)],
        "edge": [e[2] for e in edges],
    }
    for per, held in lists.items():
        key = kinds.get(per, kinds.get("all"))
        texts = [data.get(name) for data in held]
        given = [text for text in texts if text is not None]
        default = None if key is None or not (given or per in kinds) else key.findtext(f"{_NAMESPACE}default")
        if not texts or (default is None and len(given) < len(texts)):
            continue
        kind = "string" if key is None else key.get("attr.type", "string")
        values = [_value(default or "" if text is None else text, kind, name, classes) for text in texts]
        array = np.array(values, dtype=np.float64 if any(isinstance(value, float) for value in values) else np.int64)
        return array[0] if per == "graph" else array if per == "node" else array[_places(graph, name)]
    raise ValueError(f"expected an attribute {name} on every node or on every edge; some lack it")


def _places(graph: "networkx.Graph", name: str) -> list[int]:
    """The listed edge of each directed edge of :class:`~sympe.Graphs`, in its order."""
    if graph.is_multigraph():
        raise ValueError(f"expected no parallel edges for the target {name}; the graph has some")
    place = {edge: number for number, edge in enumerate(graph.edges())}
    both = graph if graph.is_directed() else graph.to_directed(as_view=True)
    return [place[u, v] if (u, v) in place else place[v, u] for u, v in both.edges()]


def _value(text: str, kind: str, name: str, classes: dict[str, int]) -> int | float:
    text = text.strip()
    try:
        if kind == "boolean":
            return _TRUTH[text.lower()]
        if kind in ("int", "integer", "long"):
            return int(np.int64(int(text)))
        if kind in ("float", "double"):
            if text.lstrip("+-").isdecimal() and int(float(text)) != int(text):
                raise ValueError("it would be rounded")
            return float(text)
    except (KeyError, OverflowError, ValueError) as error:
        raise ValueError(f"expected {name} to be of type {kind} in 64 bits; got {text[:40]!r}") from error
    if kind != "string":
        raise ValueError(f"expected {name} of type boolean, int, long, float, double or string; got {kind!r}")
    return classes.setdefault(text, len(classes))
