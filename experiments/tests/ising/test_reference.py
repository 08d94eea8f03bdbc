"""Bounds, integer programming and annealing against brute force."""

import pytest
import torch

from sympe_experiments.ising import reference
from sympe_experiments.ising.hamiltonian import J1J2, NEAREST
from sympe_experiments.ising.reference import anneal, bounds, ground_energy, solve


def every_energy(couplings: torch.Tensor) -> torch.Tensor:
    """Energies of all configurations of 4 x 4 spins."""
    bits = torch.arange(2**15)[:, None] >> torch.arange(15) & 1
    spins = torch.cat([torch.ones(2**15, 1), 1.0 - 2.0 * bits], dim=1).view(-1, 4, 4).double()
    return J1J2.energy(couplings.double().expand(len(spins), -1), spins)


def test_the_bounds_meet_at_the_ground_energy(generator: torch.Generator) -> None:
    couplings = J1J2.sample(20, generator)
    lower, upper = bounds(J1J2, couplings)
    torch.testing.assert_close(lower, upper, atol=1e-9, rtol=0)
    for row, energy in zip(couplings[:4], upper, strict=False):
        assert float(energy) == pytest.approx(float(every_energy(row).min()), abs=1e-9)
    torch.testing.assert_close(ground_energy(J1J2, couplings, 8), upper)


def test_bounds_agree_with_the_formula_of_nearest_neighbors(generator: torch.Generator) -> None:
    couplings = NEAREST.sample(10, generator)
    lower, upper = bounds(NEAREST, couplings)
    torch.testing.assert_close(lower, -couplings.double().abs().sum(1), atol=1e-9, rtol=0)
    torch.testing.assert_close(upper, -couplings.double().abs().sum(1), atol=1e-9, rtol=0)


def test_what_is_not_proven_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    couplings = torch.tensor([[0.5, 0.3, 0.1, 0.1]])
    with pytest.raises(ValueError, match="exact energies of j1j2 need a size that 4 divides; got 6"):
        ground_energy(J1J2, couplings, 6)
    monkeypatch.setattr(reference, "bounds", lambda *args: (torch.tensor([-2.0]), torch.tensor([-1.0])))
    with pytest.raises(ValueError, match="lies between the two bounds and is not proven"):
        ground_energy(J1J2, couplings, 8)


def test_integer_programming_proves_small_lattices(generator: torch.Generator) -> None:
    couplings = J1J2.sample(3, generator)
    _, exact = bounds(J1J2, couplings)
    for row, energy in zip(couplings, exact, strict=True):
        found = solve(J1J2, row, 4, seconds=60)
        assert found.proven
        assert found.seconds > 0
        assert float(J1J2.energy(row[None].double(), found.spins[None])) == pytest.approx(float(energy), abs=1e-9)


def test_annealing_finds_small_lattices(generator: torch.Generator) -> None:
    pytest.importorskip("dwave.samplers")
    couplings = J1J2.sample(3, generator)
    _, exact = bounds(J1J2, couplings)
    for row, energy in zip(couplings, exact, strict=True):
        found = anneal(J1J2, row, 8, seed=1)
        assert float(J1J2.energy(row[None].double(), found.spins[None])) == pytest.approx(float(energy), abs=1e-9)
        assert torch.equal(found.spins, anneal(J1J2, row, 8, seed=1).spins)
        assert not found.proven
