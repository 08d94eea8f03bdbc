r"""The joint canonicalizer for :math:`S_n \times O(3)`: a frame, and an order of the points as seen in it.

Given the frame, no two points are alike: they are ordered by species, then by their place along a fixed direction.
If the frame is exact, so is the pair: under the kernel it is uniform on a coset of the joint stabilizer, the pairs of
a rotation and a relabeling that undo each other. The permutation distinguishes symmetric points, for networks that see
only distances; the rotation moves whatever has a direction. Both come from one draw.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import PointMotion
from sympe.canonicalize.base import Canonicalizer
from sympe.groups import OrthogonalGroup, Permutation
from sympe.points import PointClouds
from sympe.points.candidates import dot
from sympe.ragged import lexsort

#: A generic direction: planes across it are unlikely to contain two points of a symmetric cloud.
_DIRECTION = (0.5773, 0.2113, 0.7887)


class JointFrames(Canonicalizer[tuple[Permutation, Tensor], PointClouds]):
    """The pair of a permutation of the points and a rotation or reflection.

    Args:
        frames: The canonicalizer of the second factor, such as :class:`~sympe.canonicalize.Frames`.

    Raises:
        ValueError: If it is not a canonicalizer of O(d) or SO(d).

    Example:
        >>> import sympe
        >>> from sympe.points import from_clouds
        >>> square = from_clouds([[[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [-1.0, -1.0, 0.0]]])
        >>> kernel = sympe.InversionKernel(JointFrames(sympe.canonicalize.Frames()))
        >>> permutation, matrix = kernel(square, torch.Generator().manual_seed(0))
        >>> sorted(permutation.rank.tolist()), matrix.shape
        ([0, 1, 2, 3], torch.Size([1, 3, 3]))
    """

    def __init__(self, frames: Canonicalizer[Tensor, PointClouds]) -> None:
        super().__init__()
        group = frames.action.group
        if not isinstance(group, OrthogonalGroup):
            raise ValueError(f"frames must be a canonicalizer of O(d) or SO(d), such as Frames(); got {frames!r}")
        self.action = PointMotion(group.dimension, group.special)
        self.frames = frames

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> tuple[Permutation, Tensor]:
        return self.order(x, self.frames(x, generator))

    def equally_likely(self, x: PointClouds) -> tuple[PointClouds, tuple[Permutation, Tensor]] | None:
        found = self.frames.equally_likely(x)
        return None if found is None else (found[0], self.order(*found))

    def order(self, x: PointClouds, matrix: Float[Tensor, "B d d"]) -> tuple[Permutation, Tensor]:
        """The element with second factor ``matrix``: the given frames, and the order of the points in them."""
        direction = matrix.new_tensor(_DIRECTION[: x.dimension])
        along = dot(x.centered.detach(), (matrix.detach() @ direction).index_select(0, x.batch))
        keys = (x.batch, along) if x.species is None else (x.batch, x.species, along)
        return Permutation.trusted(lexsort(*keys), x), matrix
