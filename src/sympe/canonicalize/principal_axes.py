r"""Frames from principal axes: the eigenvectors of a cloud's second moments.

O. Puny et al., *Frame averaging for invariant and equivariant network design*, ICLR 2022, section 3.1. The signs of the
axes are arbitrary, and where moments are equal, as for a square, a cube or methane, so is the basis that the solver
returns. Under the kernel the law is still equivariant, with far more randomness than needed.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import PointRotation
from sympe.canonicalize.base import Canonicalizer
from sympe.points import PointClouds
from sympe.precision import at_least_single


class PrincipalAxes(Canonicalizer[Tensor, PointClouds]):
    """The axes from least to greatest extent, as columns, right-handed if ``special``; species are ignored."""

    def __init__(self, dimension: int = 3, special: bool = False) -> None:
        super().__init__()
        self.action = PointRotation(dimension, special)
        self.special = special

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> Float[Tensor, "B d d"]:
        axes: Tensor = torch.linalg.eigh(_moments(x)).eigenvectors
        if self.special:
            axes = torch.cat([axes[..., :-1], axes[..., -1:] * torch.linalg.det(axes)[:, None, None]], dim=-1)
        return axes.to(at_least_single(x.dtype))

    def excess_nats(self, x: PointClouds) -> Float[Tensor, "B"]:
        """Infinite where two moments are equal, as the solver may return any basis there; nan elsewhere."""
        moments = torch.linalg.eigvalsh(_moments(x))
        equal = moments.diff(dim=1).amin(1) <= 1e-6 * moments.amax(1)
        return torch.where(equal, torch.inf, torch.nan).double()


def _moments(x: PointClouds) -> Float[Tensor, "B d d"]:
    position = x.centered.detach().double()
    moments = position.new_zeros(len(x), x.dimension, x.dimension)
    return moments.index_add(0, x.batch, position[:, :, None] * position[:, None, :])
