"""Sorting by a score, section 3 of docs/theory.md: how random it is, and when it is the inversion kernel.

Everything is enumerated: the sort runs on all relabelings of a graph, and its orders are counted.
"""

import math
from itertools import combinations, permutations

import networkx
import pytest
import torch
from torch import Tensor, nn

import sympe
from examples import SMALL, from_nx, single
from laws import automorphisms, copies, forms_of, kernel_form, local_images
from sympe import Graphs, InversionKernel
from sympe.actions import GraphRelabeling
from sympe.auditing import Options, excess_randomness
from sympe.canonicalize import Constant, Refinement, Sort
from sympe.graphs import automorphism_orbits
from sympe.groups import Permutation


class Degree(nn.Module):
    """The number of edges that leave a node: integers, so ties are exact."""

    def forward(self, x: Graphs) -> Tensor:
        return torch.bincount(x.edge_index[0], minlength=x.num_nodes).double()


GRAPHS = {
    **SMALL,
    "cycle 6": single(6, [(i, (i + 1) % 6) for i in range(6)]),
    "three edges": single(6, [(0, 1), (2, 3), (4, 5)]),
    "complete 5": from_nx(networkx.complete_graph(5)),
    "complete bipartite 3 3": from_nx(networkx.complete_bipartite_graph(3, 3)),
    "complete bipartite 2 4": from_nx(networkx.complete_bipartite_graph(2, 4)),
    "prism": from_nx(networkx.circular_ladder_graph(3)),
    "double star": single(6, [(0, 1), (0, 2), (0, 3), (1, 4), (1, 5)]),
}


def is_marked(x: Graphs) -> tuple[bool, ...]:
    """Whether a graph has labels, features, directions, loops or multiple edges."""
    edges = x.edge_index.T.tolist()
    back = sorted([b, a] for a, b in edges)
    return (
        x.node_label is not None,
        x.edge_label is not None,
        x.x is not None,
        sorted(edges) != back,
        any(a == b for a, b in edges),
        len({tuple(edge) for edge in edges}) != len(edges),
    )


def tie_classes(score: Tensor) -> list[list[int]]:
    return [(score == value).nonzero()[:, 0].tolist() for value in score.unique()]


def predicted(x: Graphs, score: Tensor) -> float:
    """The sum of log(size!) over the tie classes, less log |Stab|."""
    entropy = sum(math.lgamma(len(tied) + 1) for tied in tie_classes(score))
    return entropy - math.log(len(automorphisms(x)))


def ties_are_twins(x: Graphs, score: Tensor) -> bool:
    """Whether exchanging any two tied nodes is an automorphism."""
    symmetries = {tuple(image) for image in automorphisms(x)}
    identity = list(range(x.num_nodes))
    for tied in tie_classes(score):
        for i, j in combinations(tied, 2):
            swap = identity.copy()
            swap[i], swap[j] = j, i
            if tuple(swap) not in symmetries:
                return False
    return True


def all_draws(sort: Sort, x: Graphs) -> tuple[Graphs, Permutation]:
    """g~ for every h, each once: the exact law."""
    elements = list(permutations(range(x.num_nodes)))
    many = copies(x, len(elements))
    h = Permutation.from_order(torch.tensor(elements).reshape(-1) + many.start, many)
    action = GraphRelabeling()
    return many, action.group.compose(action.group.inverse(h), sort(action.act(h, many)))


@pytest.mark.parametrize("name", GRAPHS)
def test_a_sort_is_uniform_on_the_orders_compatible_with_the_scores(name: str) -> None:
    x, score = GRAPHS[name], Degree()(GRAPHS[name])
    _, g = all_draws(Sort(Degree()), x)
    orders, count = torch.tensor(local_images(g, x)).unique(dim=0, return_counts=True)
    assert len(orders) == math.prod(math.factorial(len(tied)) for tied in tie_classes(score))
    assert (count == count[0]).all()
    assert (score[orders].diff(dim=1) >= 0).all()


