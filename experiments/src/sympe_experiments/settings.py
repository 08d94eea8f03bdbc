"""What runs of all experiments can be asked for: options of commands, recipes, and checks of values.

Nothing here loads PyTorch.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from sympe.settings import require_at_least, require_seed

C = TypeVar("C")


@dataclass(frozen=True)
class RunOptions:
    """Where a run goes and how it is carried out; none of it changes what comes out."""

    out: Path | None = None
    """Folder of the run; by default one below runs/ that data, recipe, method and seed name."""
    resume: bool = False
    """Go on with an interrupted run, or read a finished one."""
    devices: int = 1
    """Processes to use (DDP)."""
    accelerator: str = "auto"
    """auto, cpu or gpu."""
    json: bool = False
    """Print one JSON object on stdout instead of a table."""

    def folder(self, default: Path) -> Path:
        """Folder of the run; ``default`` names the one below runs/."""
        return Path("runs") / default if self.out is None else self.out

    def how(self) -> dict[str, Any]:
        """The options that :func:`~sympe_experiments.training.fit` takes."""
        return {"resume": self.resume, "devices": self.devices, "accelerator": self.accelerator}


@dataclass(frozen=True)
class ComparedConfig:
    """What configurations of the experiments of ``sympe compare`` have in common."""

    method: str
    """What breaks the symmetry."""
    recipe: str = "full"
    """full, or smoke, whose figures mean nothing."""
    data: str = ""
    """Name of the data set, or a file."""
    seed: int = 0
    """Everything random in the run comes from this number; the test cases are the same for all."""
    steps: int = 1500
    """Steps of training."""
    learning_rate: float = 2e-3
    """Adam's learning rate, at its highest."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def check(self, methods: Iterable[str], *but: str) -> None:
        """Raise a ``ValueError`` for an unknown method or seed, or another integer below 1 except those in ``but``."""
        require_known("method", self.method, methods)
        require_seed(self.seed)
        counts = (field.name for field in fields(self) if field.type is int and field.name not in ("seed", *but))
        require_at_least(1, **{name: getattr(self, name) for name in counts})


def changes(command: Any, config: type) -> dict[str, Any]:
    """The options of a command that are settings of a configuration, except method and recipe."""
    settings = {field.name for field in fields(config)} - {"method", "recipe"}
    return {field.name: getattr(command, field.name) for field in fields(command) if field.name in settings}


def from_recipe(recipes: Mapping[str, Callable[[str], C]], method: str, recipe: str = "full", **changes: Any) -> C:
    """The configuration that a recipe makes for a method, with values changed; None keeps a value of the recipe.

    Raises:
        ValueError: If method, recipe or a value is invalid.
    """
    require_known("recipe", recipe, recipes)
    made: Any = recipes[recipe](method)
    changed: C = replace(made, **{name: value for name, value in changes.items() if value is not None})
    return changed


def require_known(what: str, name: str, known: Iterable[str]) -> None:
    """Raise a ``ValueError`` for a name that is not among the known ones."""
    if name not in (names := tuple(known)):
        raise ValueError(f"unknown {what} {name!r}; choose one of {', '.join(names)}")


def require_one_of(config: Any, **choices: Collection[str]) -> None:
    """Raise a ``ValueError`` for the first of these settings that is none of its choices."""
    for name, allowed in choices.items():
        if getattr(config, name) not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {getattr(config, name)!r}")


def require_positive(config: Any, but: Collection[str] = ("seed",)) -> None:
    """Raise a ``ValueError`` for the first number of a configuration that is not positive.

    Args:
        config: The configuration.
        but: Settings that other limits apply to.
    """
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name not in but and isinstance(value, int | float) and not value > 0:
            raise ValueError(f"{field.name} must be positive; got {value}")
