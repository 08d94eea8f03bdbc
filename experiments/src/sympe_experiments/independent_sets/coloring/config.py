"""Methods and recipes of the colorings."""

from dataclasses import dataclass
from functools import partial

from sympe.settings import require_at_least
from sympe_experiments.independent_sets import config as independent_sets
from sympe_experiments.report.comparison import ComparedMethod
from sympe_experiments.report.methods import Methods
from sympe_experiments.settings import from_recipe, require_known

NAME = "coloring"

METHODS = Methods[ComparedMethod](
    {
        "none": ComparedMethod("no symmetry breaking"),
        "noise": ComparedMethod("noise", is_continuous=True),
        "haar": ComparedMethod("Haar measure (control)"),
        "sympe-base": ComparedMethod("SymPE: base"),
        "sympe-refinement": ComparedMethod("SymPE: color refinement"),
        "sympe-depth-first": ComparedMethod("SymPE: depth-first order"),
        "sympe-labeling": ComparedMethod("SymPE: exact labeling"),
    }
)


@dataclass(frozen=True)
class Config(independent_sets.Config):
    """Everything that a run depends on, as for independent sets.

    The data are cayley-graphs alone, those of chromatic number three and degrees 3 to 6. Without layers, nodes see
    themselves alone.
    """

    def __post_init__(self) -> None:
        self.check(METHODS, "num_layers")
        require_known("data", self.data, ("cayley-graphs",))
        require_at_least(0, num_layers=self.num_layers)
        require_at_least(9, max_nodes=self.max_nodes)


def methods(data: str | None) -> tuple[str, ...]:
    """All methods for a data set."""
    return tuple(METHODS)


def full(method: str) -> Config:
    """A minute a row at most, on one core."""
    return Config(method, "full")


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(method, "smoke", steps=3, max_nodes=9, hidden_dim=16, num_layers=2, draws=2)


RECIPES = {"full": full, "smoke": smoke}
#: A recipe for a method, with values changed.
make_config = partial(from_recipe, RECIPES)
