"""Ground energies of lattices that differ from site to site, and in a field: against all configurations."""

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor

from sympe_experiments.ising.hamiltonian import BONDS, FIELD, field_ground_energy, mirror
from sympe_experiments.ising.reference import anneal, ground_energy, solve
from sympe_experiments.ising.transfer import ground_energies


def all_spins(rows: int, columns: int) -> Tensor:
    spins = torch.tensor(list(itertools.product((1.0, -1.0), repeat=rows * columns)), dtype=torch.float64)
    return spins.view(-1, rows, columns)


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (4, 3), (4, 4)])
@pytest.mark.parametrize("in_field", [False, True])
def test_transfer_matrices_find_the_least_of_all_energies(
    shape: tuple[int, int], in_field: bool, generator: torch.Generator
) -> None:
    bonds = 2 * torch.rand(3, 2, *shape, generator=generator).double() - 1
    field = 2 * torch.rand(3, *shape, generator=generator).double() - 1 if in_field else None
    found = ground_energies(bonds, field)
    spins = all_spins(*shape)
    for k, (one, energy) in enumerate(zip(bonds, found, strict=True)):
        energies = BONDS.energy(one.expand(len(spins), -1, -1, -1), spins)
        if field is not None:
            energies = energies - (spins * field[k]).mean((1, 2))
        assert float(energy) == pytest.approx(float(energies.min()), abs=1e-12)


def test_rows_that_are_too_long() -> None:
    with pytest.raises(ValueError, match="transfer matrices take rows of at most 12 sites; got 13"):
        ground_energies(torch.ones(1, 2, 3, 13))


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8])
def test_the_formula_in_a_field(size: int, generator: torch.Generator) -> None:
    """Against transfer matrices, on both sides of the line where stripes give way to the field, and on it."""
    couplings = torch.cat([FIELD.sample(12, generator), torch.tensor([[1.0, -1.0, 2.0], [-0.5, 1.0, 0.0]])]).double()
    everywhere = couplings[:, :, None, None].expand(-1, -1, size, size)
    expected = ground_energies(everywhere[:, :2], everywhere[:, 2])
    torch.testing.assert_close(ground_energy(FIELD, couplings, size), expected)
    torch.testing.assert_close(field_ground_energy(mirror(couplings), size), expected)
    with pytest.raises(ValueError, match="needs one coupling that is not negative; got two negative ones"):
        field_ground_energy(torch.tensor([[-1.0, -1.0, 0.3]]), size)


def test_energy_and_scale_in_a_field(generator: torch.Generator) -> None:
    couplings = FIELD.sample(40, generator).double()
    assert bool((couplings[:, :2].max(1).values >= 1).all())
    spins = 2.0 * torch.randint(2, (40, 4, 4), generator=generator).double() - 1
    without = torch.cat([couplings[:, :2], torch.zeros(40, 1)], dim=1)
    expected = FIELD.energy(without, spins) - couplings[:, 2] * spins.mean((1, 2))
    torch.testing.assert_close(FIELD.energy(couplings, spins), expected)
    torch.testing.assert_close(FIELD.scale(couplings), couplings.abs().sum(1))
    turned = couplings[:, 0] != 1
    assert 5 < int(turned.sum()) < 35, "inputs are turned at random"


def test_mirrored_bonds_have_mirrored_energies(generator: torch.Generator) -> None:
    bonds = BONDS.sample(5, generator, 4)
    spins = 2.0 * torch.randint(2, (5, 4, 4), generator=generator) - 1
    torch.testing.assert_close(BONDS.energy(mirror(bonds), spins.transpose(1, 2)), BONDS.energy(bonds, spins))
    torch.testing.assert_close(mirror(mirror(bonds)), bonds)
    assert bool((BONDS.scale(bonds).double() >= -ground_energies(bonds)).all())
    with pytest.raises(ValueError, match="random bonds need the size of the lattice; give size"):
        BONDS.sample(5, generator)


def test_integer_programming_and_annealing_find_them_too(generator: torch.Generator) -> None:
    pytest.importorskip("dwave.samplers")
    for hamiltonian in (FIELD, BONDS):
        couplings = hamiltonian.sample(2, generator, 4)
        for row, energy in zip(couplings, ground_energy(hamiltonian, couplings, 4), strict=True):
            proven = solve(hamiltonian, row, 4, seconds=60)
            assert proven.proven
            for spins in (proven.spins, anneal(hamiltonian, row, 4, seed=1).spins):
                assert float(hamiltonian.energy(row[None].double(), spins[None])) == pytest.approx(float(energy))


@pytest.mark.parametrize(("mark", "title", "count"), [("bonds", "time to solution", 9), ("field", "field", 5)])
def test_the_page_quotes_the_records(mark: str, title: str, count: int) -> None:
    """Rows of ``docs/results.md``, which is made from the records."""
    docs = Path(__file__).parents[3] / "docs"
    page, results = ((docs / name).read_text() for name in ("ising.md", "results.md"))
    shown = page[page.index(f"<!-- {mark} -->") : page.index(f"<!-- end of {mark} -->")]
    rows = [line for line in shown.splitlines() if "|" in line]
    section = results[results.index(f"## Ising ground states: {title}") :]
    assert len(rows) == count
    assert [row for row in rows if row not in section.splitlines()] == []
