"""Numbers that users set: whole, large enough, finite."""

import math


def require_at_least(least: int, **values: object) -> None:
    """Raise a ``ValueError`` for the first value that is no integer, or smaller.

    Example:
        >>> require_at_least(1, dim=4.5)
        Traceback (most recent call last):
        ...
        ValueError: dim must be an integer, at least 1; got 4.5
    """
    for name, value in values.items():
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise ValueError(f"{name} must be an integer, at least {least}; got {value!r}")
        if value.__index__() < least:
            raise ValueError(f"{name} must be at least {least}; got {value}")


def require_positive(**values: float | None) -> None:
    """Raise a ``ValueError`` for the first value that is not positive and finite; None stands for no value.

    Example:
        >>> require_positive(resolution=None, tolerance=float("inf"))
        Traceback (most recent call last):
        ...
        ValueError: tolerance must be positive and finite; got inf
    """
    for name, value in values.items():
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive and finite; got {value}")


def require_seed(seed: int) -> None:
    """Raise a ``ValueError`` for a seed that generators refuse."""
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed must be from 0 to 2^63 - 1; got {seed}")
