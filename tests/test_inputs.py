"""Every way in: what users hold gives the same symmetries, and the same law, as the library's own batches."""

from collections.abc import Callable
from typing import Any

import networkx
import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Tensor

import sympe
from examples import SMALL
from laws import check_features_law
from sympe import Graphs, InversionKernel, RankEncoding, SymPE
from sympe.actions import PointRotation, ScalarFields
from sympe.breaking import Laplacian, Noise, for_points
from sympe.canonicalize import Frames, Labeling, LexicographicMinimum
from sympe.encoding import PairRankEncoding, TileEncoding
from sympe.graphs import as_graphs, colored_graphs, from_dense, from_edges, from_sets, to_dense, to_padded
from sympe.groups import Permutation, Torus
from sympe.points import as_clouds, from_clouds

PLAIN = {name: x for name, x in SMALL.items() if x.node_label is None and x.edge_label is None and x.x is None}


def to_scipy(x: Graphs) -> Any:
    return scipy.sparse.coo_array(
        (np.ones(x.num_edges, dtype=np.int64), tuple(x.edge_index.numpy())), shape=(x.num_nodes, x.num_nodes)
    )


def to_data(x: Graphs) -> Any:
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    return data.Data(edge_index=x.edge_index, num_nodes=x.num_nodes)


def to_networkx(x: Graphs) -> Any:
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(x.num_nodes))
    graph.add_edges_from(x.edge_index.T.tolist())
    return graph


WAYS: dict[str, Callable[[Graphs], Any]] = {
    "Graphs": lambda x: x,
    "networkx": to_networkx,
    "PyG": to_data,
    "edge_index and batch": lambda x: (x.edge_index, x.batch),
    "dense": lambda x: to_dense(x)[0][0],
    "numpy": lambda x: to_dense(x)[0][0].numpy(),
    "dense and mask": lambda x: (
        torch.nn.functional.pad(to_dense(x)[0], (0, 2, 0, 2)),
        torch.nn.functional.pad(to_dense(x)[1], (0, 2)),
    ),
    "scipy": to_scipy,
}


def orders(x: Any) -> list[int]:
    return [colored.count_automorphisms() for colored in colored_graphs(as_graphs(x))]


@pytest.mark.parametrize("way", WAYS)
def test_a_thousand_random_graphs_have_the_same_symmetries(way: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(125):
        n = int(rng.integers(1, 9))
        upper = np.triu(rng.random((n, n)) < rng.choice([0.1, 0.3, 0.5, 0.9]), 1)
        x = from_edges([(n, np.argwhere(upper))])
        [expected] = orders(x)
        given = WAYS[way](x)
        assert orders(given) == [expected]
        row = next(iter(sympe.audit(as_graphs(given)).samples()))
        assert row["stabilizer_order"] == expected


@pytest.mark.parametrize("way", [way for way in WAYS if way != "Graphs"])
def test_the_law_moves_with_what_users_hold(way: str, generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=8))
    some = {name: PLAIN[name] for name in ("cycle 4", "path 3", "paw")}

    def draw(x: Graphs, seeded: torch.Generator) -> Tensor:
        copies = [WAYS[way](one) for one in x.split()]
        with torch.no_grad():
            return pe(copies if len(copies) > 1 else copies[0], seeded)

    check_features_law(draw, some, generator, draws=200)


def test_lists_and_batches_of_pyg() -> None:
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    graphs = [to_data(PLAIN[name]) for name in ("cycle 4", "path 3")]
    assert orders(graphs) == orders(data.Batch.from_data_list(graphs)) == [8, 2]


def test_attributes_of_edges_count_alike_in_kernel_and_audit() -> None:
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    ring = torch.tensor([[0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 0], [1, 2, 3, 4, 5, 0, 0, 1, 2, 3, 4, 5]])
    bonds = torch.tensor([1.0, 2.0] * 6).reshape(-1, 1)  # a Kekule ring
    for name in ("edge_attr", "edge_weight"):
        kekule = data.Data(edge_index=ring, num_nodes=6, **{name: bonds if name == "edge_attr" else bonds[:, 0]})
        assert orders(kekule) == [6]
    assert orders(data.Data(edge_index=ring, num_nodes=6)) == [12]
    kekule = data.Data(edge_index=ring, num_nodes=6, edge_attr=bonds)
    assert next(iter(sympe.audit([kekule]).samples()))["stabilizer_order"] == 6
    with pytest.raises(ValueError, match="edge attributes must be finite"):
        as_graphs(data.Data(edge_index=ring, num_nodes=6, edge_attr=bonds * torch.nan))


