"""How a group moves data: a left action, ``act(compose(g, h), x) == act(g, act(h, x))``."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

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
        """Check that ``x`` is valid data of this kind. By default everything passes.

        Raises:
            ValueError: If it is not; the message says what to do.
        """

    def log_orbit(self, x: Data) -> Float[Tensor, "B"]:
        """Log of the number of images of each input, in nats; inf on a continuous orbit, nan where unknown."""
        return torch.full((len(x),), torch.nan, dtype=torch.float64, device=x.device)
