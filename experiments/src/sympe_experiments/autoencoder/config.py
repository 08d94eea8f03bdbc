"""Methods and recipes of the graph autoencoder."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

#: Name of the experiment, on the command line and in records.
NAME = "graph-autoencoder"

#: What breaks the symmetry, by method: the encodings that the encoder gets as node features.
METHODS: dict[str, tuple[str, ...]] = {
    "none": (),
    "noise": ("noise",),
    "haar": ("haar",),
    "laplacian": ("laplacian",),
    "sympe-sort": ("sort",),
    "sympe-sort-no-gradient": ("sort-no-gradient",),
    "sympe-labeling": ("labeling",),
    "sympe-refinement": ("refinement",),
    "sympe-spectral": ("spectral",),
    "sympe-breadth-first": ("breadth-first",),
    "sympe-depth-first": ("depth-first",),
    "sympe-canonical-depth-first": ("canonical-depth-first",),
    "laplacian-noise": ("laplacian", "noise"),
    "laplacian-haar": ("laplacian", "haar"),
    "laplacian-sympe-sort": ("laplacian", "sort"),
    "laplacian-sympe-sort-no-gradient": ("laplacian", "sort-no-gradient"),
    "laplacian-sympe-spectral": ("laplacian", "spectral"),
    "laplacian-sympe-breadth-first": ("laplacian", "breadth-first"),
    "laplacian-sympe-depth-first": ("laplacian", "depth-first"),
}


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
    hidden: int = 64
    """Width of node states and messages."""
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
        """Refuse what cannot run.

        Raises:
            ValueError: Naming the value, what was expected and what came.
        """
        if self.method not in METHODS:
            raise ValueError(f"unknown method {self.method!r}; choose one of {', '.join(METHODS)}")
        choices = {"loss": ("mean", "sum"), "schedule": ("one-cycle", "cosine"), "select": ("last", "best")}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or above; got {self.seed}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "seed" and isinstance(value, int | float) and not value > 0:
                raise ValueError(f"{field.name} must be positive; got {value}")

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
        hidden=16,
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
        ValueError: If method or recipe is unknown, or a value cannot be.
    """
    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    return replace(RECIPES[recipe](method), **{name: value for name, value in changes.items() if value is not None})
