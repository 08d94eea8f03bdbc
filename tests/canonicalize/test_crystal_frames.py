"""Frames of crystals: the law of g~ on prototypes, supercells, slabs and chains, in all descriptions."""

import pytest
import torch

pytest.importorskip("ase")

from crystal_laws import check_crystal_inversion, check_crystal_kernel, copies, examples, symmetries
from laws import ChiSquare, check_action, check_reproducible
from sympe import InversionKernel
from sympe.actions import CrystalMotion
from sympe.canonicalize import CrystalFrames
from sympe.canonicalize.crystal_frames import _is_rarest
from sympe.crystals import Crystals, from_ase, from_cells

EXAMPLES = examples()
FEW = ("rock salt", "wurtzite", "two cells of hcp", "zigzag chain")


class FirstOfTied(CrystalFrames):
    """Takes the first of the descriptions that tie, by storage."""

    def forward(self, x: Crystals, generator: torch.Generator | None = None):
        crystal, basis, origin = self.tied(x)
        first = torch.searchsorted(crystal, torch.arange(len(x)))
        return self._elements(x, basis[first], origin[first])


class StoredCell(CrystalFrames):
    """Takes the lattice vectors as they are stored, and the first site."""

    def tied(self, x: Crystals):
        first = _is_rarest(x).nonzero()[:, 0]
        return torch.arange(len(x)), x.cell.double(), first[torch.searchsorted(x.batch[first], torch.arange(len(x)))]


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
def test_frames_are_the_inversion_kernel(special: bool, generator: torch.Generator) -> None:
    kernel, test = InversionKernel(CrystalFrames(special)), ChiSquare()
    for name, atoms in EXAMPLES.items():
        part = check_crystal_inversion(kernel, name, atoms, generator, special, per=5 + 2 * special)
        test._add(name, part.statistic, part.freedom)
    test.require("g~ is uniform on the coset of the space group")


def test_orders_of_the_stabilizers() -> None:
    orders = {name: len(symmetries(from_ase(atoms))[0]) for name, atoms in EXAMPLES.items()}
    assert orders == {
        "rock salt": 48, "perovskite": 48, "diamond": 48, "hcp": 24, "wurtzite": 12, "quartz, chiral": 6,
        "lead titanate, polar": 8, "2 x 2 x 2 cells": 64, "two cells of hcp": 48, "slab": 12,
        "graphene": 24, "tube": 16, "zigzag chain": 8, "triclinic": 1,
    }  # fmt: skip


def test_sites_at_quarters_of_the_cell_have_one_order() -> None:
    """The 384 descriptions of a perovskite in 2 x 2 x 2 cells differ by its symmetries alone."""
    atoms = EXAMPLES["perovskite"].repeat(2)
    _, (permutation, matrices) = CrystalFrames().equally_likely(from_ase(atoms))
    images = permutation.image.view(384, 40) - 40 * torch.arange(384)[:, None]
    steps, place = (matrices @ matrices[0].T).numpy(), torch.from_numpy(atoms.positions)
    for step, image in zip(steps, images, strict=True):
        moved = torch.empty_like(place)
        moved[image] = place[images[0]] @ torch.from_numpy(step).T
        away = (moved - place) / 7.8
        away = away - away[0]
        assert (away - away.round()).abs().max() < 1e-9


def test_the_law_moves_with_the_input(generator: torch.Generator) -> None:
    test = ChiSquare()
    for name in FEW:
        part = check_crystal_kernel(InversionKernel(CrystalFrames()), from_ase(EXAMPLES[name]), generator, 800)
        test._add(name, part.statistic, part.freedom)
    test.require("law(g~ | k x) = law(k g~ | x)")


@pytest.mark.parametrize("name", ["rock salt", "two cells of hcp"])
def test_the_checker_rejects_ties_broken_by_storage(name: str, generator: torch.Generator) -> None:
    test = check_crystal_inversion(InversionKernel(FirstOfTied()), name, EXAMPLES[name], generator)
    with pytest.raises(AssertionError, match="g~ is uniform"):
        test.require("g~ is uniform")


@pytest.mark.parametrize("name", ["wurtzite", "quartz, chiral"])
def test_the_checker_rejects_the_stored_cell(name: str, generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=r"no element of the coset|the forms"):
        check_crystal_inversion(InversionKernel(StoredCell()), name, EXAMPLES[name], generator)


def test_the_checker_rejects_draws_that_follow_the_orientation(generator: torch.Generator) -> None:
    frames = FirstOfTied()
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\)"):
        check_crystal_kernel(frames, from_ase(EXAMPLES["rock salt"]), generator).require("law(g~ | k x)")


def test_action_and_seeds(generator: torch.Generator) -> None:
    x = from_cells([[[3, 0, 0], [0, 4, 0], [0, 1, 5]]] * 2, [[[0, 0, 0], [0.3, 0.4, 0.5]]] * 2, [["H", "O"]] * 2,
                   moments=[[[1, 2, 3], [0, 0, 1]]] * 2, displacements=[[[0, 2, 3], [0, 1, 1]]] * 2)  # fmt: skip

    def equal(a: Crystals, b: Crystals) -> bool:
        pairs = [(a.sites.position, b.sites.position), (a.cell, b.cell), (a.moment, b.moment),
                 (a.displacement, b.displacement), (a.species.double(), b.species.double())]  # fmt: skip
        return all(torch.allclose(one, two, atol=1e-9) for one, two in pairs)

    check_action(CrystalMotion(), x, equal, lambda x: x.select([0, 1]), generator)
    kernel = InversionKernel(CrystalFrames())
    check_reproducible(lambda seeded: kernel(copies(x, 5), seeded)[1])


def test_moments_are_axial_and_displacements_polar(generator: torch.Generator) -> None:
    """A moment along a fourfold axis leaves C4h, a displacement C4v, of the 48 symmetries."""
    cell, up = [[[3, 0, 0], [0, 3, 0], [0, 0, 3]]], [[[0, 0, 1]]]
    for given, order in (({}, 48), ({"moments": up}, 8), ({"displacements": up}, 8)):
        x = from_cells(cell, [[[0, 0, 0]]], [["Fe"]], **given)
        _, (_, matrices) = CrystalFrames().equally_likely(x)
        steps = matrices @ matrices[0].T
        assert len(steps) == order
        if given:
            sign = torch.linalg.det(steps)[:, None] if "moments" in given else 1
            assert torch.allclose(sign * (steps @ torch.tensor(up[0][0]).double()), torch.tensor(up[0]).double())


def test_noise_below_the_tolerance_is_ignored_and_distortions_are_seen(generator: torch.Generator) -> None:
    atoms = EXAMPLES["perovskite"]
    for amplitude, order in ((1e-3, 48), (0.1, 8)):
        moved = atoms.copy()
        if amplitude < 0.01:
            moved.positions += amplitude * torch.randn(5, 3, generator=generator).clamp(-2, 2).numpy()
        else:
            moved.positions[1, 2] += amplitude  # titanium leaves the center: P4mm
        assert len(CrystalFrames().tied(from_ase(moved))[0]) == order


def test_large_cells_are_refused(generator: torch.Generator) -> None:
    grid = torch.cartesian_prod(*[torch.arange(20)] * 3) / 20
    with pytest.raises(ValueError, match="expected crystals of fewer sites; got 8000"):
        CrystalFrames().tied(from_cells([torch.eye(3) * 40], [grid], [[13] * 8000]))
    with pytest.raises(ValueError, match="tolerance must be positive"):
        CrystalFrames(tolerance=0)
