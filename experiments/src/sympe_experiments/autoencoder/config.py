"""Methods and recipes of the graph autoencoder."""

from dataclasses import asdict, dataclass
from typing import Any

from sympe.settings import require_seed
from sympe_experiments.report.methods import Methods, ShownMethod
from sympe_experiments.report.palette import (
    BLUE,
    BROWN,
    GRAY,
    GREEN,
    INDIGO,
    ORANGE,
    PURPLE,
    SKY,
    TEAL,
    VERMILION,
    WINE,
    YELLOW,
)
from sympe_experiments.settings import from_recipe, require_known, require_one_of, require_positive

#: Name of the experiment, on the command line and in records.
NAME = "graph-autoencoder"


@dataclass(frozen=True)
class Method(ShownMethod):
    """A method, and how reports show it.

    Attributes:
        encodings: What breaks the symmetry: the encodings that the encoder gets as node features.
    """

    encodings: tuple[str, ...] = ()


#: Controls are the same network with random ranks in place of the sorted ones, without a gradient through the sort, or
#: with each of its other inputs alone. Methods that also see the Laplacian have the color of what the sort is.
METHODS = Methods[Method](
    {
        "none": Method("no symmetry breaking", poster=3.9, color=GRAY),
        "noise": Method("noise (random node features)", ("noise",), poster=2.3, color=ORANGE),
        "haar": Method("Haar measure instead of sorting (control)", ("haar",), poster=1.3, color=VERMILION),
        "laplacian": Method("Laplacian encodings", ("laplacian",), poster=0.98, color=GREEN),
        "sympe-sort": Method(
            "SymPE: sort by a learned scalar",
            ("sort",),
            controls=("haar", "sympe-sort-no-gradient"),
            poster=0.77,
            color=BLUE,
        ),
        "sympe-sort-no-gradient": Method(
            "SymPE: the same sort, no gradient through it (control)", ("sort-no-gradient",), color=SKY
        ),
        "sympe-labeling": Method("SymPE: exact labeling", ("labeling",), controls=("haar",), color=PURPLE),
        "sympe-refinement": Method("SymPE: color refinement", ("refinement",), controls=("haar",), color=INDIGO),
        "sympe-spectral": Method("SymPE: sort by the Fiedler vector", ("spectral",), controls=("haar",), color=TEAL),
        "sympe-laplacian-sort": Method(
            "SymPE: sort by a learned score of Laplacian encodings",
            ("laplacian-sort",),
            controls=("haar", "laplacian", "sympe-sort"),
            color=GREEN,
        ),
        "sympe-breadth-first": Method(
            "SymPE: breadth-first order", ("breadth-first",), controls=("haar",), color=YELLOW
        ),
        "sympe-depth-first": Method("SymPE: depth-first order", ("depth-first",), controls=("haar",), color=BROWN),
        "sympe-canonical-depth-first": Method(
            "SymPE: depth-first order of a canonical form",
            ("canonical-depth-first",),
            controls=("haar", "sympe-depth-first"),
            color=WINE,
        ),
        "laplacian-noise": Method("Laplacian + noise (control)", ("laplacian", "noise"), color=ORANGE),
        "laplacian-haar": Method(
            "Laplacian + Haar measure (control)",
            ("laplacian", "haar"),
            controls=("laplacian", "laplacian-noise"),
            color=VERMILION,
        ),
        "laplacian-sympe-sort": Method(
            "Laplacian + SymPE: sort by a learned scalar",
            ("laplacian", "sort"),
            controls=("laplacian", "laplacian-haar", "laplacian-sympe-sort-no-gradient"),
            color=BLUE,
        ),
        "laplacian-sympe-sort-no-gradient": Method(
            "Laplacian + the same sort, no gradient through it (control)", ("laplacian", "sort-no-gradient"), color=SKY
        ),
        "laplacian-sympe-spectral": Method(
            "Laplacian + SymPE: sort by the Fiedler vector",
            ("laplacian", "spectral"),
            controls=("laplacian", "laplacian-haar"),
            color=TEAL,
        ),
        "laplacian-sympe-breadth-first": Method(
            "Laplacian + SymPE: breadth-first order",
            ("laplacian", "breadth-first"),
            controls=("laplacian", "laplacian-haar"),
            color=YELLOW,
        ),
        "laplacian-sympe-depth-first": Method(
            "Laplacian + SymPE: depth-first order",
            ("laplacian", "depth-first"),
            controls=("laplacian", "laplacian-haar", "sympe-depth-first"),
            color=BROWN,
        ),
    }
)


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on."""

    method: str = "sympe-sort"
    """What breaks the symmetry."""
    recipe: str = "fast"
    """The recipe that the other values started from."""
    data: str = "erdos-renyi"
    """Data set: erdos-renyi, qm9, or a file of graphs (graph6, GraphML, edge list, npz)."""
    seed: int = 0
    """Everything random in the run comes from this number."""
    num_train: int = 5000
    """Graphs to train on, at most."""
    num_validation: int = 500
    """Graphs to validate on, at most."""
    num_test: int = 500
    """Graphs to test on, at most."""
    epochs: int = 24
    """Passes over the training graphs."""
    batch_size: int = 16
    """Graphs per step and process."""
    learning_rate: float = 5e-3
    """Adam's learning rate; its peak for one-cycle."""
    beta2: float = 0.98
    """Adam's decay of squared gradients. Batches of one size make gradients uneven: the usual 0.999 adapts late."""
    loss: str = "mean"
    """Cross-entropy as the mean or the sum over the pairs of a graph, then the mean over graphs."""
    schedule: str = "one-cycle"
    """one-cycle (per step) or cosine (per epoch, from the full rate to zero)."""
    select: str = "last"
    """Which weights are tested: the last, or those of best validation loss."""
    validate_every: int = 4
    """Epochs between validations."""
    draws: int = 10
    """Draws of g~ per graph in validation and test, and the K of best-of-K."""
    hidden_dim: int = 64
    """Features of node states and messages."""
    num_layers: int = 4
    """Rounds of messages."""
    code_dim: int = 8
    """Numbers per node in the code."""
    encoding_dim: int = 16
    """Features per node of a rank encoding or of noise."""
    num_vectors: int = 6
    """Laplacian eigenvectors per node."""
    temperature: float = 0.1
    """Temperature of SoftSort, in standard deviations of a graph's scores."""

    def __post_init__(self) -> None:
        """Refuse values that cannot work.

        Raises:
            ValueError: Naming the value, and what was expected instead.
        """
        require_known("method", self.method, METHODS)
        require_one_of(self, loss=("mean", "sum"), schedule=("one-cycle", "cosine"), select=("last", "best"))
        require_seed(self.seed)
        require_positive(self)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(
        method,
        "smoke",
        num_train=200,
        num_validation=40,
        num_test=40,
        epochs=2,
        validate_every=1,
        batch_size=32,
        hidden_dim=16,
    )


def fast(method: str) -> Config:
    """At most three minutes a row on one core."""
    return Config(method, "fast")


def best(method: str) -> Config:
    """At most eight minutes a row on one core."""
    return Config(method, "best", epochs=60, validate_every=10)


def poster(method: str) -> Config:
    """The published protocol: batches of one graph, Adam 1e-4, cosine, best of the validations."""
    return Config(
        method,
        "poster",
        epochs=100,
        batch_size=1,
        learning_rate=1e-4,
        beta2=0.999,
        loss="sum",
        schedule="cosine",
        select="best",
        validate_every=2,
    )


RECIPES = {"smoke": smoke, "fast": fast, "best": best, "poster": poster}


def make_config(method: str, recipe: str, **changes: Any) -> Config:
    """A recipe for a method, with values changed; None leaves a value as the recipe has it.

    Raises:
        ValueError: If method, recipe or a value is invalid.
    """
    return from_recipe(RECIPES, method, recipe, **changes)
