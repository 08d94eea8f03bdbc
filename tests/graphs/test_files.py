"""Files of graphs: what is written comes back, each format is read as documented, damage is told in one line."""

import io
from pathlib import Path

import networkx
import numpy as np
import pytest
import torch

from sympe.graphs import Graphs, files, from_edges, from_networkx, read, to_networkx, write

CYCLE_AND_PATH = [(4, [(0, 1), (1, 2), (2, 3), (3, 0)]), (3, [(0, 1), (1, 2)])]


def edges(graphs: Graphs) -> list[tuple[int, ...]]:
    """Every directed edge with its label, sorted."""
    label = torch.zeros(graphs.num_edges) if graphs.edge_label is None else graphs.edge_label
    return sorted(zip(*graphs.edge_index.tolist(), label.tolist(), strict=True))


def save(path: Path, **arrays: object) -> Path:
    np.savez(path, **{name: np.asarray(value) for name, value in arrays.items()})
    return path


def plain(**changes: object) -> dict[str, object]:
    arrays: dict[str, object] = {"n_nodes": [4, 3], "n_edges": [4, 2]}
    arrays["edges"] = [edge for _, own in CYCLE_AND_PATH for edge in own]
    return {name: value for name, value in (arrays | changes).items() if value is not None}


# ---------------------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize("name", ["graphs.g6", "graphs.graph6", "graphs.npz", "new/folder/graphs.npz", "GRAPHS.G6"])
def test_simple_graphs_come_back(tmp_path, name):
    graphs = from_edges([*CYCLE_AND_PATH, (1, []), (0, [])])
    write(graphs, tmp_path / name)
    back = read(tmp_path / name)
    assert edges(back) == edges(graphs)
    assert back.sizes.tolist() == [4, 3, 1, 0]
    assert back.node_label is None
    assert back.edge_label is None
    assert [file.name for file in (tmp_path / name).parent.iterdir()] == [Path(name).name]


@pytest.mark.parametrize("directed", [False, True])
def test_an_npz_keeps_labels_features_loops_and_directions(tmp_path, directed):
    graphs = from_edges(
        [(3, [(0, 1), (2, 2)]), (0, []), (2, [(0, 1)])],
        node_label=[5, -1, 300, 0, 0],
        edge_label=[7, -2, 0],
        directed=directed,
    )
    graphs = Graphs(
        graphs.edge_index, graphs.batch, graphs.node_label, graphs.edge_label, torch.rand(5, 2), graphs.num_graphs
    )
    write(graphs, tmp_path / "graphs.npz")
    back = read(tmp_path / "graphs.npz")
    assert edges(back) == edges(graphs)
    assert back.sizes.tolist() == [3, 0, 2]
    assert torch.equal(back.node_label, graphs.node_label)
    assert torch.equal(back.x, graphs.x)


def test_an_npz_keeps_parallel_edges_and_edges_whose_reverse_has_another_label(tmp_path):
    graphs = from_edges([(2, [(0, 1), (0, 1), (1, 0)])], edge_label=[1, 2, 3], directed=True)
    write(graphs, tmp_path / "graphs.npz")
    assert edges(read(tmp_path / "graphs.npz")) == [(0, 1, 1), (0, 1, 2), (1, 0, 3)]


def test_an_undirected_edge_is_written_once(tmp_path):
    write(from_edges(CYCLE_AND_PATH), tmp_path / "graphs.npz")
    with np.load(tmp_path / "graphs.npz") as archive:
        assert archive["edges"].tolist() == [[0, 1], [1, 2], [2, 3], [0, 3], [0, 1], [1, 2]]
        assert archive["n_edges"].tolist() == [4, 2]


@pytest.mark.parametrize(
    ("graphs", "message"),
    [
        (from_edges(CYCLE_AND_PATH, node_label=[0] * 7), "node labels"),
        (from_edges([(2, [(0, 1)])], edge_label=[1]), "edge labels"),
        (from_edges([(2, [(0, 1)])], directed=True), "directions"),
        (from_edges([(2, [(0, 1), (1, 1)])]), "loops"),
    ],
)
def test_graph6_is_not_written_where_it_would_lose_something(tmp_path, graphs, message):
    with pytest.raises(ValueError, match=f"graphs.g6: graph6 cannot hold .*{message}"):
        write(graphs, tmp_path / "graphs.g6")
    assert list(tmp_path.iterdir()) == []


