"""A learned vector in a representation of a finite group."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sympe.actions import regular_representation
from sympe.encoding.base import Encoding
from sympe.groups import FiniteGroup


class RepresentationEncoding(Encoding[Tensor]):
    """A free vector moved by one matrix per group element; one row per member of the batch.

    Args:
        group: The group.
        matrices: One matrix per element, in the group's order; by default the regular representation, whose generic
            vectors break every symmetry.

    Raises:
        ValueError: If the matrices do not multiply as the elements do.

    Example:
        >>> from sympe.groups import FiniteGroup
        >>> shifts = FiniteGroup(torch.tensor([[0, 1, 2], [1, 2, 0], [2, 0, 1]]))
        >>> RepresentationEncoding(shifts)(torch.tensor([0, 2])).shape
        torch.Size([2, 3])
    """

    matrices: Tensor

    def __init__(self, group: FiniteGroup, matrices: Float[Tensor, "n d d"] | None = None) -> None:
        super().__init__()
        if not isinstance(group, FiniteGroup):
            raise ValueError(f"expected a finite group, such as sympe.groups.cyclic(4); got {group!r}")
        if matrices is None:
            matrices = regular_representation(group)
        matrices = group.check_representation(matrices, tolerance=1e-4).to(torch.get_default_dtype())
        self.register_buffer("matrices", matrices, persistent=False)
        self.group = group
        self.dim = matrices.shape[1]
        self.v = nn.Parameter(torch.randn(self.dim))

    def forward(self, g: Int[Tensor, "B"]) -> Float[Tensor, "B d"]:
        """The vector moved by each element of the batch."""
        return (self.matrices @ self.v)[g]
