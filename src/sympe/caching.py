"""Properties of a frozen batch that are computed once."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import torch

Value = TypeVar("Value")


class cached(Generic[Value]):
    """``functools.cached_property`` without its lock, which ``torch.compile`` cannot trace in Python 3.11."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Value:
        if instance is None:
            return self  # type: ignore[return-value]  # accessed on the class
        value = self.compute(instance)
        if not torch.compiler.is_compiling():
            vars(instance)[self.name] = value  # shadows this descriptor from now on
        return value
