"""Files of every format, good and bad: what they hold, what is skipped, and what is said."""

import bz2
import gzip
import lzma
from pathlib import Path

import networkx
import numpy as np
import pytest
import torch

import sympe
from examples import LARGE, ring, single
from molecules import EXAMPLES
from sympe.auditing import Execution, Options
from sympe.auditing.sources import base
from sympe.auditing.sources.base import cut, cuts
from sympe.graphs import concatenate, from_edges, to_graph6, to_pyg, write

NAMES = ["petersen", "frucht", "star 6", "cycle 8"]
GRAPHS = concatenate([LARGE[name][0] for name in NAMES])
ORDERS = [LARGE[name][1] for name in NAMES]

WATER = '3\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 dipole="0.1 0 0.4"\n' + "\n".join(
    f"{kind} {x} {y} {z} {fx} 0 {fz}"
    for kind, x, y, z, fx, fz in [("O", 0, 0, 0.12, 0.3, 1), ("H", 0, 0.76, -0.48, 0, 2), ("H", 0, -0.76, -0.48, 0, 2)]
)


def orders(report: sympe.auditing.AuditReport) -> list[int | None]:
    return [row["stabilizer_order"] for row in report.samples()]


def errors(report: sympe.auditing.AuditReport) -> list[float]:
    return [row["irreducible_error"] for row in report.samples()]


@pytest.mark.parametrize("name", ["graphs.g6", "graphs.npz"])
def test_files_of_graphs(tmp_path: Path, name: str) -> None:
    write(GRAPHS, tmp_path / name)
    assert orders(sympe.audit(tmp_path / name)) == ORDERS
    assert orders(sympe.audit([tmp_path / name, str(tmp_path / name)])) == 2 * ORDERS
    assert orders(sympe.audit(tmp_path)) == ORDERS


@pytest.mark.parametrize(("suffix", "module"), [(".gz", gzip), (".xz", lzma), (".bz2", bz2)])
def test_compressed_lines(tmp_path: Path, suffix: str, module) -> None:
    path = tmp_path / f"graphs.g6{suffix}"
    path.write_bytes(module.compress("\n".join(to_graph6(GRAPHS)).encode()))
    assert orders(sympe.audit(path)) == ORDERS
    # What could be unpacked before the damage counts, and so does the other file.
    path.write_bytes(path.read_bytes()[:-8])
    write(GRAPHS, tmp_path / "other.g6")
    report = sympe.audit([path, tmp_path / "other.g6"])
    assert orders(report)[-4:] == ORDERS
    assert orders(report)[:-4] == ORDERS[: report.summary.samples - 4]
    assert ["cannot be unpacked" in reason for _, reason in report.skipped()] == [True]


def test_bad_lines_are_skipped(tmp_path: Path) -> None:
    good = to_graph6(GRAPHS)
    lines = [">>graph6<<", good[0], "D  c", "", good[1], "IsP@PG", good[2], ":", good[3]]
    (tmp_path / "graphs.g6").write_text("\n".join(lines))
    report = sympe.audit(tmp_path / "graphs.g6")
    assert orders(report) == ORDERS
    assert [row["index"] for row in report.samples()] == [0, 2, 4, 6]
    assert [index for index, _ in report.skipped()] == [1, 3, 5]
    assert all(reason.startswith("not graph6") for _, reason in report.skipped())


def test_edge_lists_and_graphml(tmp_path: Path) -> None:
    (tmp_path / "ring.edges").write_text("0 1\n1 2\n2 3\n3 0\n\n0 1\n1 2\n")
    assert orders(sympe.audit(tmp_path / "ring.edges")) == [8, 2]
    graph = networkx.path_graph(3)
    networkx.set_node_attributes(graph, {0: "N", 1: "C", 2: "O"}, "element")
    networkx.set_edge_attributes(graph, {(0, 1): 1.5, (1, 2): 2.5}, "length")
    graph.graph["energy"] = 3.0
    path = tmp_path / "path.graphml"
    networkx.write_graphml(graph, path)
    assert orders(sympe.audit(path)) == [2]
    assert errors(sympe.audit(path, target="element")) == [pytest.approx(1 / 3)]
    assert errors(sympe.audit(path, target="length")) == [pytest.approx(0.25)]
    assert errors(sympe.audit(path, target="energy")) == [0]
    with pytest.raises(ValueError, match=r"path.graphml: expected an attribute mass on every node or on every edge"):
        sympe.audit(path, target="mass")


