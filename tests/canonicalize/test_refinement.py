"""Color refinement: where cells are orbits the order is canonical, and its form is the same in every batch."""

import networkx
import pytest
import torch
from hypothesis import given, settings

from examples import CELLS_NOT_ORBITS, LARGE, SMALL, batch_of, crowds
from laws import check_element, copies, forms_of, kernel_form, same_graphs
from random_graphs import batches
from sympe import Graphs
from sympe.actions import GraphRelabeling
from sympe.canonicalize import Refinement, refinement
from sympe.graphs import automorphism_orbits, from_networkx

EVERY = SMALL | {name: graph for name, (graph, _) in LARGE.items()}


def relabeled(x: Graphs, generator: torch.Generator) -> Graphs:
    action = GraphRelabeling()
    return action.act(action.group.haar(x, generator), x)


def is_exact(x: Graphs, generator: torch.Generator) -> bool:
    """Whether 50 relabelings of one graph have one canonical form."""
    moved = relabeled(copies(x, 50), generator)
    forms = forms_of(kernel_form(Refinement()(moved), moved), x)
    return bool((forms == forms[0]).all())


@pytest.fixture(params=["whole", "stripped"])
def stripped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large graphs are stripped before refinement: here those of three nodes are large, or none is."""
    monkeypatch.setattr(refinement, "_LARGE", 2 if request.param == "stripped" else 10**6)


@pytest.mark.usefixtures("stripped")
@pytest.mark.parametrize("name", [name for name in EVERY if name not in CELLS_NOT_ORBITS])
def test_one_form_for_all_relabelings(name: str, generator: torch.Generator) -> None:
    assert is_exact(EVERY[name], generator)


@settings(max_examples=30)
@given(batches())
def test_stripping_changes_neither_which_graphs_are_discrete_nor_that_forms_are_canonical(graphs: Graphs) -> None:
    whole = Refinement().is_exact(graphs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refinement, "_LARGE", 1)
        assert torch.equal(Refinement().is_exact(graphs), whole)
        check_element(Refinement()(graphs), graphs)
        moved = relabeled(graphs, torch.Generator().manual_seed(0))
        assert same_graphs(kernel_form(Refinement()(moved), moved), kernel_form(Refinement()(graphs), graphs))


def test_long_graphs_and_small_ones_share_a_batch(generator: torch.Generator) -> None:
    """Paths and combs, whose diameter is about their number of nodes, and a grid."""
    comb = networkx.Graph([(i, i + 1) for i in range(1500)] + [(i, i + 5000) for i in range(0, 1500, 3)])
    x = from_networkx([networkx.path_graph(4001), networkx.star_graph(3), comb, networkx.grid_2d_graph(35, 35)])
    forms = kernel_form(Refinement()(x), x)
    moved = relabeled(x, generator)
    assert same_graphs(kernel_form(Refinement()(moved), moved), forms)
    assert Refinement().is_exact(x).tolist() == [False, False, True, False]


@pytest.mark.parametrize("name", CELLS_NOT_ORBITS)
def test_more_forms_where_cells_are_not_orbits(name: str, generator: torch.Generator) -> None:
    assert not is_exact(EVERY[name], generator)


@pytest.mark.usefixtures("stripped")
def test_trees_and_random_graphs_have_one_form(generator: torch.Generator) -> None:
    trees = [networkx.random_labeled_tree(n, seed=n) for n in range(2, 14)]
    random = [networkx.gnp_random_graph(n, p, seed=n) for n in range(2, 14) for p in (0.2, 0.5)]
    x = from_networkx([*trees, *random])
    first = kernel_form(Refinement()(x), x)
    for _ in range(5):
        moved = relabeled(x, generator)
        assert same_graphs(kernel_form(Refinement()(moved), moved), first)


@settings(max_examples=30)
@given(batches())
def test_the_form_of_a_graph_is_the_same_in_every_batch(graphs: Graphs) -> None:
    together = kernel_form(Refinement()(graphs), graphs)
    for i in range(len(graphs)):
        alone = graphs.select([i])
        assert same_graphs(kernel_form(Refinement()(alone), alone), together.select([i]))


@settings(max_examples=30)
@given(batches())
def test_up_to_four_nodes_there_is_one_form(graphs: Graphs) -> None:
    """No graph so small, whatever it carries, has a cell that is not an orbit."""
    check_element(Refinement()(graphs), graphs)
    first = kernel_form(Refinement()(graphs), graphs)
    for seed in range(4):
        moved = relabeled(graphs, torch.Generator().manual_seed(seed))
        assert same_graphs(kernel_form(Refinement()(moved), moved), first)


@pytest.mark.parametrize("crowd", crowds({name: x for name, x in EVERY.items() if name not in CELLS_NOT_ORBITS}))
def test_without_individualizing_orbits_keep_together(crowd: dict[str, Graphs], generator: torch.Generator) -> None:
    """Cells take the same places in every relabeling, their nodes any: here cells are orbits."""
    x = batch_of(crowd)
    orbit = automorphism_orbits(x)
    order = Refinement(individualize=False)
    expected = orbit[order(x).image]
    action = GraphRelabeling()
    for _ in range(5):
        g = action.group.haar(x, generator)
        there = order(action.act(g, x))
        assert torch.equal(orbit[g.preimage[there.image]], expected)


def test_labels_come_before_degrees() -> None:
    x = from_networkx([networkx.star_graph(3)])
    assert Refinement()(x).rank[0] == 3
    labeled = Graphs(x.edge_index, x.batch, node_label=torch.tensor([0, 1, 1, 1]))
    assert Refinement()(labeled).rank[0] == 0


def test_disjoint_copies_stay_together(generator: torch.Generator) -> None:
    """Many isomorphic components are settled at once: a form in a few rounds, not one per component."""
    x = from_networkx([networkx.disjoint_union_all([networkx.cycle_graph(5)] * 40)])
    assert is_exact(x, generator)
