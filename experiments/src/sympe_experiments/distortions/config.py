"""Methods and recipes of the distortions."""

from dataclasses import dataclass
from functools import partial

from sympe_experiments.report.comparison import ComparedMethod
from sympe_experiments.report.methods import Methods
from sympe_experiments.settings import ComparedConfig, from_recipe, require_known

NAME = "distortions"

DATA = ("perovskites", "polar", "doubled")

METHODS = Methods[ComparedMethod](
    {
        "none": ComparedMethod("no symmetry breaking"),
        "noise": ComparedMethod("noise", is_continuous=True),
        "haar": ComparedMethod("Haar measure (control)", is_continuous=True),
        "symmetry-breaking-set": ComparedMethod("symmetry-breaking set"),
        "sympe-frames": ComparedMethod("SymPE: exact frames"),
    }
)


@dataclass(frozen=True)
class Config(ComparedConfig):
    """Everything that a run depends on."""

    method: str = "sympe-frames"
    data: str = "perovskites"
    """polar, doubled, or perovskites for both."""
    steps: int = 150
    copies: int = 4
    """Draws per crystal and step."""
    learning_rate: float = 1e-2
    irreps: str = "2x0e+2x1o"
    """Irreps of the vector of each site that breaks the symmetry."""
    multiplicity: int = 8
    """How many of each irrep the network has inside."""
    max_degree: int = 1
    """Highest degree of the irreps inside the network."""
    num_layers: int = 1
    """Gated rounds of messages; one more gives the answer."""
    cutoff: float = 3.0
    """Length of the longest edge, in angstrom."""
    draws: int = 200
    """Draws per crystal in the test, each with another rotation."""
    best_of: int = 10
    """Draws of which the best is reported besides."""

    def __post_init__(self) -> None:
        self.check(METHODS)
        require_known("data", self.data, DATA)
        if not self.cutoff > 0 or self.draws % self.best_of:
            raise ValueError(f"expected a positive cutoff and draws in groups of best_of; got {self.cutoff}, "
                             f"{self.draws} and {self.best_of}")  # fmt: skip


def methods(data: str | None) -> tuple[str, ...]:
    """All methods; they serve all data."""
    return tuple(METHODS)


def full(method: str) -> Config:
    """Less than half a minute a row, on one core."""
    return Config(method, "full")


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(method, "smoke", steps=3, multiplicity=2, copies=2, draws=20)


RECIPES = {"full": full, "smoke": smoke}
#: A recipe for a method, with values changed.
make_config = partial(from_recipe, RECIPES)
