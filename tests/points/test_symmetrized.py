"""The nearest symmetric cloud, against closed forms and a search; the measure of asymmetry."""

import pytest
import torch

from sympe.groups.orthogonal import random_orthogonal
from sympe.points import PointClouds, asymmetry, from_clouds, stabilizers, symmetrize

METHANE = [[0.0, 0, 0], [0.63, 0.63, 0.63], [0.63, -0.63, -0.63], [-0.63, 0.63, -0.63], [-0.63, -0.63, 0.63]]


def double(rows: object, species: object = None) -> PointClouds:
    return from_clouds([torch.as_tensor(rows, dtype=torch.float64)], species=species)


@pytest.mark.parametrize("short", [0.95, 0.8, 0.7])
def test_a_rectangle_beside_a_square(short: float) -> None:
    """With the corners as complex numbers, 1 - |mean of i^-k z_k|^2 / |z|^2 is (a - b)^2 / 2 (a^2 + b^2)."""
    oblong = double([[1, short, 0], [-1, short, 0], [-1, -short, 0], [1, -short, 0]])
    assert stabilizers(oblong, tolerance=0.5)[0].name == "D4h"
    assert asymmetry(oblong).item() == pytest.approx(50 * (1 - short) ** 2 / (1 + short**2), rel=1e-9)
    square = symmetrize(oblong, tolerance=0.5)
    assert torch.allclose(square.position.norm(dim=1), torch.tensor((1 + short) / 2**0.5).double())
    assert stabilizers(square, tolerance=1e-9)[0].name == "D4h"


def test_methane_with_noise(generator: torch.Generator) -> None:
    """Exactly tetrahedral, and no other tetrahedron is nearer: the error is least in size, place and orientation."""
    noise = 0.05 * torch.randn(5, 3, generator=generator, dtype=torch.float64)
    x = double(torch.tensor(METHANE).double() + noise, [[6, 1, 1, 1, 1]])
    y = symmetrize(x, tolerance=0.3)
    assert stabilizers(y, tolerance=1e-9)[0].name == "Td"
    assert torch.allclose(y.centroid, x.centroid)
    least = (y.centered - x.centered).square().sum()
    assert asymmetry(x, tolerance=0.3).item() == pytest.approx(float(100 * least / x.centered.square().sum()))
    for step in (1e-3, 1e-2):
        for _ in range(20):
            spin = step * torch.randn(3, 3, generator=generator, dtype=torch.float64)
            turn = torch.matrix_exp(spin - spin.T)
            other = (1 + step * torch.randn(1, generator=generator)) * y.centered @ turn
            assert (other - x.centered).square().sum() > least


def test_it_moves_with_the_input(generator: torch.Generator) -> None:
    x = double(torch.tensor(METHANE) + 0.02 * torch.randn(5, 3, generator=generator))
    turn = random_orthogonal(1, 3, False, generator, x.device, x.dtype)[0]
    order = torch.randperm(5, generator=generator)
    turned = double((x.position @ turn.T + 1.0)[order])
    here, there = symmetrize(x, tolerance=0.15), symmetrize(turned, tolerance=0.15)
    assert torch.allclose((here.position @ turn.T + 1.0)[order], there.position, atol=1e-8)
    assert torch.allclose(asymmetry(x), asymmetry(turned), atol=1e-8)


def test_lines_planes_and_single_points() -> None:
    bent = double([[0, 0.01, -1.16], [0, 0, 0], [0, -0.01, 1.18]], [[8, 6, 8]])
    line = symmetrize(bent, tolerance=0.1)
    assert stabilizers(line, tolerance=1e-9)[0].name == "Dinfh"
    assert torch.linalg.matrix_rank(line.centered, atol=1e-9) == 1
    flat = double([[1.0, 0], [0, 1.1], [-1, 0], [0, -1]])
    assert stabilizers(symmetrize(flat, tolerance=0.3), tolerance=1e-9)[0].name == "D4"
    assert asymmetry(double([[1.0, 2, 3]])).tolist() == [0]
    both = from_clouds([METHANE, [[0.0, 0, 1]]])
    assert symmetrize(both).dtype == torch.float32
    assert torch.allclose(asymmetry(both), torch.zeros(2).double(), atol=1e-10)
