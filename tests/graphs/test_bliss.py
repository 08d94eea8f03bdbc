"""Exact questions put to bliss, against enumeration."""

import pytest
import torch
from hypothesis import given

from examples import LARGE, SMALL, batch_of, crowds
from laws import all_permutations_of, automorphisms, copies, kernel_form, same_graphs
from random_graphs import batches
from sympe import Graphs
from sympe.actions import GraphRelabeling
from sympe.canonicalize import Labeling
from sympe.graphs import automorphism_orbits, colored_graphs, concatenate
from sympe.groups import Permutation

EVERY = SMALL | {name: graph for name, (graph, _) in LARGE.items()}


@pytest.mark.parametrize("name", LARGE)
def test_orders_of_known_groups(name: str) -> None:
    x, order = LARGE[name]
    assert next(colored_graphs(x)).count_automorphisms() == order
    assert len(automorphisms(x)) == order


@pytest.mark.parametrize("name", SMALL)
def test_orders_agree_with_enumeration(name: str) -> None:
    x = SMALL[name]
    every = all_permutations_of(x)
    order = len(every.image) // x.num_nodes
    moved = GraphRelabeling().act(every, copies(x, order))
    fixed = sum(same_graphs(moved.select([i]), x) for i in range(order))
    assert next(colored_graphs(x)).count_automorphisms() == fixed == len(automorphisms(x))


@given(batches())
def test_orders_agree_with_backtracking(graphs: Graphs) -> None:
    orders = [len(automorphisms(graphs.select([i]))) for i in range(len(graphs))]
    assert [colored.count_automorphisms() for colored in colored_graphs(graphs)] == orders


@pytest.mark.parametrize("name", EVERY)
def test_generators_generate_the_whole_group(name: str) -> None:
    x = EVERY[name]
    generators = next(colored_graphs(x)).automorphism_generators()
    for image in generators:
        assert same_graphs(GraphRelabeling().act(Permutation.from_images([image], x), x), x)
    reached = {tuple(range(x.num_nodes))}
    fresh = list(reached)
    while fresh:
        fresh = list({tuple(image[i] for i in g) for g in fresh for image in generators} - reached)
        reached.update(fresh)
    assert reached == {tuple(image) for image in automorphisms(x)}


@pytest.mark.parametrize("crowd", crowds(EVERY))
def test_orbits_agree_with_enumeration(crowd: dict[str, Graphs]) -> None:
    together = batch_of(crowd)
    orbit = automorphism_orbits(together)
    assert sorted(orbit.unique().tolist()) == list(range(int(orbit.max()) + 1))
    for start, x in zip(together.ptr.tolist(), crowd.values(), strict=False):
        images = torch.tensor(automorphisms(x))
        for i in range(x.num_nodes):
            reached = {start + int(j) for j in images[:, i]}
            assert reached == set((orbit == orbit[start + i]).nonzero()[:, 0].tolist())


def test_orbits_of_empty_graphs() -> None:
    none = torch.zeros(2, 0, dtype=torch.long)
    assert automorphism_orbits(Graphs(none, none[0], num_graphs=2)).tolist() == []
    assert automorphism_orbits(Graphs(none, torch.tensor([1, 1, 3]), num_graphs=5)).tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", ["petersen", "frucht", "kekule benzene", "directed cycle 6", "loops on a cycle 6"])
def test_300_relabelings_have_one_canonical_form(name: str, generator: torch.Generator) -> None:
    """Reading bliss's list the wrong way round fails in 287 of 300 cases."""
    many = copies(LARGE[name][0], 300)
    moved = GraphRelabeling().act(GraphRelabeling().group.haar(many, generator), many)
    forms = kernel_form(Labeling()(moved), moved)
    first = forms.select([0])
    assert all(same_graphs(forms.select([i]), first) for i in range(300))


def test_different_kinds_get_different_forms() -> None:
    """Equal canonical forms mean isomorphic graphs: labels, features, loops and directions all count."""
    forms = []
    for name in ("cycle 4", "double edge", "loops on a cycle", "directed cycle"):
        x = SMALL[name]
        form = kernel_form(Labeling()(x), x)
        forms.append(sorted(zip(*form.edge_index.tolist(), strict=True)))
    assert len({tuple(form) for form in forms}) == 4


def test_nearly_equal_features_are_told_apart() -> None:
    x = SMALL["cycle 4"]
    features = torch.zeros(4, 1)
    features[0] = 1e-30
    apart = Graphs(x.edge_index, x.batch, x=features)
    assert next(colored_graphs(apart)).count_automorphisms() == 2
    signed = Graphs(x.edge_index, x.batch, x=torch.tensor([[0.0], [-0.0], [0.0], [0.0]]))
    assert next(colored_graphs(signed)).count_automorphisms() == 8


def test_large_labels_are_told_apart() -> None:
    x = SMALL["path 3"]
    label = torch.full((3,), 2**53) + torch.arange(3)
    assert next(colored_graphs(Graphs(x.edge_index, x.batch, node_label=label))).count_automorphisms() == 1
    edges = torch.full((4,), 2**53) + (x.edge_index[0] != x.edge_index.flatten().mode().values) * x.edge_index.sum(0)
    assert next(colored_graphs(Graphs(x.edge_index, x.batch, edge_label=edges))).count_automorphisms() == 1


def test_each_graph_of_a_batch_is_asked_by_itself() -> None:
    names = ["petersen", "frucht", "star 6"]
    together = concatenate([LARGE[name][0] for name in names])
    assert [colored.count_automorphisms() for colored in colored_graphs(together)] == [120, 1, 120]
