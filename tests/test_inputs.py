"""Every way in: what users hold gives the same symmetries, and the same law, as the library's own batches."""

import math
from collections.abc import Callable
from pathlib import Path
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
from point_laws import check_point_kernel
from sympe import Graphs, InversionKernel, PointClouds, RankEncoding, SymPE
from sympe.actions import PointRotation, ScalarFields
from sympe.breaking import Laplacian, Noise, for_points
from sympe.canonicalize import Frames, Labeling, LexicographicMinimum
from sympe.encoding import PairRankEncoding, TileEncoding
from sympe.graphs import as_graphs, colored_graphs, from_dense, from_edges, from_sets, read, to_dense, to_padded
from sympe.graphs import to_networkx as to_networkx_of
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


def to_rdkit(x: Graphs) -> Any:
    chem = pytest.importorskip("rdkit.Chem", reason="needs RDKit")
    molecule = chem.RWMol()
    for _ in range(x.num_nodes):
        molecule.AddAtom(chem.Atom(0))  # takes any number of bonds
    for u, v in x.edge_index.T[x.edge_index[0] < x.edge_index[1]].tolist():
        molecule.AddBond(u, v, chem.BondType.SINGLE)
    molecule.UpdatePropertyCache()
    return molecule


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
    "RDKit": to_rdkit,
}


def orders(x: Any) -> list[int]:
    return [colored.count_automorphisms() for colored in colored_graphs(as_graphs(x))]


def audited(x: Any, **options: Any) -> list[int]:
    return [row["stabilizer_order"] for row in sympe.audit(x, **options).samples()]


def drawn(x: Graphs, generator: torch.Generator) -> int:
    """How many elements the kernel draws in 40 draws: all, up to 4, of the stabilizer."""
    return len(InversionKernel(Labeling())(x.select([0] * 40), generator).rank.view(40, -1).unique(dim=0))


@pytest.mark.parametrize("way", WAYS)
def test_a_thousand_random_graphs_have_the_same_symmetries(way: str, generator: torch.Generator) -> None:
    rng = np.random.default_rng(0)
    for _ in range(125):
        n = int(rng.integers(1, 9))
        upper = np.triu(rng.random((n, n)) < rng.choice([0.1, 0.3, 0.5, 0.9]), 1)
        x = from_edges([(n, np.argwhere(upper))])
        [expected] = orders(x)
        given = WAYS[way](x)
        assert audited(given, group="sn") == [expected]
        assert min(drawn(as_graphs(given), generator), 5) == min(expected, 5)


@pytest.mark.parametrize("way", ["sets", "sets and mask"])
def test_random_sets_have_the_symmetries_of_equal_elements(way: str, generator: torch.Generator) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        x = torch.as_tensor(rng.integers(3, size=(1, int(rng.integers(2, 6)), 1))).double()
        mask = torch.as_tensor(rng.random(x.shape[:2]) < 0.8) | (torch.arange(x.shape[1]) == 0)
        kept = x[0] if way == "sets" else x[0][mask[0]]
        expected = math.prod(math.factorial(int(count)) for count in kept.unique(return_counts=True)[1])
        given = x if way == "sets" else (x, mask)
        assert audited(as_graphs(given)) == orders(given) == [expected]
        assert min(drawn(as_graphs(given), generator), 5) == min(expected, 5)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "Graphs"])
def test_the_law_moves_with_what_users_hold(way: str, generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=8))
    some = {name: PLAIN[name] for name in ("cycle 4", "path 3", "paw")}

    def draw(x: Graphs, seeded: torch.Generator) -> Tensor:
        copies = [WAYS[way](one) for one in x.split()]
        with torch.no_grad():
            return pe(copies if len(copies) > 1 else copies[0], seeded)

    check_features_law(draw, some, generator, draws=120)


