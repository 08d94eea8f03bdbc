"""Files of graphs and fields as others write them: read right, by the audit and by the library alike, or refused."""

import bz2
import gzip
import lzma
import math
import warnings
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest
import torch

import sympe
from sympe import compressed
from sympe.graphs import Graphs, from_edges, read, to_graph6, write

CASES = Path(__file__).parents[2] / "shared" / "cases"
COMPRESSIONS = {".gz": gzip, ".xz": lzma, ".bz2": bz2}


CLAIMED = "expected at most 1048576 nodes and numbers beyond twice the bytes of all tensors; got "


def case(name: str) -> Path:
    if not CASES.is_dir():
        pytest.skip(f"the inputs that failed once are not on this machine: {CASES}")
    return CASES / ("damaged" if (CASES / "damaged" / name).exists() else "files") / name


def save(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def orders(path: Path, **options: Any) -> list[int]:
    return [row["stabilizer_order"] for row in sympe.audit(path, **options).samples()]


def error(path: Path, **options: Any) -> float:
    return sum(row["irreducible_error"] for row in sympe.audit(path, **options).samples())


def shape(graphs: Graphs) -> tuple[list[int], int]:
    return graphs.sizes.tolist(), graphs.num_edges


def refused(path: Path, message: str, *, library: bool = True, **options: Any) -> None:
    """The audit, and the library, refuse a file in one line that names it once."""
    calls = [lambda: sympe.audit(path, **options), lambda: read(path)]
    for call in calls[: 1 + library]:
        with pytest.raises(ValueError, match=message) as caught:
            call()
        assert str(caught.value).count(str(path)) <= 1
        assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------ the files that failed


@pytest.mark.parametrize(
    ("name", "sizes", "edges", "order"),
    [
        ("adjt.pt", [4], 8, 8),
        ("boolspace.graphml", [2], 2, 2),
        ("cyto.graphml", [2], 2, 2),
        ("id1.csv", [3], 4, 2),
        ("intdefault.graphml", [3], 4, 2),
        ("numpy_attr.pt", [4], 8, 8),
        ("nxempty.edgelist", [3], 6, 6),
        ("srcdst.csv", [3], 4, 2),
        ("uv.txt", [3], 4, 2),
        ("weights.edgelist", [3], 6, 6),
        ("zip.g6.gz", [5], 10, 10),
        ("zip.graphml.gz", [2], 2, 2),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_what_failed_is_read(name: str, sizes: list[int], edges: int, order: int) -> None:
    if name.endswith(".pt"):
        pytest.importorskip("torch_geometric")
    assert shape(read(case(name))) == (sizes, edges)
    assert orders(case(name)) == [order]


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("guessed.pt", "y", "graph 0: expected a Data that knows its number of nodes; set num_nodes"),
        ("nanedge.pt", None, "finite"),
        ("07-a.pt", None, "expected a .pt file"),
        ("02-a.g6.gz", None, "cannot be unpacked"),
        ("corrupt.g6.gz", None, "cannot be unpacked"),
        ("tokenerror.npz", None, "array n_nodes cannot be read"),
        ("typeerror.npz", None, r"array n_nodes cannot be read: its shape is \[True\]"),
        ("notnpy.npz", None, "expected (an array|arrays) "),
        ("cr.tsv", None, "expected (edges|a table); got"),
        ("longfield.csv", None, "expected a (line of a )?table"),
        ("yfiles.graphml", None, "line 1: expected elements at most 300 deep"),
    ],
)
def test_what_failed_is_refused_with_the_reason(name: str, target: str | None, message: str) -> None:
    if name.endswith(".pt"):
        pytest.importorskip("torch_geometric")
    if name.endswith((".csv", ".tsv")):
        pytest.importorskip("rdkit")
    refused(case(name), message, target=target)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"num_nodes": 10**10},
            CLAIMED + "10000000004 with 32 bytes",
        ),
        (
            {"num_nodes": torch.tensor(10**9)},
            CLAIMED + "1000000004 with 32 bytes",
        ),
        ({"num_nodes": math.inf}, "num_nodes must be an integer, at least 0; got inf"),
        ({"num_nodes": 2.5}, "num_nodes must be an integer, at least 0; got 2.5"),
        ({"num_nodes": -1}, "num_nodes must be at least 0; got -1"),
        ({"x": torch.zeros(1, 1).expand(10**9, 1)}, CLAIMED + "2000000004 with 36 bytes"),
        ({"x": torch.zeros(10**9, 0)}, CLAIMED + "1000000004 with 32 bytes"),
        ({"num_nodes": 2, "edge_attr": [1.0, 2.0]}, "expected edge_attr to be a dense tensor of rows; got list"),
        (
            {"x": torch.eye(2).to_sparse()},
            r"expected x to be a dense tensor of rows; got one of shape \[2, 2\], torch.sparse_coo",
        ),
    ],
)
def test_what_a_small_file_cannot_hold_is_refused(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    """A count alone must not allocate memory; 2^20 nodes without edges may be meant."""
    data = pytest.importorskip("torch_geometric.data").Data
    torch.save(data(edge_index=torch.tensor([[0, 1], [1, 0]]), **values), tmp_path / "small.pt")
    refused(tmp_path / "small.pt", message)
    alone = data(edge_index=torch.zeros(2, 0, dtype=torch.long), num_nodes=2**20)
    torch.save(alone, tmp_path / "alone.pt")
    assert shape(read(tmp_path / "alone.pt")) == ([2**20], 0)
    torch.save([alone] * 1000, tmp_path / "many.pt")
    refused(tmp_path / "many.pt", CLAIMED + "1048576000 with 0 bytes")


def test_targets_of_the_files_that_failed() -> None:
    refused(case("long.graphml"), "expected big to be of type long in 64 bits", library=False, target="big")
    # Two ends of a path of three with the default kind: one class, and no error.
    assert error(case("intdefault.graphml"), target="kind") == 0
    assert orders(case("fields_fortran.npz")) == [1, 1]


def test_tables_of_smiles_are_molecules() -> None:
    pytest.importorskip("rdkit")
    assert shape(read(case("act.csv"))) == ([9, 5], 24)
    assert shape(read(case("Ecsv.csv"))) == ([9], 16)
    assert orders(case("act.csv"), target="activity") == [12, 24]  # ethanol with hydrogens, methane
    assert orders(case("Ecsv.csv"), target="E") == [12]


# ------------------------------------------------------------------------------------------ compression


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_every_format_may_be_compressed(tmp_path: Path, suffix: str) -> None:
    data = pytest.importorskip("torch_geometric.data").Data
    ring = from_edges([(4, [(0, 1), (1, 2), (2, 3), (3, 0)])])
    write(ring, tmp_path / "ring.npz")
    write(ring, tmp_path / "ring.g6")
    networkx.write_graphml(networkx.cycle_graph(4), tmp_path / "ring.graphml")
    networkx.write_edgelist(networkx.cycle_graph(4), tmp_path / "ring.edgelist")
    torch.save(data(edge_index=ring.edge_index, num_nodes=4), tmp_path / "ring.pt")
    (tmp_path / "packed").mkdir()
    for path in tmp_path.glob("ring.*"):
        packed = tmp_path / "packed" / (path.name.upper() + suffix)
        packed.write_bytes(COMPRESSIONS[suffix].compress(path.read_bytes()))
        assert shape(read(packed)) == shape(read(path)) == ([4], 8)
        assert orders(packed) == [8]
        packed.write_bytes(packed.read_bytes()[:-9])
        # An audit of lines keeps what could be unpacked before the damage.
        if path.suffix == ".g6":
            with pytest.raises(ValueError, match="cannot be unpacked"):
                read(packed)
        else:
            refused(packed, "cannot be unpacked")
        packed.write_bytes(COMPRESSIONS[suffix].compress(path.read_bytes()))
    assert read(tmp_path / "packed").sizes.tolist() == [4] * 5
    assert orders(tmp_path / "packed") == [8] * 5
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 3, 3)))
    (tmp_path / f"x.npz{suffix}").write_bytes(COMPRESSIONS[suffix].compress((tmp_path / "x.npz").read_bytes()))
    assert orders(tmp_path / f"x.npz{suffix}") == [72, 72]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(compressed, "MOST_BYTES", 10**5)
    for name, content in (("a.g6", b"\0" * 10**6), ("b.g6", b"\n" * 10**6), ("c.csv", b"a,b\n" * 10**6)):
        path = tmp_path / f"{name}{suffix}"
        path.write_bytes(COMPRESSIONS[suffix].compress(content))
        refused(path, "expected a line of at most 100000 bytes, and [0-9]+ in all")


