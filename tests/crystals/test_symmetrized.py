"""Averaged cells and sites have their symmetries exactly."""

import numpy as np
import pytest
import torch

pytest.importorskip("ase")
pytest.importorskip("moyopy")

from crystal_laws import examples
from sympe.crystals import concatenate, from_ase, from_cells, stabilizers, symmetrize

EXAMPLES = examples()
FEW = ("diamond", "quartz, chiral", "lead titanate, polar", "slab", "tube", "zigzag chain")


@pytest.mark.parametrize("name", FEW)
def test_strained_and_shaken_crystals(name: str) -> None:
    atoms, rng = EXAMPLES[name].copy(), np.random.default_rng(0)
    strain = 0.01 * rng.uniform(-1, 1, (3, 3)) * atoms.pbc[:, None]
    atoms.set_cell(atoms.cell.array + strain, scale_atoms=bool(atoms.pbc.all()))
    atoms.positions += 0.01 * rng.uniform(-1, 1, atoms.positions.shape)
    x = from_ase(atoms)
    (found,) = stabilizers(x, tolerance=0.06)
    assert len(found.matrices) == len(stabilizers(from_ase(EXAMPLES[name]))[0].matrices)
    assert len(stabilizers(x, tolerance=1e-4)[0].matrices) < len(found.matrices)
    y = symmetrize(x, tolerance=0.06)
    (exact,) = stabilizers(y, tolerance=1e-6)
    assert (exact.name, len(exact.matrices)) == (found.name, len(found.matrices))
    assert (y.sites.position - x.sites.position).norm(dim=1).max() < 0.04
    assert (y.cell - x.cell)[x.pbc].abs().max() < 0.03
    assert torch.allclose(symmetrize(y).sites.position, y.sites.position, atol=1e-7)


def test_vectors_and_batches() -> None:
    """Unequal moments of two equivalent sites become equal; a displacement along an axis loses what is across."""
    cells, sites = [2.87 * torch.eye(3)] * 2, [[[0, 0, 0], [0.5] * 3], [[0, 0, 0], [0.5] * 3]]
    moments = [[[0, 0, 2.0], [0, 0, 2.002]], [[0, 0.001, 2], [0, 0, -2]]]
    x = from_cells(cells, sites, [["Fe", "Fe"]] * 2, moments=moments)
    y = symmetrize(x)
    assert torch.allclose(y.moment[:2], torch.tensor([0, 0, 2.001]).double())
    assert y.moment[2:].norm(dim=1).diff().abs() < 1e-9
    polar = from_cells([4.0 * torch.eye(3)], [[[0, 0, 0]]], [["Ti"]], displacements=[[[0.002, 0, 0.1]]])
    assert torch.allclose(symmetrize(polar).displacement, torch.tensor([[0, 0, 0.1]]).double())
    assert len(concatenate([y, x])) == 4


def test_atoms_on_a_line() -> None:
    x = from_cells([3.0 * torch.eye(3)], [[[0, 0, 0], [0.001, 0, 0.4]]], [["C", "O"]], pbc=[[False, False, True]])
    y = symmetrize(x)
    assert (y.sites.centered[:, :2].abs() < 1e-9).all()
    assert stabilizers(y, tolerance=1e-9)[0].point_group == "Cinfv"
