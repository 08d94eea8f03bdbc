"""How a group moves data: a left action, ``act(compose(g, h), x) == act(g, act(h, x))``."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from sympe.groups import Group

Element = TypeVar("Element")
Data = TypeVar("Data")


class Action(ABC, Generic[Element, Data]):
    """A group together with the way it moves one kind of data."""

    group: Group[Any]

    @abstractmethod
    def act(self, g: Element, x: Data) -> Data:
        """Move ``x`` by ``g``; ``x`` itself is left as it was."""
