r"""Candidate frames of a cloud: an equivariant set of orthogonal matrices.

The frame of an ordered pair of points :math:`(i, j)`, seen from the centroid, comes from Gram-Schmidt: its first axis
points to i, its second lies in the plane of i and j on the side of j, and its third is, for rotations, their cross
product; for O(3) both signs of the last axis are candidates. Two rules, blind to storage and orientation, choose pairs:

1. i is as far from the centroid as any point;
2. j is as far from the axis through i as any point is from any such axis.

Distances that fall short of the greatest by less than ``tolerance`` tie with it (twice that in the second rule, where
the errors of two points add up), and all ties are candidates. Hence the symmetries of the cloud permute the candidates.
Both rules choose the longest lever: an error of :math:`\delta` in the positions rotates the frame by an angle that
moves no point of the cloud by more than a few :math:`\delta`, even close to a line or a plane.

If all points lie within ``tolerance`` of a line, the second axis is any direction across it (the rest of the
stabilizer is a circle); if all lie within ``tolerance`` of the centroid, the first axis is arbitrary too.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.points.clouds import PointClouds
from sympe.ragged import rows_of


@dataclass(frozen=True, eq=False)
class Candidates:
    """The frames of pairs of points, cloud after cloud.

    Attributes:
        cloud: The cloud of each frame, non-decreasing.
        first: The point that the first axis points to.
        second: The point that the second axis leans toward; the same as ``first`` where the axis is arbitrary.
        sign: Determinant of the frame.
        span: What each cloud spans, to within the tolerance: 0 for a single place, 1 for a line in space, 2 for more.
    """

    cloud: Int[Tensor, "C"]
    first: Int[Tensor, "C"]
    second: Int[Tensor, "C"]
    sign: Int[Tensor, "C"]
    span: Int[Tensor, "B"]

    def select(self, chosen: Int[Tensor, "k"]) -> "Candidates":
        """The frames at these places of the list."""
        cloud, first, second, sign = (
            t.index_select(0, chosen) for t in (self.cloud, self.first, self.second, self.sign)
        )
        return Candidates(cloud, first, second, sign, self.span)

    def frames(self, position: Float[Tensor, "N d"]) -> Float[Tensor, "C d d"]:
        """The frames as matrices, one axis per column; ``position`` is relative to the centroids."""
        span = self.span.index_select(0, self.cloud)
        first = _axis(position.index_select(0, self.first), span > 0)
        if position.shape[1] == 2:
            last = torch.stack([-first[:, 1], first[:, 0]], dim=1)
            return torch.stack([first, self.sign[:, None] * last], dim=2)
        second = _across(position.index_select(0, self.second), first, span > 1)
        last = torch.linalg.cross(first, second, dim=1)
        return torch.stack([first, second, self.sign[:, None] * last], dim=2)


def candidates(clouds: PointClouds, special: bool, tolerance: float, slack: float = 1.0) -> Candidates:
    """All candidate frames of every cloud.

    Args:
        clouds: At least one point in each.
        special: Rotations only.
        tolerance: In angstrom; distances closer than this are equal.
        slack: Factor on the tolerance for ties, not for lines and places. More slack gives more candidates.
    """
    with torch.no_grad():
        position = clouds.centered.double()
        radius = dot(position, position).sqrt()
        farthest = greatest(radius, clouds.batch, len(clouds))
        first = (radius >= _bound(farthest, slack * tolerance).index_select(0, clouds.batch)).nonzero()[:, 0]
        cloud = clouds.batch.index_select(0, first)
        span = (farthest > tolerance).long() * (4 - clouds.dimension)
        second = first
        if clouds.dimension == 3:
            pair, point = rows_of(cloud, clouds.ptr)
            owner = cloud.index_select(0, pair)
            axis = _axis(position.index_select(0, first), span.index_select(0, cloud) > 0).index_select(0, pair)
            across = _reject(position.index_select(0, point), axis)
            height = dot(across, across).sqrt()
            tallest = greatest(height, owner, len(clouds))
            tallest_here = tallest.index_select(0, owner)
            is_first = point == first.index_select(0, pair)
            bound = _bound(tallest, 2 * slack * tolerance).index_select(0, owner)
            kept = torch.where(tallest_here <= tolerance, is_first, height >= bound).nonzero()[:, 0]
            pair, second, cloud = (t.index_select(0, kept) for t in (pair, point, owner))
            first = first.index_select(0, pair)
            span = span + (tallest > tolerance)
        sign = torch.ones_like(cloud)
        if not special:
            cloud, first, second = (t.repeat_interleave(2) for t in (cloud, first, second))
            sign = 1 - 2 * (torch.arange(len(cloud), device=clouds.device) % 2)
        return Candidates(cloud, first, second, sign, span)


def greatest(values: Float[Tensor, "m"], owner: Int[Tensor, "m"], count: int) -> Float[Tensor, "count"]:
    """The greatest value of each owner."""
    return values.new_full((count,), -torch.inf).scatter_reduce(0, owner, values, "amax")


def place_of_greatest(values: Float[Tensor, "m"], owner: Int[Tensor, "m"], count: int) -> Int[Tensor, "count"]:
    """The place of each owner's greatest value, the first in a tie; every owner must have a value."""
    is_greatest = values == greatest(values, owner, count).index_select(0, owner)
    place = torch.where(is_greatest, torch.arange(len(values), device=values.device), len(values))
    return torch.full((count,), len(values), device=values.device).scatter_reduce(0, owner, place, "amin")


def _bound(greatest: Float[Tensor, "B"], tolerance: float) -> Float[Tensor, "B"]:
    """The least length that ties with the greatest; never 0, so that tied points have a direction in any cloud."""
    return torch.maximum(greatest - tolerance, greatest / 2)


def dot(a: Float[Tensor, "m d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "m"]:
    """Row-wise dot products, several times faster than a sum over such a short axis."""
    total = a[:, 0] * b[:, 0]
    for k in range(1, a.shape[1]):
        total = total + a[:, k] * b[:, k]
    return total


def _axis(vector: Float[Tensor, "C d"], is_defined: Bool[Tensor, "C"]) -> Float[Tensor, "C d"]:
    """The vectors scaled to unit length, or the x axis where they are undefined."""
    fallback = torch.zeros_like(vector)
    fallback[:, 0] = 1
    vector = torch.where(is_defined[:, None], vector, fallback)
    return _unit(vector)


def _across(
    vector: Float[Tensor, "C 3"], axis: Float[Tensor, "C 3"], is_defined: Bool[Tensor, "C"]
) -> Float[Tensor, "C 3"]:
    """Unit vectors across an axis, toward the vectors; arbitrary where these are undefined."""
    # The coordinate axis farthest from the axis: at least 54 degrees away.
    fallback = torch.nn.functional.one_hot(axis.abs().argmin(1), 3).to(vector.dtype)
    rejected = _reject(torch.where(is_defined[:, None], vector, fallback), axis)
    # Twice: after strong cancellation the first difference is not quite orthogonal.
    return _unit(_reject(_unit(rejected), axis))


def _reject(vector: Float[Tensor, "C d"], axis: Float[Tensor, "C d"]) -> Float[Tensor, "C d"]:
    return vector - dot(vector, axis)[:, None] * axis


def _unit(vector: Float[Tensor, "C d"]) -> Float[Tensor, "C d"]:
    return vector / dot(vector, vector).sqrt()[:, None]