# ------------------------------------------------------------------------------------------ edge lists and tables


@pytest.mark.parametrize(
    ("text", "sizes", "edges"),
    [
        ("Source Node;Target Node\n1;2\n2;3\n", [3], 4),
        ("FROM,TO\nx,y\ny,z\n", [3], 4),
        ('"source","target"\n"New York, NY","Los Angeles, CA"\n"Los Angeles, CA","Boston, MA"\n', [3], 4),
        ("person\tfriend\nann lee\tbob\nbob\tcarl\n", [3], 4),
        (",source,target\n0,5,6\n1,6,7\n", [3], 4),  # pandas with its index
        ("weight,target,source\n1.0,b,a\n1,c,b\n", [3], 4),
        ("Source,Target,Type,Id,Label\n1,2,Undirected,0,\n2,3,Undirected,1,\n", [3], 4),  # Gephi
        ("a b {'weight': 2, 'kind': 'x'}\nb c {'weight': 2, 'kind': 'x'}\n", [3], 4),
        ("0 1\n2 3\n", [4], 4),  # numbers are no header
        ("n1 n2\nn3 n4\n", [4], 4),  # names like the others are none
        ("a b\nc d\n", [4], 4),
        ("u v\nx y\nz w\n", [4], 4),  # known names are
        ("source target\ntarget x\n", [3], 4),  # unless they recur
        ("% from a repository\n1\t2\n2 3\n", [3], 4),
        ("C# Java#1\nJava#1 Java#2 # a comment\n", [3], 4),
        ("a b\nb a\na a\n", [2], 3),
        ("x y\n\nu v\nv w\n", [2, 3], 6),
    ],
)
def test_edges_are_read(tmp_path: Path, text: str, sizes: list[int], edges: int) -> None:
    for name in ("graph.csv", "graph.txt", "graph.edgelist", "graph.tsv"):
        path = save(tmp_path / name, text)
        assert shape(read(path)) == (sizes, edges)
        assert len(orders(path)) == len(sizes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b 0.5\nb c 0.7\n", r"line 2: expected the same data .*\[0.7\], and \[0.5\] on line 1: drop the columns"),
        ("a b {'w': 1}\nb c {}\n", "line 2: expected the same data"),
        ("Source,Target,Type\n1,2,Directed\n2,3,Directed\n", "line 2: expected undirected edges"),
        ("drug,potency\nCCO,1\nC,2\n", "line 2: expected two names of nodes; got what looks like a table of values"),
        ("CCO 0.5\nC 1e-3\n", "line 1: expected two names of nodes; got what looks like a table of values"),
        ("drug code\naspirin CCO\nother CN\n", "line 2: .* looks like a table of values"),
        ("ethanol CCO\nmethane CN\n", "line 2: .* looks like a table of values"),
        ("structure name\nCCO ethanol\nC methane\n", "expected edges; got a table of molecules"),
        ("0 1 2\n1 2\n2\n", "line 3: expected two names"),  # adjacency lists
        ("0 1 2\n1 2\n", "line 2: expected 3 columns, as above; got 2"),
        ("3 3\n0 1\n1 2\n2 0\n", "line 1: .* may be the numbers of nodes and edges"),
        ("source,target\n", "at least one graph|samples"),
        ("source,target\na,\n", "line 2: expected two names of nodes; got 'a, '"),
        ('a,"b\nb,c\nc,\n', "line 3: expected two names"),
    ],
)
def test_what_edges_cannot_hold_is_refused(tmp_path: Path, text: str, message: str) -> None:
    refused(save(tmp_path / "graph.txt", text), message)


