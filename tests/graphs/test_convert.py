import warnings

import networkx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import LARGE, SMALL, batch_of, crowds
from laws import same_graphs
from random_graphs import batches
from sympe import Graphs
from sympe.graphs import (
    colored_graphs,
    concatenate,
    from_dense,
    from_edges,
    from_graph6,
    from_networkx,
    from_pyg,
    to_dense,
    to_graph6,
    to_networkx,
    to_pyg,
)

BATCHES = [batch_of(crowd) for crowd in crowds(SMALL)]
NONE = Graphs(torch.zeros(2, 0, dtype=torch.long), torch.zeros(0, dtype=torch.long))


def test_undirected_edges_are_named_once() -> None:
    graphs = from_edges([(3, [(0, 1), (2, 2)]), (0, []), (2, [(1, 0)])], edge_label=[7, 8, 9])
    assert graphs.edge_index.tolist() == [[0, 2, 4, 1, 3], [1, 2, 3, 0, 4]]
    assert graphs.edge_label.tolist() == [7, 8, 9, 7, 9]
    assert graphs.sizes.tolist() == [3, 0, 2]


def test_directed_edges_go_one_way() -> None:
    graphs = from_edges([(3, [(0, 1), (2, 2)])], directed=True)
    assert graphs.edge_index.tolist() == [[0, 2], [1, 2]]


def test_no_graphs() -> None:
    assert same_graphs(from_edges([]), NONE)
    assert same_graphs(from_networkx([]), NONE)
    assert same_graphs(from_graph6([]), NONE)
    assert same_graphs(from_dense(torch.zeros(0, 3, 3)), NONE)
    assert to_networkx(NONE) == to_graph6(NONE) == []
    adjacency, mask = to_dense(NONE)
    assert adjacency.shape == (0, 0, 0)
    assert mask.shape == (0, 0)


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("n", "edges", "labels", "message"),
    [
        (3, [(0, 3)], {}, r"edges of graph 1 must join nodes 0\.\.2; got 0\.\.3"),
        (3, [(0, -1)], {}, r"edges of graph 1 must join nodes 0\.\.2; got -1\.\.0"),
        (3, [(0, 1)], {"edge_label": [1]}, "expected 2 edge labels, one per named edge; got 1"),
        (3, [(0, 1)], {"node_label": [1, 2]}, r"node_label must have 5 rows; got shape \[2\]"),
        (-1, [], {}, "graph 1 must have 0 nodes or more; got -1"),
        (3, [(0, 1, 2)], {}, r"edges of graph 1 must be pairs of integers; got int64 \[1, 3\]"),
        (3, [(0, 0.5)], {}, r"edges of graph 1 must be pairs of integers; got float64 \[1, 2\]"),
    ],
)
def test_edges_are_checked(n: int, edges: list, labels: dict[str, list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_edges([(2, [(0, 1)]), (n, edges)], **labels)


@given(batches(simple=True, labeled=False))
def test_networkx_round_trip(graphs: Graphs) -> None:
    assert same_graphs(from_networkx(to_networkx(graphs)), graphs)


def test_networkx_keeps_loops_directions_and_parallel_edges() -> None:
    loop = networkx.Graph([(0, 1), (1, 1)])
    arc = networkx.DiGraph([("a", "b")])
    double = networkx.MultiGraph([(0, 1), (0, 1)])
    graphs = from_networkx([loop, arc, double, networkx.empty_graph(2), networkx.Graph()])
    assert graphs.sizes.tolist() == [2, 2, 2, 2, 0]
    listed = sorted(zip(*graphs.edge_index.tolist(), strict=True))
    assert listed == [(0, 1), (1, 0), (1, 1), (2, 3), (4, 5), (4, 5), (5, 4), (5, 4)]


def test_networkx_gets_labels() -> None:
    x = from_edges([(1, []), (3, [(0, 1), (1, 2)])], node_label=[9, 5, 6, 5], edge_label=[1, 2])
    one, path = to_networkx(x)
    assert one.nodes[0]["label"] == 9
    assert [path.nodes[i]["label"] for i in range(3)] == [5, 6, 5]
    assert path.edges[0, 1]["label"] == 1
    assert path.edges[2, 1]["label"] == 2


@settings(max_examples=20)
@given(batches())
def test_pyg_round_trip(graphs: Graphs) -> None:
    pytest.importorskip("torch_geometric")
    if not len(graphs):
        with pytest.raises(ValueError, match="expected at least one graph; got none"):
            to_pyg(graphs)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = from_pyg(to_pyg(graphs))
    assert same_graphs(back, graphs)


def test_pyg_data() -> None:
    data = pytest.importorskip("torch_geometric.data")
    edge_index = torch.tensor([[0, 1], [1, 0]])
    one = from_pyg(data.Data(edge_index=edge_index, num_nodes=3))
    assert (len(one), one.num_nodes, one.x) == (1, 3, None)
    counted = from_pyg(data.Data(edge_index=edge_index, x=torch.tensor([[1], [2]])))
    assert counted.x.tolist() == [[1.0], [2.0]]
    loader = pytest.importorskip("torch_geometric.loader").DataLoader
    parts = [
        data.Data(edge_index=edge_index, x=torch.rand(2, 3)),
        data.Data(edge_index=edge_index[:, :0], x=torch.rand(1, 3)),
    ]
    (batch,) = loader(parts, batch_size=2)
    assert from_pyg(batch).sizes.tolist() == [2, 1]
    by_hand = data.Data(edge_index=edge_index, num_nodes=3, batch=torch.tensor([0, 0, 1]))
    assert from_pyg(by_hand).sizes.tolist() == [2, 1]


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": torch.zeros(2, 1)}, "expected a PyG Data or Batch with edge_index or adj_t; got Data without"),
        ({"edge_index": torch.tensor([[0], [5]]), "num_nodes": 2}, r"edges must join nodes 0\.\.1; got nodes 0\.\.5"),
        ({"edge_index": torch.tensor([[0], [1]]), "x": torch.full((2, 1), torch.nan)}, "node features must be finite"),
        ({"edge_index": torch.tensor([[0.0], [1.0]]), "num_nodes": 2}, "edge_index must hold integers"),
    ],
)
def test_pyg_data_is_checked(given: dict, message: str) -> None:
    data = pytest.importorskip("torch_geometric.data")
    with pytest.raises(ValueError, match=message):
        from_pyg(data.Data(**given))