def test_only_known_suffixes_and_at_least_one_graph_are_written(tmp_path):
    with pytest.raises(ValueError, match=r"ending in \.g6, \.graph6 or \.npz to write; got \.graphml"):
        write(from_edges(CYCLE_AND_PATH), tmp_path / "graphs.graphml")
    with pytest.raises(ValueError, match="at least one graph to write"):
        write(from_edges([]), tmp_path / "graphs.npz")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "graphs.g6"
    write(from_edges(CYCLE_AND_PATH), path)

    def full_disk(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(from_edges([(1, [])]), path)
    assert len(read(path)) == 2
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------------------------------------- what is read


def test_graph6_and_sparse6_with_and_without_header(tmp_path):
    petersen = networkx.petersen_graph()
    for name, text in {
        "header.g6": networkx.to_graph6_bytes(petersen),
        "bare.g6": networkx.to_graph6_bytes(petersen, header=False),
        "header.s6": networkx.to_sparse6_bytes(petersen),
        "bare.sparse6": networkx.to_sparse6_bytes(petersen, header=False),
        "own_line.graph6": b">>graph6<<\n\n" + networkx.to_graph6_bytes(petersen, header=False).replace(b"\n", b"\r\n"),
    }.items():
        (tmp_path / name).write_bytes(text)
        assert edges(read(tmp_path / name)) == edges(from_networkx([petersen])), name


@pytest.mark.parametrize(
    "text",
    [
        "# two graphs\na b\nb c\nc d\nd a\n\n\n1 2\n2 3\n",
        "Source,Target\na,b\nb, c\n# a comment ends no graph\nb,a\nc,d  # nor here\nd,a\n \n1,2\n2,3",
        "\ufeffa\tb\r\nb\tc\r\nc\td\r\nd\ta\r\n\r\n1\t2\r\n2\t3\r\n",
    ],
)
def test_edge_lists(tmp_path, text):
    (tmp_path / "graphs.csv").write_bytes(text.encode())
    assert edges(read(tmp_path / "graphs.csv")) == edges(from_edges(CYCLE_AND_PATH))


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://graphml.graphdrawing.org/xmlns"'])
def test_graphml_with_attributes_directions_and_several_graphs(tmp_path, namespace):
    (tmp_path / "graphs.graphml").write_text(
        f"""<?xml version="1.0" encoding="UTF-8"?>
        <graphml{namespace}>
          <key id="w" for="edge" attr.name="weight" attr.type="double"/>
          <graph edgedefault="undirected">
            <node id="b"/><node id="a"/><node id="alone"/>
            <edge source="a" target="b"><data key="w">0.5</data></edge>
          </graph>
          <graph edgedefault="directed"><node id="a"/><node id="b"/><edge source="b" target="a"/></graph>
        </graphml>"""
    )
    graphs = read(tmp_path / "graphs.graphml")
    assert graphs.sizes.tolist() == [3, 2]
    assert edges(graphs) == [(0, 1, 0), (1, 0, 0), (4, 3, 0)]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint64])
def test_npz_in_any_integer_type(tmp_path, dtype):
    # 300 nodes in all: positions do not fit in the 8 bits that each number of the file does fit in.
    n, edge = 100, [[0, 99], [98, 99]]
    arrays = {"n_nodes": [n] * 3, "n_edges": [2] * 3, "edges": edge * 3, "split": [0, 1, 0]}
    path = save(tmp_path / "graphs.npz", **{name: np.asarray(value, dtype) for name, value in arrays.items()})
    graphs = read(path)
    assert graphs.edge_index.dtype == torch.long
    pairs = [(g * n + i, g * n + j, 0) for g in range(3) for a, b in edge for i, j in ((a, b), (b, a))]
    assert edges(graphs) == sorted(pairs)
    assert read(path, "train").sizes.tolist() == [n, n]
    assert read(path, "validation").sizes.tolist() == [n]
    with pytest.raises(ValueError, match=r"graphs\.npz: expected at least one graph; there is none for test"):
        read(path, "test")


def test_molecules_in_an_npz_carry_labels(tmp_path):
    path = save(
        tmp_path / "molecules.npz",
        n_atoms=np.array([3, 2], np.uint8),
        n_bonds=np.array([2, 1], np.uint8),
        atom_type=np.array([3, 0, 0, 2, 2], np.uint8),
        bonds=np.array([[0, 1, 1], [0, 2, 1], [0, 1, 3]], np.uint8),
        gdb9_index=np.array([3, 6]),
    )
    water, nitrogen = to_networkx(read(path))
    assert [water.nodes[i]["label"] for i in range(3)] == [3, 0, 0]
    assert sorted(water.edges(data="label")) == [(0, 1, 1), (0, 2, 1)]
    assert sorted(nitrogen.edges(data="label")) == [(0, 1, 3)]


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    write(from_edges(CYCLE_AND_PATH), tmp_path / "b.g6")
    write(from_edges([(5, [(0, 4)])]), tmp_path / "a.npz")
    (tmp_path / "notes.md").write_text("not a graph")
    (tmp_path / "below.g6").mkdir()
    assert read(tmp_path).sizes.tolist() == [5, 4, 3]