def test_integer_features_stay_apart() -> None:
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    edge = torch.tensor([[0, 1], [1, 0]])
    assert orders(data.Data(x=torch.tensor([[2**24], [2**24 + 1]]), edge_index=edge)) == [1]
    assert orders(data.Data(x=torch.tensor([[2**24], [2**24]]), edge_index=edge)) == [2]
    assert orders(data.Data(x=torch.ones(2), edge_index=edge)) == [2]
    with pytest.raises(ValueError, match=f"exact in double precision; got the integer {2**53 + 1}"):
        as_graphs(data.Data(x=torch.tensor([[2**53], [2**53 + 1]]), edge_index=edge))
    with pytest.raises(ValueError, match="features must be real"):
        as_graphs(data.Data(x=torch.ones(2, 1) * 1j, edge_index=edge))


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_transposed_adjacency_of_pyg() -> None:
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    adjacency = torch.tensor([[0.0, 0.0], [1.0, 0.0]]).to_sparse_csr()  # adj_t: the edge enters node 1 from node 0
    assert as_graphs(data.Data(adj_t=adjacency, num_nodes=2)).edge_index.tolist() == [[0], [1]]


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize(
    ("smiles", "order"), [("c1ccccc1", 12), ("C1=CC=CC=C1", 12), ("CC", 2), ("C[13CH3]", 1), ("CO", 1)]
)
def test_smiles_and_molecules(smiles: str, order: int) -> None:
    chem = pytest.importorskip("rdkit.Chem", reason="needs RDKit")
    assert orders(smiles) == orders(chem.MolFromSmiles(smiles)) == [order]
    assert orders([smiles, "O"]) == [order, 1]
    with pytest.raises(ValueError, match=r"expected SMILES that RDKit can read; got 'C\('"):
        as_graphs("C(")


def test_sets_and_the_way_back(generator: torch.Generator) -> None:
    x = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [2.0, 0.0]], [[3.0, 1.0], [9.0, 9.0], [3.0, 1.0]]])
    mask = torch.tensor([[True, True, True], [True, False, True]])
    assert orders(x) == [2, 2]
    assert orders((x, mask)) == [2, 2]
    assert orders(from_sets(x, mask, node_label=torch.tensor([[0, 0, 0], [0, 0, 1]]))) == [2, 1]
    graphs = as_graphs((x, mask))
    assert graphs.x is not None
    assert torch.equal(to_padded(graphs.x, graphs, mask), x * mask[..., None])
    assert to_padded(graphs.batch, graphs).tolist() == [[0, 0, 0], [1, 1, 0]]
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=3))
    drawn = to_padded(pe((x, mask), generator), graphs, mask)
    assert drawn.shape == (2, 3, 4)
    with pytest.raises(ValueError, match="expected 5 rows and a mask with"):
        to_padded(graphs.x, graphs, ~mask)


def test_dense_labels_and_features() -> None:
    adjacency = torch.zeros(1, 3, 3, dtype=torch.long)
    mask = torch.tensor([[True, False, True]])
    labels = torch.tensor([[4, 7, 5]])
    graphs = from_dense(adjacency, mask, node_label=labels, x=torch.ones(1, 3, 2))
    assert graphs.node_label is not None
    assert graphs.node_label.tolist() == [4, 5]
    with pytest.raises(ValueError, match=r"node_label must have shape \[1, 3\]"):
        from_dense(adjacency, mask, node_label=labels[:, :2])


