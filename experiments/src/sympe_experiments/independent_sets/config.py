"""Methods and recipes of the independent sets."""

from dataclasses import dataclass
from functools import partial

from sympe.settings import require_at_least
from sympe_experiments.report.comparison import ComparedMethod
from sympe_experiments.report.methods import Methods
from sympe_experiments.settings import ComparedConfig, from_recipe

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
        "sympe-base": ComparedMethod("SymPE: base"),
        "sympe-refinement": ComparedMethod("SymPE: color refinement"),
    }
)


@dataclass(frozen=True)
class Config(ComparedConfig):
    """Everything that a run depends on."""

    method: str = "sympe-labeling"
    data: str = "cayley-graphs"
    """cayley-graphs, or a file of graphs (graph6, GraphML, edge list, npz)."""
    max_nodes: int = 20
    """Nodes of the largest Cayley graph."""
    batch_size: int = 32
    """Graphs per step."""
    dim: int = 16
    """Features per node that break the symmetry."""
    hidden_dim: int = 48
    """Features per node inside the network; the perceptron of canonicalized has four times as many."""
    num_layers: int = 6
    """Rounds of sums over neighbors."""
    draws: int = 10
    """Draws per graph in the test."""

    def __post_init__(self) -> None:
        self.check(METHODS, "max_nodes")
        require_at_least(8, max_nodes=self.max_nodes)


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
#: A recipe for a method, with values changed.
make_config = partial(from_recipe, RECIPES)