def test_files_of_a_folder_must_go_together(tmp_path):
    write(from_edges(CYCLE_AND_PATH), tmp_path / "a.npz")
    write(from_edges(CYCLE_AND_PATH, node_label=[0] * 7), tmp_path / "b.npz")
    with pytest.raises(ValueError, match="the files do not go together: either all batches carry node_label"):
        read(tmp_path)


# --------------------------------------------------------------------------------------------- what is refused


def refused(path: Path, message: str, split: str | None = None) -> None:
    """Reading fails with one line that names the file and says ``message``."""
    with pytest.raises(ValueError, match=message) as caught:
        read(path, split)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_missing_empty_and_unknown(tmp_path):
    refused(tmp_path / "missing.g6", "No such file")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", r"expected a folder of files ending in .*\.g6.*; it holds none")
    for suffix in (".g6", ".graphml", ".edges", ".npz"):
        (tmp_path / f"empty{suffix}").write_bytes(b"")
        refused(tmp_path / f"empty{suffix}", "the file is empty")
    (tmp_path / "comments.edges").write_text("# nothing\n\n# here\n")
    refused(tmp_path / "comments.edges", "expected at least one graph")
    (tmp_path / "header.g6").write_text(">>graph6<<\n")
    refused(tmp_path / "header.g6", "expected at least one graph")
    (tmp_path / "graph.xyz").write_text("1 2")
    refused(tmp_path / "graph.xyz", r"expected a file ending in .*; got \.xyz")
    (tmp_path / "graph").write_text("1 2")
    refused(tmp_path / "graph", "got no suffix")


def test_a_split_must_be_there(tmp_path):
    write(from_edges(CYCLE_AND_PATH), tmp_path / "graphs.g6")
    refused(tmp_path / "graphs.g6", "expected an .npz file with an array split", split="train")
    refused(save(tmp_path / "a.npz", **plain()), "expected an array split", split="train")
    refused(save(tmp_path / "b.npz", **plain(split=[0, 3])), "split must hold 0, 1 or 2 for each of 2", split="train")
    refused(save(tmp_path / "c.npz", **plain(split=[0])), "split must hold .* 2 samples; got 1", split="train")
    with pytest.raises(ValueError, match="split must be one of train, validation, test; got 'dev'"):
        read(tmp_path / "a.npz", "dev")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"DQc\nIsP@PG\n", "line 2 is not graph6: 'IsP@PG'"),  # cut short
        (b"DQc\n\nD  c\n", "line 3 is not graph6: 'D  c' .expected characters"),
        (bytes(range(128, 256)), "line 1 is not graph6"),
        ("DQc".encode("utf-16"), "line 1 is not graph6"),
        (b":", "line 1 is not graph6"),
        (b"~", "line 1 is not graph6"),
        (b">>sparse6<<:~~~~~~~~", "line 1 is not graph6: .* at most 258047 nodes"),  # 2^36 nodes in 8 bytes
        (b"a b\nb c\n", "line 1 is not graph6"),
    ],
)
def test_damaged_graph6(tmp_path, content, message):
    (tmp_path / "graphs.g6").write_bytes(content)
    refused(tmp_path / "graphs.g6", message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a b\nc\n", "line 2: expected two names of nodes; got 'c'"),
        (b"a b 0.5\nb c 0.25\n", r"line 2: expected the same data for every edge; got \[0.25\], and \[0.5\] on line 1"),
        (b"a,\n", "line 1: expected two names of nodes"),
        (b"a b\nb c weight\n", "line 2: expected 2 columns, as above; got 3"),
        (b"a b\n\xe9 b\n", "expected text in UTF-8; got byte 0xe9 at position 4"),
        (b"a b\0\n", "expected text; got a zero byte at position 3"),
        (b"\x89PNG\r\n\x1a\n\0\0", "expected text in UTF-8"),
    ],
)
def test_damaged_edge_lists(tmp_path, content, message):
    (tmp_path / "graphs.edges").write_bytes(content)
    refused(tmp_path / "graphs.edges", message)


