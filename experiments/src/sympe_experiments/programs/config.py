"""Methods and recipes of the integer programs."""

from dataclasses import dataclass
from typing import Any

from sympe.settings import require_at_least
from sympe_experiments.report.comparison import ComparedMethod
from sympe_experiments.report.methods import Methods
from sympe_experiments.settings import ComparedConfig, from_recipe, require_known

NAME = "programs"

#: The data sets.
DATA_SETS = ("item-placement", "bin-packing", "slabs")

#: Recipes of records that are not of trainings: of HiGHS and of answers before it, each with its nodes (one is the root
#: with its cuts and heuristics); of errors by kind of variable; of how comparable ranks are.
SOLVERS = {"solver": 1, "answer": 0}
BY_KIND, COMPARABILITY = "kinds", "comparability"

METHODS = Methods[ComparedMethod](
    {
        "none": ComparedMethod("no symmetry breaking"),
        "orbit-index": ComparedMethod("canonical index of orbits (control, breaks nothing)"),
        "uniform": ComparedMethod("Uniform", is_continuous=True),
        "position": ComparedMethod("Position"),
        "haar": ComparedMethod("Haar measure (control)"),
        "orbit": ComparedMethod("Orbit"),
        "orbit-plus": ComparedMethod("Orbit+ (made by hand for the problem)"),
        "local-ids": ComparedMethod("locally unique ids"),
        "sympe-base": ComparedMethod("SymPE: base"),
        "sympe-base-degree": ComparedMethod("SymPE: base, highest degree first"),
        "orbit-index-base": ComparedMethod("orbit index and base (control)"),
        "sympe-depth-first": ComparedMethod("SymPE: depth-first order"),
        "sympe-refinement": ComparedMethod("SymPE: color refinement"),
        "orbit-ranks": ComparedMethod("SymPE: ranks in each orbit"),
        "orbit-ranks-names": ComparedMethod("SymPE: ranks in each orbit, orbits named"),
        "sympe-labeling": ComparedMethod("SymPE: exact labeling"),
    }
)


@dataclass(frozen=True)
class Config(ComparedConfig):
    """Everything that a run depends on."""

    method: str = "sympe-labeling"
    data: str = "item-placement"
    """item-placement, slabs (both from the folder ilp in SYMPE_DATA), or bin-packing (generated)."""
    train: int = 180
    """Instances to train on."""
    test: int = 120
    """Instances to test on."""
    steps: int = 360
    """Steps of training."""
    batch_size: int = 4
    """Instances per step."""
    learning_rate: float = 2e-3
    """Adam's learning rate, at its highest."""
    dim: int = 16
    """Features per node that break the symmetry."""
    hidden_dim: int = 32
    """Features per node inside the network."""
    num_rounds: int = 2
    """Rounds of messages from variables to constraints and back; without any, nodes see themselves alone."""
    draws: int = 10
    """Draws per instance in the test."""

    def __post_init__(self) -> None:
        self.check(METHODS, "num_rounds")
        require_known("data set", self.data, DATA_SETS)
        require_at_least(0, num_rounds=self.num_rounds)


def methods(data: str | None) -> tuple[str, ...]:
    """All methods for a data set."""
    return tuple(METHODS)


def full(method: str) -> Config:
    """Some minutes a row, on one core: 8 passes over 180 instances of item placement."""
    return Config(method, "full")


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(method, "smoke", data="bin-packing", train=4, test=2, steps=2, hidden_dim=8, draws=2)


RECIPES = {"full": full, "smoke": smoke}


def make_config(method: str, recipe: str = "full", **changes: Any) -> Config:
    """A recipe for a method, with values changed; None keeps a value. Of slabs, which take long, 40 are for testing."""
    if recipe == "full" and changes.get("data") == "slabs":
        changes = {"test": 40} | changes
    return from_recipe(RECIPES, method, recipe, **changes)
