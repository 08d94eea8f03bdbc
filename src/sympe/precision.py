"""Group elements need at least single precision: half of it is far from orthogonal, and merges ranks."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def outside_autocast(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run a function without automatic mixed precision, whatever context it is called in."""

    @wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if not (torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")):
            return function(*args, **kwargs)
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            return function(*args, **kwargs)

    return run


def at_least_single(dtype: torch.dtype) -> torch.dtype:
    """The type itself, or single precision for a shorter one."""
    return dtype if dtype.itemsize >= 4 else torch.float32