BILLION_LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE graphml [
  <!ENTITY a "ha">
  <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
]>
<graphml><graph edgedefault="undirected"><node id="&b;"/></graph></graphml>"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a b\n", "expected GraphML; got syntax error: line 1"),
        (b"<graphml><graph>", "expected GraphML; got no element found: line 1"),
        (b"<graphml/>", "there is no <graph>"),
        (b"<html><graph/></html>", "there is no <graph>"),
        (b"<graphml><graph>\n<node/></graph></graphml>", "line 2: expected <node> to have 'id'"),
        (b"<graphml><graph><edge source='a'/></graph></graphml>", "line 1: expected <edge> to have 'target'"),
        (b"<graphml><graph><node id='a'/><node id='a'/></graph></graphml>", "expected each node once; got 'a' again"),
        (
            b"<graphml><graph><node id='a'/>\n<edge source='a' target='b'/></graph></graphml>",
            "line 2: expected an edge between nodes of the graph; got 'b'",
        ),
        (b"<graphml><graph><hyperedge/></graph></graphml>", "hyperedges"),
        (b"<?xml version='1.0' encoding='klingon'?><graphml/>", "expected GraphML; got unknown encoding"),
        (b"<y:graphml><graph/></y:graphml>", "expected GraphML; got ParseError: unbound prefix"),
        (BILLION_LAUGHS.encode(), "line 3: expected no entities; got the declaration of 'a'"),
        (BILLION_LAUGHS.encode("utf-16"), "line 3: expected no entities"),
        (b"<!DOCTYPE g [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><graphml>&e;</graphml>", "expected no entities"),
        (b"\0\1\2\3", "expected GraphML; got"),
    ],
)
def test_damaged_graphml(tmp_path, content, message):
    (tmp_path / "graphs.graphml").write_bytes(content)
    refused(tmp_path / "graphs.graphml", message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_edges": None}, "expected arrays n_nodes, n_edges, edges or n_atoms.*; got n_nodes, edges"),
        ({"n_nodes": [4.0, 3.0]}, "n_nodes must hold integers; got float64"),
        ({"edges": [["a", "b"]]}, "edges must hold integers; got <U1"),
        ({"n_nodes": np.array([4, 3], object)}, "array n_nodes must hold numbers; got objects"),
        ({"edges": np.zeros((6, 3), int)}, r"edges must have shape \[M, 2\]; got \[6, 3\]"),
        ({"n_nodes": [[4, 3]]}, r"n_nodes must have shape \[G\]; got \[1, 2\]"),
        ({"n_nodes": [4]}, "n_nodes and n_edges must be equally long; got 1 and 2"),
        ({"n_edges": [4, 3]}, "n_edges adds up to 7; edges has 6 rows"),
        ({"n_edges": [7, -1]}, "n_edges must hold numbers from 0 to .*; got -1..7"),
        ({"n_nodes": [4, 10**12]}, "n_nodes must hold numbers from 0 to .*; got 4..1000000000000"),
        ({"n_nodes": [2**31 - 1] * 2}, "n_nodes must add up to at most 2147483647; got 4294967294"),
        ({"n_nodes": np.array([4, 2**63], np.uint64)}, r"n_nodes must hold integers below 2\^63"),
        ({"n_nodes": [4, 2]}, r"edges of graph 1 must join nodes 0..1; got \[1, 2\] in row 5"),
        ({"edges": [(0, 1), (1, 2), (2, 3), (1, 0), (0, 1), (1, 2)]}, "graph 0 has one in rows 0 and 3"),
        ({"node_label": [0] * 6}, "node_label must have 7 rows"),
        ({"edge_label": [0] * 7}, "expected 6 edge labels, one per row of edges; got 7"),
        ({"x": [[0], [1]]}, "x must hold floating-point numbers"),
        ({"x": [[np.nan]] * 7}, "node features must be finite"),
        ({"directed": [1, 0]}, r"directed must have shape \[\]; got \[2\]"),
    ],
)
def test_damaged_npz(tmp_path, changes, message):
    refused(save(tmp_path / "graphs.npz", **plain(**changes)), message)


def test_an_npz_that_is_none(tmp_path):
    path = save(tmp_path / "graphs.npz", **plain())
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"PK\3\4 junk", bytes(range(256))):
        path.write_bytes(content)
        refused(path, "expected an archive of numpy arrays")
    path.write_bytes(whole.replace(b"NUMPY", b"NUMBY"))
    refused(path, "cannot be read")
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    path.write_bytes(buffer.getvalue())
    refused(path, "got a single array")
