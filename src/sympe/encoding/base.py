"""A learned vector that group elements move. Its group is compared with that of the kernel once, when they meet."""

from abc import ABC, abstractmethod
from typing import Generic, Never, TypeVar

from torch import Tensor, nn

from sympe.groups import FiniteGroup, Group, OrthogonalGroup, ProductGroup, SymmetricGroup, Torus

Element = TypeVar("Element")

#: Encodings for each kind of group, for the error of a mismatched pair.
_SERVED_BY: dict[type, str] = {
    SymmetricGroup: "RankEncoding or SinusoidalRankEncoding",
    OrthogonalGroup: "IrrepsEncoding",
    Torus: "TileEncoding, FieldEncoding or WaveEncoding",
    FiniteGroup: "RepresentationEncoding",
    ProductGroup: "FactorEncoding, which reads one factor, or SiteIrrepsEncoding",
}


class Encoding(nn.Module, ABC, Generic[Element]):
    """A learned vector v and the group's action on it.

    Attributes:
        group: The group that moves v; so do its subgroups.
        dim: Features of ``act(g, v)`` per node, site or member of the batch.
    """

    group: Group[Element, Never]
    dim: int

    @abstractmethod
    def forward(self, g: Element) -> Tensor:
        """The moved vector ``act(g, v)``, in the layout of the data it is joined to."""

    def check_group(self, drawn: Group[Element, Never]) -> None:
        """Check that elements of the group ``drawn`` can move v.

        Raises:
            ValueError: If they cannot; the message names encodings for that group.
        """
        if not self.group.contains(drawn):
            name = type(self).__name__
            served = next((text for kind, text in _SERVED_BY.items() if isinstance(drawn, kind)), None)
            advice = f"; for {drawn!r} use {served}" if served and name not in served else ""
            raise ValueError(f"{name} is moved by {self.group!r}; the kernel draws elements of {drawn!r}{advice}")
