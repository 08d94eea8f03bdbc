r"""What kernels of crystals must obey: the laws of :mod:`laws`, for pairs of a permutation and a matrix.

The symmetries that the draws are counted over come from :func:`symmetries`, which tries integer matrices on the
lattice and all images of one site, and knows nothing of candidate bases, of frames or of moyopy.
"""

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk, fcc111, graphene, nanotube
from ase.geometry import minkowski_reduce
from ase.spacegroup import crystal
from torch import Tensor

from laws import ChiSquare
from sympe.actions import CrystalMotion
from sympe.crystals import Crystals, from_ase
from sympe.groups import Permutation

#: A law of pairs: what an ``InversionKernel`` computes for crystals, or a wrong one.
CrystalKernel = Callable[[Crystals, torch.Generator], tuple[Permutation, Tensor]]


def examples() -> dict[str, Atoms]:
    """Crystals of many kinds, as ASE makes them."""
    tube, zigzag = nanotube(2, 0, bond=1.42), Atoms("C2", [[0, 0, 0], [0.6, 0, 1.2]], cell=[9, 9, 2.4])
    tube.pbc = zigzag.pbc = (False, False, True)
    quartz = {"spacegroup": 152, "cellpar": [4.916, 4.916, 5.4054, 90, 90, 120]}
    cubic = {"spacegroup": 221, "cellpar": [3.9, 3.9, 3.9, 90, 90, 90]}
    polar = {"spacegroup": 99, "cellpar": [3.99, 3.99, 4.03, 90, 90, 90]}
    return {
        "rock salt": bulk("NaCl", "rocksalt", a=5.64),
        "perovskite": crystal(["Sr", "Ti", "O"], [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)], **cubic),
        "diamond": bulk("Si"),
        "hcp": bulk("Mg"),
        "wurtzite": bulk("ZnO", "wurtzite", a=3.25, c=5.2),
        "quartz, chiral": crystal(["Si", "O"], [(0.4697, 0, 1 / 3), (0.4135, 0.2669, 0.7858)], **quartz),
        "lead titanate, polar": crystal(
            ["Pb", "Ti", "O", "O"], [(0, 0, 0), (0.5, 0.5, 0.54), (0.5, 0.5, 0.11), (0.5, 0, 0.62)], **polar
        ),
        "2 x 2 x 2 cells": Atoms("Po", cell=[3.0, 3.5, 4.0], pbc=True).repeat(2),
        "two cells of hcp": bulk("Mg").repeat((1, 1, 2)),
        "slab": fcc111("Al", (1, 1, 3), vacuum=8),
        "graphene": graphene(),
        "tube": tube,
        "zigzag chain": zigzag,
        "triclinic": crystal(["C", "N"], [(0, 0, 0), (0.31, 0.22, 0.45)], spacegroup=1, cellpar=[4, 5, 6, 75, 80, 95]),
    }


