r"""A learned vector of irreps of O(3) for clouds of points.

The Wigner matrices of the sampled :math:`\tilde g` move the vector :math:`v`, which belongs to the cloud as a whole:
every point gets the same :math:`\tilde g v` in addition to its own features.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.actions import Irreps, IrrepsRotation
from sympe.encoding.base import Encoding


class IrrepsEncoding(Encoding[Tensor]):
    """A free vector of given irreps, moved by rotations and reflections.

    A vector of few irreps may itself be symmetric: all rotations about a ``1x1o`` fix it, and the inversion fixes any
    ``1x2e``. It breaks only those symmetries of the input that it lacks.

    Args:
        irreps: Such as ``"4x0e+2x1o+1x2e"``, or an ``e3nn.o3.Irreps``.

    Raises:
        ValueError: If the irreps cannot be read, or there are none.

    Example:
        >>> encoding = IrrepsEncoding("4x0e+2x1o+1x2e")
        >>> encoding(torch.eye(3).expand(5, -1, -1)).shape
        torch.Size([5, 15])
    """

    def __init__(self, irreps: Irreps | str) -> None:
        super().__init__()
        self.action = IrrepsRotation(irreps)
        self.group = self.action.group
        self.irreps = self.action.irreps
        self.dim = self.irreps.dim
        if not self.dim:
            raise ValueError(f"expected irreps of dimension 1 or more; got {str(irreps)!r}")
        self.v = nn.Parameter(torch.randn(self.dim))

    def forward(self, g: Float[Tensor, "B 3 3"]) -> Float[Tensor, "B dim"]:
        """The vector moved by each element of ``g``, one row per cloud, in the precision of v."""
        return self.action.act(g.to(self.v.dtype), self.v[None])