def test_a_sparse_matrix_with_kinds_of_edges() -> None:
    matrix = scipy.sparse.csr_array(np.array([[0, 1, 2], [1, 0, 0], [2, 0, 0]]))
    assert orders(matrix) == [1]
    with pytest.raises(ValueError, match="must be integers, one kind of edge each"):
        as_graphs(matrix * 0.3)
    with pytest.raises(ValueError, match="expected a square adjacency matrix"):
        as_graphs(scipy.sparse.csr_array(np.ones((2, 3))))


WATER = [[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.48]]


def test_points_of_every_kind(generator: torch.Generator) -> None:
    ase = pytest.importorskip("ase", reason="needs ASE")
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    atoms = ase.Atoms("OH2", WATER)
    position, z = torch.tensor(WATER, dtype=torch.float64), torch.tensor([8, 1, 1])
    expected = from_clouds([position], [z])
    batch = torch.zeros(3, dtype=torch.long)
    for given in (atoms, [atoms], data.Data(pos=position, z=z), {"pos": position, "z": z, "batch": batch}):
        clouds = as_clouds(given)
        assert torch.equal(clouds.position, expected.position)
        assert clouds.species is not None
        assert clouds.species.tolist() == [8, 1, 1]
    for bare in (position, position[None], position.numpy(), (position, batch), (position[None], torch.ones(1, 3) > 0)):
        assert as_clouds(bare).position.tolist() == position.tolist()
    pe = for_points("sympe-frames", "1x1o")
    assert pe([atoms, atoms], generator).shape == (2, 3)
    assert pe(atoms, generator, draws=5).shape == (5, 1, 3)


def test_crystals_are_refused() -> None:
    ase = pytest.importorskip("ase", reason="needs ASE")
    cell = ase.Atoms("NaCl", [[0, 0, 0], [2.8, 0, 0]], cell=[5.6, 5.6, 5.6], pbc=True)
    data = {"pos": torch.zeros(1, 3), "cell": torch.eye(3)}
    for given in (cell, data):
        with pytest.raises(ValueError, match="symmetries are a space group"):
            as_clouds(given)


def test_arrays_of_fields(generator: torch.Generator) -> None:
    action = ScalarFields(Torus("D4"))
    kernel = InversionKernel(LexicographicMinimum(action))
    stripes = np.asfortranarray(np.tile([0.0, 1.0], (1, 1, 4, 2)))
    assert torch.equal(action.take(stripes), torch.from_numpy(np.ascontiguousarray(stripes)))
    assert SymPE(kernel, TileEncoding(3, 2))(stripes, generator).shape == (1, 3, 4, 4)


def test_several_draws_in_one_call(generator: torch.Generator) -> None:
    x = as_graphs([PLAIN["cycle 4"], PLAIN["path 3"]])
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=4))
    drawn = pe(x, generator, draws=64)
    assert drawn.shape == (64, 7, 4)
    assert len(drawn[:, :4].flatten(1).unique(dim=0)) == 8
    assert len(drawn[:, 4:].flatten(1).unique(dim=0)) == 2
    for module in (Noise(3), Laplacian(3)):
        assert module(x, generator, draws=2).shape == (2, 7, 3)
    assert pe(from_edges([]), generator, draws=3).shape == (3, 0, 4)
    kernel = InversionKernel(Frames())
    assert len(PointRotation().take(torch.rand(2, 4, 3))) == len(kernel(torch.rand(2, 4, 3), generator)) == 2


def test_pairs_of_ranks() -> None:
    x = as_graphs([PLAIN["path 3"], from_edges([(2, [])])])
    g = Permutation.from_images([[2, 0, 1], [1, 0]], x)
    encoding = PairRankEncoding(5, max_nodes=3)
    moved = encoding(g)
    assert moved.shape == (2, 3, 3, 5)
    rank = g.rank.split([3, 2])
    assert torch.equal(moved[0], encoding.v[rank[0][:, None], rank[0]])
    assert torch.equal(moved[1, :2, :2], encoding.v[rank[1][:, None], rank[1]])
    assert not moved[1, 2].any()
    assert not moved[1, :, 2].any()
    with pytest.raises(ValueError, match="a graph has 3 nodes, the table 2 rows"):
        PairRankEncoding(5, max_nodes=2)(g)
