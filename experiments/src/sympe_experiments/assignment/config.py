"""Methods and recipes of the assignment."""

from dataclasses import asdict, dataclass
from typing import Any

from sympe.settings import require_at_least
from sympe_experiments.report.comparison import ComparedMethod
from sympe_experiments.report.methods import Methods
from sympe_experiments.settings import from_recipe, require_known

NAME = "assignment"

METHODS = Methods[ComparedMethod](
    {
        "none": ComparedMethod("no symmetry breaking"),
        "class-index": ComparedMethod("canonical index of classes (control, breaks nothing)"),
        "noise": ComparedMethod("noise", is_continuous=True),
        "haar": ComparedMethod("Haar measure (control)"),
        "class-ranks": ComparedMethod("a permutation within each class"),
        "sympe-base": ComparedMethod("SymPE: base"),
        "sympe-labeling": ComparedMethod("SymPE: exact labeling"),
    }
)

#: Numbers of agents, and of targets: those that networks are trained on, and others.
TRAINED = (4, 6, 8, 12, 16, 24)
UNSEEN = (10, 20, 32, 48, 64)


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on."""

    method: str = "sympe-labeling"
    """What breaks the symmetry."""
    recipe: str = "full"
    """full, or smoke, whose figures mean nothing."""
    data: str = "depots"
    """depots: agents at two to four depots, targets anywhere in the unit square."""
    seed: int = 0
    """Everything random in the run comes from this number; the instances of the test are the same for all."""
    steps: int = 2500
    """Steps of training."""
    batch_size: int = 32
    """Instances per step, all of one size."""
    learning_rate: float = 1e-3
    """Adam's learning rate, at its highest."""
    dim: int = 16
    """Features per element that break the symmetry."""
    hidden_dim: int = 64
    """Features per element inside the transformer."""
    num_layers: int = 4
    """Layers of the transformer."""
    test: int = 100
    """Instances of each size in the test."""
    draws: int = 10
    """Draws per instance in the test."""

    def __post_init__(self) -> None:
        require_known("method", self.method, METHODS)
        require_known("data", self.data, ("depots",))
        numbers = ("steps", "batch_size", "dim", "hidden_dim", "num_layers", "test", "draws")
        require_at_least(1, **{name: getattr(self, name) for name in numbers})

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def methods(data: str | None) -> tuple[str, ...]:
    """All methods for a data set."""
    return tuple(METHODS)


def full(method: str) -> Config:
    """Some minutes a row, on one core."""
    return Config(method, "full")


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(method, "smoke", steps=3, batch_size=4, hidden_dim=16, num_layers=1, test=2, draws=2)


RECIPES = {"full": full, "smoke": smoke}


def make_config(method: str, recipe: str = "full", **changes: Any) -> Config:
    """A recipe for a method, with values changed; None leaves a value as the recipe has it.

    Raises:
        ValueError: If method, recipe or a value is invalid.
    """
    return from_recipe(RECIPES, method, recipe, changes)
