"""Data: splits, domains, stores; what cannot be used is named."""

import os
from collections import Counter
from pathlib import Path

import networkx
import pytest
import torch

from sympe.graphs import Graphs, concatenate, from_edges, from_networkx, write
from sympe_experiments.molecules.data import GraphStore, Splits, load_splits, noun

EVERYTHING = (10**9, 10**9, 10**9)


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    path = tmp_path / "graphs.g6"
    write(from_networkx([networkx.gnp_random_graph(2 + i % 5, 0.5, seed=i) for i in range(40)]), path)
    return path


def test_a_file_is_split(own_file: Path) -> None:
    splits = load_splits(str(own_file), EVERYTHING)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [32, 4, 4]
    domain = splits.domain()
    assert domain.elements == ("",)
    assert not domain.is_chemical
    assert len(domain.edge_law) == 2
    assert sum(domain.size_law) == pytest.approx(1)
    assert domain.max_nodes == 6
    few = load_splits(str(own_file), (5, 2, 1))
    assert [len(part) for part in (few.train, few.validation, few.test)] == [5, 2, 1]


def test_molecules_of_a_file(tmp_path: Path) -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    path = tmp_path / "mine.smi"
    path.write_text("CCO\nCC=O\nC#N\nCCN\n[NH4+]\nC1CC1\n")
    splits = load_splits(str(path), EVERYTHING)
    domain = splits.domain()
    assert domain.is_chemical
    assert splits.skipped == Counter({"charged": 1})
    assert len(splits.train) == 3
    # Kinds and sizes of held-out graphs are possible, if rare.
    assert len(domain.edge_law) == 4
    assert all(probability > 0 for probability in (*domain.node_law, *domain.edge_law))
    assert all(domain.size_law[n] > 0 for part in (splits.test, splits.validation) for n in part.sizes)


def test_stores_group_by_size_and_keep_every_graph(own_file: Path) -> None:
    graphs = load_splits(str(own_file), EVERYTHING).train
    store = GraphStore(graphs)
    assert len(store) == len(graphs)
    assert sum(store.counts.values()) == len(graphs)
    batches = list(store.batches(3))
    assert all(len(batch) <= 3 for batch in batches)
    assert sum(int((batch.edges > 0).sum()) for batch in batches) == graphs.num_edges // 2
    with_order = GraphStore(graphs, "file")
    rank = with_order[4, [0, 1]].rank
    assert rank is not None
    assert rank.tolist() == [[0, 1, 2, 3]] * 2


@pytest.mark.parametrize(
    ("graphs", "message"),
    [
        (from_edges([(2, [(0, 1)]), (3, [(1, 1)])]), "graph 1 has a self-loop"),
        (from_edges([(2, [(0, 1)]), (3, [(0, 1)])], directed=True), "graph 0 has directed or parallel edges"),
        (from_edges([(3, [(0, 1), (1, 0)])]), "graph 0 has directed or parallel edges"),
        (from_edges([(2, [(0, 1)])], edge_label=[0]), "labels of edges must be from 1 to 255; got 0"),
        (from_edges([(3, [(0, 1), (1, 2)])], edge_label=[255, 257]), "labels of edges must be from 1 to 255; got 257"),
        (from_edges([(2, [(0, 1)])], node_label=[255, 300]), "labels of nodes must be from 0 to 255; got 300"),
        (from_edges([(2, [(0, 1)])], node_label=[-1, 0]), "labels of nodes must be from 0 to 255; got -1"),
        (from_edges([(0, [])]), "expected graphs of one node or more; got 1 graphs, none of which has"),
    ],
)
def test_graphs_that_cannot_be_used(graphs: Graphs, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GraphStore(graphs)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.txt", "CCO\nCCN\n"),
        ("mine.csv", "smiles,name\nCCO,ethanol\nCCN,\n"),
        ("mine.csv", "CCO,ethanol\nCCN,ethylamine\n"),
        ("mine.smi.gzip", "?"),
        ("mine", "CCO\n"),
    ],
)
def test_molecules_in_a_file_of_another_name(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match=r"expected .*; got .*; molecules are read from files ending in \.sdf \.smi"):
        load_splits(str(path), EVERYTHING)


def test_too_few_graphs(tmp_path: Path) -> None:
    path = tmp_path / "two.g6"
    write(concatenate([from_edges([(2, [(0, 1)])])] * 2), path)
    with pytest.raises(ValueError, match=r"expected at least 3 graphs, to train, validate and test; got 2$"):
        load_splits(str(path), EVERYTHING)


def test_data_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYMPE_DATA", raising=False)
    with pytest.raises(ValueError, match=r"planar needs its data: name the folder of planar\.npz"):
        load_splits("planar", EVERYTHING)
    with pytest.raises(ValueError, match=r"No such file or directory$"):
        load_splits(str(tmp_path / "none"), EVERYTHING)


def test_unseen_kinds_stay_possible() -> None:
    labeled = from_edges([(2, [(0, 1)])] * 4, node_label=[0, 2] * 4, edge_label=[1] * 4)
    domain = Splits(labeled, labeled, labeled, ("C", "N", "O")).domain()
    assert domain.node_law == pytest.approx((5 / 11, 1 / 11, 5 / 11))
    assert domain.edge_law == pytest.approx((1 / 10, 9 / 10))
    assert domain.size_law == (0, 0, 1)
    assert domain.size_cost(2) == 0
    assert domain.size_cost(7) == float("inf")
    assert domain.draw_sizes(3, torch.Generator().manual_seed(0)) == [2, 2, 2]


def qm9_folder() -> Path | None:
    """Where QM9 is: in the folder that SYMPE_DATA names, or beside the source tree."""
    places = [Path(os.environ.get("SYMPE_DATA", "none")), Path(__file__).parents[4] / "shared" / "data"]
    return next((place for place in places if (place / "qm9.npz").is_file()), None)


@pytest.mark.skipif(qm9_folder() is None, reason="needs QM9")
def test_qm9_is_whole_and_is_shuffled(monkeypatch: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    """In the file an atom's place tells its kind; once shuffled it tells nothing."""
    monkeypatch.setenv("SYMPE_DATA", str(qm9_folder()))
    splits = load_splits("qm9", (10**9, 10**9, 2000))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (97_678, 20_040, 2000)
    domain = splits.domain()
    assert domain.elements == ("C", "N", "O", "F")
    assert domain.max_nodes == 9
    assert domain.node_law == pytest.approx((0.7232, 0.1150, 0.1591, 0.0026), abs=1e-4)
    stored = GraphStore(splits.test)[9, list(range(1000))]
    shuffled = stored.shuffled(generator)
    in_file, by_chance = (
        (state.nodes.double().mean(0) - state.nodes.double().mean()).abs().max() for state in (stored, shuffled)
    )
    assert in_file > 3 * by_chance
    assert by_chance < 0.1


def test_what_the_members_of_a_data_set_are_called() -> None:
    names = {data: noun(data) for data in ("qm9", "qm9-hydrogens", "mine.SDF", "tree", "qm9-like.npz")}
    assert names == {
        "qm9": "molecules",
        "qm9-hydrogens": "molecules",
        "mine.SDF": "molecules",
        "tree": "graphs",
        "qm9-like.npz": "graphs",
    }
