"""Data sets: where they are looked for, what taking the hydrogens out leaves, and the real files if there are any."""

import os

import numpy as np
import pytest

from sympe.graphs import from_edges, load_graph_set, load_qm9, to_networkx, write


@pytest.fixture
def molecules(tmp_path):
    """H2, hydrogen cyanide (its hydrogen in the middle) and water, in a folder as QM9 would be."""
    np.savez(
        tmp_path / "qm9.npz",
        n_atoms=np.array([2, 3, 3], np.uint8),
        n_bonds=np.array([1, 2, 2], np.uint8),
        atom_type=np.array([0, 0, 2, 0, 1, 3, 0, 0], np.uint8),
        bonds=np.array([[0, 1, 1], [0, 2, 3], [1, 2, 1], [0, 1, 1], [0, 2, 1]], np.uint8),
        split=np.array([0, 0, 2], np.uint8),
    )
    return tmp_path


def test_molecules_with_hydrogens(molecules):
    graphs = load_qm9(molecules)
    assert graphs.sizes.tolist() == [2, 3, 3]
    assert graphs.node_label.tolist() == [0, 0, 2, 0, 1, 3, 0, 0]
    assert load_qm9(molecules / "qm9.npz", "test").node_label.tolist() == [3, 0, 0]


def test_without_hydrogens_heavy_atoms_and_their_bonds_stay(molecules):
    graphs = load_qm9(molecules, hydrogens=False)
    cyanide, water = to_networkx(graphs)  # and H2 is left out
    assert [cyanide.nodes[i]["label"] for i in cyanide] == [2, 1]
    assert list(cyanide.edges(data="label")) == [(0, 1, 3)]
    assert [water.nodes[i]["label"] for i in water] == [3]
    assert graphs.num_graphs == 2
    assert load_qm9(molecules, "test", hydrogens=False).sizes.tolist() == [1]


def test_the_folder_may_come_from_the_environment(molecules, monkeypatch):
    monkeypatch.setenv("SYMPE_DATA", str(molecules))
    assert len(load_qm9()) == 3


def test_missing_data_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.delenv("SYMPE_DATA", raising=False)
    with pytest.raises(ValueError, match=r"qm9 needs its data: name the folder of qm9\.npz as root or in SYMPE_DATA$"):
        load_qm9()
    with pytest.raises(ValueError, match=r"expected tree\.npz in the folder .*; there is none"):
        load_graph_set("tree", tmp_path)
    with pytest.raises(ValueError, match="name must be one of planar, sbm, tree, community_small; got 'qm9'"):
        load_graph_set("qm9", tmp_path)


def test_plain_graphs_have_no_hydrogens(tmp_path):
    write(from_edges([(2, [(0, 1)])]), tmp_path / "qm9.npz")
    with pytest.raises(ValueError, match=r"qm9\.npz: expected molecules with elements"):
        load_qm9(tmp_path, hydrogens=False)


@pytest.mark.skipif("SYMPE_DATA" not in os.environ, reason="SYMPE_DATA names no folder of data")
def test_the_real_sets_have_the_published_sizes():
    assert [len(load_qm9(split=split)) for split in ("train", "validation", "test")] == [97_678, 20_040, 13_053]
    heavy = load_qm9(hydrogens=False)
    assert len(heavy) == 130_771
    assert heavy.max_nodes == 9
    assert int(heavy.node_label.min()) == 1
    for name in ("planar", "sbm", "tree"):
        assert [len(load_graph_set(name, split=split)) for split in ("train", "validation", "test")] == [128, 32, 40]
    assert len(load_graph_set("community_small")) == 100
