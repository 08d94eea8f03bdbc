r"""Labeled points in space under O(3) or SO(3): the stabilizer of a molecule is its point group.

A symmetry moves positions and permutes points of one species. It acts on vectors per point by
:math:`(g y)_{g(i)} = R_g\, y_i`; the Reynolds operator is the mean over the point group. Linear molecules and single
atoms have infinite stabilizers, but finitely many elements average irreps up to degree l exactly: l + 1 rotations about
the axis, and the icosahedral group up to degree 5.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.actions.irreps import Irreps, wigner_d
from sympe.auditing.symmetry.orbits import orbits
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import POWER, ROUNDING, Errors, Loss, Target, class_errors, no_errors
from sympe.groups import point_group
from sympe.groups.named import rotation_about
from sympe.points import PointClouds
from sympe.points.symmetry import Stabilizer, stabilizers
from sympe.settings import require_positive

_WEISZFELD_STEPS = 300
_ICOSAHEDRAL_DEGREE = 5  # vectors invariant under the icosahedral group have degree 0, or at least 6


@dataclass(frozen=True)
class PointStabilizers(Stabilizers):
    """Point groups, found with a tolerance of positions in angstrom."""

    clouds: PointClouds
    groups: list[Stabilizer]
    tolerance: float

    def errors(self, target: Target, loss: Loss) -> Errors:
        target.check({"sample": len(self.clouds), "point": self.clouds.num_points})
        if target.vector or target.irreps is not None:
            if loss == "zero-one":
                raise ValueError("vectors are compared by the squared or the absolute loss; got zero-one")
            return self._vector_errors(target, loss)
        if target.per == "sample":
            return no_errors(target.values)
        classes = orbits([group.permutations.cpu().numpy() for group in self.groups], self.clouds.ptr.tolist())
        return class_errors(classes, self.clouds.batch.cpu().numpy(), len(self.clouds), target.values, loss)

    def drawing(self, sample: int) -> dict[str, Any]:
        places = self.clouds.centered[int(self.clouds.ptr[sample]) : int(self.clouds.ptr[sample + 1])].cpu()
        permutations = self.groups[sample].permutations.cpu().numpy()
        found = orbits([permutations], [0, len(places)]).tolist()
        return {"orbits": found, "edges": neighbors(places), "places": places.tolist()}

    def lengths(self) -> list[float]:
        """The lever of each cloud: an error of the tolerance at its end turns the cloud."""
        return [float(part.norm(dim=1).max()) for part in self.clouds.centered.split(self.clouds.sizes.tolist())]

    def signs(self, group: Stabilizer) -> Float[Tensor, "k"]:
        """What each element multiplies targets by, besides turning them."""
        return torch.ones(len(group.matrices), dtype=torch.float64)

    def _vector_errors(self, target: Target, loss: Loss) -> Errors:
        values = target.values.detach().cpu().double()
        irreps = None if target.irreps is None else Irreps.parse(target.irreps)
        degree = _degree(values, irreps)
        total, rounding = [], []
        ends = list(range(len(self.groups) + 1)) if target.per == "sample" else self.clouds.ptr.tolist()
        for group, (first, last), length in zip(self.groups, pairwise(ends), self.lengths(), strict=True):
            y = values[first:last].flatten(1)
            matrices, permutations = averaged(group, degree)
            if target.per == "sample":
                permutations = torch.zeros(len(matrices), 1, dtype=torch.long)
            # The target moved by each element: R_g y_i at point g(i).
            moved = torch.einsum("kab,ib->kia", representation(matrices, degree, irreps), y)
            moved *= self.signs(group).repeat(len(moved) // len(group.matrices))[:, None, None]
            brought = torch.empty_like(moved).scatter_(1, permutations[..., None].expand_as(moved), moved)
            total.append(_least(brought, loss))
            # Symmetries are known only to a tolerance, so the errors of targets are too.
            relative = ROUNDING + self.tolerance / max(length, self.tolerance)
            rounding.append(relative ** POWER[loss] * float((y.norm(dim=1) ** POWER[loss]).sum()))
        return Errors(np.array(total), np.diff(ends), np.array(total) > np.array(rounding))


def _degree(values: Tensor, irreps: Irreps | None) -> int:
    """Largest degree of an irrep in the values."""
    if irreps is not None:
        if values.dim() < 2 or values[0].numel() != irreps.dim:
            raise ValueError(f"expected {irreps.dim} numbers per entry for {irreps}; got shape {list(values.shape)}")
        return irreps.max_degree
    rank = values.dim() - 1
    if rank not in (1, 2) or set(values.shape[1:]) != {3}:
        raise ValueError(f"expected vectors [..., 3] or matrices [..., 3, 3]; got {list(values.shape)}")
    return rank


def representation(matrices: Float[Tensor, "k 3 3"], degree: int, irreps: Irreps | None) -> Float[Tensor, "k d d"]:
    """The action of orthogonal matrices on flattened values."""
    if irreps is not None:
        return wigner_d(matrices, irreps)
    return matrices if degree == 1 else torch.einsum("kab,kcd->kacbd", matrices, matrices).reshape(-1, 9, 9)


class PointSymmetry(Symmetry):
    """Rotations and reflections about the centroid that permute points of one species.

    Args:
        special: Exclude reflections.
        tolerance: Tolerance in angstrom; see :func:`sympe.points.symmetry.stabilizers`.

    Raises:
        ValueError: If the tolerance is not positive.
    """

    kind = "points"

    def __init__(self, special: bool = False, tolerance: float = 1e-2) -> None:
        require_positive(tolerance=tolerance)
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


def neighbors(places: Float[Tensor, "n 3"]) -> list[list[int]]:
    """Pairs of points of which one is nearly as near to the other as any."""
    distances = torch.cdist(places, places).fill_diagonal_(torch.inf)
    near = distances < 1.2 * distances.amin(1, keepdim=True)
    found: list[list[int]] = (near | near.T).triu().nonzero().tolist()
    return found


def averaged(group: Stabilizer, degree: int = 2) -> tuple[Float[Tensor, "k 3 3"], Int[Tensor, "k n"]]:
    """Finitely many elements with the stabilizer's mean of irreps up to ``degree``: for an atom, up to 5."""
    matrices, permutations = group.matrices.cpu().double(), group.permutations.cpu()
    if group.is_isotropic:
        if degree > _ICOSAHEDRAL_DEGREE:
            raise ValueError(f"expected degrees up to {_ICOSAHEDRAL_DEGREE} for a single atom; got {degree}")
        more = point_group("I" if group.special else "Ih").matrices
    elif group.axis is not None:
        turns = degree + 1
        more = torch.stack([rotation_about(group.axis.tolist(), 2 * torch.pi * k / turns) for k in range(turns)])
    else:
        return matrices, permutations
    assert more is not None
    return (more[:, None] @ matrices).flatten(0, 1), permutations.repeat(len(more), 1)


def _least(brought: Tensor, loss: Loss) -> float:
    """Error of the best invariant answer: the mean for the squared loss, else the geometric median."""
    z = brought.flatten(2)
    best = z.mean(0)
    if loss == "squared":
        return float(((z - best) ** 2).sum() / len(z))
    # Weiszfeld's iteration; started at the mean, it stays invariant under the point group.
    for _ in range(_WEISZFELD_STEPS):
        weight = 1 / (z - best).norm(dim=2, keepdim=True).clamp(min=1e-12)
        best = (weight * z).sum(0) / weight.sum(0)
    return float((z - best).norm(dim=2).mean(0).sum())