@pytest.mark.parametrize("name", GRAPHS)
def test_its_excess_is_that_of_the_formula(name: str) -> None:
    x = GRAPHS[name]
    found = excess_randomness(InversionKernel(Sort(Degree())), x)
    assert found.method == ("enumeration",)
    assert found.nats.item() == pytest.approx(predicted(x, Degree()(x)), abs=1e-9)


@pytest.mark.parametrize("name", GRAPHS)
def test_it_is_the_inversion_kernel_exactly_if_tied_nodes_are_twins(name: str) -> None:
    x = GRAPHS[name]
    many, g = all_draws(Sort(Degree()), x)
    forms = forms_of(kernel_form(g, many), x)
    orders = {tuple(image) for image in local_images(g, x).tolist()}
    is_inversion_kernel = bool((forms == forms[0]).all()) and len(orders) == len(automorphisms(x))
    assert is_inversion_kernel == ties_are_twins(x, Degree()(x))
    assert is_inversion_kernel == (predicted(x, Degree()(x)) < 1e-9)


def test_both_answers_occur() -> None:
    twins = {name for name, x in GRAPHS.items() if ties_are_twins(x, Degree()(x))}
    assert {"path 3", "star 5", "complete 5", "paw", "complete bipartite 2 4"} <= twins
    assert {"path 4", "cycle 5", "cycle 6", "two edges", "complete bipartite 3 3", "prism"}.isdisjoint(twins)


@pytest.mark.parametrize(
    ("name", "excess"),
    [
        ("path 4", math.log(2)),  # 2! 2! orders, 2 symmetries
        ("two edges", math.log(3)),  # 4! orders, 8 symmetries
        ("cycle 5", math.log(12)),  # 5! orders, 10 symmetries
        ("star 5", 0.0),
        ("complete 5", 0.0),
    ],
)
def test_by_hand(name: str, excess: float) -> None:
    assert excess_randomness(InversionKernel(Sort(Degree())), GRAPHS[name]).nats.item() == pytest.approx(excess)


@pytest.mark.parametrize("name", ["path 4", "two edges", "bull", "double star"])
def test_ties_between_symmetric_nodes_alone_are_not_enough(name: str) -> None:
    """Tie classes are orbits here, but nodes of one orbit move together with those of another, or in pairs."""
    x = GRAPHS[name]
    orbit = automorphism_orbits(x)
    assert sorted(tie_classes(Degree()(x))) == sorted(tie_classes(orbit))
    assert not ties_are_twins(x, Degree()(x))
    assert excess_randomness(InversionKernel(Sort(Degree())), x).nats.item() > 0.5
    # An exact canonicalizer lets one broken tie settle the others; a sort breaks each on its own.
    assert excess_randomness(InversionKernel(Refinement()), x).nats.item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", [name for name, x in GRAPHS.items() if not any(is_marked(x))])
def test_the_floor_of_node_codes_is_zero_under_the_same_condition(name: str) -> None:
    """Section 6: all classes of pairs are pure if and only if the nodes of each orbit are twins."""
    x = GRAPHS[name]
    report = sympe.audit(x, target="adjacency", options=Options(bottleneck="node-codes"))
    assert report.needed != ties_are_twins(x, automorphism_orbits(x))


@pytest.mark.parametrize("graph", [networkx.petersen_graph(), networkx.hypercube_graph(3)], ids=["petersen", "cube"])
def test_on_a_vertex_transitive_graph_a_sort_is_haar(graph: networkx.Graph) -> None:
    x = from_nx(graph)
    drawn = [
        InversionKernel(tau)(copies(x, 20), torch.Generator().manual_seed(0)).image
        for tau in (Sort(Degree()), Constant())
    ]
    assert torch.equal(*drawn)
    haar = excess_randomness(InversionKernel(Constant()), x).nats.item()
    assert predicted(x, Degree()(x)) == pytest.approx(haar)
