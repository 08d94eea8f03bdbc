r"""What a symmetry is: a group, known only by its operations.

A :class:`Group` works on *batches* of elements. The type of an element is the group's own business (a
:class:`~sympe.groups.permutations.Permutation` for :math:`S_n`, a matrix for :math:`O(3)`); the rest of the library
only composes, inverts and draws elements. What a batch must offer to draw elements for it (a length, a device, the
owner of each node) is the group's business as well: its type is the second parameter.

Convention: elements act from the left, ``compose(g, h)`` is "first h, then g".
"""

from abc import ABC, abstractmethod
from typing import Generic, Protocol

import torch
from typing_extensions import TypeVar


class Batch(Protocol):
    """What most groups must know of a batch: how many members it has, and where it lives."""

    def __len__(self) -> int: ...

    @property
    def device(self) -> torch.device: ...


Element = TypeVar("Element")
Like = TypeVar("Like", contravariant=True, default=Batch)


class Group(ABC, Generic[Element, Like]):
    """A compact group, seen through batches of its elements."""

    @abstractmethod
    def identity(self, like: Like) -> Element:
        """The identity, once for every member of the batch ``like``."""

    @abstractmethod
    def compose(self, g: Element, h: Element) -> Element:
        """The product ``g h``: first ``h``, then ``g``."""

    @abstractmethod
    def inverse(self, g: Element) -> Element:
        """The inverse of every element of the batch."""

    @abstractmethod
    def haar(self, like: Like, generator: torch.Generator | None = None) -> Element:
        """Independent uniform (Haar) elements, one for every member of the batch ``like``."""

    def contains(self, other: object) -> bool:
        """Whether every element of the group ``other`` is an element of this one, in the same form.

        By default a group contains those of its class; one whose groups differ by their settings compares these.
        """
        return type(other) is type(self)