def test_the_law_of_sets_moves_with_their_elements(generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=8))
    x = torch.tensor([1.0, 1.0, 2.0, 3.0, 3.0, 3.0])[:, None]
    some = {str(n): Graphs(torch.zeros(2, 0).long(), torch.zeros(n).long(), x=x[:n]) for n in (3, 5)}

    def draw(given: Graphs, seeded: torch.Generator) -> Tensor:
        assert given.x is not None
        mask = torch.arange(given.max_nodes) < given.sizes[:, None]
        with torch.no_grad():
            return pe((to_padded(given.x, given), mask), seeded)

    check_features_law(draw, some, generator, draws=120)


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
    for z in (torch.tensor([6, 7]), torch.tensor([[6], [7]]), torch.tensor([6.0, 7.0])):
        assert orders(data.Data(z=z, edge_index=edge)) == [1]
    with pytest.raises(ValueError, match=f"exact in double precision; got the integer {2**53 + 1}"):
        as_graphs(data.Data(x=torch.tensor([[2**53], [2**53 + 1]]), edge_index=edge))
    with pytest.raises(ValueError, match="features must be real"):
        as_graphs(data.Data(x=torch.ones(2, 1) * 1j, edge_index=edge))


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_transposed_adjacency_of_pyg() -> None:
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    adjacency = torch.tensor([[0.0, 0.0], [1.0, 0.0]]).to_sparse_csr()  # adj_t: the edge enters node 1 from node 0
    assert as_graphs(data.Data(adj_t=adjacency, num_nodes=2)).edge_index.tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("smiles", "order", "heavy"),
    [
        ("c1ccccc1", 12, 12),
        ("C1=CC=CC=C1", 12, 12),
        ("CC", 72, 2),
        ("C[13CH3]", 36, 1),
        ("CO", 6, 1),
        ("[CH3][CH2+]", 12, 1),
        ("[2H]C", 6, 1),
        ("[H][H]", 2, 2),
        ("[NH2]->[NH2]", 4, 1),
        ("N->[Cu]<-N", 72, 2),
    ],
)
def test_smiles_and_molecules(smiles: str, order: int, heavy: int, tmp_path: Path) -> None:
    """SMILES count all hydrogens as nodes, alike in kernel, files and audit; a molecule of RDKit keeps its atoms."""
    chem = pytest.importorskip("rdkit.Chem", reason="needs RDKit")
    options = chem.SmilesParserParams()
    options.removeHs = False
    molecule = chem.MolFromSmiles(smiles, options)
    assert orders([smiles, "O"]) == [order, 2]
    assert orders(molecule) == audited(molecule) == audited([molecule]) == [heavy]
    assert orders(chem.AddHs(molecule)) == audited(chem.AddHs(molecule)) == [order]
    (tmp_path / "one.smi").write_text(f"SMILES name\n{smiles} it\n")
    (tmp_path / "one.csv").write_text(f"name;smiles\nit;{smiles}\n")
    (tmp_path / "one.sdf").write_text(chem.MolToMolBlock(molecule) + "$$$$\n")
    assert orders(read(tmp_path)) == audited(tmp_path) == [order] * 3


def test_inchi(tmp_path: Path) -> None:
    """As in a column named InChI, which was taken for SMILES."""
    chem = pytest.importorskip("rdkit.Chem", reason="needs RDKit")
    rows = [(smiles, chem.MolToInchi(chem.MolFromSmiles(smiles))) for smiles in ("c1ccccc1", "C[13CH3]", "[2H]C", "O")]
    (tmp_path / "one.csv").write_text("id;InChI\n" + "".join(f"{smiles};{inchi}\n" for smiles, inchi in rows))
    assert orders(read(tmp_path / "one.csv")) == audited(tmp_path / "one.csv") == [12, 36, 6, 2]
    assert orders([inchi for _, inchi in rows]) == orders([smiles for smiles, _ in rows])
    with pytest.raises(ValueError, match="expected an InChI that RDKit accepts; got 'InChI=1S/nonsense'"):
        as_graphs("InChI=1S/nonsense")
    assert orders(" InChI=1S/CH4/h1H4 ") == [24]


