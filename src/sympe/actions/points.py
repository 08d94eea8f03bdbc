r"""Rotations and reflections acting on point clouds, on vectors and on tensors.

On a cloud a matrix :math:`g` acts about the centroid :math:`c`:

.. math:: (g x)_i = g\,(x_i - c) + c.

Translations commute with this action and change only :math:`c`: whatever is computed from centered positions is
invariant under them, so the compact group O(3) covers all of E(3).

Below, ``dimension`` is 2 or 3, and ``special`` leaves only rotations, SO(d).
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions.base import Action
from sympe.groups import OrthogonalGroup, Permutation, ProductGroup, SymmetricGroup
from sympe.points import PointClouds
from sympe.points.inputs import as_clouds
from sympe.precision import outside_autocast

#: Rotations do not move points this close to the centroid, in angstrom.
_AT_REST = 1e-3


class PointRotation(Action[Tensor, PointClouds]):
    """Left action of O(d), or SO(d), on point clouds, about the centroid of each."""

    def __init__(self, dimension: int = 3, special: bool = False) -> None:
        self.group: OrthogonalGroup = OrthogonalGroup(dimension, special)

    def check(self, x: PointClouds) -> None:
        """Raise a ``ValueError`` unless ``x`` is a batch of nonempty, finite point clouds of this dimension."""
        if not isinstance(x, PointClouds):
            advice = "make a batch with sympe.points.from_clouds, from_padded or read"
            raise ValueError(f"expected sympe.PointClouds; got {type(x).__name__}: {advice}")
        x.check_batch()
        x.check_finite()
        if x.dimension != self.group.dimension:
            raise ValueError(f"expected clouds in {self.group.dimension} dimensions; got {x.dimension}")

    def take(self, x: object) -> PointClouds:
        """Clouds of any kind; see :func:`~sympe.points.as_clouds`."""
        clouds = as_clouds(x)
        self.check(clouds)
        return clouds

    def log_orbit(self, x: PointClouds) -> Float[Tensor, "B"]:
        """Infinite, except for a cloud whose points coincide."""
        moves = (x.centered.abs() > _AT_REST).any(1).double()
        moved = moves.new_zeros(len(x)).index_add(0, x.batch, moves)
        return torch.where(moved > 0, torch.inf, 0.0).double()

    @outside_autocast
    def act(self, g: Float[Tensor, "B d d"], x: PointClouds) -> PointClouds:
        """The moved clouds.

        Raises:
            ValueError: If ``g`` does not hold one matrix per cloud, of the dimension of the clouds.
        """
        expected = (len(x), x.dimension, x.dimension)
        if g.shape != expected:
            raise ValueError(f"expected matrices of shape {list(expected)}; got {list(g.shape)}")
        centroid = x.centroid
        if len(x) == 1:
            moved = (x.position - centroid) @ g[0].to(x.dtype).T + centroid
            return PointClouds(moved, x.batch, x.species, 1)  # faster than replace
        centroid = centroid[x.batch]
        turned = (g.to(x.dtype)[x.batch] @ (x.position - centroid)[:, :, None])[:, :, 0]
        return replace(x, position=turned + centroid)


class PointMotion(Action[tuple[Permutation, Tensor], PointClouds]):
    r"""Left action of :math:`S_n \times O(d)` on point clouds: rotate each of them, and move point i to place g(i)."""

    def __init__(self, dimension: int = 3, special: bool = False) -> None:
        self.rotation = PointRotation(dimension, special)
        self.group = ProductGroup(SymmetricGroup(), self.rotation.group)

    def check(self, x: PointClouds) -> None:
        self.rotation.check(x)

    def take(self, x: object) -> PointClouds:
        return self.rotation.take(x)

    def log_orbit(self, x: PointClouds) -> Float[Tensor, "B"]:
        return self.rotation.log_orbit(x)

    def act(self, g: tuple[Permutation, Tensor], x: PointClouds) -> PointClouds:
        """The moved clouds.

        Raises:
            ValueError: If ``g`` does not fit the number of points, the number of clouds or their dimension.
        """
        permutation, matrix = g
        turned, places = self.rotation.act(matrix, x), permutation.preimage
        if len(places) != x.num_points:
            raise ValueError(f"expected permutations of {x.num_points} points; got {len(places)}")
        species = None if x.species is None else x.species[places]
        return replace(turned, position=turned.position[places], species=species)


class PointVectorMotion(Action[tuple[Permutation, Tensor], Tensor]):
    r"""Left action of :math:`S_n \times O(d)` on one vector per point: displacements, forces."""

    def __init__(self, dimension: int = 3, special: bool = False) -> None:
        self.rotation = TensorRotation(1, dimension=dimension, special=special)
        self.group = ProductGroup(SymmetricGroup(), self.rotation.group)  # type: ignore[arg-type]  # draw for the clouds

    def act(self, g: tuple[Permutation, Tensor], x: Float[Tensor, "N d"]) -> Float[Tensor, "N d"]:
        """The rotated vectors, each at its point's new position.

        Raises:
            ValueError: If ``x`` does not hold one vector per point, of the dimension of the matrices.
        """
        permutation, matrix = g
        return self.rotation.act(matrix[permutation.batch], x)[permutation.preimage]


class TensorRotation(Action[Tensor, Tensor]):
    r"""Left action on vectors and on tensors of any rank: :math:`(g t)_{ab} = g_{ac}\, g_{bd}\, t_{cd}`.

    The first axis of the data runs over the matrices, the last ``rank`` axes are those of the tensor, and any axes
    between are left alone. For data at the points of clouds, pass ``g[clouds.batch]``.

    Args:
        rank: 0 for scalars, 1 for vectors, 2 for matrices such as polarizabilities.
        axial: Pseudotensors, which also take the sign of the determinant: angular momenta, magnetic fields.

    Raises:
        ValueError: If the rank is negative.
    """

    def __init__(self, rank: int = 1, axial: bool = False, dimension: int = 3, special: bool = False) -> None:
        if rank < 0:
            raise ValueError(f"rank must be at least 0; got {rank}")
        self.rank = rank
        self.axial = axial
        self.dimension = dimension
        self.group = OrthogonalGroup(dimension, special)

    @outside_autocast
    def act(self, g: Float[Tensor, "B d d"], x: Float[Tensor, "B *c"]) -> Float[Tensor, "B *c"]:
        """The moved tensors.

        Raises:
            ValueError: If the data does not have one row per matrix, or its last axes have another dimension.
        """
        d = self.dimension
        axes = x.shape[1:][len(x.shape[1:]) - self.rank :]
        if g.shape != (len(x), d, d) or x.dim() <= self.rank or axes != (d,) * self.rank:
            expected = f"matrices [B, {d}, {d}] and data [B, ...{f', {d}' * self.rank}]"
            raise ValueError(f"expected {expected}; got {list(g.shape)} and {list(x.shape)}")
        g = g.to(x.dtype)
        moved = x.reshape(len(x), -1, *axes)
        for axis in range(2, 2 + self.rank):
            moved = torch.einsum("bij,b...j->b...i", g, moved.movedim(axis, -1)).movedim(-1, axis)
        if self.axial:
            moved = moved * torch.linalg.det(g).round().reshape(-1, *[1] * (moved.dim() - 1))
        return moved.reshape(x.shape)
