r"""A learned canonicalizer of point clouds: Gram-Schmidt makes a frame of a network's vectors.

If the network is equivariant, so is the frame, :math:`\tau(hx) = h \tau(x)`, and the kernel leaves it unchanged
(S.-O. Kaba and others, *Equivariance with learned canonicalization functions*, ICML 2023). On a symmetric cloud an
equivariant network cannot point in a direction that a symmetry moves: its vectors are zero or fixed by all symmetries.
The missing axes of the frame are then drawn uniformly. That is exact for a linear molecule; for a finite stabilizer it
is more random than needed (for methane, all of O(3)), unlike :class:`~sympe.canonicalize.Frames`.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.actions import PointRotation
from sympe.canonicalize.base import Canonicalizer, check_callable
from sympe.points import PointClouds
from sympe.precision import at_least_single
from sympe.seeding import sample
from sympe.settings import require_positive


class LearnedFrames(Canonicalizer[Tensor, PointClouds]):
    """The frame of a network's vectors for each cloud; gradients reach the network.

    Args:
        network: A module from :class:`~sympe.points.PointClouds` to vectors ``[B, k, d]``, such as
            :class:`~sympe.canonicalize.VectorNetwork`; k is at least d for O(d) and d - 1 for SO(d), and further
            vectors are ignored. It should be equivariant; if it is not, g~ has more randomness than needed.
        tolerance: A vector's component across the previous ones counts as zero below this length.

    Raises:
        ValueError: If the tolerance is not positive, a cloud has another dimension, or the vectors have the wrong
            shape or are not finite.
    """

    def __init__(self, network: nn.Module, dimension: int = 3, special: bool = False, tolerance: float = 1e-3) -> None:
        super().__init__()
        check_callable(network, "network", "a module from PointClouds to vectors, such as VectorNetwork()")
        require_positive(tolerance=tolerance)
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
            raise ValueError("vectors of a frame must be finite; the network returned others")
        dtype = at_least_single(x.dtype)
        random = sample(torch.randn, len(x), d, d, generator=generator, device=x.device, dtype=dtype)
        axes: list[Tensor] = []
        for k in range(d):
            across = _unit_across(random[:, k], axes)
            if k < least:
                vector = vectors[:, k].to(dtype)
                is_defined = (_reject(vector, axes).norm(dim=1) > self.tolerance)[:, None]
                # Elsewhere substitute the random axis: normalizing a zero has no finite gradient.
                across = _unit_across(torch.where(is_defined, vector, across), axes)
            axes.append(across)
        frame = torch.stack(axes, dim=2)
        if not self.special:
            return frame
        axes[-1] = axes[-1] * torch.linalg.det(frame.detach()).sign()[:, None]
        return torch.stack(axes, dim=2)


def _unit_across(vector: Float[Tensor, "B d"], axes: list[Tensor]) -> Float[Tensor, "B d"]:
    for _ in range(2):  # twice, for rounding errors after strong cancellation
        vector = nn.functional.normalize(_reject(vector, axes), dim=1)
    return vector


def _reject(vector: Float[Tensor, "B d"], axes: list[Tensor]) -> Float[Tensor, "B d"]:
    for axis in axes:
        vector = vector - (vector * axis).sum(1, keepdim=True) * axis
    return vector