def test_arrays_of_graphs_with_targets(tmp_path: Path) -> None:
    path = tmp_path / "graphs.npz"
    held = {
        "n_nodes": np.array([4, 3]),
        "n_edges": np.array([4, 2]),
        "edges": np.array([*ring(4), (0, 1), (1, 2)]),
        "color": np.array([1, 0, 0, 0, 5, 6, 5]),
        "kind": np.array([1, 2, 1, 2, 7, 7], dtype=np.uint8),
        "energy": np.array([0.5, 1.5]),
        "node_label": np.array([0, 1, 0, 1, 3, 4, 3]),
        "split": np.array([0, 2]),
    }
    np.savez_compressed(path, **held)
    assert orders(sympe.audit(path)) == [4, 2]
    assert errors(sympe.audit(path, target="color")) == [pytest.approx(1 / 4), 0]
    assert errors(sympe.audit(path, target="kind")) == [pytest.approx(1 / 2), 0]
    assert errors(sympe.audit(path, target="energy")) == [0, 0]
    # What is predicted is no part of the input.
    report = sympe.audit(path, target="node_label")
    assert orders(report) == [8, 2]
    assert errors(report) == [pytest.approx(1 / 2), 0]
    assert orders(sympe.audit(path, options=Options(split="test"))) == [2]
    with pytest.raises(ValueError, match="expected an array mass"):
        sympe.audit(path, target="mass")
    np.savez(tmp_path / "plain.npz", **{name: held[name] for name in ("n_nodes", "n_edges", "edges")})
    with pytest.raises(ValueError, match="expected an array split"):
        sympe.audit(tmp_path / "plain.npz", options=Options(split="test"))


def test_a_target_of_as_many_nodes_as_edges_is_said_to_be_per_node(tmp_path: Path) -> None:
    """A ring does not tell what six numbers belong to: the answer depends on it, and the report says which it is."""
    path, y = tmp_path / "ring.npz", [0.0, 1, 2, 3, 4, 0]
    np.savez(path, n_nodes=[6], n_edges=[6], edges=ring(6), y=y)
    for asked, per in ((None, "node"), ("node", "node"), ("edge", "edge")):
        report = sympe.audit(path, target="y", per=asked)
        assert report.summary.per == per
        assert f"y per {per}, squared loss" in str(report)
    assert sympe.audit(path, target="adjacency").summary.per is None
    with pytest.raises(ValueError, match="expected y to have one row for each of"):
        sympe.audit(path, target="y", per="sample")


def test_molecules_in_arrays(tmp_path: Path) -> None:
    """Methane and water: elements as targets, and without hydrogens."""
    path = tmp_path / "qm9.npz"
    np.savez(
        path,
        n_atoms=[5, 3],
        n_bonds=[4, 2],
        atom_type=np.array([1, 0, 0, 0, 0, 3, 0, 0], dtype=np.uint8),
        bonds=[(0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 4, 1), (0, 1, 1), (0, 2, 1)],
    )
    assert orders(sympe.audit(path)) == [24, 2]
    assert orders(sympe.audit(path, options=Options(heavy_atoms=True))) == [1, 1]
    assert errors(sympe.audit(path, target="atom_type")) == [0, 0]
    assert errors(sympe.audit(path, target="bond_type")) == [0, 0]
    with pytest.raises(ValueError, match="expected molecules with elements"):
        sympe.audit(path, target="atom_type", options=Options(heavy_atoms=True))


def test_a_bad_graph_in_arrays_is_skipped(tmp_path: Path) -> None:
    edges = np.array([(0, 1), (1, 2), (0, 9), (0, 1)])
    np.savez(tmp_path / "graphs.npz", n_nodes=[3, 2, 2], n_edges=[2, 1, 1], edges=edges)
    report = sympe.audit(tmp_path / "graphs.npz")
    assert orders(report) == [2, 2]
    assert [index for index, _ in report.skipped()] == [1]
    assert "must join nodes 0..1" in next(report.skipped())[1]


