"""What keys settle, against bliss on whole graphs: orders of groups, and canonical forms in any company."""

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given

from examples import single
from hard_graphs import GRAPHS
from laws import copies, kernel_form, same_graphs
from random_graphs import batches
from sympe import Graphs
from sympe.actions import GraphRelabeling
from sympe.graphs import concatenate, from_networkx, settling
from sympe.graphs.coloring import encoded
from sympe.graphs.settling import Settled, SettledAlone, settle, settle_one, settle_small
from sympe.graphs.stripping import Stripped
from sympe.groups import Permutation

#: A path whose ends differ: without rounds, nodes of one key are joined to different settled nodes.
ENDS = single(6, [(i, i + 1) for i in range(5)], node_label=[1, 0, 0, 0, 0, 2])


def form(settled: Settled | SettledAlone, x: Graphs) -> Graphs:
    return kernel_form(Permutation.from_order(torch.from_numpy(settled.canonical_order()), x), x)


def check(x: Graphs, generator: torch.Generator) -> None:
    orders = [graph.count_automorphisms() for graph in encoded(x)]
    assert settle(x).count_automorphisms() == orders
    assert [settle_small(one).count_automorphisms()[0] for one in x.split()] == orders
    action = GraphRelabeling()
    alone = [form(settle_small(one), one) for one in x.split()]
    moved = action.act(action.group.haar(x, generator), x)
    together = form(settle(moved), moved)
    assert all(same_graphs(together.select([i]), one) for i, one in enumerate(alone))


def plain(x: Graphs) -> Graphs:
    """With zeros where there are no labels, so that all graphs join one batch."""
    node, edge = x.node_label, x.edge_label
    node = torch.zeros_like(x.batch) if node is None else node
    edge = torch.zeros_like(x.edge_index[0]) if edge is None else edge
    return Graphs(x.edge_index, x.batch, node, edge, num_graphs=len(x))


def test_orders_agree_with_bliss_and_forms_are_canonical_in_any_company(generator: torch.Generator) -> None:
    check(concatenate([plain(x) for x in [*GRAPHS.values(), ENDS]]), generator)


@given(batches())
def test_random_batches(graphs: Graphs) -> None:
    check(graphs, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_too_few_rounds_cost_only_time(
    rounds: int, monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    monkeypatch.setattr(settling, "_ROUNDS", rounds)
    check(concatenate([plain(x) for x in [*GRAPHS.values(), ENDS]]), generator)


def test_counts_do_not_rely_on_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "mix", lambda key: key % 3)
    monkeypatch.setattr(settling, "_mixed", lambda key: key % 3)
    x = concatenate([plain(x) for x in [*GRAPHS.values(), ENDS]])
    orders = [graph.count_automorphisms() for graph in encoded(x)]
    assert settle(x).count_automorphisms() == orders
    assert [settle_small(one).count_automorphisms()[0] for one in x.split()] == orders


def test_without_the_check_orders_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_ROUNDS", 0)
    assert settle(ENDS).count_automorphisms() == [1]
    monkeypatch.setattr(settling, "same_rows", lambda *rows: np.ones(len(rows[-1]), bool))
    assert settle(ENDS).count_automorphisms() != [1]


def test_small_graphs_need_no_arrays() -> None:
    """Unless labels differ among the edges that are left."""
    types = {name: type(settle_small(GRAPHS[name])) for name in ("theta", "two cores", "labeled chains")}
    assert types == {"theta": SettledAlone, "two cores": SettledAlone, "labeled chains": Settled}


def test_large_random_graphs_are_settled_at_once(generator: torch.Generator) -> None:
    ends = torch.randint(3000, (2, 12000), generator=generator)
    label = torch.randint(2, (12000,), generator=generator)
    x = Graphs(ends, torch.zeros(3000, dtype=torch.long), edge_label=label)
    settled = settle_one(x)
    assert settled is not None
    assert settled.stays.mean() < 0.1
    assert Stripped(x).count_automorphisms() == next(encoded(x)).count_automorphisms()
    action, many = GraphRelabeling(), copies(x, 2)
    moved = action.act(action.group.haar(many, generator), many)
    order = [torch.from_numpy(Stripped(one).canonical_order()) for one in moved.split()]
    forms = kernel_form(Permutation.from_order(torch.cat([order[0], order[1] + 3000]), moved), moved)
    assert same_graphs(forms.select([0]), forms.select([1]))
    assert settle_one(from_networkx([networkx.grid_2d_graph(30, 30)])) is None
