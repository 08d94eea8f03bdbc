"""The scores that a learned sort reads."""

import pytest
import torch

from examples import LARGE, SMALL, batch_of, shuffle_edges
from laws import check_kernel
from sympe import Graphs, InversionKernel
from sympe.actions import GraphRelabeling
from sympe.canonicalize import NodeScore, Sort
from sympe.graphs import automorphism_orbits

#: Without directions, labels and features, which the scores do not read.
PLAIN = {name: x for name, x in SMALL.items() if x.node_label is None and x.edge_label is None and x.x is None}


@pytest.fixture
def score() -> NodeScore:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return NodeScore(hidden_dim=8, num_layers=3).double()


def test_it_is_equivariant(score: NodeScore, generator: torch.Generator) -> None:
    graphs = batch_of(PLAIN)
    action = GraphRelabeling()
    g = action.group.haar(graphs, generator)
    moved = score(shuffle_edges(action.act(g, graphs), generator))
    assert moved.shape == (graphs.num_nodes,)
    assert torch.allclose(moved[g.image], score(graphs), rtol=0, atol=1e-12)


def test_a_graph_alone_is_a_graph_in_a_batch(score: NodeScore) -> None:
    alone = torch.cat([score(graph) for graph in PLAIN.values()])
    assert torch.allclose(score(batch_of(PLAIN)), alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["cycle 8", "path 7", "star 6", "triangle and path", "petersen"])
def test_an_orbit_has_one_score_and_degrees_differ(score: NodeScore, name: str) -> None:
    graphs, _ = LARGE[name]
    value, orbit = score(graphs), automorphism_orbits(graphs)
    degree = torch.bincount(graphs.edge_index[1], minlength=graphs.num_nodes)
    distance = (value[:, None] - value).abs()
    assert distance[orbit[:, None] == orbit].max() < 1e-12
    assert (distance[degree[:, None] != degree] > 1e-6).all()


def test_the_size_of_a_graph_shows(score: NodeScore) -> None:
    """Without it a cycle of 4 and one of 5 would have equal scores everywhere."""
    difference = score(SMALL["cycle 4"])[0] - score(SMALL["cycle 5"])[0]
    assert difference.abs() > 1e-4


def test_no_nodes(score: NodeScore) -> None:
    none = torch.zeros(2, 0, dtype=torch.long)
    assert score(Graphs(none, none[0], num_graphs=2)).shape == (0,)


def test_the_law_of_the_learned_sort(score: NodeScore, generator: torch.Generator) -> None:
    check_kernel(InversionKernel(Sort(score)), SMALL, generator)


def test_every_weight_learns_through_the_sort(score: NodeScore, generator: torch.Generator) -> None:
    graphs = batch_of(PLAIN)
    g = InversionKernel(Sort(score))(graphs, generator)
    assert g.relaxed is not None
    (g.relaxed * torch.randn(g.relaxed.shape, generator=generator)).sum().backward()
    for name, parameter in score.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
