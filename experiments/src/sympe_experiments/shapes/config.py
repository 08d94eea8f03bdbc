"""Methods and recipes of the shapes."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from sympe.breaking import POINT_METHODS
from sympe_experiments.shapes.data import DATA

NAME = "shapes"

#: What all data sets can be compared by.
METHODS = (*POINT_METHODS, "canonicalized")

#: What only data of one shape can be compared by as well, and why.
FOR_ONE_SHAPE = {
    "partial": "keeps the symmetries of one target",
    "relaxed": "has weights for the symmetries of one start",
    "relaxed-turned": "has weights for the symmetries of one start",
}

RECIPES = ("full", "smoke")


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on."""

    method: str = "sympe-frames"
    """What breaks the symmetry."""
    recipe: str = "full"
    """full, or smoke, whose figures mean nothing."""
    data: str = "octahedron"
    """square, octahedron or fragments."""
    seed: int = 0
    """Everything random in the run comes from this number."""
    steps: int = 120
    """Steps of training."""
    copies: int = 4
    """Draws per shape and step."""
    learning_rate: float = 1e-2
    """Adam's learning rate, at its highest."""
    irreps: str = "2x0e+2x0o+2x1o+2x1e+2x2e+2x2o"
    """Irreps of the vector that breaks the symmetry."""
    multiplicity: int = 8
    """Width of the network: how many of each irrep."""
    max_degree: int = 2
    """Highest degree of the irreps inside the network."""
    num_layers: int = 2
    """Rounds of tensor products."""
    hidden: int = 32
    """Width of the networks that are none of e3nn: canonicalized and relaxed."""
    draws: int = 400
    """Draws per shape in the test, each with a rotation of its own."""

    def __post_init__(self) -> None:
        known = (*METHODS, *FOR_ONE_SHAPE)
        if self.method not in known:
            raise ValueError(f"unknown method {self.method!r}; choose one of {', '.join(known)}")
        if self.data not in DATA:
            raise ValueError(f"unknown data {self.data!r}; choose one of {', '.join(DATA)}")
        if self.method in FOR_ONE_SHAPE and self.data == "fragments":
            reason = FOR_ONE_SHAPE[self.method]
            raise ValueError(f"{self.method} {reason}; expected data square or octahedron, not fragments")
        for name in ("steps", "copies", "multiplicity", "num_layers", "hidden", "draws"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def methods(data: str | None) -> tuple[str, ...]:
    """All methods for a data set."""
    return METHODS if data == "fragments" else (*METHODS, *FOR_ONE_SHAPE)


def make_config(method: str, recipe: str = "full", **changes: Any) -> Config:
    """The configuration of a method, with values changed; None leaves a value as it is.

    Raises:
        ValueError: If method or recipe is unknown, or a value cannot be.
    """
    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    values = {name: value for name, value in changes.items() if value is not None}
    if recipe == "smoke":
        values = {"steps": 5, "multiplicity": 2, "hidden": 4, "copies": 2, "draws": 20} | values
    return replace(Config(), method=method, recipe=recipe, **values)
