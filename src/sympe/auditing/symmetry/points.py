r"""Labelled points in space under O(3) or SO(3): the stabilizer of a molecule is its point group.

A symmetry moves positions and exchanges points of one species. On one vector per point it acts by both,
:math:`(g y)_{g(i)} = R_g\, y_i`, and the Reynolds operator is the mean over all elements of the point group. For linear
molecules and single atoms, whose stabilizers are infinite, finitely many elements average tensors of rank up to two
exactly: three turns about the axis, and the icosahedral group in place of all rotations.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.auditing.symmetry.orbits import joined
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import POWER, ROUNDING, Errors, Loss, Target, class_errors, no_errors
from sympe.groups import point_group
from sympe.groups.named import rotation_about
from sympe.points import PointClouds
from sympe.points.symmetry import Stabilizer, stabilizers

_WEISZFELD_STEPS = 300


@dataclass(frozen=True)
class PointStabilizers(Stabilizers):
    """Point groups, found with a tolerance.

    Attributes:
        clouds: The clouds.
        groups: Their stabilizers.
        tolerance: What positions were compared with, in angstrom.
    """

    clouds: PointClouds
    groups: list[Stabilizer]
    tolerance: float

    def errors(self, target: Target, loss: Loss) -> Errors:
        count = len(self.clouds)
        expected = {"sample": count, "point": self.clouds.num_points}
        if target.per not in expected:
            raise ValueError(f"points have no targets per {target.per}; expected sample or point")
        if len(target.values) != expected[target.per]:
            raise ValueError(f"expected {expected[target.per]} targets, one per {target.per}; got {len(target.values)}")
        if target.vector:
            if loss == "zero-one":
                raise ValueError("vectors are compared by the squared or the absolute loss; got zero-one")
            return self._vector_errors(target, loss)
        if target.per == "sample":
            return no_errors([target.values[0].numel()] * count if count else [])
        return class_errors(self._orbits(), self.clouds.batch.cpu().numpy(), count, target.values, loss)

    def _orbits(self) -> Int[np.ndarray, "N"]:
        """Points that symmetries exchange, numbered over the batch."""
        starts = self.clouds.ptr.tolist()
        moved = [g.permutations.cpu().numpy() + s for g, s in zip(self.groups, starts, strict=False)]
        fixed = [np.broadcast_to(np.arange(m.shape[1]) + s, m.shape) for m, s in zip(moved, starts, strict=False)]
        return joined(fixed, moved, self.clouds.num_points)

    def _vector_errors(self, target: Target, loss: Loss) -> Errors:
        values = target.values.detach().cpu().double()
        rank = values.dim() - 1
        if rank not in (1, 2) or set(values.shape[1:]) != {3}:
            raise ValueError(f"expected vectors [..., 3] or matrices [..., 3, 3]; got {list(values.shape)}")
        total, rounding = [], []
        ends = range(len(self.groups) + 1) if target.per == "sample" else self.clouds.ptr.tolist()
        radii = self.clouds.centered.norm(dim=1).split(self.clouds.sizes.tolist())
        for group, (first, last), radius in zip(self.groups, pairwise(ends), radii, strict=True):
            y = values[first:last]
            matrices, permutations = averaged(group)
            if target.per == "sample":
                permutations = torch.zeros(len(matrices), 1, dtype=torch.long)
            # What each element brings to each point: R_g y_i at the place of g(i).
            brought = torch.empty(len(matrices), *y.shape, dtype=torch.float64)
            moved = torch.einsum("kab,ib...->kia...", matrices, y)
            if rank == 2:
                moved = moved @ matrices[:, None].transpose(-1, -2)
            brought.scatter_(1, permutations.view(*permutations.shape, *[1] * rank).expand_as(moved), moved)
            total.append(_least(brought, loss))
            # Where the geometry is known to a tolerance, so are the symmetries of the targets.
            relative = ROUNDING + self.tolerance / max(float(radius.max()), self.tolerance)
            size = float((y.flatten(1).norm(dim=1) ** POWER[loss]).sum())
            rounding.append(relative ** POWER[loss] * size)
        errors = np.array(total)
        entries = np.diff(np.array(list(ends)))
        return Errors(errors, entries, errors > np.array(rounding))


class PointSymmetry(Symmetry):
    """Rotations about the centroid, and reflections unless they are left out; points of one species are alike.

    Args:
        special: Rotations only.
        tolerance: In angstrom, see :func:`sympe.points.symmetry.stabilizers`.

    Raises:
        ValueError: If the tolerance is not positive.
    """

    kind = "points"

    def __init__(self, special: bool = False, tolerance: float = 1e-2) -> None:
        if not tolerance > 0:
            raise ValueError(f"tolerance must be positive; got {tolerance}")
        self.special, self.tolerance = special, tolerance
        self.name = "so3" if special else "o3"
        self.title = f"rotations{'' if special else ' and reflections'}, to within {tolerance:g} angstrom"
        self.breaker = f"sympe.InversionKernel(sympe.canonicalize.Frames({'special=True' if special else ''}))"

    def stabilizers(self, x: PointClouds) -> PointStabilizers:
        if not isinstance(x, PointClouds):
            raise ValueError(f"expected points in space for the group {self.name}; got {type(x).__name__}")
        if x.dimension != 3:
            raise ValueError(f"expected points in three dimensions; got {x.dimension}")
        groups = stabilizers(x, self.special, self.tolerance)
        orders = [None if group.axis is not None or group.is_isotropic else len(group.matrices) for group in groups]
        names = [group.name for group in groups]
        return PointStabilizers(x.sizes.tolist(), orders, [None] * len(x), names, x, groups, self.tolerance)


def averaged(group: Stabilizer) -> tuple[Float[Tensor, "k 3 3"], Int[Tensor, "k n"]]:
    """Elements of a stabilizer over which tensors of rank up to two have the mean that they have over all of it."""
    matrices, permutations = group.matrices.cpu().double(), group.permutations.cpu()
    if group.is_isotropic:
        more = point_group("I" if group.special else "Ih").matrices
    elif group.axis is not None:
        more = torch.stack([rotation_about(group.axis.tolist(), 2 * torch.pi * k / 3) for k in range(3)])
    else:
        return matrices, permutations
    assert more is not None
    return (more[:, None] @ matrices).flatten(0, 1), permutations.repeat(len(more), 1)


def _least(brought: Tensor, loss: Loss) -> float:
    """Least error of an answer that all elements agree on: the error of the mean, or of the geometric median."""
    z = brought.flatten(2)
    best = z.mean(0)
    if loss == "squared":
        return float(((z - best) ** 2).sum() / len(z))
    # E. Weiszfeld's iteration; it stays among the answers that the point group allows, where the mean is.
    for _ in range(_WEISZFELD_STEPS):
        weight = 1 / (z - best).norm(dim=2, keepdim=True).clamp(min=1e-12)
        best = (weight * z).sum(0) / weight.sum(0)
    return float((z - best).norm(dim=2).mean(0).sum())
