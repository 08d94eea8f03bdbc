"""Graphs of one size in triangles: to and from the core's type, moved as that is moved."""

import pytest
import torch

from laws import same_graphs
from sympe.actions import GraphRelabeling
from sympe.graphs import from_edges
from sympe_experiments.molecules.graph_state import GraphState, from_graphs, node_batch, pair_index


def states(count: int, n: int, generator: torch.Generator) -> GraphState:
    nodes = torch.randint(3, (count, n), generator=generator)
    edges = torch.randint(4, (count, n * (n - 1) // 2), generator=generator)
    return GraphState(nodes, edges, torch.argsort(torch.rand(count, n, generator=generator), dim=1))


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_pairs_are_numbered_as_listed(n: int) -> None:
    i, j = torch.triu_indices(n, n, 1)
    assert torch.equal(pair_index(i, j, n), torch.arange(n * (n - 1) // 2))
    assert torch.equal(pair_index(j, i, n), torch.arange(n * (n - 1) // 2))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_there_and_back(n: int, generator: torch.Generator) -> None:
    state = states(4, n, generator)
    back = from_graphs(state.to_graphs())
    assert torch.equal(back.nodes, state.nodes)
    assert torch.equal(back.edges, state.edges)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_moved_as_graphs_are(n: int, generator: torch.Generator) -> None:
    state, action = states(4, n, generator), GraphRelabeling()
    g = action.group.haar(node_batch(4, n), generator)
    moved = state.relabel(g)
    assert same_graphs(moved.to_graphs(), action.act(g, state.to_graphs()))
    assert moved.rank is not None
    assert state.rank is not None
    # The form that a stored order leads to stays the same.
    forms = [s.relabel(action.group.inverse(s.stored_order())) for s in (state, moved)]
    assert torch.equal(forms[0].edges, forms[1].edges)
    assert torch.equal(forms[0].nodes, forms[1].nodes)
    identity = torch.arange(n).expand(4, n)
    assert torch.equal(forms[0].rank, identity)  # type: ignore[arg-type]


def test_plain_graphs_have_one_kind_of_node_and_edge() -> None:
    state = from_graphs(from_edges([(3, [(0, 1)]), (3, [])]))
    assert state.nodes.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert state.edges.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert state.repeat(2).edges.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
