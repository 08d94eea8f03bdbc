"""The network on complete graphs: what it computes, and that it is equivariant."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import layer_norm, silu

from examples import LARGE
from sympe.graphs import automorphism_orbits, to_dense
from sympe_experiments.nets import CompleteGraphNetwork
from sympe_experiments.nets.pair_messages import sum_messages

SIZES = [(0, 5), (3, 5), (3, 2), (0, 2), (2, 1)]


def network(in_dim: int) -> CompleteGraphNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return CompleteGraphNetwork(in_dim, out_dim=3, hidden_dim=8, num_layers=2).double()


def example(in_dim: int, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Features and adjacency of four random graphs."""
    upper = (torch.rand(4, n, n, generator=generator) < 0.4).triu(1).double()
    x = torch.randn(4, n, in_dim, generator=generator, dtype=torch.float64)
    return x, upper + upper.transpose(1, 2)


def by_pairs(net: CompleteGraphNetwork, x: Tensor, adjacency: Tensor) -> Tensor:
    """The formula as it stands, one graph: every message is a function of (h_i, h_j, a_ij) joined together."""
    n = len(adjacency)
    h = net.start + (x @ net.embed.weight.T if net.embed is not None else torch.zeros(n, 1))
    h = h.expand(n, -1)
    for layer in net.layers:
        s = layer_norm(h, h.shape[1:], layer.norm.weight, layer.norm.bias)
        first = torch.cat([layer.receiver.weight, layer.sender.weight, layer.edge[:, None]], dim=1)
        rows = []
        for i in range(n):
            received = torch.zeros_like(s[i])
            for j in set(range(n)) - {i}:
                joined = torch.cat([s[i], s[j], adjacency[i, j, None]])
                received = received + silu(layer.message(silu(first @ joined + layer.receiver.bias)))
            update = silu(layer.update_in(torch.cat([s[i], received / n])))
            rows.append(h[i] + layer.update_out(update))
        h = torch.stack(rows)
    return net.out(h)


@pytest.mark.parametrize(("in_dim", "n"), SIZES)
def test_it_computes_its_formula(in_dim: int, n: int, generator: torch.Generator) -> None:
    net, (x, adjacency) = network(in_dim), example(in_dim, n, generator)
    expected = torch.stack([by_pairs(net, *one) for one in zip(x, adjacency, strict=True)])
    assert torch.allclose(net(x, adjacency), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("in_dim", "n"), [*SIZES, (4, 16)])
def test_it_is_equivariant(in_dim: int, n: int, generator: torch.Generator) -> None:
    net, (x, adjacency) = network(in_dim), example(in_dim, n, generator)
    order = torch.randperm(n, generator=generator)
    moved = net(x[:, order], adjacency[:, order][:, :, order])
    assert torch.allclose(moved, net(x, adjacency)[:, order], rtol=0, atol=1e-12)


def test_a_graph_alone_is_a_graph_in_a_batch(generator: torch.Generator) -> None:
    net, (x, adjacency) = network(2), example(2, 6, generator)
    alone = torch.cat([net(x[i : i + 1], adjacency[i : i + 1]) for i in range(4)])
    assert torch.allclose(net(x, adjacency), alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["cycle 8", "path 7", "star 6", "two triangles", "petersen", "triangle and path"])
def test_without_features_an_orbit_is_one_value(name: str) -> None:
    graphs, _ = LARGE[name]
    out = network(0)(torch.zeros(1, graphs.num_nodes, 0).double(), to_dense(graphs)[0].double())[0]
    orbit = automorphism_orbits(graphs)
    degree = torch.bincount(graphs.edge_index[0], minlength=graphs.num_nodes)
    same_orbit = orbit[:, None] == orbit
    distance = torch.cdist(out, out)
    assert distance[same_orbit].max() < 1e-12
    assert (distance[degree[:, None] != degree] > 1e-6).all(), "nodes of different degree must be told apart"


def test_edges_matter_and_every_weight_learns(generator: torch.Generator) -> None:
    net, (x, adjacency) = network(3), example(3, 6, generator)
    assert not torch.allclose(net(x, adjacency), net(x, 1 - adjacency), atol=1e-3)
    net(x, adjacency).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_many_graphs_at_once_give_the_same_and_the_same_gradients(generator: torch.Generator) -> None:
    """Large batches take another path through memory; 37 graphs do not divide evenly into its parts."""
    n, d = 16, 64
    receiver, sender, edge, weight, bias = (
        torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((37, n, d), (37, n, d), (d,), (d, d), (d,))
    )
    adjacency = (torch.rand(37, n, n, generator=generator) < 0.3).double()
    grad = torch.randn(37, n, d, generator=generator, dtype=torch.float64)
    inputs = (receiver, sender, edge, weight, bias)

    def gradients(graphs: list[slice]) -> tuple[Tensor, ...]:
        parts = [sum_messages(receiver[k], sender[k], adjacency[k], edge, weight, bias) for k in graphs]
        return torch.cat(parts), *torch.autograd.grad(torch.cat(parts), inputs, grad)

    one_by_one = gradients([slice(k, k + 1) for k in range(37)])
    together = gradients([slice(0, 37)])
    for expected, found in zip(one_by_one, together, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_adjacency_gets_its_gradient_in_large_batches(generator: torch.Generator) -> None:
    net = network(0)
    adjacency = torch.rand(600, 8, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    net(adjacency.new_zeros(600, 8, 0), adjacency).sum().backward()
    assert adjacency.grad is not None
    assert float(adjacency.grad.abs().max()) > 0
