import pytest
import torch

from examples import LARGE, SMALL, batch_of
from sympe.actions import GraphRelabeling, NodeRelabeling
from sympe_experiments.nets import GIN


@pytest.mark.parametrize("in_dim", [0, 3])
def test_equivariant(in_dim: int, generator: torch.Generator) -> None:
    graphs = batch_of({name: SMALL[name] for name in ("one node", "no edges", "paw", "star 5")})
    network = GIN(in_dim, 2, 8, 3).double()
    x = torch.randn(graphs.num_nodes, in_dim, generator=generator, dtype=torch.float64)
    g = GraphRelabeling().group.haar(graphs, generator)
    moved = network(GraphRelabeling().act(g, graphs), NodeRelabeling().act(g, x))
    assert torch.allclose(moved, NodeRelabeling().act(g, network(graphs, x)), atol=1e-10)


def test_nodes_of_a_vertex_transitive_graph_come_out_alike() -> None:
    graphs = LARGE["petersen"][0]
    output = GIN(0, 4, 8, 3)(graphs, torch.zeros(10, 0))
    assert torch.allclose(output, output[:1].expand_as(output), atol=1e-5)