def redescribed(atoms: Atoms, rng: np.random.Generator) -> Atoms:
    """The same crystal: other lattice vectors, origin, orientation and order, and sites moved by lattice vectors."""
    atoms = atoms.copy()
    steps = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]]) if atoms.pbc.all() else np.eye(3, dtype=int)
    if atoms.pbc.sum() == 2:
        steps[0, 1] = 2
    atoms.set_cell(steps @ atoms.cell.array)
    move = rng.integers(-2, 3, (len(atoms), 3)) * atoms.pbc
    atoms.positions += move @ atoms.cell.array + rng.normal(size=3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    atoms.set_cell(atoms.cell.array @ turn.T)
    atoms.positions = atoms.positions @ turn.T
    return atoms[rng.permutation(len(atoms))]


def copies(x: Crystals, count: int) -> Crystals:
    """One crystal, many times."""
    return x.select([0] * count)


@cache
def _integer_matrices(rank: int) -> np.ndarray:
    found = np.array(list(product((-1, 0, 1), repeat=rank * rank))).reshape(-1, rank, rank)
    return found[np.abs(np.abs(np.linalg.det(found)) - 1) < 1e-9]


def symmetries(x: Crystals, special: bool = False, tolerance: float = 1e-3) -> tuple[Tensor, Tensor]:
    """All pairs of a permutation (its images) and a matrix that take one crystal to itself, by brute force."""
    cell, pbc = x.cell[0].double().numpy(), x.pbc[0].numpy()
    position, kinds = x.sites.position.double().numpy(), x.species.numpy()
    lattice = minkowski_reduce(np.where(pbc[:, None], cell, 0), pbc)[0][pbc] if pbc.sum() > 1 else cell[pbc]
    rank = len(lattice)
    metric = lattice @ lattice.T
    inside = np.linalg.pinv(lattice)  # the projection on what the lattice spans
    turns = []
    for integral in _integer_matrices(rank):
        if np.abs(integral.T @ metric @ integral - metric).max() < tolerance * np.abs(metric).max():
            turns.append(lattice.T @ integral @ inside.T)
    if rank == 2:
        normal = np.cross(*lattice) / np.linalg.norm(np.cross(*lattice))
        turns = [turn + s * np.outer(normal, normal) for turn in turns for s in (1, -1)]
    if rank == 1:  # all turns about the axis that take one site off the axis to another
        turns = list(_about_axis(position - position.mean(0), turns, lattice[0]))
    shifts = lattice.T @ np.array(list(product(range(-1, 2), repeat=rank))).T
    found = []
    for turn in turns:
        if special and np.linalg.det(turn) < 0:
            continue
        for target in np.flatnonzero(kinds == kinds[0]):
            moved = position @ turn.T + position[target] - turn @ position[0]
            step = moved[:, None] - position
            whole = np.rint(step @ inside) @ lattice
            near = np.linalg.norm((step - whole)[..., None] - shifts, axis=2).min(2) < tolerance
            near &= kinds[:, None] == kinds
            if (near.sum(1) == 1).all() and (near.sum(0) == 1).all():
                image = near.argmax(1)
                if not any((image == p).all() and np.abs(turn - t).max() < 0.1 for p, t in found):
                    found.append((image, turn))
    return torch.tensor(np.array([p for p, _ in found])), torch.tensor(np.array([t for _, t in found]))


def _about_axis(centered: np.ndarray, turns: list[np.ndarray], axis: np.ndarray):
    axis = axis / np.linalg.norm(axis)
    across = centered - np.outer(centered @ axis, axis)
    far = across[np.linalg.norm(across, axis=1).argmax()]
    for other in across:
        if abs(np.linalg.norm(other) - np.linalg.norm(far)) < 1e-3:
            for s, along in product((1, -1), repeat=2):
                old = np.stack([axis, far, np.cross(axis, far)])
                new = np.stack([along * axis, other, s * np.cross(axis, other)])
                yield new.T @ np.linalg.inv(old.T)


def check_crystal_kernel(
    kernel: CrystalKernel, x: Crystals, generator: torch.Generator, draws: int = 1500, special: bool = False
) -> ChiSquare:
    """The law of g~ moves with the input, law(k^-1 g~ | k x) = law(g~ | x), for a relabeling and a rotation k."""
    action = CrystalMotion(special)
    k = action.group.haar(x, generator)
    here = kernel(copies(x, draws), generator)
    many = copies(action.act(k, x), draws)
    back = action.group.inverse((_repeated(k[0], many), k[1].expand(draws, 3, 3)))
    there = action.group.compose(back, kernel(many, generator))
    test = ChiSquare()
    test.compare("", _bins(here, x), _bins(there, x))
    return test


def check_crystal_inversion(
    kernel: CrystalKernel, name: str, atoms: Atoms, generator: torch.Generator, special: bool = False, per: int = 6
) -> ChiSquare:
    """Draws for a crystal and for other descriptions of it show one form, and g~ is uniform on the coset.

    With g drawn for x and g' for k x, the element k^-1 g' g^-1 must be a symmetry of x, a pair with its own matrix.
    """
    x = from_ase(atoms)
    images, matrices = symmetries(x, special)
    count = max(120, per * len(images))
    many = copies(x, count)
    permutation, g = kernel(many, generator)
    n = x.sites.num_points
    image = (permutation.image - permutation.start).view(count, n)
    back = torch.empty_like(image).scatter_(1, image, torch.arange(n).expand_as(image))  # site -> rank
    counts = _indices(image.gather(1, back[:1].expand(count, n)), g @ g[:1].transpose(1, 2), images, matrices, name)
    test = ChiSquare()
    test.fit(name, np.bincount(counts, minlength=len(images)))

    rng = np.random.default_rng(0)
    for _ in range(4):
        other = redescribed(atoms, rng)
        y = from_ase(other)
        y_permutation, y_g = kernel(y, generator)
        check_same_form(x, permutation.rank[:n], g[0], y, y_permutation.rank, y_g[0], name)
    return test


def check_same_form(x: Crystals, rank: Tensor, g: Tensor, y: Crystals, y_rank: Tensor, h: Tensor, name: str) -> None:
    """Seen through the draws, two descriptions have the same lattice, species, and vectors between sites."""
    lattice = x.cell[0][x.pbc[0]].double() @ g.double()
    other = y.cell[0][y.pbc[0]].double() @ h.double()
    inside = torch.linalg.pinv(lattice)
    assert (other @ inside - (other @ inside).round()).abs().max() < 1e-3, f"{name}: the forms have other lattices"
    a, b = rank.argsort(), y_rank.argsort()
    assert torch.equal(x.species[a], y.species[b]), f"{name}: the forms have other species"
    p, q = x.sites.position.double()[a] @ g.double(), y.sites.position.double()[b] @ h.double()
    step = (p - p[0]) - (q - q[0])
    step = step - (step @ inside).round() @ lattice
    assert step.norm(dim=1).max() < 2e-2, f"{name}: the forms differ by {step.norm(dim=1).max():.1e}"


def _indices(image: Tensor, step: Tensor, images: Tensor, matrices: Tensor, name: str) -> np.ndarray:
    """Which symmetry each element is."""
    distance = torch.cdist(step.double().flatten(1), matrices.flatten(1))
    same = (image[:, None] == images).all(2) & (distance < 0.1)
    assert bool((same.sum(1) == 1).all()), f"{name}: a draw is no element of the coset"
    return same.int().argmax(1).numpy()


def _bins(g: tuple[Permutation, Tensor], x: Crystals) -> np.ndarray:
    """One row of integers for each pair: signs of generic functions of it."""
    weight = torch.randn(4, 9, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    signs = (g[1].double().flatten(1) @ weight.T > 0).int().numpy()
    rank = g[0].rank.view(-1, x.sites.num_points).numpy()
    return np.concatenate([signs, rank[:, :2]], axis=1)


def _repeated(permutation: Permutation, many: Crystals) -> Permutation:
    return Permutation.trusted(permutation.image.repeat(len(many)) + many.start, many)
