"""Measurements of samples on graphs where each is known."""

import networkx
import numpy as np
import pytest

from sympe.graphs import from_edges, from_networkx
from sympe.tasks.molecules.metrics import Reference, discrepancy, graph_metrics, molecule_metrics, stability


def test_of_molecules() -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    from sympe.tasks.molecules.chemistry import properties, write_smiles

    # C#C twice, C=O.C, an oxygen with two triple bonds.
    graphs = from_edges(
        [(2, [(0, 1)]), (2, [(0, 1)]), (3, [(0, 1)]), (3, [(0, 1), (1, 2)])],
        node_label=[0, 0, 0, 0, 0, 1, 0, 1, 1, 1],
        edge_label=[3, 3, 2, 3, 3],
    )
    elements = ("C", "O")
    reference = Reference({"C#C"}, properties(["C#C", "C#C", "C=O"]))
    found = molecule_metrics(graphs, write_smiles(graphs, elements), elements, reference, hydrogens=False)
    expected = {
        "valid_percent": 75,
        "unique_percent": 200 / 3,
        "novel_percent": 50,
        "connected_percent": 75,
        "atoms_stable_percent": 70,
        "molecules_stable_percent": 75,
        "logp_distance": 0,
        "qed_distance": 0,
        "rings_distance": 0,
    }
    assert found == pytest.approx(expected)
    # With hydrogens as nodes bonds must add up exactly: none of these has any.
    assert stability(graphs, elements, hydrogens=True)[1] == 0


def test_of_graphs() -> None:
    trees = [networkx.random_labeled_tree(8, seed=k) for k in range(20)]
    test = from_networkx(trees)
    same = graph_metrics(test, test)
    assert same["tree_percent"] == same["planar_percent"] == same["connected_percent"] == 100
    assert max(same["degree_mmd"], same["clustering_mmd"], same["spectral_mmd"]) < 1e-9
    other = graph_metrics(from_networkx([networkx.complete_graph(6), networkx.empty_graph(3)]), test)
    assert other["tree_percent"] == other["planar_percent"] == 0
    assert other["connected_percent"] == 50
    assert min(other["degree_mmd"], other["clustering_mmd"], other["spectral_mmd"]) > 0.1


def test_discrepancy_by_hand() -> None:
    a, b = [np.array([1.0])], [np.array([0.0, 1.0])]
    assert discrepancy(a, b, 1.0) == pytest.approx(2 - 2 * np.exp(-0.5))
    assert discrepancy(a, a, 1.0) == 0
