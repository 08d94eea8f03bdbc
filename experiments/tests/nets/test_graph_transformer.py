"""The graph transformer: its gradients, against its formulas, equivariance, padding, one graph for the compiler."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sympe_experiments.nets import Dims, GraphTransformer
from sympe_experiments.nets.graph_transformer import GraphTransformerLayer, PairAttention, Pairs
from sympe_experiments.training import build_from_seed

DIMS = Dims(node=16, edge=8, graph=6, node_hidden=12, edge_hidden=10, graph_hidden=14)


def network(num_layers: int = 3) -> GraphTransformer:
    return build_from_seed(lambda: GraphTransformer((5, 3, 4), (5, 3), DIMS, num_layers), 0)


def inputs(count: int, n: int, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    shapes = (count, n, 5), (count, n * (n - 1) // 2, 3), (count, 4)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def square(pairs: Tensor, diagonal: Tensor) -> Tensor:
    """Pairs with i < j and those of a node with itself as a matrix."""
    n = diagonal.shape[1]
    i, j = torch.triu_indices(n, n, 1)
    full = pairs.new_zeros(len(pairs), n, n, pairs.shape[2])
    full[:, i, j] = full[:, j, i] = pairs
    full[:, range(n), range(n)] = diagonal
    return full


def plain_attention(q: Tensor, k: Tensor, v: Tensor, modulation: Tensor) -> tuple[Tensor, Tensor]:
    """By the formulas, on all ordered pairs."""
    n, d = q.shape[1:]
    full = square(modulation[:, n:], modulation[:, :n])
    logits = q[:, :, None] * k[:, None] * full[..., :d] + full[..., d:]
    both = (logits + logits.transpose(1, 2)) / 2
    i, j = torch.triu_indices(n, n, 1)
    out = (logits.softmax(2) * v[:, None]).sum(2)
    return out, torch.cat([both[:, range(n), range(n)], both[:, i, j]], dim=1)


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_pairs_are_in_the_order_of_torch(n: int) -> None:
    pairs = Pairs.of(n, n * (n - 1) // 2, "cpu")
    assert pairs.first[:n].tolist() == pairs.second[:n].tolist() == list(range(n))
    assert torch.equal(torch.stack([pairs.first, pairs.second])[:, n:], torch.triu_indices(n, n, 1))
    every = torch.arange(len(pairs.first))
    assert torch.equal(pairs.place[pairs.first, pairs.second], every)
    assert torch.equal(pairs.place[pairs.second, pairs.first], every)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_attention_and_its_gradient(n: int, generator: torch.Generator) -> None:
    pairs = Pairs.of(n, n * (n - 1) // 2, "cpu")
    shapes = [(2, n, 3)] * 3 + [(2, len(pairs.first), 6)]
    tensors = [torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_() for s in shapes]
    ours = PairAttention.apply(*tensors, pairs.first, pairs.second, pairs.place, None)[:2]
    theirs = plain_attention(*tensors)
    weights = [torch.randn(out.shape, generator=generator, dtype=torch.float64) for out in theirs]
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)
    losses = [sum((o * w).sum() for o, w in zip(out, weights, strict=True)) for out in (ours, theirs)]
    grads = [torch.autograd.grad(loss, tensors) for loss in losses]
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_equivariant_to_float_tolerance(n: int, generator: torch.Generator) -> None:
    model = network()
    x, e, y = inputs(4, n, generator)
    order = torch.randperm(n, generator=generator)
    i, j = torch.triu_indices(n, n, 1)
    there = square(e, x.new_zeros(4, n, 3))[:, order][:, :, order][:, i, j]
    nodes, edges = model(x, e, y)
    moved_nodes, moved_edges = model(x[:, order], there, y)
    torch.testing.assert_close(moved_nodes, nodes[:, order], atol=1e-5, rtol=1e-5)
    back = square(edges, edges.new_zeros(4, n, 3))[:, order][:, :, order][:, i, j]
    torch.testing.assert_close(moved_edges, back, atol=1e-5, rtol=1e-5)


def test_padded_and_unpadded_give_the_same_numbers(generator: torch.Generator) -> None:
    """And the same gradients; whatever stands in the padding."""
    model = network()
    x, e, y = inputs(3, 5, generator)
    n = 8
    mask = torch.arange(n).expand(3, n) < 5
    wide_x = torch.randn(3, n, 5, generator=generator)
    wide_x[:, :5] = x
    full = torch.randn(3, n, n, 3, generator=generator)
    full[:, :5, :5] = square(e, x.new_zeros(3, 5, 3))
    i, j = torch.triu_indices(n, n, 1)
    nodes, edges = model(x, e, y)
    wide_nodes, wide_edges = model(wide_x, full[:, i, j], y, mask)
    inside = j < 5
    torch.testing.assert_close(wide_nodes[:, :5], nodes)
    torch.testing.assert_close(wide_edges[:, inside], edges)
    parameters = list(model.parameters())
    plain = torch.autograd.grad(nodes.square().sum() + edges.square().sum(), parameters, allow_unused=True)
    padded = torch.autograd.grad(
        wide_nodes[:, :5].square().sum() + wide_edges[:, inside].square().sum(), parameters, allow_unused=True
    )
    for a, b in zip(plain, padded, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert b.isfinite().all()
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_every_state_reaches_the_output(generator: torch.Generator) -> None:
    x, e, y = (tensor.requires_grad_() for tensor in inputs(2, 4, generator))
    model = network()
    nodes, edges = model(x, e, y)
    for out in (nodes, edges):
        for given in (x, e, y):
            grad = torch.autograd.grad(out.square().sum(), given, retain_graph=True)[0]
            assert (grad.abs().flatten(1).sum(1) > 1e-6).all()


@pytest.mark.untyped
def test_one_graph_without_a_break(generator: torch.Generator) -> None:
    """Forward and backward."""
    model = network(1)
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    x, e, y = inputs(2, 4, generator)
    results = []
    for run in (model, compiled):
        nodes, edges = run(x, e, y)
        (grad,) = torch.autograd.grad(nodes.square().sum() + edges.square().sum(), model.layers[0].qkv.weight)
        results.append((nodes, edges, grad))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.untyped
@pytest.mark.parametrize("part", ["network", "layers"])
def test_one_compiled_graph_is_for_all_sizes(part: str, generator: torch.Generator) -> None:
    """A compiler that met molecules of 27 sizes one by one would give up after a few of them."""
    graphs = []

    def backend(graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., object]:
        graphs.append(graph)
        return graph.forward

    model, plain = network(), network()
    torch.compiler.reset()
    for module in [model] if part == "network" else model.layers:
        module.compile(dynamic=True, fullgraph=True, backend=backend)
    for count, n in [(7, 9), (3, 8), (9, 5), (2, 3), (4, 29)]:
        given = inputs(count, n, generator)
        for a, b in zip(model(*given), plain(*given), strict=True):
            torch.testing.assert_close(a, b)
    assert len(graphs) == 1


def test_another_number_of_pairs_is_refused(generator: torch.Generator) -> None:
    x, e, y = inputs(2, 4, generator)
    with pytest.raises(ValueError, match="expected the features of 6 pairs of 4 nodes, got 5"):
        network()(x, e[:, :5], y)


def test_the_state_of_a_layer_does_not_depend_on_the_batch(generator: torch.Generator) -> None:
    model = network()
    x, e, y = inputs(6, 5, generator)
    together = model(x, e, y)
    alone = [model(x[i : i + 1], e[i : i + 1], y[i : i + 1]) for i in range(6)]
    for at in (0, 1):
        torch.testing.assert_close(together[at], torch.cat([out[at] for out in alone]), atol=1e-5, rtol=1e-5)
    assert isinstance(model.layers[0], GraphTransformerLayer)
