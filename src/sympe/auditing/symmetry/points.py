r"""Labeled points in space under O(3) or SO(3): the stabilizer of a molecule is its point group.

A symmetry moves positions and exchanges points of one species. On one vector per point it acts by both,
:math:`(g y)_{g(i)} = R_g\, y_i`, and the Reynolds operator is the mean over all elements of the point group. For linear
molecules and single atoms, whose stabilizers are infinite, finitely many elements average irreps up to a degree l
exactly: l + 1 turns about the axis, and up to degree 5 the icosahedral group in place of all rotations.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.actions.irreps import Irreps, wigner_d
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import POWER, ROUNDING, Errors, Loss, Target, class_errors, no_errors
from sympe.graphs.bliss import joined
from sympe.groups import point_group
from sympe.groups.named import rotation_about
from sympe.points import PointClouds
from sympe.points.symmetry import Stabilizer, stabilizers

_WEISZFELD_STEPS = 300
#: The least degree of an irrep, but the trivial one, that the icosahedral group leaves a vector of is 6.
_ICOSAHEDRAL_DEGREE = 5


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
        if target.vector or target.irreps is not None:
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
        representation = _representation(values, target.irreps)
        values = values.flatten(1)
        total, rounding = [], []
        ends = range(len(self.groups) + 1) if target.per == "sample" else self.clouds.ptr.tolist()
        radii = self.clouds.centered.norm(dim=1).split(self.clouds.sizes.tolist())
        for group, (first, last), radius in zip(self.groups, pairwise(ends), radii, strict=True):
            y = values[first:last]
            matrices, permutations = averaged(group, representation.degree)
            if target.per == "sample":
                permutations = torch.zeros(len(matrices), 1, dtype=torch.long)
            # What each element brings to each point: R_g y_i at the place of g(i).
            moved = torch.einsum("kab,ib->kia", representation(matrices), y)
            brought = torch.empty_like(moved).scatter_(1, permutations[..., None].expand_as(moved), moved)
            total.append(_least(brought, loss))
            # Where the geometry is known to a tolerance, so are the symmetries of the targets.
            relative = ROUNDING + self.tolerance / max(float(radius.max()), self.tolerance)
            size = float((y.norm(dim=1) ** POWER[loss]).sum())
            rounding.append(relative ** POWER[loss] * size)
        errors = np.array(total)
        entries = np.diff(np.array(list(ends)))
        return Errors(errors, entries, errors > np.array(rounding))


@dataclass(frozen=True)
class _Representation:
    """How orthogonal matrices move the flattened numbers of a target.

    Attributes:
        degree: The largest degree of an irrep in it.
        irreps: The irreps, or None for a tensor.
    """

    degree: int
    irreps: Irreps | None = None

    def __call__(self, matrices: Float[Tensor, "k 3 3"]) -> Float[Tensor, "k d d"]:
        if self.irreps is not None:
            return wigner_d(matrices, self.irreps)
        if self.degree == 1:
            return matrices
        return torch.einsum("kab,kcd->kacbd", matrices, matrices).reshape(-1, 9, 9)


def _representation(values: Tensor, irreps: str | None) -> _Representation:
    if irreps is not None:
        parsed = Irreps.parse(irreps)
        if values.dim() < 2 or values[0].numel() != parsed.dim:
            raise ValueError(f"expected {parsed.dim} numbers per entry for {parsed}; got shape {list(values.shape)}")
        return _Representation(parsed.max_degree, parsed)
    rank = values.dim() - 1
    if rank not in (1, 2) or set(values.shape[1:]) != {3}:
        raise ValueError(f"expected vectors [..., 3] or matrices [..., 3, 3]; got {list(values.shape)}")
    return _Representation(rank)


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


def averaged(group: Stabilizer, degree: int = 2) -> tuple[Float[Tensor, "k 3 3"], Int[Tensor, "k n"]]:
    """Elements of a stabilizer over which irreps up to a degree have the mean that they have over all of it.

    Raises:
        ValueError: If the stabilizer holds all rotations and the degree is above 5.
    """
    matrices, permutations = group.matrices.cpu().double(), group.permutations.cpu()
    if group.is_isotropic:
        if degree > _ICOSAHEDRAL_DEGREE:
            raise ValueError(f"expected degrees up to {_ICOSAHEDRAL_DEGREE} for an atom by itself; got {degree}")
        more = point_group("I" if group.special else "Ih").matrices
    elif group.axis is not None:
        turns = degree + 1
        more = torch.stack([rotation_about(group.axis.tolist(), 2 * torch.pi * k / turns) for k in range(turns)])
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
