"""What is stripped in closed form, against bliss on the whole graph and against enumeration."""

import math
from collections.abc import Callable
from dataclasses import replace

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given

from examples import SMALL, shuffle_storage
from hard_graphs import GRAPHS
from laws import check_inversion_kernel, copies, kernel_form, same_graphs
from random_graphs import batches
from sympe import Graphs, InversionKernel
from sympe.actions import GraphRelabeling
from sympe.canonicalize import Labeling
from sympe.graphs import bliss, colored_graphs, concatenate, from_networkx, stripping
from sympe.graphs.coloring import encoded
from sympe.graphs.removed import Hung
from sympe.graphs.stripping import Stripped
from sympe.groups import Permutation


def check(x: Graphs, relabelings: int = 5) -> None:
    assert Stripped(x).count_automorphisms() == next(encoded(x)).count_automorphisms()
    _, first, number = np.unique(next(encoded(x)).orbits(), return_index=True, return_inverse=True)
    assert np.array_equal(Stripped(x, chains=False).orbits(), first[number])
    action, generator = GraphRelabeling(), torch.Generator().manual_seed(0)
    many = copies(x, relabelings)
    moved = action.act(action.group.haar(many, generator), many)
    orders = [torch.tensor(Stripped(one).canonical_order(), dtype=torch.long) for one in moved.split()]
    order = torch.cat([order + start for order, start in zip(orders, moved.ptr.tolist(), strict=False)])
    forms = kernel_form(Permutation.from_order(order, moved), moved)
    assert all(same_graphs(forms.select([i]), forms.select([0])) for i in range(relabelings))


@pytest.mark.parametrize("name", GRAPHS)
def test_orders_and_orbits_agree_with_bliss_and_forms_are_canonical(name: str) -> None:
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


@pytest.mark.parametrize("name", ["random tree", "two edges"])
def test_the_check_rejects_wrong_orbits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves that are all symmetric to their parent, and none that is."""
    alike = name == "random tree"
    orbits = Hung.orbits
    monkeypatch.setattr(Hung, "orbits", lambda hung, orbit: orbits(replace(hung, is_alike=alike), orbit))
    with pytest.raises(AssertionError):
        check(GRAPHS[name])


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
    "grid, and a last node": (
        lambda: networkx.disjoint_union(networkx.grid_2d_graph(30, 30), networkx.empty_graph(1)),
        8,
    ),
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
