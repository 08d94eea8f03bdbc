"""Optional dependencies: imported where they are used; the error for a missing one names its extra."""

from importlib import import_module
from typing import Any


def require(module: str, extra: str, what: str, package: str = "sympe") -> Any:
    """Import an optional dependency.

    Args:
        module: What to import.
        extra: The extra that installs it.
        what: What needs it: the subject of the error message.
        package: The distribution that defines the extra.

    Raises:
        ImportError: If the module is not installed.

    Example:
        >>> require("no_such_module", "html", "HTML pages")
        Traceback (most recent call last):
        ...
        ImportError: HTML pages need no_such_module: pip install 'sympe[html]'
    """
    try:
        return import_module(module)
    except ImportError as error:
        verb = "need" if what.endswith("s") else "needs"
        raise ImportError(f"{what} {verb} {module}: pip install '{package}[{extra}]'") from error
