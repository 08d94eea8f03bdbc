"""What is stripped in closed form, against bliss on the whole graph and against enumeration."""

import math
from collections.abc import Callable
from itertools import combinations

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given

from examples import LARGE, SMALL, from_nx, ring, shuffle_storage, single
from laws import check_inversion_kernel, copies, kernel_form, same_graphs
from random_graphs import batches
from sympe import Graphs, InversionKernel
from sympe.actions import GraphRelabeling
from sympe.canonicalize import Labeling
from sympe.graphs import bliss, colored_graphs, concatenate, from_networkx, stripping
from sympe.graphs.coloring import encoded
from sympe.graphs.stripping import Stripped
from sympe.groups import Permutation


def forest(seed: int, trees: int, size: int) -> networkx.Graph:
    """Random trees, each twice."""
    grown = [networkx.random_labeled_tree(size, seed=seed + i // 2) for i in range(trees)]
    return networkx.disjoint_union_all(grown)


def with_ears(seed: int) -> networkx.Graph:
    """A random core with chains, loops of chains, parallel chains and leaves."""
    random = np.random.default_rng(seed)
    graph = networkx.random_regular_graph(3, 8, seed=seed)
    for _ in range(6):
        u, v = random.integers(8, size=2)
        inner = range(len(graph), len(graph) + int(random.integers(2, 4)))
        networkx.add_path(graph, [u, *inner, v])
    graph.add_edges_from((int(random.integers(8)), len(graph) + i) for i in range(4))
    return graph


def cfi(base: networkx.Graph, twist: bool) -> Graphs:
    """The graph of J.-Y. Cai, M. Fürer, N. Immerman, *An optimal lower bound on the number of variables* (1992)."""
    number: dict[tuple, int] = {}
    edges = []
    for k, (u, v) in enumerate(base.edges):
        for bit in (0, 1):
            ends = [(frozenset((u, v)), end, value) for end, value in ((u, bit), (v, bit ^ (twist and k == 0)))]
            edges.append(tuple(number.setdefault(end, len(number)) for end in ends))
    for v in base:
        around = [frozenset((v, w)) for w in base[v]]
        for size in range(0, len(around) + 1, 2):
            for odd in combinations(around, size):
                inner = number.setdefault((v, odd), len(number))
                edges += [(inner, number[(edge, v, int(edge in odd))]) for edge in around]
    return single(len(number), edges)


GRAPHS = {
    **SMALL,
    **{name: x for name, (x, _) in LARGE.items()},
    "star 9": from_nx(networkx.star_graph(8)),
    "complete 9": from_nx(networkx.complete_graph(9)),
    "multipartite": from_nx(networkx.complete_multipartite_graph(2, 3, 3, 1)),
    "binary tree": from_nx(networkx.balanced_tree(2, 4)),
    "random tree": from_nx(networkx.random_labeled_tree(40, seed=3)),
    "equal trees": from_nx(forest(0, 6, 7)),
    "caterpillar": from_nx(networkx.Graph([(i, i + 1) for i in range(9)] + [(i, i + 20) for i in range(10)])),
    "cycles": from_nx(networkx.disjoint_union_all([networkx.cycle_graph(n) for n in (3, 3, 6, 5, 3)])),
    "colored cycle": single(12, ring(12), node_label=[0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0]),
    "directed colored cycle": single(9, ring(9), node_label=[0, 0, 1] * 3, directed=True),
    "theta": from_nx(networkx.Graph([(0, 1), (0, 2), (2, 1), (0, 3), (3, 1), (0, 4), (4, 5), (5, 1)])),
    "rings on a node": single(8, [(0, 1), (1, 2), (2, 0), (0, 3), (3, 4), (4, 0), (0, 5), (5, 6), (6, 7), (7, 0)]),
    "labeled chains": single(8, ring(8), edge_label=[1, 2, 2, 1, 1, 2, 2, 1], node_label=[1, 0, 0, 0, 1, 0, 0, 0]),
    "ladder": from_nx(networkx.ladder_graph(20)),
    "sparse": from_nx(networkx.gnm_random_graph(60, 80, seed=1)),
    "dense": from_nx(networkx.gnm_random_graph(40, 300, seed=1)),
    "two cores": from_nx(networkx.disjoint_union(networkx.petersen_graph(), networkx.petersen_graph())),
    **{f"ears {seed}": from_nx(with_ears(seed)) for seed in range(6)},
    "cfi": cfi(networkx.complete_graph(4), False),
    "twisted cfi": cfi(networkx.complete_graph(4), True),
}


def check(x: Graphs, relabelings: int = 5) -> None:
    assert Stripped(x).count_automorphisms() == next(encoded(x)).count_automorphisms()
    action, generator = GraphRelabeling(), torch.Generator().manual_seed(0)
    many = copies(x, relabelings)
    moved = action.act(action.group.haar(many, generator), many)
    orders = [torch.tensor(Stripped(one).canonical_order(), dtype=torch.long) for one in moved.split()]
    order = torch.cat([order + start for order, start in zip(orders, moved.ptr.tolist(), strict=False)])
    forms = kernel_form(Permutation.from_order(order, moved), moved)
    assert all(same_graphs(forms.select([i]), forms.select([0])) for i in range(relabelings))


@pytest.mark.parametrize("name", GRAPHS)
def test_orders_agree_with_bliss_and_forms_are_canonical(name: str) -> None:
    check(GRAPHS[name])


@given(batches())
def test_random_graphs_agree_with_bliss(graphs: Graphs) -> None:
    for x in graphs.split():
        check(x, 2)


def test_the_check_rejects_lost_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that are all alike merge different branches."""
    monkeypatch.setattr(stripping, "word_ranks", lambda symbol, starts: np.zeros(starts.sum(), np.int64))
    with pytest.raises(AssertionError):
        check(GRAPHS["random tree"])


def test_counts_do_not_rely_on_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripping, "mix", np.zeros_like)
    for x in GRAPHS.values():
        assert Stripped(x).count_automorphisms() == next(encoded(x)).count_automorphisms()


def test_draws_are_uniform_on_the_coset_when_all_graphs_are_stripped(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bliss, "_SMALL", 0)
    assert isinstance(next(colored_graphs(SMALL["triangle"])), Stripped)
    some = "path 4", "two edges", "cycle 5", "bull", "triangle and edge", "theta"
    check_inversion_kernel(InversionKernel(Labeling()), {name: GRAPHS[name] for name in some}, generator)


def test_cospectral_pairs_get_different_forms() -> None:
    for pair in (("cfi", "twisted cfi"), ("shrikhande", "rook")):
        x = shuffle_storage(concatenate([GRAPHS[name] for name in pair]))
        order = [Stripped(one).canonical_order() for one in x.split()]
        flat = torch.tensor([i + start for o, start in zip(order, x.ptr.tolist(), strict=False) for i in o])
        form = kernel_form(Permutation.from_order(flat, x), x)
        assert not same_graphs(form.select([0]), form.select([1]))


KNOWN: dict[str, tuple[Callable[[], networkx.Graph], int]] = {
    "star": (lambda: networkx.star_graph(5000), math.factorial(5000)),
    "complete": (lambda: networkx.complete_graph(300), math.factorial(300)),
    "no edges": (lambda: networkx.empty_graph(5000), math.factorial(5000)),
    "path": (lambda: networkx.path_graph(20000), 2),
    "cycle": (lambda: networkx.cycle_graph(5000), 10000),
    "hexagons": (lambda: networkx.disjoint_union_all([networkx.cycle_graph(6)] * 100), 12**100 * math.factorial(100)),
    "grid": (lambda: networkx.grid_2d_graph(30, 30), 8),
    "ladder": (lambda: networkx.ladder_graph(1000), 4),
    "binary tree": (lambda: networkx.balanced_tree(2, 10), 2 ** (2**10 - 1)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_orders_of_large_groups(name: str) -> None:
    make, order = KNOWN[name]
    colored = next(colored_graphs(from_networkx([make()])))
    assert isinstance(colored, Stripped)
    assert colored.count_automorphisms() == order
    assert colored.log_automorphisms() == pytest.approx(math.log(order))
    assert sorted(colored.canonical_order()) == list(range(colored.num_nodes))


def test_small_and_large_graphs_come_in_order() -> None:
    graphs = from_networkx([networkx.path_graph(3), networkx.star_graph(300), networkx.cycle_graph(4)])
    assert bliss.log_automorphisms(graphs).exp().tolist()[::2] == pytest.approx([2, 8])
    assert float(bliss.log_automorphisms(graphs)[1]) == pytest.approx(math.lgamma(301))
    assert torch.equal(Labeling()(graphs).image.sort().values, torch.arange(graphs.num_nodes))
