"""Frames of crystals: the law of g~ on prototypes, supercells, slabs and chains, in all descriptions."""

import pytest
import torch

pytest.importorskip("ase")

from crystal_laws import check_crystal_inversion, check_crystal_kernel, copies, examples, symmetries
from laws import ChiSquare, check_action, check_reproducible
from sympe import InversionKernel
from sympe.actions import CrystalMotion
from sympe.canonicalize import CrystalFrames
from sympe.canonicalize.crystal_frames import Descriptions, _is_rarest
from sympe.crystals import Crystals, from_ase, from_cells
from sympe.groups import Permutation

EXAMPLES = examples()
FEW = ("rock salt", "wurtzite", "two cells of hcp", "zigzag chain")


class FirstOfTied(CrystalFrames):
    """Takes the first of the descriptions that tie, by storage."""

    def forward(self, x: Crystals, generator: torch.Generator | None = None):
        ways = self.tied(x)
        return self._elements(x, ways.at(torch.searchsorted(ways.crystal, torch.arange(len(x)))))


class StoredCell(CrystalFrames):
    """Takes the lattice vectors as they are stored, and the first site."""

    def tied(self, x: Crystals):
        first = _is_rarest(x).nonzero()[:, 0]
        every = torch.arange(len(x))
        origin = first[torch.searchsorted(x.batch[first], every)]
        return Descriptions(every, x.cell.double(), origin, torch.zeros_like(every))


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
    """In one orientation the first of those that tie may happen to be the right one."""
    x, frames = from_ase(EXAMPLES["rock salt"]), FirstOfTied()
    tests = [check_crystal_kernel(frames, x, generator, draws=200) for _ in range(5)]
    assert sum(test.p_value < 1e-4 for test in tests) >= 3


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


#: Moments of body-centered iron in its cubic cell: order of its magnetic group, and of the part that keeps time.
MAGNETIC = {
    "ferromagnet": ([[0, 0, 2.0], [0, 0, 2.0]], 32, 16),
    "antiferromagnet": ([[0, 0, 2.0], [0, 0, -2.0]], 32, 16),
    "along a diagonal": ([[1.0, 1, 1], [-1, -1, -1]], 24, 12),
    "canted": ([[0, 0.3, 2], [0, 0.3, -2]], 8, 4),
    "generic": ([[0.1, 0.5, 1], [0.7, -0.3, 0.2]], 2, 2),
}


def magnetic(name: str) -> Crystals:
    cell, sites = [2.87 * torch.eye(3)], [[[0, 0, 0], [0.5] * 3]]
    return from_cells(cell, sites, [["Fe", "Fe"]], moments=[MAGNETIC[name][0]])


@pytest.mark.parametrize("name", MAGNETIC)
def test_time_reversal(name: str, generator: torch.Generator) -> None:
    """Each element of the magnetic group is drawn alike: those of x are g h^-1 for any two draws g and h."""
    x, (_, order, keeping) = magnetic(name), MAGNETIC[name]
    frames = CrystalFrames(time_reversal=True)
    action, group = frames.action, frames.action.group
    assert len(CrystalFrames().tied(x).crystal) == keeping
    many, g = frames.equally_likely(x)
    assert len(many) == order
    form = action.act(group.inverse(g), many).moment
    assert torch.allclose(form.view(order, 6), form[:2].reshape(1, 6), atol=1e-6)

    count = 12 * order
    permutation, matrix, flips = InversionKernel(frames)(copies(x, count), generator)
    keys = torch.cat([permutation.rank.view(count, 2), (matrix * 2).round().flatten(1), flips[:, None]], dim=1)
    test = ChiSquare()
    test.fit(name, torch.unique(keys, dim=0, return_counts=True)[1].numpy())
    assert len(torch.unique(keys, dim=0)) == order
    test.require("g~ is uniform on the coset of the magnetic group")


def test_without_moments_time_reversal_is_a_symmetry() -> None:
    x = from_cells([[[0, 2.8, 2.8], [2.8, 0, 2.8], [2.8, 2.8, 0]]], [[[0, 0, 0], [0.5] * 3]], [["Na", "Cl"]])
    _, (_, matrix, flips) = CrystalFrames(time_reversal=True).equally_likely(x)
    assert (len(matrix), int(flips.sum())) == (96, 48)


def test_the_law_with_time_reversal_moves_with_the_input(generator: torch.Generator) -> None:
    """p(k^-1 g~ | k x) = p(g~ | x) for a k that flips moments; a kernel without time reversal sees another crystal."""
    frames = CrystalFrames(time_reversal=True)
    action, group, kernel = frames.action, frames.action.group, InversionKernel(frames)
    x = copies(magnetic("canted"), 300)
    permutation, matrix = (part for part in CrystalMotion().group.haar(x.select([0]), generator))
    one = action.act((permutation, matrix, torch.ones(1, dtype=torch.long)), x.select([0]))
    assert torch.allclose(one.moment.norm(dim=1), x.moment[:2].norm(dim=1)[permutation.preimage])
    many = copies(one, 300)
    k = (Permutation.trusted(permutation.image.repeat(300) + many.start, many), matrix.expand(300, 3, 3),
         torch.ones(300, dtype=torch.long))  # fmt: skip
    there = group.compose(group.inverse(k), kernel(many, generator))
    test = ChiSquare()
    test.compare("", *(torch.cat([g[0].rank.view(300, 2), (g[1] @ torch.randn(
        3, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)).sign()[:, :, 0], g[2][:, None]], dim=1)
        .long().numpy() for g in (kernel(x, generator), there)))  # fmt: skip
    test.require("law(g~ | k x) = law(k g~ | x)")


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
