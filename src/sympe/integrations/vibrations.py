r"""Modes of a structure by irreps of its symmetries, and the directions in a space of modes that keep symmetries.

The Hessian obeys :math:`H_{g(i) g(j)} = R_g H_{ij} R_g^\top`, so its rows at one site of each orbit give all of it, and
the average over the group makes degeneracies exact: each eigenspace is one irrep, barring accidents.

A displacement in a space of modes keeps a subgroup of the symmetries, and those that a subgroup keeps form a linear
space. One of dimension 1 is a direction along which the energy of a symmetric structure must have extrema: in the
landscape of a perovskite whose octahedra tilt they are the tilts about one, two or three axes (H. T. Stokes,
D. M. Hatch, *Isotropy subgroups of the 230 crystallographic space groups*, 1988). All are intersections of the spaces
that single elements keep.

Atoms that ASE's ``FixAtoms`` holds stay where they are, and are a kind of their own: symmetries map them to each other.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from sympe.crystals import Crystals, SpaceGroup, from_ase, stabilizers
from sympe.extras import require
from sympe.points import PointClouds, as_clouds
from sympe.points.modes import irrep_label
from sympe.points.symmetry import Stabilizer
from sympe.points.symmetry import stabilizers as of_clouds
from sympe.settings import require_positive

#: Most spaces, up to symmetry, that are searched for.
_MOST = 1000


@dataclass(frozen=True, eq=False)
class Mode:
    """Displacements of one curvature.

    Attributes:
        curvature: Second derivative of the energy, in eV per square angstrom; negative for an unstable mode.
        vectors: An orthonormal basis.
        irrep: Its label; see :func:`~sympe.points.modes.irrep_label`.
    """

    curvature: float
    vectors: Float[np.ndarray, "k n 3"]
    irrep: str


def modes(atoms: Any, step: float = 0.01, tolerance: float = 1e-2) -> list[Mode]:
    """The modes of a structure, from its calculator by central differences, the most unstable first.

    Each spans a space that the symmetries map to itself. Translations of the whole, and rotations of molecules, are
    projected out unless they move fixed atoms. Takes 6 evaluations of forces for each orbit of free atoms.

    Args:
        atoms: Atoms with a calculator.
        step: Of the differences, in angstrom.
        tolerance: Of the symmetries, in angstrom.

    Raises:
        ValueError: If there is no calculator, its forces are not finite, the structure has fewer than 2 atoms, or see
            :func:`fixed`.
    """
    n, held = len(atoms), fixed(atoms)
    if atoms.calc is None or n < 2:
        raise ValueError(f"expected 2 atoms or more, with a calculator; got {n}, calculator {atoms.calc}")
    require_positive(step=step)
    symmetry = symmetries(atoms, tolerance)
    hessian = _hessian(atoms, step, symmetry.matrices.numpy(), symmetry.permutations.numpy(), held)
    whole = np.tile(np.eye(3)[:, None], (1, n, 1))
    if not np.any(atoms.pbc):
        whole = np.concatenate([whole, np.cross(np.eye(3)[:, None], atoms.positions - atoms.positions.mean(0))])
    seen = whole[:, held].reshape(len(whole), -1)
    sizes, mixtures = np.linalg.eigh(seen @ seen.T)
    whole = mixtures[:, sizes < 1e-6 * n].T @ whole.reshape(len(whole), -1)
    lengths = np.linalg.norm(whole, axis=1, keepdims=True)
    whole /= np.maximum(lengths, 1e-3 * lengths.max(initial=0))  # of a straight molecule, one is no motion
    _, sizes, directions = np.linalg.svd(np.concatenate([whole, np.eye(3 * n)[np.repeat(held, 3)]]))
    rest = directions[int((sizes > 1e-3 * sizes[0]).sum()) :].T
    values, vectors = np.linalg.eigh(rest.T @ (hessian + hessian.T) @ rest / 2)
    # Of an infinite group only some elements are averaged over.
    slack = (1e-3 if math.isinf(symmetry.order) else 1e-6) * np.abs(values).max()
    starts = [0, *(np.flatnonzero(np.diff(values) > slack) + 1).tolist(), len(values)]
    shifts, found = None, []
    if isinstance(symmetry, SpaceGroup):
        shifts = symmetry.translations.numpy() @ np.linalg.inv(from_ase(atoms).cell[0].numpy())
    for start, end in pairwise(starts):
        basis = (rest @ vectors[:, start:end]).T.reshape(-1, n, 3)
        found.append(Mode(float(values[start:end].mean()), basis, _label(symmetry, basis, shifts)))
    return found


def symmetries(atoms: Any, tolerance: float) -> Stabilizer:
    """The symmetries of a crystal modulo its lattice, or of a molecule, on the CPU in double precision."""
    x = as_input(atoms)
    return stabilizers(x, tolerance=tolerance)[0] if isinstance(x, Crystals) else of_clouds(x, tolerance=tolerance)[0]


def as_input(atoms: Any) -> Crystals | PointClouds:
    """A crystal or a molecule, on the CPU in double precision, whose fixed atoms are a kind of their own."""
    x: Any = from_ase(atoms) if np.any(atoms.pbc) else as_clouds(atoms).to("cpu", torch.float64)
    if not (held := fixed(atoms)).any():
        return x  # type: ignore[no-any-return]
    sites: Any = x.sites if isinstance(x, Crystals) else x
    marked = replace(sites, species=2 * sites.species + torch.from_numpy(held))
    return replace(x, sites=marked) if isinstance(x, Crystals) else marked


def fixed(atoms: Any) -> Bool[np.ndarray, "n"]:
    """Which atoms constraints hold in all directions; ``FixCom`` holds none.

    Raises:
        ValueError: If all are held, or there are other constraints: what they leave free need not be a space that the
            symmetries map to itself.
    """
    held = np.zeros(len(atoms), dtype=bool)
    for one in atoms.constraints:
        known = require("ase.constraints", "crystals", "constraints of ASE")
        if isinstance(one, known.FixCom):
            continue
        if not isinstance(one, known.FixAtoms) and not np.all(getattr(one, "mask", False)):
            raise ValueError(
                f"expected atoms that are free, or fixed by FixAtoms; got {type(one).__name__}: remove it with "
                f"atoms.set_constraint(), and set it on the atoms that come back"
            )
        held[one.index] = True
    if len(held) and held.all():
        raise ValueError(f"expected an atom that is free; all {len(held)} are fixed")
    return held


def representation(symmetry: Stabilizer, basis: Float[np.ndarray, "d n 3"]) -> Float[np.ndarray, "m d d"]:
    """How the symmetries act on a space of displacements with this orthonormal basis."""
    matrices, images = symmetry.matrices.double().numpy(), symmetry.permutations.numpy()
    turned = np.einsum("kab,dib->kdia", matrices, basis)
    moved = np.empty_like(turned)
    for k, image in enumerate(images):
        moved[k][:, image] = turned[k]
    rho: np.ndarray = np.einsum("cia,kdia->kcd", basis, moved)
    return rho


def fixed_spaces(rho: Float[np.ndarray, "m d d"]) -> list[Float[np.ndarray, "d d"]]:
    """The spaces of all vectors that some subgroup fixes, one of each orbit, as projectors, the smallest first.

    Raises:
        ValueError: If there are very many.
    """
    rho = _distinct(rho)
    base = _distinct(_fixed((rho + rho.transpose(0, 2, 1)) / 2))
    found: list[Float[np.ndarray, "d d"]] = []
    queue = [np.eye(rho.shape[1])]
    while queue:
        space = queue.pop()
        images = rho @ space @ rho.transpose(0, 2, 1)
        if any(np.abs(images - other).max((1, 2)).min() < 1e-6 for other in found):
            continue
        found.append(space)
        if len(found) > _MOST:
            raise ValueError(f"expected fewer modes; {rho.shape[1]} together have more than {_MOST} directions")
        queue += [other for other in _distinct(_fixed((space + base) / 2)) if np.trace(other) > 0.5]
    return sorted(found, key=np.trace)


def _fixed(matrices: Float[np.ndarray, "m d d"]) -> Float[np.ndarray, "m d d"]:
    """Projectors onto the eigenvectors of eigenvalue 1, the greatest, of symmetric matrices."""
    values, vectors = np.linalg.eigh(matrices)
    kept = vectors * (values > 1 - 1e-6)[:, None]
    projectors: np.ndarray = kept @ kept.transpose(0, 2, 1)
    return projectors


def _distinct(matrices: Float[np.ndarray, "m d d"]) -> Float[np.ndarray, "k d d"]:
    _, first = np.unique(matrices.round(5) + 0.0, axis=0, return_index=True)
    return matrices[np.sort(first)]


def _hessian(
    atoms: Any,
    step: float,
    matrices: Float[np.ndarray, "m 3 3"],
    images: Int[np.ndarray, "m n"],
    held: Bool[np.ndarray, "n"],
) -> Float[np.ndarray, "e e"]:
    """The Hessian, without the rows of atoms that are held."""
    n = len(atoms)
    moved, hessian = atoms.copy(), np.zeros((n, n, 3, 3))
    moved.calc = atoms.calc
    for first in np.unique(images.min(0)[~held]):
        rows = np.empty((3, n, 3))
        for axis in range(3):
            forces = []
            for sign in (1, -1):
                moved.positions = atoms.positions
                moved.positions[first, axis] += sign * step
                forces.append(moved.get_forces(apply_constraint=False))
            if np.shape(forces) != (2, n, 3) or not np.isfinite(forces).all():
                got = f"{list(np.shape(forces)[1:])}{', not finite' * (not np.isfinite(forces).all())}"
                raise ValueError(f"expected finite forces of shape [{n}, 3] from the calculator; got {got}")
            rows[axis] = (forces[1] - forces[0]) / (2 * step)
        orbit, size = images[:, first], len(np.unique(images[:, first]))
        for matrix, image, site in zip(matrices, images, orbit, strict=True):
            hessian[site, image] += np.einsum("ab,bjc,dc->jad", matrix, rows, matrix) * size / len(images)
    return hessian.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n)


def _label(symmetry: Stabilizer, basis: Float[np.ndarray, "k n 3"], shifts: Float[np.ndarray, "m 3"] | None) -> str:
    characters = np.trace(representation(symmetry, basis), axis1=1, axis2=2)
    return irrep_label(symmetry.matrices.numpy(), characters, len(basis), shifts)
