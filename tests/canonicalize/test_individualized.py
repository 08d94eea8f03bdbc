"""Bases: what they fix, what is shown of them, and draws that are kept."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

import sympe
from examples import LARGE, SMALL, single
from laws import THRESHOLD, ChiSquare, automorphisms, copies
from sympe import Graphs, InversionKernel, RankEncoding, SymPE
from sympe.cached_kernel import CachedInversionKernel
from sympe.canonicalize import Base, Labeling, Refinement
from sympe.canonicalize.individualized import First
from sympe.canonicalize.refined import refined
from sympe.encoding import PairRankEncoding, SinusoidalRankEncoding
from sympe.graphs.bliss import colored_graphs, log_automorphisms

EXAMPLES = SMALL | {name: graph for name, (graph, _) in LARGE.items() if name not in ("rook", "clebsch")}


def base_of(x: Graphs, base: Base) -> list[int]:
    g = base(x)
    assert g.shown is not None
    return g.image[: int(g.shown[0])].tolist() if x.num_nodes else []


@pytest.mark.parametrize("first", ["label", "largest", "degree"])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", EXAMPLES)
def test_only_the_identity_fixes_a_base(name: str, exact: bool, first: First) -> None:
    x = EXAMPLES[name]
    fixed = base_of(x, Base(exact, first))
    assert [g for g in automorphisms(x) if all(g[node] == node for node in fixed)] == [list(range(x.num_nodes))]


@pytest.mark.parametrize(("name", "size"), [("cycle 5", 2), ("star 6", 4), ("two triangles", 4), ("petersen", 3)])
def test_bases_are_short(name: str, size: int) -> None:
    assert len(base_of(EXAMPLES[name], Base())) == size


@pytest.mark.parametrize("name", ["cycle 5", "star 5", "two edges", "directed cycle", "petersen"])
def test_labels_of_a_base_have_the_least_entropy(name: str, generator: torch.Generator) -> None:
    """As many different features as automorphisms, all alike often."""
    x = EXAMPLES[name]
    order = len(automorphisms(x))
    features = SymPE(InversionKernel(Base()), RankEncoding(1, 8))(copies(x, 20 * order), generator)
    counts = np.unique(features.detach().view(-1, x.num_nodes).numpy(), axis=0, return_counts=True)[1]
    assert len(counts) == order
    test = ChiSquare()
    test.fit(name, counts)
    assert test.p_value > THRESHOLD


def test_encodings_label_the_base_and_nothing_else(generator: torch.Generator) -> None:
    x = sympe.graphs.concatenate([SMALL["cycle 5"], SMALL["path 3"], SMALL["no edges"]])
    g = InversionKernel(Base())(x, generator)
    assert g.shown is not None
    assert g.shown.tolist() == [2] * 5 + [1] * 3 + [2] * 3
    for encoding in (RankEncoding(3, 8), SinusoidalRankEncoding(3)):
        rows = encoding(g)
        for node, (rank, shown) in enumerate(zip(g.rank.tolist(), g.shown.tolist(), strict=True)):
            assert torch.equal(rows[node], encoding.rows(8)[rank] if rank < shown else torch.zeros(3))
    pairs = PairRankEncoding(1, 8)(g)[0]
    labeled = (g.rank < g.shown)[:5]
    assert torch.equal(pairs[:, :, 0] != 0, labeled[:, None] & labeled)
    assert RankEncoding(3, 2)(g).shape == (11, 3), "the table needs no more rows than the longest base"


def test_labels_choose_the_orbit() -> None:
    """Labeled first, one end of each spoke settles both; a hub costs nothing."""
    spokes = single(7, [(0, k) for k in (1, 2, 3)] + [(k, k + 3) for k in (1, 2, 3)], node_label=[2, 1, 1, 1, 0, 0, 0])
    assert spokes.node_label is not None
    assert spokes.node_label[base_of(spokes, Base())].tolist() == [0, 0]


def test_the_largest_cell_first_makes_shorter_bases() -> None:
    """Three alike stars of two leaves each. Hubs are labeled 0: by label two hubs go first, and settle no leaf."""
    edges = [(hub, 3 + 2 * hub + k) for hub in range(3) for k in range(2)]
    stars = single(9, edges, node_label=[0] * 3 + [1] * 6)
    assert stars.node_label is not None
    assert stars.node_label[base_of(stars, Base())].tolist() == [0, 0, 1, 1, 1]
    assert stars.node_label[base_of(stars, Base(first="largest"))].tolist() == [1, 1, 1]
    g = Base(first="largest")(sympe.graphs.concatenate([stars, single(2, [(0, 1)], node_label=[0, 0]), stars]))
    assert g.shown is not None
    assert g.shown[[0, 9, 11]].tolist() == [3, 1, 3]
    with pytest.raises(ValueError, match="first must be one of label, largest, degree; got 'size'"):
        Base(first="size")  # type: ignore[arg-type]


def test_the_highest_degree_first_labels_hubs() -> None:
    edges = [(hub, 3 + 2 * hub + k) for hub in range(3) for k in range(2)]
    stars = single(9, edges, node_label=[1] * 3 + [0] * 6)
    assert stars.node_label is not None
    assert stars.node_label[base_of(stars, Base())].tolist() == [0] * 3
    assert stars.node_label[base_of(stars, Base(first="degree"))].tolist() == [1, 1, 0, 0, 0]


def test_cached_draws_keep_shown_and_labels_apart(generator: torch.Generator) -> None:
    kernel = CachedInversionKernel(Base())
    cycle, labeled = SMALL["cycle 4"], SMALL["edge labels on a cycle"]
    assert kernel(cycle, generator).shown.tolist() == [2] * 4  # type: ignore[union-attr]
    assert kernel(labeled, generator).shown.tolist() == [1] * 4  # type: ignore[union-attr]
    assert CachedInversionKernel(Labeling())(cycle, generator).shown is None
    assert kernel(Graphs(torch.zeros(2, 0, dtype=torch.long), torch.tensor([], dtype=torch.long))).image.tolist() == []
    with pytest.raises(ValueError, match="expected an exact canonicalizer"):
        CachedInversionKernel(Refinement())(cycle, generator)


def test_refined_graphs_have_the_same_automorphisms() -> None:
    for name, x in EXAMPLES.items():
        assert log_automorphisms(refined(x)).tolist() == log_automorphisms(x).tolist(), name
        for image in next(colored_graphs(refined(x))).automorphism_generators():
            assert image in automorphisms(x), name


def test_refined_graphs_keep_labels_that_colors_do_not_tell() -> None:
    """A ring of twelve whose edges are of two kinds in turn: all nodes are alike, so the labels must stay."""
    bonds = [(i, (i + 1) % 12) for i in range(12)]
    x = single(12, bonds, edge_label=[1, 2] * 6)
    kept = refined(x).edge_label
    assert kept is not None
    assert sorted(kept.unique().tolist()) == [0, 1]
    assert math.exp(float(log_automorphisms(refined(x)))) == pytest.approx(12)
    path = single(4, list(pairwise(range(4))), edge_label=[5, 0, 5])
    assert refined(path).edge_label.unique().tolist() == [0]  # type: ignore[union-attr]
