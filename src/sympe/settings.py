"""Numbers that users set: whole, and large enough."""


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
