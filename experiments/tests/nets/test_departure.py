"""How far relaxed weights are from equivariance, and what a relaxed network computes: values worked out by hand."""

import pytest
import torch
from torch import Tensor

from sympe.groups import cyclic
from sympe_experiments.nets import RelaxedConvolution, RelaxedNetwork

#: Weights by filter and element, and the mean of their squared deviations from the mean of each filter.
DEPARTURES = {
    # Deviations -1, 1 and -3, 3.
    "two filters of two elements": ([[1.0, 3.0], [0.0, 6.0]], 5.0),
    # Deviations -1, -1, 2.
    "one filter of three elements": ([[0.0, 0.0, 3.0]], 2.0),
    # Deviations 1, 1, 1, -3 of the first filter, none of the two others.
    "three filters, one of them relaxed": ([[4.0, 4.0, 4.0, 0.0], [1.0, 1.0, 1.0, 1.0], [-2.0, -2.0, -2.0, -2.0]], 1.0),
    # Filters may differ as they like: that breaks nothing.
    "filters of different strength": ([[0.0, 0.0], [5.0, 5.0], [-7.0, -7.0]], 0.0),
}


def convolution_with(weights: Tensor) -> RelaxedConvolution:
    """A relaxed convolution over a cyclic group with these weights."""
    layer = RelaxedConvolution(cyclic(weights.shape[1]), in_dim=1, out_dim=2, num_filters=weights.shape[0])
    with torch.no_grad():
        layer.weights.copy_(weights)
    return layer


@pytest.mark.parametrize("name", DEPARTURES)
def test_the_departure_of_a_layer_is_the_mean_square_deviation_over_the_group(name: str) -> None:
    weights, expected = DEPARTURES[name]
    found = convolution_with(torch.tensor(weights)).departure()
    assert found.shape == ()
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_the_departure_pulls_each_weight_to_the_mean_of_its_filter() -> None:
    """It can be added to a loss: the slope is twice the deviation, over the number of weights."""
    layer = convolution_with(torch.tensor([[1.0, 3.0], [0.0, 6.0]]))
    layer.departure().backward()
    assert layer.weights.grad is not None
    torch.testing.assert_close(layer.weights.grad, torch.tensor([[-0.5, 0.5], [-1.5, 1.5]]))
    assert layer.filters.grad is None
    assert layer.bias.grad is None


@pytest.mark.parametrize("relaxed", ["first", "second", "last"])
def test_every_layer_counts_in_the_departure_of_a_network(relaxed: str) -> None:
    network = RelaxedNetwork(cyclic(2), torch.ones(2, 1, 1), torch.ones(2, 1, 1), hidden_dim=3)
    with torch.no_grad():
        network.get_submodule(relaxed).weights[:, 1] += 4.0  # deviations -2 and 2 in both filters
    assert network.departure().item() == pytest.approx(4.0, abs=1e-6)


def test_the_departures_of_the_layers_are_added_up() -> None:
    network = RelaxedNetwork(cyclic(2), torch.ones(2, 1, 1), torch.ones(2, 1, 1), hidden_dim=3)
    with torch.no_grad():
        for layer, deviation in ((network.first, 1.0), (network.second, 2.0), (network.last, 4.0)):
            layer.weights.copy_(torch.tensor([[-deviation, deviation]]))
    assert [layer.departure().item() for layer in (network.first, network.second, network.last)] == [1.0, 4.0, 16.0]
    assert network.departure().item() == 21.0


def simple_network(second: float) -> RelaxedNetwork:
    """C2 by its sign, one channel, one filter at the identity: 1 in the first and the last layer."""
    sign = torch.tensor([[[1.0]], [[-1.0]]])
    network = RelaxedNetwork(cyclic(2), sign, sign, hidden_dim=1, num_filters=1)
    with torch.no_grad():
        for layer, value in ((network.first, 1.0), (network.second, second), (network.last, 1.0)):
            layer.filters.copy_(torch.tensor([value, 0.0]).view(1, 2, 1, 1))
    return network


def test_a_network_lifts_adds_and_projects_as_it_says() -> None:
    """x is lifted to (x, -x); (a, b) is projected to (a - b) / 2; the second layer is added to the first."""
    x = torch.tensor([[0.5], [-2.0], [3.0]])

    def silu(value: Tensor) -> Tensor:
        return value / (1 + torch.exp(-value))

    # silu(x) - silu(-x) is x.
    torch.testing.assert_close(simple_network(second=0.0)(x), x / 2)
    expected = (x + silu(silu(x)) - silu(silu(-x))) / 2
    torch.testing.assert_close(simple_network(second=1.0)(x), expected)


def test_weights_that_must_not_be_relaxed_are_not_learned() -> None:
    for relaxed in (False, True):
        network = RelaxedNetwork(cyclic(2), torch.ones(2, 1, 1), torch.ones(2, 1, 1), relaxed=relaxed)
        learned = {name for name, value in network.named_parameters() if value.requires_grad}
        weights = {f"{layer}.weights" for layer in ("first", "second", "last")}
        assert learned & weights == (weights if relaxed else set())
        assert len(learned) == (9 if relaxed else 6)
