r"""The nearest symmetric cloud, and how far a cloud is from it.

Matrices fitted to points that are not quite symmetric multiply only roughly as the group does. So two steps alternate
until nothing moves: average the points over the motions, :math:`x_i \mapsto \frac 1 m \sum_k R_k^{-1} x_{k(i)}`, and
fit each motion to the result. Then the motions are a group, and the average :math:`P x` is the nearest cloud with these
symmetries about these axes. Turning axes and average onto the points, again until nothing moves, gives the nearest one
about any axes, :math:`\hat x`. The continuous symmetry measure, in per cent, is

.. math:: S = 100 \sum_i |x_i - \hat x_i|^2 \Big/ \sum_i |x_i - \bar x|^2

(H. Zabrodsky, S. Peleg, D. Avnir, *Continuous symmetry measures*, J. Am. Chem. Soc. 114, 1992, with the size of the
cloud as the unit: M. Pinsky, D. Avnir, *Continuous symmetry measures 5*, Inorg. Chem. 37, 1998).
"""

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.points.clouds import PointClouds
from sympe.points.symmetry import Stabilizer, best_fit, stabilizers

_STEPS = 1000


def symmetrize(clouds: PointClouds, special: bool = False, tolerance: float = 1e-2) -> PointClouds:
    """The nearest clouds that have, exactly, the symmetries that these have to within the tolerance.

    Args:
        clouds: The clouds; each keeps its centroid.
        special: Rotations only.
        tolerance: In angstrom; see :func:`~sympe.points.stabilizers`. A large one finds more symmetries.

    Raises:
        ValueError: If the tolerance is not positive, or a cloud is not valid.

    Example:
        >>> from sympe.points import from_clouds
        >>> bent = from_clouds([[[1.0, 0.0, 0.0], [-1.02, 0.0, 0.0], [0.0, 1.01, 0.0], [0.0, -0.99, 0.0]]])
        >>> symmetrize(bent, tolerance=0.1).centered.norm(dim=1)
        tensor([1.0050, 1.0050, 1.0050, 1.0050])
    """
    groups = stabilizers(clouds, special, tolerance)
    parts = clouds.centered.double().split(clouds.sizes.tolist())
    moved = torch.cat([_nearest(part, group) for part, group in zip(parts, groups, strict=True)])
    position = moved + clouds.centroid.double()[clouds.batch]
    return replace(clouds, position=position.to(clouds.dtype))


def asymmetry(clouds: PointClouds, special: bool = False, tolerance: float = 0.5) -> Float[Tensor, "B"]:
    """The continuous symmetry measure of each cloud in per cent: 0 if it is symmetric, at most 100.

    Args:
        clouds: The clouds.
        special: Rotations only.
        tolerance: In angstrom. The measure is for the symmetries that a cloud has to within it, which
            ``stabilizers(clouds, special, tolerance)`` names.

    Raises:
        ValueError: If the tolerance is not positive, or a cloud is not valid.

    Example:
        >>> from sympe.points import from_clouds
        >>> oblong = from_clouds([[[1.0, 0.9, 0.0], [-1.0, 0.9, 0.0], [-1.0, -0.9, 0.0], [1.0, -0.9, 0.0]]])
        >>> asymmetry(oblong)  # 50 (1 - 0.9)^2 / (1 + 0.9^2)
        tensor([0.2762], dtype=torch.float64)
    """
    clouds = clouds.to(dtype=torch.float64)
    off = (symmetrize(clouds, special, tolerance).centered - clouds.centered).square().sum(1)
    size = clouds.centered.square().sum(1)
    total, of = (torch.zeros(len(clouds)).to(size).index_add(0, clouds.batch, part) for part in (off, size))
    return 100 * total / of.clamp(min=1e-300)


def _nearest(position: Float[Tensor, "n d"], group: Stabilizer) -> Float[Tensor, "n d"]:
    """The nearest cloud with the permutations and signs of a group."""
    matrices, images, axis = group.matrices.to(position), group.permutations, group.axis
    is_proper, small = torch.linalg.det(matrices) > 0, 1e-12 * (1 + float(position.norm(dim=1).max()))
    if axis is not None:
        axis = axis.to(position)
    points = position
    for _ in range(_STEPS):
        before, points = points, average(points, matrices, images, axis)
        matrices = best_fit(points, points[images], is_proper)
        if bool((points - before).abs().max() <= small):
            break
    points = average(position, matrices, images, axis)
    for _ in range(_STEPS):
        (turn,) = best_fit(points, position[None], is_proper[:1])  # a rotation: the first motion is the identity
        matrices = turn @ matrices @ turn.T
        axis = None if axis is None else turn @ axis
        before, points = points, average(position, matrices, images, axis)
        if bool((points - before).abs().max() <= small):
            break
    return points


def average(
    position: Float[Tensor, "n d"],
    matrices: Float[Tensor, "m d d"],
    images: Int[Tensor, "m n"],
    axis: Float[Tensor, "3"] | None,
) -> Float[Tensor, "n d"]:
    """The mean of the points over the motions, and over all rotations about the axis if there is one."""
    if axis is not None:
        position = (position @ axis)[:, None] * axis
    return torch.einsum("kba,kib->ia", matrices, position[images]) / len(matrices)
