"""Molecules from files and back to SMILES: what is read, what is refused and counted."""

from collections import Counter
from pathlib import Path

import pytest
import torch

pytest.importorskip("rdkit", reason="needs RDKit")

from sympe.actions import GraphRelabeling
from sympe.graphs import from_edges
from sympe_experiments.molecules.chemistry import (
    describe_skipped,
    known_smiles,
    properties,
    read_molecules,
    write_smiles,
)

LINES = """smiles name
CCO ethanol
c1ccccc1 benzene
C#N
[NH4+] ammonium
CC(=O)[O-].[Na+]
not-a-molecule
[Fe]
CCCCCCCCCC

C1CC1F
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.smi"
    path.write_text(LINES)
    return path


def test_what_cannot_be_used_is_counted_and_the_rest_is_read(file: Path) -> None:
    found = read_molecules(file, max_nodes=9)
    assert found.skipped == Counter(
        {"charged": 2, "unparsable": 1, "unsupported element Fe": 1, "more than 9 atoms": 1}
    )
    assert found.elements == ("C", "F", "N", "O")
    assert found.graphs.sizes.tolist() == [3, 6, 2, 4]
    assert [one.smiles for one in write_smiles(found.graphs, found.elements)] == ["CCO", "c1ccccc1", "C#N", "FC1CC1"]
    assert describe_skipped(found.skipped).startswith("2 charged, 1 ")


def test_the_number_of_atoms_is_looked_at_before_the_atoms(tmp_path: Path) -> None:
    path = tmp_path / "mine.smi"
    path.write_text("CC[O-]\n[Na]CC\nC\n")
    assert read_molecules(path, max_nodes=2).skipped == Counter({"more than 2 atoms": 2})
    assert read_molecules(path, max_nodes=5, hydrogens=True).skipped == Counter({"more than 5 atoms": 2})
    path.write_text("[H]O[H]\n")
    assert read_molecules(path, max_nodes=1).graphs.sizes.tolist() == [1]
    assert read_molecules(path, max_nodes=3, hydrogens=True).graphs.sizes.tolist() == [3]


def test_hydrogens_as_nodes(file: Path) -> None:
    found = read_molecules(file, hydrogens=True, max_nodes=12)
    assert found.graphs.sizes.tolist() == [9, 12, 3, 9]
    assert found.elements == ("C", "F", "H", "N", "O")


def test_only_the_elements_that_a_model_knows(file: Path) -> None:
    found = read_molecules(file, elements=("C", "N", "O", "F"), max_nodes=9)
    assert found.elements == ("C", "N", "O", "F")
    assert found.graphs.node_label is not None
    assert found.graphs.node_label[:3].tolist() == [0, 0, 2]
    without = read_molecules(file, elements=("C", "O"))
    assert without.skipped["unsupported element N"] == 1
    assert without.skipped["unsupported element F"] == 1


def test_sdf(tmp_path: Path) -> None:
    from rdkit import Chem

    path = tmp_path / "mine.sdf"
    with Chem.SDWriter(str(path)) as writer:
        for smiles in ("CCO", "C=O", "[O-]C"):
            writer.write(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    found = read_molecules(path)
    assert found.graphs.sizes.tolist() == [3, 2]
    assert found.skipped == Counter({"charged": 1})


def test_isotopes_and_radicals_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "mine.smi"
    path.write_text("[13CH3]O\n[2H]C\n[CH3]\n[CH2]\n[O]N=O\nCO\n")
    expected = Counter({"with an isotope": 2, "with an unpaired electron": 3})
    for hydrogens in (False, True):
        assert read_molecules(path, hydrogens=hydrogens).skipped == expected


def test_stereochemistry_is_dropped_and_fragments_are_one_graph(tmp_path: Path) -> None:
    path = tmp_path / "mine.smi"
    path.write_text("C[C@H](O)F\nF/C=C/F\nCCO.O\n")
    found = read_molecules(path)
    written = write_smiles(found.graphs, found.elements)
    assert [(one.smiles, one.connected) for one in written] == [("CC(O)F", True), ("FC=CF", True), ("CCO", False)]


@pytest.mark.parametrize(
    "content",
    [
        "SMILES,name\nCCO,ethanol\nCN,\n",
        "\ncanonical_smiles id\nCCO 1\nCN 2",
        "\ufeffsmiles\nCCO\nCN\n",
        "\ufeffCCO\nCN smiles\n",
    ],
)
def test_headers_are_no_molecules(content: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.smi"
    path.write_text(content, encoding="utf-8")
    found = read_molecules(path)
    assert found.graphs.sizes.tolist() == [3, 2]
    assert not found.skipped
    path.write_text(content + "\nsmiles\n", encoding="utf-8")
    assert read_molecules(path).skipped == Counter({"unparsable": 1})


@pytest.mark.parametrize("suffix", ["smi", "sdf"])
@pytest.mark.parametrize(
    ("content", "message"),
    [("", "none can be used (it is empty)"), ("\n", "none can be used (it is empty)"), ("xx\n", "(1 unparsable)")],
)
def test_files_without_molecules(content: str, message: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bad.{suffix}"
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"bad\.{suffix}: expected molecules") as caught:
        read_molecules(path)
    assert message in str(caught.value)
    with pytest.raises(ValueError, match="No such file"):
        read_molecules(tmp_path / "none.smi")


def test_valid_connected_and_the_largest_fragment() -> None:
    graphs = from_edges(
        [(2, [(0, 1)]), (3, [(0, 1)]), (3, [(0, 1), (1, 2)]), (1, [])],
        node_label=[0, 0, 0, 1, 0, 1, 1, 1, 0],
        edge_label=[3, 2, 3, 3],
    )
    written = write_smiles(graphs, ("C", "O"))
    assert [(one.smiles, one.valid, one.connected) for one in written] == [
        ("C#C", True, True),
        ("C=O", True, False),
        (None, False, True),
        ("C", True, True),
    ]
    assert known_smiles(graphs, ("C", "O")) == {"C#C", "C=O", "C"}


def test_the_order_of_atoms_does_not_matter(generator: torch.Generator) -> None:
    one_ring = (6, [(i, (i + 1) % 6) for i in range(6)])
    rings = from_edges([one_ring] * 8, node_label=[0, 0, 0, 0, 0, 1] * 8, edge_label=[1, 2] * 24)
    action = GraphRelabeling()
    moved = action.act(action.group.haar(rings, generator), rings)
    assert {one.smiles for one in write_smiles(moved, ("C", "N"))} == {"c1ccncc1"}


def test_properties() -> None:
    found = properties(["CCO", "c1ccccc1", "C1CC1F"])
    assert found["rings"] == [0, 1, 1]
    assert found["logp"][1] == pytest.approx(1.6866, abs=1e-3)
    assert all(0 < value < 1 for value in found["qed"])
