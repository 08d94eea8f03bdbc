r"""What a symmetry is: a group, known only by its operations.

A :class:`Group` works on *batches* of elements. Each group chooses the type of its elements (a
:class:`~sympe.groups.permutations.Permutation` for :math:`S_n`, a matrix for :math:`O(3)`); the rest of the library
only composes, inverts and draws them. The second type parameter is what a group needs of the batch that it draws
elements for (a length, a device, the graph of each node).

Convention: elements act from the left, ``compose(g, h)`` is "first h, then g".
"""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, cast, runtime_checkable

import numpy as np
import torch
from torch import Tensor
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

    def take(self, g: object, like: Like) -> Element:
        """Elements that were stored or made by hand, one for every member of ``like``. By default everything passes.

        Raises:
            ValueError: If they are none of this group, or do not fit the batch.
        """
        return cast(Element, g)

    def contains(self, other: object) -> bool:
        """Whether every element of ``other`` is one of this group, in the same form; by default if of one class."""
        return type(other) is type(self)


def as_numbers(values: object, what: str) -> Tensor:
    """Numbers as a tensor; arrays of numpy in any layout, and unsigned integers as signed ones.

    Raises:
        ValueError: If they are anything else, or too wide for PyTorch.
    """
    try:
        if isinstance(values, np.ndarray) and values.dtype.itemsize <= (16 if values.dtype.kind == "c" else 8):
            wide = values.dtype.kind == "u" and values.dtype.itemsize > 1
            if wide and values.size and values.max() >= 2**63:
                raise ValueError("integers beyond 63 bits")
            values = np.ascontiguousarray(values, np.int64 if wide else values.dtype.newbyteorder("="))
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError):
        if isinstance(values, np.ndarray):
            got = type(values.flat[0]).__name__ if values.dtype.hasobject and values.size else f"dtype {values.dtype}"
        else:
            got = repr(str(values)[:40])
        raise ValueError(f"{what} must hold numbers of at most 64 bits, in rows of one length; got {got}") from None


def as_integers(values: object, what: str) -> Tensor:
    """Integers as a tensor; nothing is rounded.

    Raises:
        ValueError: If they are anything else.
    """
    found = as_numbers(values, what)
    if found.numel() and (found.is_floating_point() or found.is_complex() or found.dtype == torch.bool):
        raise ValueError(f"{what} must hold integers; got {found.dtype}")
    return found.long()
