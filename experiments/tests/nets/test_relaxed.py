"""Relaxed weights: equivariant until they are told apart, and then as symmetric as the data."""

import pytest
import torch

from sympe.actions import permutation_representation, regular_representation
from sympe.groups import point_group
from sympe_experiments.fitting import fit
from sympe_experiments.nets import RelaxedConvolution, RelaxedNetwork


def departure_from_equivariance(network: torch.nn.Module, matrices: torch.Tensor, x: torch.Tensor) -> float:
    moved = (network(x @ m.T) - network(x) @ m.T for m in matrices.float())
    return max(float(d.abs().max()) for d in moved)


@pytest.mark.parametrize("name", ["C4", "D4", "T", "Td"])
def test_equivariant_to_begin_with(name: str, generator: torch.Generator) -> None:
    group = point_group(name)
    network = RelaxedNetwork(group, group.matrices, group.matrices, hidden_dim=8)
    x = torch.randn(5, 3, generator=generator)
    assert departure_from_equivariance(network, group.matrices, x) < 1e-5
    assert float(network.departure()) == 0
    with torch.no_grad():
        network.second.weights[0, 1] += 1
    assert departure_from_equivariance(network, group.matrices, x) > 1e-3
    assert float(network.departure()) > 0


def test_convolution_is_the_sum_over_the_group(generator: torch.Generator) -> None:
    group = point_group("D3")
    layer = RelaxedConvolution(group, 2, 3, num_filters=2)
    x = torch.randn(4, 6, 2, generator=generator)
    with torch.no_grad():
        layer.weights.copy_(torch.randn(2, 6, generator=generator))
    expected = torch.zeros(4, 6, 3)
    for g in range(6):
        for h in range(6):
            place = group.table[group.inverses[g], h]
            for l in range(2):
                expected[:, g] += layer.weights[l, h] * x[:, h] @ layer.filters[l, place].T
    assert torch.allclose(layer(x), expected + layer.bias, atol=1e-5)


def square_to_rectangle(relaxed: bool) -> tuple[RelaxedNetwork, float]:
    """D4 acts on the corners of a square by permutations and turns; the target is the displacement to a rectangle."""
    group = point_group("D4")
    corners = torch.tensor([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]], dtype=torch.float64)
    moved = torch.einsum("gij,nj->gni", group.matrices, corners)
    images = torch.cdist(moved, corners.expand(len(group), -1, -1)).argmin(2)
    both = torch.einsum("gab,gij->gaibj", permutation_representation(images), group.matrices).reshape(8, 12, 12)
    torch.manual_seed(0)
    network = RelaxedNetwork(group, both, both, hidden_dim=16, relaxed=relaxed)
    x = corners.reshape(1, 12).float()
    y = (corners * torch.tensor([0.3, -0.3, 0.0])).reshape(1, 12).float()
    fit(network, lambda seeded: (network(x) - y).square().sum(), steps=150, learning_rate=2e-2, seed=0)
    return network, float((network(x) - y).square().sum() / 4)


def test_only_relaxed_weights_reach_a_rectangle() -> None:
    with torch.random.fork_rng():
        _, strict = square_to_rectangle(relaxed=False)
        network, relaxed = square_to_rectangle(relaxed=True)
    assert abs(strict - 0.18) < 1e-3  # the floor: the target averaged over D4 is zero
    assert relaxed < 1e-3
    assert float(network.departure()) > 1e-3


@pytest.mark.untyped
def test_bad_arguments() -> None:
    group = point_group("D4")
    with pytest.raises(ValueError, match="in_dim, out_dim and num_filters must be at least 1; got 0, 1, 2"):
        RelaxedConvolution(group, 0, 1)
    with pytest.raises(ValueError, match="representation_out: expected 8 square matrices, one for each element"):
        RelaxedNetwork(group, group.matrices, regular_representation(point_group("C4")))
