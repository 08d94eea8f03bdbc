"""GraphML, with an attribute of nodes, edges or graphs as the target."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sympe.graphs.files import parse_graphml

if TYPE_CHECKING:
    import networkx


def read_graphml(path: Path, target: str | None = None) -> "list[tuple[networkx.Graph, Any]]":
    """The graphs of a file, each with its target or None.

    Args:
        path: The file.
        target: An attribute of all nodes, all edges, or the graphs. Strings become classes.

    Raises:
        ValueError: If the file is not GraphML, or some nodes and edges lack the attribute.
    """
    try:
        graphs = parse_graphml(path.read_bytes())
    except (OSError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"{path}: {text}") from error
    if target is None:
        return [(graph, None) for graph in graphs]
    kinds: dict[str, int] = {}
    return [(graph, _target(path, graph, target, kinds)) for graph in graphs]


def _target(path: Path, graph: "networkx.Graph", name: str, kinds: dict[str, int]) -> Any:
    if name in graph.graph:
        return np.array(graph.graph[name])
    nodes = [data[name] for _, data in graph.nodes(data=True) if name in data]
    if nodes and len(nodes) == len(graph):
        return _classes(nodes, kinds)
    edges = [data[name] for _, _, data in graph.edges(data=True) if name in data]
    if not edges or len(edges) < graph.number_of_edges():
        raise ValueError(f"{path}: expected an attribute {name} on every node or on every edge; some lack it")
    if graph.is_multigraph():
        raise ValueError(f"{path}: expected no parallel edges for the target {name}; the graph has some")
    # In the order of the directed edges of sympe.Graphs.
    place = {(u, v): value for (u, v), value in zip(graph.edges(), edges, strict=True)}
    both = graph if graph.is_directed() else graph.to_directed(as_view=True)
    listed = [place[u, v] if (u, v) in place else place[v, u] for u, v in both.edges()]
    return _classes(listed, kinds)


def _classes(values: list[Any], kinds: dict[str, int]) -> Any:
    if any(isinstance(value, str) for value in values):
        return np.array([kinds.setdefault(str(value), len(kinds)) for value in values])
    if any(isinstance(value, float) for value in values):
        return np.array(values, dtype=np.float64)
    return np.array(values, dtype=np.int64)
