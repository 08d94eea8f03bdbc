r"""What a symmetry is: a group, known only by its operations.

A :class:`Group` works on *batches* of elements. Each group chooses the type of its elements (a
:class:`~sympe.groups.permutations.Permutation` for :math:`S_n`, a matrix for :math:`O(3)`); the rest of the library
only composes, inverts and draws them. The second type parameter is what a group needs of the batch that it draws
elements for (a length, a device, the graph of each node).

Convention: elements act from the left, ``compose(g, h)`` is "first h, then g".
"""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, runtime_checkable

import torch
from typing_extensions import TypeVar


@runtime_checkable
class Batch(Protocol):
    """What most groups need of a batch: its length and its device."""

    def __len__(self) -> int: ...

    @property
    def device(self) -> torch.device: ...


Element = TypeVar("Element")
Like = TypeVar("Like", contravariant=True, default=Batch)


class Group(ABC, Generic[Element, Like]):
    """A compact group, seen through batches of its elements."""

    @abstractmethod
    def identity(self, like: Like) -> Element:
        """The identity, for every member of the batch ``like``."""

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
        """Whether every element of ``other`` is an element of this group, in the same form.

        By default a group contains all groups of its class; a class with settings compares those too.
        """
        return type(other) is type(self)
