"""Methods and recipes of the independent sets."""

from dataclasses import asdict, dataclass, replace
from typing import Any

NAME = "independent-set"

METHODS = (
    "none",
    "noise",
    "haar",
    "laplacian",
    "canonicalized",
    "symmetry-breaking-set",
    "sympe-labeling",
    "sympe-depth-first",
)

RECIPES = ("full", "smoke")


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
    hidden: int = 48
    """Width of the network; a quarter of that of the perceptron that canonicalized trains."""
    num_layers: int = 6
    """Rounds of sums over neighbors."""
    draws: int = 10
    """Draws per graph in the test."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"unknown method {self.method!r}; choose one of {', '.join(METHODS)}")
        for name in ("steps", "batch_size", "dim", "hidden", "num_layers", "draws"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if self.max_nodes < 8:
            raise ValueError(f"max_nodes must be at least 8; got {self.max_nodes}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def methods(data: str | None) -> tuple[str, ...]:
    """All methods for a data set."""
    return METHODS


def make_config(method: str, recipe: str = "full", **changes: Any) -> Config:
    """The configuration of a method, with values changed; None leaves a value as it is.

    Raises:
        ValueError: If method or recipe is unknown, or a value cannot be.
    """
    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    config = Config(method, recipe)
    if recipe == "smoke":
        config = replace(config, steps=20, max_nodes=10, hidden=16, num_layers=2, draws=2)
    return replace(config, **{name: value for name, value in changes.items() if value is not None})
