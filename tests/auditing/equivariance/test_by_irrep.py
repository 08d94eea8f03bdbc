"""Quadrature on O(3), and errors of equivariance whose split is known."""

import pytest
import torch

from sympe.actions import wigner_d
from sympe.auditing import equivariance_by_irrep
from sympe.groups import quadrature
from sympe.groups.orthogonal import random_orthogonal
from sympe.points import PointClouds, from_clouds

X = from_clouds(torch.tensor([[[0.0, 0.0, 2.0], [1.0, 0.0, -1.0]], [[0.3, -1.0, 0.0], [0.5, 0.2, 1.0]]]).double())


@pytest.mark.parametrize("degree", [0, 1, 2, 5, 8])
def test_quadrature_is_exact_up_to_its_degree(degree: int, generator: torch.Generator) -> None:
    matrices, weights = quadrature(degree)
    assert weights.sum().item() == pytest.approx(1)
    assert torch.allclose(matrices @ matrices.mT, torch.eye(3).double().expand(len(matrices), 3, 3))
    turn = random_orthogonal(1, 3, False, generator, torch.device("cpu"), torch.float64)
    for l in range(degree + 1):
        for parity in "eo":
            mean = torch.einsum("q,qab->ab", weights, wigner_d(turn @ matrices, f"{l}{parity}"))
            expected = torch.ones(1, 1).double() if (l, parity) == (0, "e") else torch.zeros_like(mean)
            assert torch.allclose(mean, expected, atol=1e-12)
    rotations, weights = quadrature(degree, special=True)
    assert (torch.linalg.det(rotations) > 0).all()
    too_high = (torch.einsum("q,qab->ab", weights, wigner_d(rotations, f"{degree + k}e")) for k in (1, 2))
    assert max(mean.abs().max().item() for mean in too_high) > 1e-3
    with pytest.raises(ValueError, match="expected a degree of 0 or more; got -1"):
        quadrature(-1)


def first(x: PointClouds) -> torch.Tensor:
    return x.centered[x.ptr[:-1]]


def test_powers_of_a_height() -> None:
    """Means over the sphere: z^2 has 1/9 in 0e and 4/45 in 2e; z^3 has 3/25 in 1o and 4/175 in 3o."""
    r = first(X).norm(dim=1)
    for power, expected in ((2, {"0e": 1 / 9, "2e": 4 / 45}), (3, {"1o": 3 / 25, "3o": 4 / 175})):
        found = equivariance_by_irrep(lambda x, k=power: first(x)[:, 2:] ** k, X, "0e", degree=3)
        split = {part: value for part, value in zip(found.parts, found.power[0].tolist(), strict=True) if value > 1e-9}
        scale = (r ** (2 * power)).mean().item()
        assert split == pytest.approx({part: value * scale for part, value in expected.items()})
        assert found.unresolved.abs().max() < 1e-9
        assert found.variance.item() == pytest.approx(found.total.item() - expected.get("0e", 0) * scale)


def test_equivariant_maps_have_no_variance(generator: torch.Generator) -> None:
    weight = torch.randn(2, generator=generator, dtype=torch.float64)
    pair = first(X)

    def right(x: PointClouds) -> torch.Tensor:
        return torch.cat([first(x).norm(dim=1, keepdim=True) * weight[0], first(x) * weight[1]], dim=1)

    found = equivariance_by_irrep(right, X, "0e+1o", degree=1)
    assert found.variance.max() < 1e-12
    assert found.power[1, 0].item() == pytest.approx(float((weight[1] * pair).square().sum(1).mean()))
    up = torch.tensor([0.0, 0.0, 0.0, 0.3], dtype=torch.float64)
    wrong = equivariance_by_irrep(lambda x: right(x) + up, X, "0e+1o", degree=1)
    assert dict(zip(wrong.parts, wrong.power[1].tolist(), strict=True))["1o"] == pytest.approx(0.09)
    assert wrong.variance.tolist() == pytest.approx([0, 0.09], abs=1e-12)
    assert "1x1o" in str(wrong)


def test_hands_and_degrees_that_are_left_out() -> None:
    """A pseudoscalar taken for a scalar is a preferred hand; too low a degree is reported."""

    def hand(x: PointClouds) -> torch.Tensor:
        places = x.centered.view(1, 4, 3)
        return torch.linalg.det(places[:, :3])[:, None]

    chiral = from_clouds(torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]]]).double())
    found = equivariance_by_irrep(hand, chiral, "0e", degree=1)
    assert found.power[0, found.parts.index("0o")].item() == pytest.approx(found.total.item())
    assert equivariance_by_irrep(hand, chiral, "0e", special=True).variance.item() == pytest.approx(0, abs=1e-12)
    low = equivariance_by_irrep(lambda x: first(x)[:, 2:] ** 2, X, "0e", degree=1)
    assert low.unresolved.abs().item() > 0.01 * low.total.item()
    with pytest.raises(ValueError, match="expected rows of 3 numbers, irreps 1x1o"):
        equivariance_by_irrep(lambda x: x.position[:, :2], X, "1o")
    with pytest.raises(ValueError, match="expected an action on inputs of type Tensor; got none"):
        equivariance_by_irrep(lambda x: x, X.position, "1o")
