"""Measurements of samples on graphs where each is known."""

import pytest

from sympe.graphs import from_edges
from sympe_experiments.molecules.metrics import (
    molecule_metrics,
    property_distances,
    property_histograms,
    stability,
)


def test_of_molecules() -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    from sympe_experiments.molecules.chemistry import write_smiles

    # C#C twice, C=O.C, an oxygen with two triple bonds.
    graphs = from_edges(
        [(2, [(0, 1)]), (2, [(0, 1)]), (3, [(0, 1)]), (3, [(0, 1), (1, 2)])],
        node_label=[0, 0, 0, 0, 0, 1, 0, 1, 1, 1],
        edge_label=[3, 3, 2, 3, 3],
    )
    elements = ("C", "O")
    found = molecule_metrics(graphs, write_smiles(graphs, elements), elements, {"C#C"}, hydrogens=False)
    expected = {
        "valid_percent": 75,
        "unique_percent": 200 / 3,
        "novel_percent": 50,
        "connected_percent": 75,
        "atoms_stable_percent": 70,
        "molecules_stable_percent": 75,
    }
    assert found == pytest.approx(expected)
    # With hydrogens as nodes bonds must add up exactly: none of these has any.
    assert stability(graphs, elements, hydrogens=True)[1] == 0


def test_of_properties() -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    from sympe_experiments.molecules.chemistry import properties

    theirs = properties(["CCO", "C1CC1", "C1CC1O", "C1CC2CC12"])
    assert theirs["rings"] == [0, 1, 1, 2]
    assert property_distances(theirs, theirs) == {"logp_distance": 0, "qed_distance": 0, "rings_distance": 0}
    ours = properties(["CO", "C1CC1", "C1CC2CC3CC123"])
    assert property_distances(ours, theirs)["rings_distance"] == pytest.approx(1 / 2)
    found = property_histograms(ours, theirs)
    edges, our_shares, their_shares = found["rings"]
    # Three rings are more than any of theirs have, and count with two.
    assert (edges, our_shares, their_shares) == ([-0.5, 0.5, 1.5, 2.5], [1 / 3, 1 / 3, 1 / 3], [0.25, 0.5, 0.25])
    for name in ("logp", "qed"):
        edges, our_shares, their_shares = found[name]
        assert (edges[0], edges[-1]) == (min(theirs[name]), max(theirs[name]))
        assert len(edges) == len(our_shares) + 1 == len(their_shares) + 1
        assert sum(our_shares) == pytest.approx(1)
        assert sum(their_shares) == pytest.approx(1)


def test_of_no_molecules() -> None:
    none: dict[str, list[float]] = {"logp": [], "qed": [], "rings": []}
    some = {"logp": [1.0], "qed": [0.5], "rings": [2.0]}
    for ours, theirs in ((none, some), (some, none), (none, none)):
        assert set(property_distances(ours, theirs).values()) == {None}
        for name, (edges, *both) in property_histograms(ours, theirs).items():
            assert len(edges) == len(both[0]) + 1
            assert [sum(shares) for shares in both] == [bool(part[name]) for part in (ours, theirs)]