@given(batches(simple=True, labeled=False), st.booleans())
def test_dense_round_trip(graphs: Graphs, as_bool: bool) -> None:
    adjacency, mask = to_dense(graphs)
    back = from_dense(adjacency.bool() if as_bool else adjacency, mask)
    assert same_graphs(back, graphs)
    assert mask.sum(1).tolist() == graphs.sizes.tolist()


def test_dense_entries_are_edge_labels() -> None:
    x = SMALL["edge labels on a cycle"]
    adjacency, mask = to_dense(x)
    assert sorted(adjacency.unique().tolist()) == [0, 1, 2]
    for same_matrix in (adjacency, adjacency.float(), adjacency.to(torch.int8)):
        assert same_graphs(from_dense(same_matrix, mask), x)
    assert same_graphs(from_dense((adjacency > 0).long() * 3, mask), from_dense((adjacency > 0) * 3.0))


def test_dense_keeps_loops_and_directions() -> None:
    x = from_edges([(3, [(0, 0), (0, 1), (2, 1)])], directed=True)
    adjacency, mask = to_dense(x)
    assert adjacency[0].tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert same_graphs(from_dense(adjacency, mask), x)


def test_dense_masks_may_have_holes() -> None:
    adjacency = torch.zeros(1, 4, 4)
    adjacency[0, 1, 3] = 1
    x = from_dense(adjacency, torch.tensor([[False, True, False, True]]))
    assert x.edge_index.tolist() == [[0], [1]]
    assert x.num_nodes == 2


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("adjacency", "mask", "message"),
    [
        (torch.zeros(2, 3), None, r"adjacency must have shape \[B, n, n\]; got \[2, 3\]"),
        (torch.zeros(1, 2, 3), None, r"adjacency must have shape \[B, n, n\]; got \[1, 2, 3\]"),
        (torch.zeros(1, 2, 2), torch.ones(2, 2).bool(), r"mask must have shape \[1, 2\]; got \[2, 2\]"),
        (torch.zeros(1, 2, 2), torch.ones(1, 2), "mask must hold booleans; got torch.float32"),
        (torch.ones(1, 2, 2), torch.tensor([[True, False]]), "an edge touches a padded node"),
        (torch.full((1, 2, 2), 0.5), None, r"entries of adjacency must be integers; got 0\.5"),
        (torch.full((1, 2, 2), torch.nan), None, "entries of adjacency must be integers; got nan"),
        (torch.full((1, 2, 2), torch.inf), None, "entries of adjacency must be integers; got inf"),
    ],
)
def test_dense_input_is_checked(adjacency: torch.Tensor, mask: torch.Tensor | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_dense(adjacency, mask)


def test_dense_needs_labels_other_than_zero() -> None:
    with pytest.raises(ValueError, match="edge labels must be non-zero"):
        to_dense(SMALL["edge labels on a path"])


@given(batches(simple=True, labeled=False))
def test_graph6_round_trip(graphs: Graphs) -> None:
    lines = to_graph6(graphs)
    assert same_graphs(from_graph6(lines), graphs)
    assert same_graphs(from_graph6([line.encode() + b"\n" for line in lines]), graphs)


def test_graph6_and_sparse6_of_networkx() -> None:
    graph = networkx.petersen_graph()
    lines = [networkx.to_graph6_bytes(graph), networkx.to_sparse6_bytes(graph), b"", b"\n"]
    first, second = to_networkx(from_graph6(lines))
    assert set(first.edges) == set(second.edges) == set(graph.edges)


@pytest.mark.parametrize("line", ["!!", "D?", b"\xff\xfe", ":", "~~??"])
def test_lines_that_are_not_graph6(line: str | bytes) -> None:
    with pytest.raises(ValueError, match="line 2 is not graph6"):
        from_graph6(["A_", line])


def test_large_graphs_survive_every_format() -> None:
    undirected = concatenate([LARGE[name][0] for name in ("cycle 8", "petersen", "shrikhande", "rook", "frucht")])
    assert same_graphs(from_graph6(to_graph6(undirected)), undirected)
    assert same_graphs(from_networkx(to_networkx(undirected)), undirected)
    assert same_graphs(from_dense(*to_dense(undirected)), undirected)


def test_labels_survive_networkx() -> None:
    x = from_edges([(3, [(0, 1), (1, 2)]), (1, [])], node_label=[4, 5, 4, 7], edge_label=[1, 2])
    again = from_networkx(to_networkx(x), node_label="label", edge_label="label")
    assert [graph.count_automorphisms() for graph in colored_graphs(again)] == [1, 1]
    assert again.node_label is not None
    assert again.node_label.tolist() == [4, 5, 4, 7]
    assert [graph.count_automorphisms() for graph in colored_graphs(from_networkx(to_networkx(x)))] == [2, 1]
    with pytest.raises(ValueError, match=r"expected an integer attribute 'kind' everywhere; got None$"):
        from_networkx(to_networkx(x), node_label="kind")