def test_bonds_are_those_of_the_molecule() -> None:
    chem = pytest.importorskip("rdkit.Chem", reason="needs RDKit")
    benzene = chem.MolFromSmiles("c1ccccc1")
    chem.Kekulize(benzene, clearAromaticFlags=True)
    assert orders(benzene) == audited(benzene) == [6]
    with pytest.raises(ValueError, match=r"expected a SMILES that RDKit accepts; got 'C\(': SMILES Parse Error"):
        as_graphs("C(")
    for raw in (chem.MolFromSmarts("[#6]"), chem.MolFromSmiles("CN(C)(C)(C)C", sanitize=False)):
        with pytest.raises(ValueError, match=r"molecules that RDKit has sanitized; pass them to Chem.SanitizeMol"):
            as_graphs(raw)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("smiles,gap\nC,1\nCC,1,5\n", r"got '' \(line 3: 3 cells for 2 columns\)"),
        ("smiles\n\nC(\n", r"got 'C\(' \(line 3\): SMILES Parse Error"),
        ("raw_smiles,canonical_smiles\nC,C\n", "expected a column of SMILES, or one named smiles if there are more"),
        ('smiles,name\nC,"two\nlines"\nN(\n', r"got '' \(line 4: 1 cells for 2 columns\)"),
    ],
)
def test_tables_of_molecules_are_refused_with_the_line(table: str, message: str, tmp_path: Path) -> None:
    pytest.importorskip("rdkit")
    (tmp_path / "some.csv").write_text(table)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "some.csv")


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
    twice = scipy.sparse.coo_array(([1, 1, 1], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    for summed in map(as_graphs, (twice, twice.tocsr(), torch.tensor(twice.toarray()).to_sparse())):
        assert summed.edge_label is not None
        assert (summed.edge_index.tolist(), summed.edge_label.tolist()) == ([[0, 1], [1, 0]], [2, 1])
    assert twice.nnz == 3  # what is handed over stays as it is
    matrix = scipy.sparse.csr_array(np.array([[0, 1, 2], [1, 0, 0], [2, 0, 0]]))
    assert orders(matrix) == [1]
    with pytest.raises(ValueError, match="must be integers, one kind of edge each"):
        as_graphs(matrix * 0.3)
    with pytest.raises(ValueError, match="expected a square adjacency matrix"):
        as_graphs(scipy.sparse.csr_array(np.ones((2, 3))))


CORNERS = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3) + torch.tensor([0.0, 0.0, 0.3])


def to_atoms(position: Tensor, z: Tensor) -> Any:
    return pytest.importorskip("ase", reason="needs ASE").Atoms(z.tolist(), position.numpy())


def to_conformer(position: Tensor, z: Tensor) -> Any:
    chem = pytest.importorskip("rdkit.Chem", reason="needs RDKit")
    molecule, conformer = chem.RWMol(), chem.Conformer(len(z))
    for place, (number, at) in enumerate(zip(z.tolist(), position.tolist(), strict=True)):
        molecule.AddAtom(chem.Atom(number))
        conformer.SetAtomPosition(place, at)
    molecule.AddConformer(conformer)
    return molecule


POINT_WAYS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "PointClouds": lambda position, z: from_clouds([position], [z]),
    "ASE": to_atoms,
    "RDKit": to_conformer,
    "mapping": lambda position, z: {"pos": position, "z": z},
    "PyG": lambda position, z: pytest.importorskip("torch_geometric.data").Data(pos=position, z=z),
}


