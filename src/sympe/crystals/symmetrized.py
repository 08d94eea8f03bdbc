r"""Crystals with the exact symmetries that they have to within a tolerance: cell, sites and vectors averaged.

An element k of the space group is a motion :math:`(R_k, t_k)`. It takes the lattice vectors A, in rows, to
:math:`W_k A` with whole numbers :math:`W_k`, and site i to an image of site k(i) that whole numbers :math:`n_{ki}`
name. As for points (:mod:`sympe.points.symmetrized`), two steps alternate until nothing moves: averages

.. math:: A \mapsto \frac 1 m \sum_k W_k^{-1} A R_k^\top, \qquad
   x_i \mapsto \frac 1 m \sum_k R_k^\top (x_{k(i)} + n_{ki} A - t_k),

and fits of each motion to them, with the whole numbers kept.
"""

from dataclasses import replace

import torch

from sympe.crystals.crystals import Crystals, completed, concatenate
from sympe.crystals.symmetry import SpaceGroup, stabilizers
from sympe.points.symmetry import best_fit

_STEPS = 1000


def symmetrize(crystals: Crystals, special: bool = False, tolerance: float = 1e-2) -> Crystals:
    """Crystals that have, exactly, the symmetries that these have to within the tolerance.

    Args:
        crystals: The crystals. Moments and displacements are averaged as well.
        special: Rotations only.
        tolerance: In angstrom; see :func:`~sympe.crystals.stabilizers`. A large one finds more symmetries.

    Raises:
        ValueError: If a crystal is not valid, or no group is found.

    Example:
        >>> from sympe.crystals import from_cells
        >>> strained = from_cells([[[3.01, 0, 0], [0, 3, 0], [0, 0, 2.99]]], [[[0, 0, 0]]], [["Po"]])
        >>> symmetrize(strained, tolerance=0.1).cell[0].diagonal()
        tensor([3., 3., 3.], dtype=torch.float64)
    """
    groups = stabilizers(crystals, special, tolerance)
    every = crystals.to("cpu", torch.float64)
    parts = [_averaged(every.select([index]), group) for index, group in enumerate(groups)]
    return concatenate(parts).to(crystals.device, crystals.dtype)


def _averaged(x: Crystals, group: SpaceGroup) -> Crystals:
    matrices, shifts, images = group.matrices, group.translations, group.permutations
    places, lattice, is_proper = x.sites.position, x.cell[0][x.pbc[0]], torch.linalg.det(group.matrices) > 0
    inside = torch.linalg.pinv(lattice)
    whole = (lattice @ matrices.transpose(1, 2) @ inside).round()
    moved = places @ matrices.transpose(1, 2) + shifts[:, None]
    across = ((moved - places[images]) @ inside).round()
    for _ in range(_STEPS):
        before, center = places, places.mean(0)
        targets = places[images] + across @ lattice
        places = torch.einsum("kba,kib->ia", matrices, targets - shifts[:, None]) / len(matrices)
        lattice = (torch.linalg.inv(whole) @ lattice @ matrices.transpose(1, 2)).mean(0)
        if group.axis is not None:
            places = center + ((places - center) @ group.axis)[:, None] * group.axis
        center, targets = places.mean(0), places[images] + across @ lattice
        middle = targets.mean(1, keepdim=True)
        both = torch.cat([targets - middle, whole @ lattice], dim=1)
        matrices = best_fit(torch.cat([places - center, lattice]), both, is_proper)
        shifts = middle[:, 0] - matrices @ center
        if bool((places - before).abs().max() <= 1e-12 * (1 + float(lattice.norm(dim=1).max()))):
            break
    cell = x.cell.clone()
    cell[0, x.pbc[0]] = lattice
    sites = replace(x.sites, position=places)
    sign = (2 * is_proper - 1)[:, None, None] * (1 - 2 * group.reverses_time.long())[:, None, None]
    vectors = {
        name: torch.einsum("kba,kib->ia", matrices, vector[images] * (sign if name == "moment" else 1)) / len(matrices)
        for name, vector in x.vectors().items()
    }
    moment, displacement = vectors.get("moment"), vectors.get("displacement")
    return Crystals(sites, completed(cell[0], x.pbc[0])[None], x.pbc, moment, displacement)