def test_a_table_of_edges_has_no_targets(tmp_path: Path) -> None:
    refused(save(tmp_path / "graph.csv", "a,b\nb,c\n"), "the format has no targets", library=False, target="c")


def test_networkx_writes_what_is_read(tmp_path: Path) -> None:
    graph = networkx.petersen_graph()
    networkx.set_edge_attributes(graph, 0.25, "weight")
    networkx.write_edgelist(graph, tmp_path / "default.edgelist")
    networkx.write_weighted_edgelist(graph, tmp_path / "weighted.edgelist")
    networkx.write_edgelist(graph, tmp_path / "bare.edgelist", data=False, delimiter="\t")
    assert orders(tmp_path) == [120] * 3
    graph.edges[0, 1]["weight"] = 0.5
    networkx.write_weighted_edgelist(graph, tmp_path / "weighted.edgelist")
    refused(tmp_path / "weighted.edgelist", "expected the same data for every edge")


# ------------------------------------------------------------------------------------------ GraphML

YED = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:java="http://www.yworks.com/xml/yfiles-common/1.0/java"
    xmlns:y="http://www.yworks.com/xml/graphml" xmlns:yed="http://www.yworks.com/xml/yed/3">
  <!--Created by yEd 3.22-->
  <key attr.name="Description" attr.type="string" for="graph" id="d0"/>
  <key for="port" id="d1" yfiles.type="portgraphics"/>
  <key attr.name="url" attr.type="string" for="node" id="d4"/>
  <key for="node" id="d6" yfiles.type="nodegraphics"/>
  <key for="graphml" id="d7" yfiles.type="resources"/>
  <key for="edge" id="d10" yfiles.type="edgegraphics"/>
  <graph edgedefault="directed" id="G">
    <data key="d0"/>
    <node id="n0"><data key="d4"/><data key="d6"><y:ShapeNode><y:Geometry x="1" y="2"/><y:NodeLabel>A
      <y:LabelModel/></y:NodeLabel></y:ShapeNode></data><port name="p"/></node>
    <node id="n1"><data key="d6"><y:ShapeNode><y:Geometry x="1" y="2"/><y:NodeLabel>A</y:NodeLabel></y:ShapeNode></data>
    </node>
    <node id="n2" yfiles.foldertype="group"><data key="d6"><y:ProxyAutoBoundsNode><y:Realizers active="0"/>
      </y:ProxyAutoBoundsNode></data>
      <graph edgedefault="directed" id="n2:"><node id="n2::n0"><data key="d6"><y:ShapeNode><y:NodeLabel>B</y:NodeLabel>
        </y:ShapeNode></data></node></graph></node>
    <edge id="e0" source="n0" target="n2::n0"><data key="d10"><y:PolyLineEdge/></data></edge>
    <edge id="e1" source="n1" target="n2::n0"/>
  </graph>
  <data key="d7"><y:Resources/></data>
