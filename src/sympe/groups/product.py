r"""Direct products: an element is a tuple with one element of each factor."""

from typing import Any

import torch

from sympe.groups.base import Group, Like

#: One element of each factor.
Elements = tuple[Any, ...]


class ProductGroup(Group[Elements, Like]):
    r"""The direct product of several groups, such as :math:`S_n \times O(3)`.

    All factors read the same batch ``like``.

    Raises:
        ValueError: If there are no factors.

    Example:
        >>> from sympe.groups import OrthogonalGroup, point_group
        >>> group = ProductGroup(OrthogonalGroup(3), point_group("D3"))
        >>> [part.shape for part in group.haar(torch.zeros(4))]
        [torch.Size([4, 3, 3]), torch.Size([4])]
    """

    def __init__(self, *factors: Group[Any, Like]) -> None:
        if not factors:
            raise ValueError("expected at least one group; got none")
        if others := [factor for factor in factors if not isinstance(factor, Group)]:
            raise ValueError(f"expected groups, such as OrthogonalGroup(3); got {others[0]!r}")
        self.factors = factors

    def __repr__(self) -> str:
        return " x ".join(map(repr, self.factors))

    def contains(self, other: object) -> bool:
        if not isinstance(other, ProductGroup) or len(self.factors) != len(other.factors):
            return False
        return all(mine.contains(theirs) for mine, theirs in zip(self.factors, other.factors, strict=True))

    def identity(self, like: Like) -> Elements:
        return tuple(group.identity(like) for group in self.factors)

    def take(self, g: object, like: Like) -> Elements:
        if not isinstance(g, tuple) or len(g) != len(self.factors):
            raise ValueError(f"expected a tuple of elements of {self!r}; got {type(g).__name__}")
        return tuple(group.take(part, like) for group, part in zip(self.factors, g, strict=True))

    def compose(self, g: Elements, h: Elements) -> Elements:
        return tuple(group.compose(a, b) for group, a, b in zip(self.factors, g, h, strict=True))

    def inverse(self, g: Elements) -> Elements:
        return tuple(group.inverse(a) for group, a in zip(self.factors, g, strict=True))

    def haar(self, like: Like, generator: torch.Generator | None = None) -> Elements:
        return tuple(group.haar(like, generator) for group in self.factors)
