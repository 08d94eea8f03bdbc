r"""A learned vector that group elements move.

An encoding declares the group that moves it. Where it is joined to a kernel, the two groups are compared once.
"""

from abc import ABC, abstractmethod
from typing import Generic, Never, TypeVar

from torch import Tensor, nn

from sympe.groups import FiniteGroup, Group, OrthogonalGroup, ProductGroup, SymmetricGroup, Torus

Element = TypeVar("Element")

#: What serves the elements of each kind of group; named in the error of a wrong pair.
_SERVED_BY: dict[type, str] = {
    SymmetricGroup: "RankEncoding or SinusoidalRankEncoding",
    OrthogonalGroup: "IrrepsEncoding",
    Torus: "TileEncoding, FieldEncoding or WaveEncoding",
    FiniteGroup: "RepresentationEncoding",
    ProductGroup: "FactorEncoding, which reads one factor",
}


class Encoding(nn.Module, ABC, Generic[Element]):
    """A learned vector v and the group's action on it.

    Attributes:
        group: The group that moves v; elements of a subgroup will do.
        dim: Number of features per node (site, point) that ``act(g, v)`` has.
    """

    group: Group[Element, Never]
    dim: int

    @abstractmethod
    def forward(self, g: Element) -> Tensor:
        """The moved vector ``act(g, v)``, in the layout of the data it will be joined to."""

    def check_group(self, drawn: Group[Element, Never]) -> None:
        """Make sure that elements of the group ``drawn`` can move v.

        Raises:
            ValueError: If they cannot; the message names encodings that they can move.
        """
        if not self.group.contains(drawn):
            name = type(self).__name__
            served = next((text for kind, text in _SERVED_BY.items() if isinstance(drawn, kind)), None)
            advice = f"; for {drawn!r} use {served}" if served and name not in served else ""
            raise ValueError(f"{name} is moved by {self.group!r}; the kernel draws elements of {drawn!r}{advice}")