@pytest.mark.parametrize("way", POINT_WAYS)
def test_random_molecules_have_the_same_symmetries(way: str, generator: torch.Generator) -> None:
    """Corners of a cube, of two elements, off its center: the kernel draws as many rotations as the audit counts."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(25):
        z = torch.as_tensor(rng.choice([0, 6, 8], 8, p=[0.4, 0.4, 0.2]))
        position, z = CORNERS[z > 0], z[z > 0]
        if torch.linalg.matrix_rank(position - position.mean(0)) < 2:
            continue  # one atom, or a line: infinitely many
        given = POINT_WAYS[way](position, z)
        [expected] = audited(given, group="o3")
        draws = InversionKernel(Frames())(as_clouds(given).select([0] * 24 * expected), generator)
        assert len((draws * 100).round().unique(dim=0)) == expected
        seen.add(expected)
    assert len(seen) > 3


@pytest.mark.parametrize("way", [way for way in POINT_WAYS if way != "PointClouds"])
def test_the_law_of_molecules_moves_with_what_users_hold(way: str, generator: torch.Generator) -> None:
    kernel = InversionKernel(Frames())

    def draw(x: PointClouds, seeded: torch.Generator) -> Tensor:
        assert x.species is not None
        parts = zip(x.position.split(x.sizes.tolist()), x.species.split(x.sizes.tolist()), strict=True)
        return kernel([POINT_WAYS[way](*one) for one in parts], seeded)

    check_point_kernel(draw, {"water": from_clouds([WATER], [[8, 1, 1]], torch.float64)}, generator, draws=150)


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
    for name in ("cell", "lattice", "box", "pbc"):
        data = {"pos": torch.zeros(1, 3), name: torch.eye(3)}
        for given in (cell, data):
            with pytest.raises(ValueError, match=r"crystals are for sympe.crystals, as their symmetries"):
                as_clouds(given)


def test_a_drawing_is_no_molecule_in_space() -> None:
    chem = pytest.importorskip("rdkit.Chem.AllChem", reason="needs RDKit")
    water = chem.AddHs(chem.MolFromSmiles("O"))
    chem.Compute2DCoords(water)
    with pytest.raises(ValueError, match="expected coordinates in three dimensions; got those of a drawing"):
        as_clouds(water)
    chem.EmbedMolecule(water, randomSeed=1)
    assert audited(water, group="o3") == [4]


def test_species_of_any_name_and_kind() -> None:
    for name in ("z", "species", "numbers", "atomic_numbers"):
        for kinds in ([8, 1, 1], ["O", "H", "H"], np.array([8, 1, 1], np.uint8), torch.tensor([8, 1, 1])):
            clouds = as_clouds({"positions": WATER, name: kinds})
            assert clouds.species is not None
            assert clouds.species.tolist() == [8, 1, 1]
    with pytest.raises(ValueError, match=r"species must hold integers; got torch.float32"):
        as_clouds({"pos": WATER, "z": torch.tensor([8.0, 1.0, 1.0])})
    with pytest.raises(ValueError, match=r"expected batch to count clouds from 0; for kinds of atoms use from_clouds"):
        as_clouds((np.array(WATER), np.array([8, 1, 1])))


def test_arrays_of_any_layout() -> None:
    ring = to_dense(PLAIN["cycle 4"])[0][0].numpy()
    for held in (
        ring.astype(">i8"),
        ring[::-1, ::-1],
        ring.astype(np.uint64),
        ring.astype(np.uint16),
        ring.astype(float),
    ):
        assert orders(held) == [8]
    for sparse in (torch.tensor(ring).to_sparse(), torch.tensor(ring).float().to_sparse_csr()):
        assert orders(sparse) == [8]
    assert as_clouds(np.array(WATER)[::-1].astype(">f4")).position.shape == (3, 3)
    for wrong in (ring.astype(np.longdouble), ring.astype(object), ring.astype(str), np.full((2, 2), 2**63, np.uint64)):
        for take in (as_graphs, as_clouds, ScalarFields(Torus("D4")).take):
            with pytest.raises(ValueError, match="must hold numbers of at most 64 bits"):
                take(wrong)
    with pytest.raises(ValueError, match=r"mask must hold booleans; got torch.int64"):
        as_graphs((torch.rand(1, 3, 2), torch.ones(1, 3).long()))


def test_fields_are_real_and_integers_stay_apart() -> None:
    field = torch.full((1, 4, 4), 2**53)
    field[0, 0, 0] += 1
    assert audited(field) == [8]
    for take in (audited, InversionKernel(LexicographicMinimum(ScalarFields(Torus("D4"))))):
        with pytest.raises(ValueError, match=r"expected real fields; got torch.complex64: stack real and imaginary"):
            take(torch.zeros(1, 4, 4, dtype=torch.complex64))


@pytest.mark.parametrize("label", [[1, 0, 0, 0], np.array([1, 0, 0, 0]), np.array([True, False, False, False])])
def test_labels_of_networkx_are_integers_of_any_type(label: Any) -> None:
    graph = networkx.cycle_graph(4)
    networkx.set_node_attributes(graph, dict(enumerate(label)), "label")
    assert orders(graph) == [2]
    networkx.set_node_attributes(graph, dict(enumerate("CNNN")), "label")
    message = "expected an integer attribute 'label' everywhere; got 'C': number the kinds; if labels are only names"
    with pytest.raises(ValueError, match=message):
        as_graphs(graph)


@pytest.mark.parametrize(("ends", "shape"), [([], (0, 4)), ([], (0,)), ([[0, 1], [1, 0]], (2, 0))])
def test_attributes_that_say_nothing(ends: list[list[int]], shape: tuple[int, ...]) -> None:
    """A molecule of one atom has no bonds, whose attributes have no rows."""
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    edge_index = torch.tensor(ends, dtype=torch.long).reshape(2, -1)
    graph = data.Data(x=torch.ones(2, 3), edge_index=edge_index, edge_attr=torch.zeros(shape))
    assert orders(graph) == audited([graph]) == [2]
    graph.edge_attr = torch.tensor(3.0)
    with pytest.raises(ValueError, match=r"expected edge_attr to be a dense tensor of rows; got one of shape \[\]"):
        as_graphs(graph)


def test_attributes_of_networkx_count_as_those_of_pyg() -> None:
    graph = networkx.cycle_graph(4)
    assert orders(graph) == audited(graph) == [8]
    networkx.set_node_attributes(graph, {0: "a", 1: "b"}, "club")  # not looked at
    networkx.set_edge_attributes(graph, {(0, 1): 0.5, (2, 3): 0.5}, "weight")
    assert orders(graph) == audited(graph) == [4]
    networkx.set_node_attributes(graph, {0: 1, 1: 0, 2: 0, 3: 0}, "label")
    assert orders(graph) == [1]
    labeled = from_edges([(3, [(0, 1), (1, 2)])], node_label=[4, 5, 4], edge_label=[1, 2])
    assert orders(to_networkx_of(labeled)) == orders(labeled) == [1]
    graph.edges[1, 2]["weight"] = float("nan")
    with pytest.raises(ValueError, match="edge attributes must be finite"):
        as_graphs(graph)


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