</graphml>"""

CYTOSCAPE = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<graphml xmlns:cy="http://www.cytoscape.org" version="3.9">
<key attr.name="score" attr.type="double" for="node" id="k0"/>
<key attr.name="SUID" attr.type="long" for="node" id="k1"/>
<key attr.name="selected" attr.type="boolean" for="edge" id="k2"/>
<key attr.name="tags" attr.type="list" for="node" id="k3"/>
<graph edgedefault="undirected" id="net">
<node id="11"><data key="k0"> 1.5 </data><data key="k1">99999999999999999999</data><data key="k3">[a, b]</data></node>
<node id="12"><data key="k0">0.5</data><data key="k9">no such key</data>
<data key="k1">1</data></node>
<edge id="e" source="11" target="12"><data key="k2"> TRUE </data></edge></graph></graphml>"""


def test_exports_of_yed_and_cytoscape(tmp_path: Path) -> None:
    yed, cytoscape = save(tmp_path / "yed.graphml", YED), save(tmp_path / "cytoscape.graphml", CYTOSCAPE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A group is a node of its own; the edges are directed.
        assert shape(read(yed)) == ([4], 2)
        assert orders(yed) == [2]
        assert shape(read(cytoscape)) == ([2], 2)
        assert orders(cytoscape) == [2]
    assert error(cytoscape, target="score") == pytest.approx(0.25)
    assert error(cytoscape, target="selected") == 0
    refused(cytoscape, "expected SUID to be of type long in 64 bits; got '9999", library=False, target="SUID")
    refused(cytoscape, "expected an attribute tags .* some lack it", library=False, target="tags")
    refused(yed, "expected an attribute label on every node", library=False, target="label")  # the group has none


def graphml(keys: str, content: str, kind: str = "undirected") -> str:
    return f'<graphml>{keys}<graph edgedefault="{kind}">{content}</graph></graphml>'


@pytest.mark.parametrize(
    ("kind", "default", "given", "expected"),
    [
        ("int", " 1 ", "3", 1.0),
        ("double", "1e0", " 3 ", 1.0),
        ("boolean", "TRUE", "\n false ", 0.5),
        ("string", "C", " N ", 0.5),
    ],
)
@pytest.mark.parametrize("per", ["node", "all"])
def test_defaults_of_nodes(tmp_path: Path, kind: str, default: str, given: str, expected: float, per: str) -> None:
    key = f'<key id="k" for="{per}" attr.name="t" attr.type="{kind}"><default>{default}</default></key>'
    nodes = f'<node id="a"/><node id="b"><data key="k">{given}</data></node><edge source="a" target="b"/>'
    path = save(tmp_path / "graph.graphml", graphml(key, nodes))
    assert error(path, target="t", loss="squared" if kind in ("int", "double") else None) == pytest.approx(expected)


def test_targets_of_edges_and_graphs(tmp_path: Path) -> None:
    keys = (
        '<key id="w" for="edge" attr.name="t" attr.type="int"><default>7</default></key>'
        '<key id="g" for="graph" attr.name="energy" attr.type="float"><default>2.5</default></key>'
    )
    nodes = "".join(f'<node id="{name}"/>' for name in "abc")
    edges = '<edge source="b" target="a"><data key="w">5</data></edge><edge source="b" target="c"/>'
    path = save(tmp_path / "graph.graphml", graphml(keys, nodes + edges))
    assert error(path, target="t") == pytest.approx(0.5)  # two edges that a symmetry exchanges, with 5 and 7
    assert error(path, target="energy") == 0
    path = save(tmp_path / "graph.graphml", graphml(keys, nodes + edges, "directed"))
    assert shape(read(path)) == ([3], 2)
    assert orders(path, target="t") == [2]
    refused(path, "expected an attribute mass", library=False, target="mass")
    path = save(tmp_path / "graph.graphml", graphml(keys.replace('"int"', '"quaternion"'), nodes + edges))
    assert orders(path) == [2]
    refused(path, "got 'quaternion'", library=False, target="t")


# ------------------------------------------------------------------------------------------ PyG


def ring(**held: Any) -> Any:
    data = pytest.importorskip("torch_geometric.data").Data
    forward = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]])
    return data(edge_index=torch.cat([forward, forward.flip(0)], 1), **held)


