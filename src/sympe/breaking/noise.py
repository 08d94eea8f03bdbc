"""Random node features: the simplest way to break symmetry, with more randomness than needed."""

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import GraphRelabeling, Irreps, PointRotation
from sympe.breaking.base import SymmetryBreaking
from sympe.graphs import Graphs
from sympe.points import PointClouds
from sympe.seeding import drawing_device
from sympe.settings import require_at_least


class Noise(SymmetryBreaking[Graphs]):
    """Independent standard normal features for every node, redrawn on each call.

    Args:
        dim: Features per node, at least 1.
    """

    action = GraphRelabeling()
    is_continuous = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        require_at_least(1, dim=dim)
        self.dim = dim

    def draw(self, x: Graphs, generator: torch.Generator | None) -> Float[Tensor, "N dim"]:
        drawn_on = drawing_device(generator, x.device)
        return torch.randn(x.num_nodes, self.dim, generator=generator, device=drawn_on).to(x.device)


class IrrepsNoise(SymmetryBreaking[PointClouds]):
    """Independent standard normal numbers for every cloud, redrawn on each call, in irreps of O(3).

    The law is equivariant because rotations and reflections preserve it.

    Args:
        irreps: Such as ``"2x1o+1x2e"``.
    """

    action = PointRotation()
    is_continuous = True

    def __init__(self, irreps: Irreps | str) -> None:
        super().__init__()
        self.irreps = Irreps.parse(irreps)
        self.dim = self.irreps.dim

    def draw(self, x: PointClouds, generator: torch.Generator | None) -> Float[Tensor, "B dim"]:
        drawn_on = drawing_device(generator, x.device)
        return torch.randn(len(x), self.dim, generator=generator, device=drawn_on).to(x.device)
