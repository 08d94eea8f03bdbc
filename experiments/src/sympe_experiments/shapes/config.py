"""Methods and recipes of the shapes."""

from dataclasses import dataclass
from functools import partial

from sympe_experiments.report.comparison import ComparedMethod
from sympe_experiments.report.methods import Methods
from sympe_experiments.settings import ComparedConfig, from_recipe, require_known

NAME = "shapes"

DATA = ("square", "octahedron", "fragments")


@dataclass(frozen=True)
class Method(ComparedMethod):
    """A method, and how reports show it.

    Attributes:
        for_one_shape: Why it serves data of one shape alone; empty if it serves all.
    """

    for_one_shape: str = ""


METHODS = Methods[Method](
    {
        "none": Method("no symmetry breaking"),
        "noise": Method("noise", is_continuous=True),
        "haar": Method("Haar measure (control)", is_continuous=True),
        "unmoved": Method("learned vector that is not moved (control)"),
        "sympe-principal-axes": Method("SymPE: principal axes", is_continuous=True),
        "sympe-weighted-frames": Method("SymPE: weighted frames"),
        "relaxed": Method("relaxed weights", "has weights for the symmetries of one start"),
        "relaxed-turned": Method("relaxed weights trained in all poses", "has weights for the symmetries of one start"),
        "canonicalized": Method("perceptron on the canonical form"),
        "symmetry-breaking-set": Method("symmetry-breaking set"),
        "partial": Method("partial symmetry-breaking set", "keeps the symmetries of one target"),
        "sympe-frames": Method("SymPE: exact frames"),
    }
)


@dataclass(frozen=True)
class Config(ComparedConfig):
    """Everything that a run depends on."""

    method: str = "sympe-frames"
    data: str = "octahedron"
    """square, octahedron or fragments."""
    steps: int = 120
    copies: int = 4
    """Draws per shape and step."""
    learning_rate: float = 1e-2
    irreps: str = "2x0e+2x0o+2x1o+2x1e+2x2e+2x2o"
    """Irreps of the vector that breaks the symmetry."""
    multiplicity: int = 8
    """How many of each irrep the network has inside."""
    max_degree: int = 2
    """Highest degree of the irreps inside the network."""
    num_layers: int = 2
    """Rounds of tensor products."""
    hidden_dim: int = 32
    """Features inside the networks that do not come from e3nn: those of canonicalized and relaxed."""
    draws: int = 400
    """Draws per shape in the test, each with another rotation."""

    def __post_init__(self) -> None:
        self.check(METHODS, "max_degree")
        require_known("data", self.data, DATA)
        reason = METHODS[self.method].for_one_shape
        if reason and self.data == "fragments":
            raise ValueError(f"{self.method} {reason}; expected data square or octahedron, not fragments")


def methods(data: str | None) -> tuple[str, ...]:
    """All methods for a data set."""
    return tuple(name for name in METHODS if data != "fragments" or not METHODS[name].for_one_shape)


def full(method: str) -> Config:
    """Some minutes a row at most, on one core."""
    return Config(method, "full")


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(method, "smoke", steps=5, multiplicity=2, hidden_dim=4, copies=2, draws=20)


RECIPES = {"full": full, "smoke": smoke}
#: A recipe for a method, with values changed.
make_config = partial(from_recipe, RECIPES)
