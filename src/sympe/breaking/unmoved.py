"""A learned vector that stays where it is: breaks symmetry, and equivariance with it."""

from typing import Any

import torch
from torch import Tensor, nn


class Unmoved(nn.Module):
    """A learned vector that no group element moves: the control that is not equivariant, not even in distribution.

    It is what learning a symmetry-breaking parameter on a single input comes to (T. Smidt, M. Geiger, B. K. Miller,
    *Finding symmetry breaking order parameters with Euclidean neural networks*, Physical Review Research 3, 2021): right
    for inputs that stand as they did in training, and only there.

    The same role and interface as :class:`~sympe.encoding.SymPE`.

    Args:
        dim: Features.
        per_node: Whether there is one row for each node, or one for each member of the batch.
    """

    def __init__(self, dim: int, per_node: bool = False) -> None:
        super().__init__()
        if dim < 1:
            raise ValueError(f"dim must be at least 1; got {dim}")
        self.dim = dim
        self.per_node = per_node
        self.v = nn.Parameter(torch.randn(dim))

    def forward(self, x: Any, generator: torch.Generator | None = None) -> Tensor:
        return self.v.expand(x.batch.shape[0] if self.per_node else len(x), -1)
