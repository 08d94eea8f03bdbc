"""Methods and recipes of the assignment."""

from dataclasses import dataclass
from functools import partial

from sympe_experiments.report.comparison import ComparedMethod
from sympe_experiments.report.methods import Methods
from sympe_experiments.settings import ComparedConfig, from_recipe, require_known

NAME = "assignment"

METHODS = Methods[ComparedMethod](
    {
        "none": ComparedMethod("no symmetry breaking"),
        "class-index": ComparedMethod("canonical index of classes (control, breaks nothing)"),
        "noise": ComparedMethod("noise", is_continuous=True),
        "haar": ComparedMethod("Haar measure (control)"),
        "sympe-base": ComparedMethod("SymPE: base"),
        "orbit-ranks": ComparedMethod("SymPE: ranks in each class"),
        "sympe-labeling": ComparedMethod("SymPE: exact labeling"),
    }
)

#: Numbers of agents, and of targets: those that networks are trained on, and others.
TRAINED = (4, 6, 8, 12, 16, 24)
UNSEEN = (10, 20, 32, 48, 64)


@dataclass(frozen=True)
class Config(ComparedConfig):
    """Everything that a run depends on."""

    method: str = "sympe-labeling"
    data: str = "depots"
    """depots: agents at two to four depots, targets anywhere in the unit square."""
    steps: int = 2500
    batch_size: int = 32
    """Instances per step, all of one size."""
    learning_rate: float = 1e-3
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
        self.check(METHODS)
        require_known("data", self.data, ("depots",))


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
#: A recipe for a method, with values changed.
make_config = partial(from_recipe, RECIPES)