@pytest.mark.parametrize(
    "value",
    [np.float64(1.5), np.int32(3), np.bool_(True), np.str_("x"), np.arange(3.0), {"a": [np.float16(1)]}, (1, None)],
)
def test_values_of_numpy_in_pyg(tmp_path: Path, value: object) -> None:
    torch.save([ring(num_nodes=4, extra=value), ring(num_nodes=5)], tmp_path / "graphs.pt")
    assert orders(tmp_path / "graphs.pt") == [8, 8]
    assert shape(read(tmp_path / "graphs.pt")) == ([4, 5], 16)


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("attribute", ["edge_weight", "edge_attr"])
def test_a_transposed_adjacency(tmp_path: Path, attribute: str) -> None:
    data = pytest.importorskip("torch_geometric.data").Data
    transforms = pytest.importorskip("torch_geometric.transforms")
    star = torch.tensor([[0, 0, 0], [1, 2, 3]])
    one = data(edge_index=star, num_nodes=5, **{attribute: torch.tensor([1.0, 2.0, 2.0])})
    torch.save([transforms.ToSparseTensor(attr=attribute)(one)], tmp_path / "star.pt")
    graphs = read(tmp_path / "star.pt")
    assert graphs.sizes.tolist() == [5]
    assert sorted(graphs.edge_index.T.tolist()) == star.T.tolist()  # from the center, not to it
    assert orders(tmp_path / "star.pt") == [2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "graph 1: expected a Data that knows its number of nodes; set num_nodes"),
        ({"y": torch.zeros(6)}, "graph 1: .* set num_nodes"),
        ({"x": torch.ones(4, 1), "pos": torch.ones(5, 3)}, "graph 1: expected pos to have 4 rows, one per node; got 5"),
        ({"num_nodes": 4, "z": torch.ones(3)}, "graph 1: expected z to have 4 rows"),
        ({"num_nodes": 4, "edge_attr": torch.ones(4, 1)}, "graph 1: expected edge_attr to have 8 rows, one per edge"),
        ({"num_nodes": 3}, "join nodes 0..2"),
        ({"num_nodes": 4, "edge_weight": torch.tensor([1.0] * 7 + [torch.inf])}, "finite"),
        ({"num_nodes": 4, "edge_attr": torch.full((8, 2), torch.nan)}, "finite"),
    ],
)
def test_pyg_that_does_not_fit_is_refused(tmp_path: Path, data: dict[str, Any], message: str) -> None:
    torch.save([ring(num_nodes=4), ring(**data)], tmp_path / "graphs.pt")
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "graphs.pt")
    torch.save(ring(**data), tmp_path / "graphs.pt")
    with pytest.raises(ValueError, match=message.replace("graph 1", "graph 0")):
        sympe.audit(tmp_path / "graphs.pt")


