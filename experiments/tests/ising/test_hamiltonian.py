"""Energies and ground states against brute force."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from sympe_experiments.ising.hamiltonian import (
    J1J2,
    NEAREST,
    Hamiltonian,
    entropy,
    free_energy,
    mirror,
    nearest_ground_energy,
)


def all_spins(size: int) -> Tensor:
    return torch.tensor(list(itertools.product((1.0, -1.0), repeat=size**2)), dtype=torch.float64).view(-1, size, size)


def plain_energy(bonds: dict[str, tuple[tuple[int, int], ...]], couplings: list[float], s: list[list[int]]) -> float:
    """The sum over sites and bonds, written out."""
    size = len(s)
    total = 0.0
    for coupling, steps in zip(couplings, bonds.values(), strict=True):
        for i, j in itertools.product(range(size), repeat=2):
            total -= sum(coupling * s[i][j] * s[(i + di) % size][(j + dj) % size] for di, dj in steps)
    return total / size**2


@pytest.mark.parametrize("hamiltonian", [NEAREST, J1J2])
@pytest.mark.parametrize("size", [2, 3, 5])
def test_energy_is_the_sum_over_bonds(hamiltonian: Hamiltonian, size: int, generator: torch.Generator) -> None:
    couplings = hamiltonian.sample(4, generator).double()
    spins = 2.0 * torch.randint(2, (4, size, size), generator=generator).double() - 1
    expected = [plain_energy(hamiltonian.bonds, c, s) for c, s in zip(couplings.tolist(), spins.tolist(), strict=True)]
    assert hamiltonian.energy(couplings, spins).tolist() == pytest.approx(expected)
    everywhere = couplings[..., None, None].expand(-1, -1, size, size)
    torch.testing.assert_close(hamiltonian.energy(everywhere, spins), hamiltonian.energy(couplings, spins))


def test_bonds_of_their_own(generator: torch.Generator) -> None:
    """The bond to the right of a site is that between it and its right-hand neighbor."""
    bonds = torch.zeros(1, 2, 3, 3)
    bonds[0, 0, 1, 2] = 2.0  # joins (1, 2) and, around the border, (1, 0)
    spins = torch.ones(1, 3, 3)
    assert float(NEAREST.energy(bonds, spins)) == pytest.approx(-2 / 9)
    spins[0, 1, 0] = -1
    assert float(NEAREST.energy(bonds, spins)) == pytest.approx(2 / 9)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_formula_is_the_least_of_all_energies(size: int, generator: torch.Generator) -> None:
    spins = all_spins(size)
    signs = torch.tensor([[a, b] for a in (0.7, -0.7, 0.0) for b in (0.3, -0.3, 0.0)], dtype=torch.float64)
    for couplings in torch.cat([signs, NEAREST.sample(6, generator).double()]):
        least = NEAREST.energy(couplings.expand(len(spins), -1), spins).min()
        assert float(nearest_ground_energy(couplings[None], size)) == pytest.approx(float(least), abs=1e-12)


def test_one_odd_ring_at_a_time() -> None:
    """Rows and columns of an odd lattice that is too large to enumerate: each ring on its own."""
    rings = torch.tensor(list(itertools.product((1.0, -1.0), repeat=7)), dtype=torch.float64)
    least = float((rings * rings.roll(-1, 1)).mean(1).min())
    assert float(nearest_ground_energy(torch.tensor([[-0.4, 0.9]]), 7)) == pytest.approx(0.4 * least - 0.9)
    with pytest.raises(ValueError, match="size must be at least 2; got 1"):
        nearest_ground_energy(torch.ones(1, 2), 1)


@pytest.mark.parametrize("hamiltonian", [NEAREST, J1J2])
def test_the_scale_bounds_all_energies(hamiltonian: Hamiltonian, generator: torch.Generator) -> None:
    spins = all_spins(4)
    couplings = hamiltonian.sample(8, generator).double()
    scale = hamiltonian.scale(couplings)
    for row, bound in zip(couplings, scale, strict=True):
        assert -bound <= hamiltonian.energy(row.expand(len(spins), -1), spins).min() + 1e-12
    if hamiltonian is NEAREST:
        torch.testing.assert_close(scale, couplings.abs().sum(1))


def test_halves_of_the_plane(generator: torch.Generator) -> None:
    for hamiltonian in (NEAREST, J1J2):
        inside = hamiltonian.sample(500, generator)
        outside = mirror(hamiltonian.sample(500, generator))
        assert bool((inside[:, 0] > inside[:, 1]).all())
        assert bool((outside[:, 0] < outside[:, 1]).all())
        assert inside.abs().max() <= 1
        spins = 2.0 * torch.randint(2, (500, 4, 4), generator=generator) - 1
        torch.testing.assert_close(
            hamiltonian.energy(mirror(inside), spins.transpose(1, 2)), hamiltonian.energy(inside, spins)
        )


def test_the_free_energy_is_that_of_independent_spins(generator: torch.Generator) -> None:
    logits = torch.randn(3, 4, 4, dtype=torch.float64, generator=generator)
    up = torch.sigmoid(2 * logits)
    expected = -(up * up.log() + (1 - up) * (1 - up).log()).mean((1, 2))
    torch.testing.assert_close(entropy(logits), expected)
    torch.testing.assert_close(entropy(torch.zeros(1, 2, 2)), torch.tensor([math.log(2)]))
    assert entropy(torch.full((1, 2, 2), 200.0)) == 0

    # At T = 1 the means of a ferromagnet are where m = tanh(2 m), 0.9575.
    couplings = torch.tensor([[0.3, 0.8]], dtype=torch.float64)
    logit = torch.full((1, 2, 2), 1.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logit], max_iter=50)

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = free_energy(NEAREST, couplings, logit, 1.0).sum()
        value.backward()
        return value

    optimizer.step(closure)  # type: ignore[arg-type]
    assert logit.detach().tanh().mean().item() == pytest.approx(0.9575, abs=1e-4)