def test_damaged_arrays(tmp_path: Path) -> None:
    path = tmp_path / "graphs.npz"
    write(GRAPHS, path)
    whole = path.read_bytes()
    for content, message in ((whole[:-40], "archive"), (b"PK", "archive"), (b"", "the file is empty")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            sympe.audit(path)
    np.savez(path, n_nodes=[3, 3], n_edges=[2, 2], edges=[(0, 1), (1, 2), (0, 1)])
    report = None
    with pytest.raises(ValueError, match="edges is too short"):
        report = sympe.audit(path)
    assert report is None
    np.savez(path, n_nodes=[3], n_edges=[1], edges=[(0, 1)], directed=np.array(["yes"]))
    with pytest.raises(ValueError, match="directed must hold a boolean; got <U3"):
        sympe.audit(path)
    np.savez(path, n_nodes=np.array([object()], dtype=object), n_edges=[2], edges=[(0, 1)])
    with pytest.raises(ValueError, match="must hold numbers; got objects"):
        sympe.audit(path)


def test_arrays_of_fields(tmp_path: Path, generator: torch.Generator) -> None:
    path = tmp_path / "fields.npz"
    x, y = torch.zeros(3, 1, 4, 4), torch.ones(3, 4, 4)
    x[1, 0, 0, 0] = 1
    y[:2, 0, 0] = 5
    np.savez(path, x=x.numpy(), y=y.numpy(), energy=np.zeros(3), split=[0, 0, 2])
    report = sympe.audit(path)
    assert orders(report) == [128, 8, 128]
    assert (report.summary.target, report.summary.loss) == (None, None)
    report = sympe.audit(path, target="y")
    assert errors(report) == [pytest.approx(15 / 16), 0, 0]
    assert errors(sympe.audit(path, target="energy")) == [0, 0, 0]
    assert orders(sympe.audit(path, options=Options(split="test"))) == [128]
    x[2, 0, 1, 1] = torch.nan
    np.savez(path, x=x.numpy())
    assert [index for index, _ in sympe.audit(path).skipped()] == [2]
    np.savez(path, a=np.zeros((2, 4, 4)), b=np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="expected an array fields, field, x or inputs; got a, b"):
        sympe.audit(path)


def test_smiles(tmp_path: Path) -> None:
    pytest.importorskip("rdkit")
    path = tmp_path / "molecules.smi"
    path.write_text("C methane\nO\nc1ccccc1 benzene\n[13CH3]C\nnonsense\n\nC[N+](C)(C)C\n")
    report = sympe.audit(path)
    assert orders(report) == [24, 2, 12, 36, 24 * 6**4]
    assert report.summary.skipped_reasons == {"expected a SMILES that RDKit accepts": 1}
    assert orders(sympe.audit(path, options=Options(heavy_atoms=True))) == [1, 1, 12, 1, 24]
    table = tmp_path / "table.csv.xz"
    table.write_bytes(lzma.compress(b"id,smiles,gap\n1,C,0.5\n2,CC,\n3,O,1.5\n"))
    report = sympe.audit(table, target="gap")
    assert errors(report) == [0, 0]
    assert report.summary.skipped_reasons == {"expected gap to be a number": 1}
    with pytest.raises(ValueError, match="expected a column mass; got id, smiles, gap"):
        sympe.audit(table, target="mass")


def test_sdf_as_graphs_and_as_points(tmp_path: Path) -> None:
    chem = pytest.importorskip("rdkit.Chem")
    all_chem = pytest.importorskip("rdkit.Chem.AllChem")
    path = tmp_path / "molecules.sdf"
    with chem.SDWriter(str(path)) as writer:
        for smiles in ("C", "CC(C)(C)C"):
            molecule = chem.AddHs(chem.MolFromSmiles(smiles))
            all_chem.EmbedMolecule(molecule, randomSeed=1)
            all_chem.MMFFOptimizeMolecule(molecule, maxIters=20000)
            molecule.SetProp("energy", "1.5")
            writer.write(molecule)
    path.write_text(path.read_text() + "broken\n\n\n  1  0  0\n$$$$\n")
    report = sympe.audit(path, target="energy")
    assert orders(report) == [24, 24 * 6**4]
    assert errors(report) == [0, 0]
    assert report.summary.skipped == 1
    points = sympe.audit(path, group="o3")
    assert [row["point_group"] for row in points.samples()] == ["Td", "Td"]


def test_xyz_and_extended_xyz(tmp_path: Path) -> None:
    pytest.importorskip("ase")
    path = tmp_path / "water.extxyz"
    periodic = '1\nLattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3:forces:R:3\nAr 0 0 0 0 0 0'
    unknown = "1\n\nQq 0 0 0"
    path.write_text("\n".join([WATER, periodic, unknown, "1\n\nAr 0 0 zero", WATER]))
    report = sympe.audit(path)
    assert [row["point_group"] for row in report.samples()] == ["C2v", "C2v"]
    assert report.summary.skipped == 3
    assert [index for index, _ in report.skipped()] == [1, 2, 3]
    assert [row["point_group"] for row in sympe.audit(path, group="so3").samples()] == ["C2", "C2"]
    # The force across the plane of the molecule breaks its mirror; the two hydrogens have equal forces.
    report = sympe.audit(path, target="forces")
    assert errors(report) == pytest.approx([0.09 / 3] * 2)
    assert report.summary.violations == 2
    assert errors(sympe.audit(path, target="dipole")) == pytest.approx([0.01] * 2)
    assert errors(sympe.audit(path, target="energy")) == [0, 0]
    with pytest.raises(ValueError, match="expected charge in the frames; they have forces, energy, dipole"):
        sympe.audit(path, target="charge")
    path.write_text("3\n\nO 0 0 0\n")
    with pytest.raises(ValueError, match="expected 3 atoms; the file ends after 1"):
        sympe.audit(path)
    path.write_text(WATER + "\nwater\n")
    assert sympe.audit(path).summary.skipped_reasons == {f"{path}: expected a number of atoms": 1}


def test_points_in_memory() -> None:
    water = EXAMPLES["water"].cloud
    position, kinds = water.position.numpy(), water.species.numpy()
    force = np.zeros((3, 3))
    force[0, 0] = 0.3
    for data in ([(position, kinds)], [((position, kinds), force)], [(water, force)]):
        report = sympe.audit(data, group="o3")
        assert orders(report) == [4]
        assert errors(report) == ([None] if len(data[0]) == 2 and data[0][1] is kinds else pytest.approx([0.03]))


def test_points_in_memory_as_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as cloud by cloud, over two chunks; targets per point and per cloud."""
    monkeypatch.setattr(base, "MOST_SAMPLES", 10)
    clouds = [EXAMPLES[name].cloud for name in ("water", "methane", "argon", "CHFClBr")] * 4
    batch = sympe.points.concatenate(clouds)
    generator = torch.Generator().manual_seed(0)
    forces = torch.randn(batch.num_points, 3, generator=generator)
    charges = torch.randn(batch.num_points, generator=generator)
    dipoles = torch.randn(len(batch), 3, generator=generator)
    sizes = batch.sizes.tolist()
    here = Execution(workers=1)
    for values, parts in ((forces, forces.split(sizes)), (charges, charges.split(sizes)), (dipoles, dipoles)):
        report = sympe.audit(batch, target=values, execution=here)
        pairs = sympe.audit(list(zip(clouds, parts, strict=True)), execution=here)
        assert list(report.samples()) == list(pairs.samples())
        assert max(errors(report)) > 0
    assert orders(sympe.audit(batch)) == [4, 24, None, 1] * 4
    assert orders(sympe.audit(batch.to(dtype=torch.float32), group="so3")) == [2, 12, None, 1] * 4


def test_files_of_pyg(tmp_path: Path) -> None:
    data = pytest.importorskip("torch_geometric.data")
    graphs = to_pyg(GRAPHS).to_data_list()
    for one in graphs:
        one.y = torch.zeros(one.num_nodes)
        one.y[0] = 1
    path = tmp_path / "graphs.pt"
    joined, slices = data.InMemoryDataset.collate(graphs)
    for form in (graphs, (joined, slices), (joined.to_dict(), slices, data.Data)):
        torch.save(form, path)
        assert orders(sympe.audit(path)) == ORDERS
        report = sympe.audit(path, target="y")
        assert [error > 0 for error in errors(report)] == [True, False, True, True]
    torch.save(graphs[0], path)
    assert orders(sympe.audit(path)) == ORDERS[:1]
    with pytest.raises(ValueError, match="expected every Data to have z"):
        sympe.audit(path, target="z")
    torch.save({"model": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="expected a PyG Data or a list of them; got dict"):
        sympe.audit(path)
    torch.save(data.Batch.from_data_list(graphs), path)
    with pytest.raises(ValueError, match=r"a Batch does \(save its to_data_list"):
        sympe.audit(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"graphs.pt: expected"):
        sympe.audit(path)


def test_all_that_a_network_of_pyg_is_shown_counts() -> None:
    data = pytest.importorskip("torch_geometric.data").Data
    both = torch.tensor([*ring(4), *[(b, a) for a, b in ring(4)]]).T
    kinds = torch.tensor([0.5, 0.7, 0.5, 0.7]).repeat(2)[:, None]
    shown = [
        data(edge_index=both, num_nodes=4),
        data(edge_index=both, num_nodes=4, z=torch.tensor([6, 7, 6, 7])),
        data(edge_index=both, num_nodes=4, edge_attr=kinds),
        data(edge_index=both, x=torch.tensor([[1.0], [0.0], [0.0], [0.0]])),
        data(edge_index=both, num_nodes=4, edge_attr=kinds, z=torch.tensor([6, 7, 6, 7])),
    ]
    assert [orders(sympe.audit([one])) for one in shown] == [[8], [4], [4], [2], [2]]
    assert orders(sympe.audit(shown)) == [8, 4, 4, 2, 2]


class Trap:
    """Runs code when it is loaded as a pickle."""

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("sprung"),))


def test_a_file_that_runs_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch_geometric.data")
    monkeypatch.chdir(tmp_path)
    torch.save([Trap()], tmp_path / "trap.pt")
    with pytest.raises(ValueError, match="nothing that runs code when loaded; it names "):
        sympe.audit(tmp_path / "trap.pt")
    assert not Path("sprung").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.g6", "expected a file, a folder or one of qm9"),
        ("graphs.pdb", r"expected a file ending in \.cif \.csv .*; got \.pdb"),
        ("empty", "expected a folder of files ending in"),
    ],
)
def test_paths_that_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "graphs.pdb").write_text("ATOM")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=message):
        sympe.audit(tmp_path / name)


def test_a_bad_file_among_good_ones_is_skipped(tmp_path: Path) -> None:
    write(GRAPHS, tmp_path / "a.g6")
    np.savez(tmp_path / "b.npz", n_nodes=[3], n_edges=[9], edges=[(0, 1)])
    write(GRAPHS, tmp_path / "c.g6")
    report = sympe.audit(tmp_path)
    assert orders(report) == 2 * ORDERS
    assert [index for index, _ in report.skipped()] == [4]
    assert [row["index"] for row in report.samples()] == [0, 1, 2, 3, 5, 6, 7, 8]


def test_cuts_depend_on_number_and_weight() -> None:
    assert list(cuts([1] * 2500)) == [(0, 1000), (1000, 2000), (2000, 2500)]
    assert list(cuts([10**9, 1, 1])) == [(0, 1), (1, 3)]
    assert list(cuts([])) == []
    chunks = list(cut((i, 1, None) for i in range(2001)))
    assert [len(chunk.raw) for chunk in chunks] == [1000, 1000, 1]
    assert [len(chunk.raw) for chunk in cut((i, 1_500_000, None) for i in range(3))] == [1, 1, 1]


def test_many_graphs_are_cut_and_put_together(tmp_path: Path) -> None:
    """The same rows from one batch in memory, from lines and from arrays; edges stored in any order."""
    sizes = [3 + i % 5 for i in range(2300)]
    graphs = concatenate([from_edges([(n, ring(n))]) for n in sizes])
    shuffled = sympe.Graphs(graphs.edge_index[:, torch.randperm(graphs.num_edges)], graphs.batch)
    target = torch.arange(graphs.num_nodes) % 3
    rows = list(sympe.audit(shuffled, target=target).samples())
    assert [row["stabilizer_order"] for row in rows] == [2 * n for n in sizes]
    assert [row["index"] for row in rows] == list(range(2300))
    for name in ("graphs.g6", "graphs.npz"):
        write(graphs, tmp_path / name)
        report = sympe.audit(tmp_path / name)
        assert orders(report) == [2 * n for n in sizes]
    assert single(3, ring(3)).num_nodes == 3
