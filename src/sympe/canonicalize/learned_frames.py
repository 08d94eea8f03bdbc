r"""A learned canonicalizer of point clouds: a network gives vectors, Gram-Schmidt makes a frame of them.

If the network is equivariant, so is the frame: :math:`\tau(hx) = h \tau(x)`, and the kernel leaves it as it is
(S.-O. Kaba and others, *Equivariance with learned canonicalization functions*, ICML 2023). On a symmetric cloud an
equivariant network cannot point in any direction that a symmetry moves: its vectors are zero or lie on an axis. What
is missing of a frame is then drawn at random, uniformly. For a linear molecule that is the exact law; for a finite
stabilizer it is more randomness than needed (for methane all of O(3)), and :class:`~sympe.canonicalize.Frames` has
the least.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.actions import PointRotation
from sympe.canonicalize.base import Canonicalizer
from sympe.points import PointClouds
from sympe.seeding import drawing_device


class LearnedFrames(Canonicalizer[Tensor, PointClouds]):
    """The frame of the vectors that a network gives for each cloud; gradients reach the network.

    Args:
        network: A module from :class:`~sympe.points.PointClouds` to vectors ``[B, k, d]``, equivariant (if it is not,
            g~ has more randomness than needed); k is d for O(d), d - 1 for SO(d), further ones are left aside.
            :class:`~sympe.canonicalize.VectorNetwork` will do.
        dimension: 3 or 2, that of the clouds.
        special: Rotations only.
        tolerance: What is left of a vector across the ones before it counts as zero below this length.

    Raises:
        ValueError: If the tolerance is not positive, a cloud is of another dimension, or the vectors have another
            shape or are not finite.
    """

    def __init__(self, network: nn.Module, dimension: int = 3, special: bool = False, tolerance: float = 1e-3) -> None:
        super().__init__()
        if not tolerance > 0:
            raise ValueError(f"tolerance must be positive; got {tolerance}")
        self.action = PointRotation(dimension, special)
        self.network = network
        self.dimension = dimension
        self.special = special
        self.tolerance = tolerance

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> Float[Tensor, "B d d"]:
        d = self.dimension
        if x.dimension != d:
            raise ValueError(f"expected clouds in {d} dimensions; got {x.dimension}")
        vectors = self.network(x)
        least = d - self.special
        if vectors.dim() != 3 or len(vectors) != len(x) or vectors.shape[1] < least or vectors.shape[2] != d:
            expected = f"[{len(x)}, {least} or more, {d}]"
            raise ValueError(f"expected vectors of shape {expected}; got {list(vectors.shape)}")
        if not torch.compiler.is_compiling() and not bool(vectors.isfinite().all()):
            raise ValueError("vectors of a frame must be finite; the network gives others")
        drawn_on = drawing_device(generator, x.device)
        random = torch.randn(len(x), d, d, generator=generator, device=drawn_on, dtype=x.dtype).to(x.device)
        axes: list[Tensor] = []
        for k in range(d):
            across = self._unit_across(random[:, k], axes)
            if k < least:
                vector = vectors[:, k].to(x.dtype)
                rejected = _reject(vector, axes)
                is_defined = (rejected.norm(dim=1) > self.tolerance)[:, None]
                # Where it is not, the random axis is handed on in its place: a zero would have no finite gradient.
                across = self._unit_across(torch.where(is_defined, vector, across), axes)
            axes.append(across)
        frame = torch.stack(axes, dim=2)
        if not self.special:
            return frame
        sign = torch.linalg.det(frame.detach()).sign()
        return torch.cat([frame[:, :, :-1], frame[:, :, -1:] * sign[:, None, None]], dim=2)

    @staticmethod
    def _unit_across(vector: Float[Tensor, "B d"], axes: list[Tensor]) -> Float[Tensor, "B d"]:
        for _ in range(2):  # once more, for rounding errors after a great cancellation
            vector = nn.functional.normalize(_reject(vector, axes), dim=1)
        return vector


def _reject(vector: Float[Tensor, "B d"], axes: list[Tensor]) -> Float[Tensor, "B d"]:
    for axis in axes:
        vector = vector - (vector * axis).sum(1, keepdim=True) * axis
    return vector
