r"""What a symmetry is: a group, known only by its four operations.

A :class:`Group` works on *batches* of elements. The type of an element is the group's own business (a
:class:`~sympe.groups.permutations.Permutation` for :math:`S_n`, a matrix for :math:`O(3)`); the rest of
the library only composes, inverts and draws them.

Convention: elements act from the left, ``compose(g, h)`` is "first h, then g".
"""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch

Element = TypeVar("Element")


class Group(ABC, Generic[Element]):
    """A compact group, seen through batches of its elements."""

    @abstractmethod
    def identity(self, like: Any) -> Element:
        """The identity, once for every member of the batch ``like``."""

    @abstractmethod
    def compose(self, g: Element, h: Element) -> Element:
        """The product ``g h``: first ``h``, then ``g``."""

    @abstractmethod
    def inverse(self, g: Element) -> Element:
        """The inverse of every element of the batch."""

    @abstractmethod
    def haar(self, like: Any, generator: torch.Generator | None = None) -> Element:
        """Independent uniform (Haar) elements, one for every member of the batch ``like``."""
