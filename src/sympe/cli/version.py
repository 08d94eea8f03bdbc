"""``sympe version``."""

from dataclasses import dataclass
from importlib.metadata import version


@dataclass(frozen=True)
class VersionCommand:
    """Print the version."""

    def __call__(self) -> None:
        print(version("sympe"))
