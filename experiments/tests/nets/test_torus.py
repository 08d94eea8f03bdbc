"""Group convolutions on the torus commute with every element of their group, on lattices of any size."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from sympe.actions import DirectionFields, RegularFields, ScalarFields
from sympe.groups import LatticeSymmetry, Torus
from sympe.groups.torus import POINT_GROUPS
from sympe_experiments.nets import (
    FieldReadout,
    GroupConv,
    Lifting,
    SiteNorm,
    TorusNetwork,
)

GROUPS = tuple(POINT_GROUPS)
SIZES = ((6, 6), (5, 5), (2, 2), (1, 1))


def fields(size: tuple[int, int], count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same random scalar and direction fields, ``count`` times."""
    scalar = torch.randn(1, 2, *size, dtype=torch.float64, generator=generator)
    direction = torch.randn(1, 4, 3, *size, dtype=torch.float64, generator=generator)
    return scalar.expand(count, -1, -1, -1), direction.expand(count, -1, -1, -1, -1)


def moved(group: Torus, g: LatticeSymmetry, x: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return ScalarFields(group).act(g, x[0]), DirectionFields(group).act(g, x[1])


def error(network: nn.Module, group: Torus, size: tuple[int, int], generator: torch.Generator) -> float:
    """Largest violation of f(g x) = g f(x) over all g, for a network from fields to a scalar field."""
    g = group.elements(size)
    x = fields(size, len(g), generator)
    with torch.no_grad():
        return float((network(*moved(group, g, x)) - ScalarFields(group).act(g, network(*x))).abs().max())


@pytest.mark.parametrize("point_group", GROUPS)
@pytest.mark.parametrize("filter_width", [1, 3, 5])
def test_the_network_is_equivariant(point_group: str, filter_width: int, generator: torch.Generator) -> None:
    """Exactly, for every element; filters may be wider than the lattice."""
    network = TorusNetwork(
        2, 3, 2, hidden_dim=3, num_layers=2, filter_width=filter_width, point_group=point_group
    ).double()
    for size in SIZES:
        assert error(network, Torus(point_group), size, generator) < 1e-12
    if 1 not in POINT_GROUPS[point_group]:
        assert error(network, Torus(point_group), (3, 4), generator) < 1e-12


@pytest.mark.parametrize("size", [(4, 4), (5, 5)])
def test_smaller_groups_have_less_symmetry(size: tuple[int, int], generator: torch.Generator) -> None:
    """The check above finds a network of C4 or C1 wanting under D4, and a plain convolution too."""
    for point_group in ("C4", "D2", "C1"):
        network = TorusNetwork(2, 3, hidden_dim=3, num_layers=1, point_group=point_group).double()
        assert error(network, Torus("D4"), size, generator) > 1e-3

    class Zeros(nn.Module):
        """Borders filled with zeros break translations."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 1, 3, padding=1)

        def forward(self, scalar: Tensor, direction: Tensor) -> Tensor:
            return self.conv(scalar)

    assert error(Zeros().double(), Torus("C1"), size, generator) > 1e-3


def test_every_layer_is_equivariant(generator: torch.Generator) -> None:
    """Features on the group of D4 are its regular fields; so are what lifting makes and convolutions return."""
    group, size = Torus("D4"), (4, 4)
    g = group.elements(size)
    regular = RegularFields(group)
    lift, conv, norm = Lifting(2, 3, 4).double(), GroupConv(4, 5).double(), SiteNorm(5).double()
    norm.gain.data.uniform_(0.5, 1.5, generator=generator)
    x = fields(size, len(g), generator)

    lifted, lifted_moved = lift(*x), lift(*moved(group, g, x))
    assert lifted.shape == (len(g), 8, 4, *size)
    features, features_moved = norm(conv(lifted)), norm(conv(lifted_moved))
    for ours, theirs in ((lifted_moved, lifted), (features_moved, features)):
        assert torch.allclose(ours, regular.act(g, theirs), atol=1e-12, rtol=0)

    scalar = FieldReadout(5, 2).double()
    assert torch.allclose(scalar(features_moved), ScalarFields(group).act(g, scalar(features)), atol=1e-12, rtol=0)


def test_translations_alone_are_an_ordinary_convolution(generator: torch.Generator) -> None:
    conv = GroupConv(2, 3, filter_width=5, point_group="C1")
    f = torch.randn(2, 1, 2, 4, 7, generator=generator)
    expected = conv2d(pad(f[:, 0], (2, 2, 2, 2), mode="circular"), conv.weight.view(3, 2, 5, 5), conv.bias)
    torch.testing.assert_close(conv(f)[:, 0], expected)


def test_the_norm_of_a_site_is_one(generator: torch.Generator) -> None:
    f = 100 * torch.randn(2, 8, 3, 4, 4, generator=generator)
    norm = SiteNorm(3)(f).square().mean((1, 2))
    torch.testing.assert_close(norm, torch.ones_like(norm))
    assert SiteNorm(3)(torch.zeros(1, 8, 3, 2, 2)).isfinite().all()


def test_gradients_reach_all_weights(generator: torch.Generator) -> None:
    network = TorusNetwork(1, 1, hidden_dim=2, num_layers=1)
    scalar, direction = torch.randn(2, 1, 4, 4, generator=generator), torch.randn(2, 4, 1, 4, 4, generator=generator)
    network(scalar, direction).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TorusNetwork(1, 1, filter_width=2), "filter_width must be odd; got 2"),
        (lambda: TorusNetwork(0, 0), "expected scalar or direction features; got 0 and 0 of them"),
        (lambda: TorusNetwork(1, 0, point_group="D3"), "point_group must be one of C1, C2, C4, D2, D4; got 'D3'"),
        (
            lambda: TorusNetwork(1, 1)(torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 1, 4, 4)),
            "expected 1 scalar and 1 direction features; got 2 and 1",
        ),
        (
            lambda: TorusNetwork(1, 1)(torch.zeros(1, 1, 4, 4)),
            "expected 1 scalar and 1 direction features; got 1 and 0",
        ),
    ],
)
def test_bad_input(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