def test_attributes_of_edges_count(tmp_path: Path) -> None:
    """A Kekule ring of six has 6 automorphisms, with bonds as features or weights; 2^53 is not 2^53 + 1."""
    data = pytest.importorskip("torch_geometric.data").Data
    forward = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]])
    both = torch.cat([forward, forward.flip(0)], 1)
    kinds = torch.tensor([1, 2] * 3).repeat(2)
    held: list[dict[str, torch.Tensor]] = [
        {"edge_attr": torch.nn.functional.one_hot(kinds)},
        {"edge_attr": kinds.float()},
        {"edge_weight": kinds.double()},
        {"edge_attr": kinds + 2**53 - 1},
        {"edge_attr": 1 + 1j * kinds},
        {"edge_attr": torch.ones(12), "edge_weight": kinds.float()},
    ]
    for one in held:
        torch.save(data(edge_index=both, num_nodes=6, **one), tmp_path / "ring.pt")
        assert orders(tmp_path / "ring.pt") == [6]
        assert read(tmp_path / "ring.pt").edge_label is not None
    torch.save(data(edge_index=both, num_nodes=6), tmp_path / "ring.pt")
    assert orders(tmp_path / "ring.pt") == [12]


# ------------------------------------------------------------------------------------------ arrays


def test_arrays_stored_by_columns(tmp_path: Path) -> None:
    fields = np.zeros((3, 2, 4, 4))
    fields[1, 0, 0, 0] = fields[2, 1, :, 0] = 1
    np.savez(tmp_path / "rows.npz", x=fields, y=np.arange(3.0))
    np.savez(tmp_path / "columns.npz", x=np.asfortranarray(fields), y=np.arange(3.0))
    assert orders(tmp_path / "columns.npz", target="y") == orders(tmp_path / "rows.npz") == [128, 8, 16]
    held = {"n_nodes": np.array([4]), "n_edges": np.array([4]), "x": np.asfortranarray(np.eye(4, 2))}
    held["edges"] = np.asfortranarray([(0, 1), (1, 2), (2, 3), (3, 0)])
    np.savez(tmp_path / "graphs.npz", **held)
    assert shape(read(tmp_path / "graphs.npz")) == ([4], 8)
    assert read(tmp_path / "graphs.npz").x.tolist() == np.eye(4, 2).tolist()
    assert orders(tmp_path / "graphs.npz") == [1]


@pytest.mark.parametrize("lattice", [(8, 8, 8), (4, 4, 4), (32, 32, 3), (6, 4, 4), (4, 4, 8)])
def test_a_lattice_in_three_dimensions_is_not_taken_as_one_in_two(tmp_path: Path, lattice: tuple[int, ...]) -> None:
    path = tmp_path / "fields.npz"
    np.savez(path, fields=np.zeros((2, *lattice)))
    refused(path, "may be a lattice in 3 dimensions or have its features last", library=False)
    np.savez(path, fields=np.zeros((2, *lattice)), channels=lattice[0])
    l1, l2 = lattice[1:]
    if l1 == l2:  # the group of the audit needs a square lattice
        assert orders(path) == [8 * l1 * l2] * 2


