"""How a group moves data: a left action, ``act(compose(g, h), x) == act(g, act(h, x))``."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar, cast

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.groups import Batch, Group

Element = TypeVar("Element")
Data = TypeVar("Data", bound=Batch)


class Action(ABC, Generic[Element, Data]):
    """A group together with the way it moves one kind of data."""

    group: Group[Element, Data]

    @abstractmethod
    def act(self, g: Element, x: Data) -> Data:
        """Move ``x`` by ``g``, leaving ``x`` itself unchanged."""

    def check(self, x: Data) -> None:
        """Raise a ``ValueError`` that says what to do, unless ``x`` is valid data of this kind; by default it is."""

    def take(self, x: object) -> Data:
        """What users pass, as data of this kind that passes :meth:`check`. By default it must be so already.

        Raises:
            ValueError: If it cannot be converted; the message names the converter.
        """
        data = cast(Data, x)
        self.check(data)
        return data

    def log_orbit(self, x: Data) -> Float[Tensor, "B"]:
        """Log of the number of images of each input, in nats; inf on a continuous orbit, nan where unknown."""
        return torch.full((len(x),), torch.nan, dtype=torch.float64, device=x.device)


def copies(x: Any, count: int) -> Any:
    """A batch of ``count`` copies of ``x``, one batch after the other.

    Raises:
        ValueError: If ``x`` is neither a tensor nor a batch with a length and a method ``select``.
    """
    if isinstance(x, Tensor):
        return x.repeat(count, *[1] * (x.dim() - 1))
    if hasattr(x, "select") and hasattr(x, "__len__"):
        return x.select(list(range(len(x))) * count)
    raise ValueError(f"expected a tensor, or a batch with a length and a method select; got {type(x).__name__}")
