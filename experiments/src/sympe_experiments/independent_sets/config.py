"""Methods and recipes of the independent sets."""

from dataclasses import asdict, dataclass
from typing import Any

from sympe.settings import require_at_least
from sympe_experiments.report.comparison import ComparedMethod
from sympe_experiments.report.methods import Methods
from sympe_experiments.settings import from_recipe, require_known

NAME = "independent-set"

METHODS = Methods[ComparedMethod](
    {
        "none": ComparedMethod("no symmetry breaking"),
        "noise": ComparedMethod("noise", is_continuous=True),
        "laplacian": ComparedMethod("Laplacian encodings", is_continuous=True),
        "haar": ComparedMethod("Haar measure (control)"),
        "canonicalized": ComparedMethod("perceptron on the canonical form"),
        "symmetry-breaking-set": ComparedMethod("symmetry-breaking set"),
        "sympe-labeling": ComparedMethod("SymPE: exact labeling"),
        "sympe-depth-first": ComparedMethod("SymPE: depth-first order"),
    }
)


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on."""

    method: str = "sympe-labeling"
    """What breaks the symmetry."""
    recipe: str = "full"
    """full, or smoke, whose figures mean nothing."""
    data: str = "cayley-graphs"
    """cayley-graphs, or a file of graphs (graph6, GraphML, edge list, npz)."""
    seed: int = 0
    """Everything random in the run comes from this number; the graphs are the same for all."""
    max_nodes: int = 20
    """Nodes of the largest Cayley graph."""
    steps: int = 1500
    """Steps of training."""
    batch_size: int = 32
    """Graphs per step."""
    learning_rate: float = 2e-3
    """Adam's learning rate, at its highest."""
    dim: int = 16
    """Features per node that break the symmetry."""
    hidden_dim: int = 48
    """Features per node inside the network; the perceptron of canonicalized has four times as many."""
    num_layers: int = 6
    """Rounds of sums over neighbors."""
    draws: int = 10
    """Draws per graph in the test."""

    def __post_init__(self) -> None:
        require_known("method", self.method, METHODS)
        numbers = ("steps", "batch_size", "dim", "hidden_dim", "num_layers", "draws")
        require_at_least(1, **{name: getattr(self, name) for name in numbers})
        require_at_least(8, max_nodes=self.max_nodes)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def methods(data: str | None) -> tuple[str, ...]:
    """All methods for a data set."""
    return tuple(METHODS)


def full(method: str) -> Config:
    """Some minutes a row at most, on one core."""
    return Config(method, "full")


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(method, "smoke", steps=20, max_nodes=10, hidden_dim=16, num_layers=2, draws=2)


RECIPES = {"full": full, "smoke": smoke}


def make_config(method: str, recipe: str = "full", **changes: Any) -> Config:
    """A recipe for a method, with values changed; None leaves a value as the recipe has it.

    Raises:
        ValueError: If method, recipe or a value is invalid.
    """
    return from_recipe(RECIPES, method, recipe, changes)