def test_couplings_move_as_bonds(tmp_path: Path) -> None:
    path, ones = tmp_path / "couplings.npz", np.ones((4, 4))
    checkerboard = (-1.0) ** np.add.outer(np.arange(4), np.arange(4))
    np.savez(path, Jx=ones, Jy=-ones, spins=checkerboard, energy=-2.0)
    assert orders(path) == [64]  # half of the 128, which turn Jx into Jy
    assert orders(path, target="energy") == [64]
    assert error(path, target="spins") == pytest.approx(1)
    np.savez(path, Jx=np.stack([ones, ones]), Jy=np.stack([ones, 2 * ones]))
    assert orders(path) == [128, 64]
    scalar = sympe.auditing.symmetry.fields.FieldSymmetry()
    refused(path, "couplings are numbers for bonds: .*--fields bonds", library=False, group=scalar)
    for name in ("J", "couplings", "bonds"):
        np.savez(path, **{name: np.stack([[ones, ones], [ones, -ones]])})
        assert orders(path) == [128, 64]
        np.savez(path, **{name: np.stack([ones, -ones]), "spins": checkerboard})
        assert error(path, target="spins") == pytest.approx(1)
        np.savez(path, **{name: np.stack([ones, -ones], axis=-1)})
        refused(path, rf"expected {name} of shape \[2, L1, L2\] or .*; got \[4, 4, 2\]", library=False)
    np.savez(path, Jx=ones, Jy=ones[:3])
    refused(path, r"expected Jx and Jy of one shape, .*; got \[4, 4\] and \[3, 4\]", library=False)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((2, 4, 4), complex), "real numbers .* got complex128: store real and imaginary parts as two features"),
        (np.full((2, 4, 4), np.nan), "finite"),
        (np.full((2, 4, 4), 2**63, np.uint64), "at most 64 bits|below"),
        (np.array([[[None]]]), "array x must hold numbers; got objects"),
        (np.ones((2, 4, 4), np.longdouble), "at most 64 bits"),
        (np.full((2, 4, 4), "a"), "real numbers"),
        (np.ones((2, 2, 2, 2, 2)), r"expected x of shape \[B, L1, L2\] or \[B, C, L1, L2\]; got \[2, 2, 2, 2, 2\]"),
    ],
)
def test_arrays_that_are_no_fields(tmp_path: Path, array: Any, message: str) -> None:
    np.savez(tmp_path / "fields.npz", x=array)
    refused(tmp_path / "fields.npz", message, library=False)


def test_arrays_longer_than_the_graphs_are_refused(tmp_path: Path) -> None:
    held = {"n_nodes": [3, 3], "n_edges": [2, 2], "edges": [(0, 1), (1, 2)] * 2, "node_label": [0] * 6, "split": [0, 1]}
    path = tmp_path / "graphs.npz"
    for name, extra, message in (("edges", [(0, 1)], "5 rows"), ("node_label", [0], "7 rows")):
        np.savez(path, **(held | {name: held[name] + extra}))
        refused(path, message + "|must have 6 rows", library=False)
        with pytest.raises(ValueError, match=name):
            read(path)
    for name, split in (("long", [0, 1, 1]), ("unknown", [0, 3])):
        np.savez(tmp_path / f"{name}.npz", **(held | {"split": split}))
        options = sympe.auditing.Options(split="train")
        refused(tmp_path / f"{name}.npz", "split must hold 0, 1 or 2", library=False, options=options)


def test_integers_are_not_rounded_together(tmp_path: Path) -> None:
    key = '<key id="k" for="node" attr.name="t" attr.type="{}"/>'
    nodes = "".join(f'<node id="{n}"><data key="k">{2**53 + n}</data></node>' for n in range(2))
    path = save(tmp_path / "graph.graphml", graphml(key.format("long"), nodes))
    assert error(path, target="t") == pytest.approx(0.5)
    save(path, graphml(key.format("double"), nodes))
    refused(path, "expected t to be of type double in 64 bits; got '9007199254740993'", library=False, target="t")


def test_lines_share_one_reader(tmp_path: Path) -> None:
    graphs = from_edges([(4, [(0, 1), (1, 2), (2, 3), (3, 0)])])
    path = tmp_path / "bom.g6"
    path.write_bytes(b"\xef\xbb\xbf" + to_graph6(graphs)[0].encode() + b"\r\n")
    assert shape(read(path)) == ([4], 8)
    assert orders(path) == [8]
