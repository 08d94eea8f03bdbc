r"""Rotations, reflections and relabelings acting on crystals.

E(3) acts on a crystal by :math:`x_i \mapsto R x_i + t`, and relabeling moves site i to place :math:`\pi(i)`. What a
network computes at sites does not depend on the origin, so crystals are taken up to translation and an element is the
pair :math:`(\pi, R)`. Nothing is lost: the pair fixes the t of a symmetry :math:`R x_i + t = x_{\pi(i)}` up to lattice
vectors, and a translation that is a symmetry permutes sites. So the stabilizer of a crystal in
:math:`S_n \times O(3)` is its space group modulo the lattice of its cell, translations included.

Moments are axial, :math:`m \mapsto \det(R) R m`; displacements are polar. With time reversal an element is a triple
:math:`(\pi, R, s)`, where s is 1 if it flips all moments, and 0 if not.
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions.base import Action
from sympe.crystals import Crystals, as_crystals
from sympe.groups import OrthogonalGroup, ProductGroup, SymmetricGroup, cyclic
from sympe.groups.product import Elements
from sympe.precision import outside_autocast


class CrystalMotion(Action[Elements, Crystals]):
    r"""Left action of :math:`S_n \times O(3)`, or :math:`S_n \times SO(3)`, on crystals, taken up to translation.

    Args:
        special: Rotations only.
        time_reversal: Whether elements may flip all moments besides: a third factor, of two elements.
    """

    def __init__(self, special: bool = False, time_reversal: bool = False) -> None:
        time = (cyclic(2),) if time_reversal else ()
        self.group = ProductGroup(SymmetricGroup(), OrthogonalGroup(3, special), *time)

    def check(self, x: Crystals) -> None:
        if not isinstance(x, Crystals):
            raise ValueError(f"expected sympe.crystals.Crystals; got {type(x).__name__}: make them with from_cells")
        x.check_finite()

    def take(self, x: object) -> Crystals:
        """Crystals of any kind; see :func:`~sympe.crystals.as_crystals`."""
        crystals = as_crystals(x)
        self.check(crystals)
        return crystals

    def log_orbit(self, x: Crystals) -> Float[Tensor, "B"]:
        """Infinite: every crystal has a lattice vector, which turns."""
        return torch.full((len(x),), torch.inf, dtype=torch.float64, device=x.device)

    @outside_autocast
    def act(self, g: Elements, x: Crystals) -> Crystals:
        """The crystals turned about the origin of their coordinates, and their sites relabeled.

        Raises:
            ValueError: If ``g`` permutes another number of sites.
        """
        permutation, matrix, *time = g
        if len(permutation.preimage) != x.sites.num_points or len(matrix) != len(x):
            raise ValueError(
                f"expected permutations of {x.sites.num_points} sites and {len(x)} matrices; "
                f"got {len(permutation.preimage)} and {len(matrix)}"
            )
        matrix = matrix.to(x.dtype)
        turn, order = matrix[x.batch], permutation.preimage
        species = None if x.sites.species is None else x.sites.species[order]
        sites = replace(x.sites, position=_turned(turn, x.sites.position)[order], species=species)
        moment = x.moment
        if moment is not None:
            sign = torch.linalg.det(matrix).round() * (1 - 2 * time[0] if time else 1)
            moment = (sign.to(x.dtype)[x.batch, None] * _turned(turn, moment))[order]
        displacement = None if x.displacement is None else _turned(turn, x.displacement)[order]
        cell = x.cell @ matrix.transpose(1, 2)
        return replace(x, sites=sites, cell=cell, moment=moment, displacement=displacement)


def _turned(matrix: Float[Tensor, "N 3 3"], vector: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
    return torch.einsum("nij,nj->ni", matrix, vector)
