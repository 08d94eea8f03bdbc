r"""Weighted frames: a frame drawn with weights that are continuous in the positions.

No choice of a single frame is continuous where two points are equally far from the centroid: the frame jumps from one
to the other (N. Dym, H. Lawrence, J. Siegel, *Equivariant frames and the impossibility of continuous canonicalization*,
ICML 2024). A law on frames need not jump. Three points are drawn in sequence, with probabilities proportional to a
power p of a length that vanishes where the direction is undefined:

.. math:: P(i) \propto |x_i|^p, \qquad P(j \mid i) \propto h_{ij}^p, \qquad P(k \mid i, j) \propto |z_k|^p.

Positions are relative to the centroid. The first axis points to i; h is the distance from it, and the second axis
leans toward j; z is the height above the plane of both, and the third axis, for O(3), is on the side of k. Points that
a symmetry exchanges have equal weights, without any tolerance.

Where a cloud becomes planar or linear, the law still jumps, but only within the stabilizer of the limit, which leaves
the form unchanged: averages over the law of continuous functions of the form :math:`g^{-1} x` do not jump, except at a
single point. The price is excess randomness: a cloud without symmetry appears in more than one form. A large power has
less of it, but steeper weights.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.actions import PointRotation
from sympe.canonicalize.base import Canonicalizer
from sympe.points import PointClouds
from sympe.points.candidates import Candidates, dot, greatest, place_of_greatest
from sympe.precision import at_least_single
from sympe.seeding import sample
from sympe.settings import require_positive

#: Lengths below this fraction of the radius of the cloud are rounding errors.
_ROUNDING = 1e-6


class WeightedFrames(Canonicalizer[Tensor, PointClouds]):
    """A frame of O(3) or SO(3), or in the plane of O(2) or SO(2), from points drawn with continuous weights.

    Args:
        power: The power p: a point at twice the length is 2^p times as likely.

    Raises:
        ValueError: If the power is not positive and finite, or a cloud is empty, not finite, or of another dimension.
    """

    def __init__(self, dimension: int = 3, special: bool = False, power: float = 8.0) -> None:
        super().__init__()
        require_positive(power=power)
        self.action = PointRotation(dimension, special)
        self.dimension = dimension
        self.special = special
        self.power = power

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> Float[Tensor, "B d d"]:
        if x.dimension != self.dimension:
            raise ValueError(f"expected clouds in {self.dimension} dimensions; got {x.dimension}")
        if not torch.compiler.is_compiling():
            x.check_finite()
        position = x.centered.double()
        chosen = self._draw(position.detach(), x, generator)
        return chosen.frames(position).to(at_least_single(x.dtype))

    def _draw(self, position: Float[Tensor, "N d"], x: PointClouds, generator: torch.Generator | None) -> Candidates:
        cloud = torch.arange(len(x), device=x.device)
        radius = dot(position, position).sqrt()
        scale = greatest(radius, x.batch, len(x))
        first = self._draw_point(radius, x, generator)
        # Not a symmetry tolerance: where only rounding errors are left, there is no direction.
        span = (scale > 0).long() * (4 - self.dimension)
        second, sign = first, torch.ones_like(first)
        if self.dimension == 3:
            frame = Candidates(cloud, first, first, sign, span).frames(position)
            seen = torch.einsum("nij,ni->nj", frame[x.batch], position)
            height = dot(seen[:, 1:], seen[:, 1:]).sqrt()
            tallest = greatest(height, x.batch, len(x))
            second = self._draw_point(height, x, generator)
            span = span + (tallest > _ROUNDING * scale)
        if not self.special:
            frame = Candidates(cloud, first, second, sign, span).frames(position)
            above = dot(frame[:, :, -1].index_select(0, x.batch), position)
            third = self._draw_point(above.abs(), x, generator)
            side = above.index_select(0, third)
            either = sample(torch.randint, 2, (len(x),), generator=generator, device=x.device) * 2 - 1
            sign = torch.where(side.abs() > _ROUNDING * scale, side.sign().long(), either)
        return Candidates(cloud, first, second, sign, span)

    def _draw_point(
        self, length: Float[Tensor, "N"], x: PointClouds, generator: torch.Generator | None
    ) -> Int[Tensor, "B"]:
        """One point per cloud, by the Gumbel-max trick."""
        uniform = sample(torch.rand, len(length), generator=generator, device=x.device, dtype=length.dtype)
        tiny = torch.finfo(length.dtype).tiny
        key = self.power * length.clamp(min=tiny).log() - (-uniform.clamp(min=tiny).log()).log()
        return place_of_greatest(key, x.batch, len(x))
