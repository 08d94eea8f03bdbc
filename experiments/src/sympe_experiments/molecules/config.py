"""Methods and recipes of graph diffusion."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

#: Name of the experiment, on the command line and in records.
NAME = "molecules"

#: Orders that are found once per stored graph, as exact canonical orders can be.
STORED_ORDERS = ("labeling", "canonical-depth-first", "file")


@dataclass(frozen=True)
class Method:
    """What breaks the symmetry.

    Attributes:
        kind: ``none``; ``noise`` (random node features at each step); ``fresh`` (g~ drawn at each step given the
            noisy graph); ``carried`` (g~ drawn once per trajectory, in training given the clean graph).
        order: What orders the nodes: the canonicalizer of the kernel.
    """

    kind: str
    order: str = ""

    @property
    def is_stored(self) -> bool:
        """Whether the order of the clean graph is found once and kept beside it."""
        return self.kind == "carried" and self.order in STORED_ORDERS

    @property
    def stored_order(self) -> str:
        """The order to keep beside graphs; empty for none."""
        return self.order if self.is_stored else ""


METHODS: dict[str, Method] = {
    "none": Method("none"),
    "noise": Method("noise"),
    "haar-carried": Method("carried", "constant"),
    "haar-fresh": Method("fresh", "constant"),
    "sympe-labeling-fresh": Method("fresh", "labeling"),
    "sympe-refinement-fresh": Method("fresh", "refinement"),
    "sympe-sort-fresh": Method("fresh", "sort"),
    "sympe-depth-first-carried": Method("carried", "random-depth-first"),
    "sympe-canonical-depth-first-carried": Method("carried", "canonical-depth-first"),
    "sympe-labeling-carried": Method("carried", "labeling"),
    "sympe-refinement-carried": Method("carried", "refinement"),
    "sympe-sort-carried": Method("carried", "sort"),
    "file-order": Method("carried", "file"),
}


def require_at_least(least: int, **values: int) -> None:
    """Raise a ``ValueError`` for the first value that is smaller."""
    for name, value in values.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}; got {value}")


def require_seed(seed: int) -> None:
    """Raise a ``ValueError`` for a seed that generators do not take."""
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed must be from 0 to 2^63 - 1; got {seed}")


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on."""

    method: str = "sympe-depth-first-carried"
    """What breaks the symmetry."""
    recipe: str = "fast"
    """The recipe that the other values started from."""
    data: str = "qm9"
    """qm9, qm9-hydrogens, planar, sbm, tree, community_small, or a file of molecules (smi, sdf) or graphs."""
    seed: int = 0
    """Everything random in the run comes from this number."""
    num_train: int = 10**9
    """Graphs to train on, at most."""
    num_validation: int = 500
    """Graphs to estimate the likelihood of during training, at most."""
    num_test: int = 2000
    """Graphs to estimate the likelihood of after training, at most."""
    steps: int = 100
    """Steps of the noise process, T."""
    transition: str = "marginal"
    """Where the noise leads to: marginal (frequencies of the training graphs) or uniform."""
    node_dim: int = 80
    """Width of node states, and of attention."""
    edge_dim: int = 32
    """Width of edge states."""
    global_dim: int = 32
    """Width of the state of the whole graph."""
    node_hidden: int = 160
    """Width inside the feed-forward networks of nodes."""
    edge_hidden: int = 48
    """Width inside the feed-forward networks of edges and of the whole graph."""
    num_layers: int = 5
    """Layers of the graph transformer."""
    encoding_dim: int = 16
    """Features per node of a rank encoding or of noise."""
    temperature: float = 0.1
    """Temperature of SoftSort in a learned sort."""
    epochs: int = 2
    """Passes over the training graphs."""
    batch_size: int = 64
    """Graphs per step and process."""
    accumulate: int = 1
    """Batches whose gradients are added up before a step."""
    learning_rate: float = 1e-3
    """Learning rate of AdamW (amsgrad); its peak for one-cycle."""
    schedule: str = "one-cycle"
    """one-cycle (per step) or constant."""
    weight_decay: float = 1e-12
    """Weight decay of AdamW."""
    edge_weight: float = 5.0
    """Weight of the loss of edges beside that of nodes."""
    ema: float = 0.995
    """Decay of the moving average of the weights, which is what is tested; 0 for none."""
    precision: str = "32"
    """32, or bf16 (mixed; for GPUs)."""
    compile: bool = False
    """Whether to compile the layers of the network (torch.compile)."""
    validate_every: int = 1
    """Epochs between estimates of the likelihood."""
    draws: int = 8
    """Times of diffusion (and draws of g~) per graph in an estimate of the likelihood."""
    num_samples: int = 1000
    """Graphs to sample after training, for each number of steps."""
    sample_steps: tuple[int, ...] = (10, 100)
    """Numbers of steps to sample with."""

    def __post_init__(self) -> None:
        """Refuse what cannot run.

        Raises:
            ValueError: Naming the value, what was expected and what came.
        """
        if self.method not in METHODS:
            raise ValueError(f"unknown method {self.method!r}; choose one of {', '.join(METHODS)}")
        choices = {
            "transition": ("marginal", "uniform"),
            "schedule": ("one-cycle", "constant"),
            "precision": ("32", "bf16"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}")
        require_seed(self.seed)
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema must be from 0 to below 1; got {self.ema}")
        may_be_zero = ("seed", "ema", "weight_decay", "compile")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in may_be_zero and isinstance(value, int | float) and not value > 0:
                raise ValueError(f"{field.name} must be positive; got {value}")
        if any(not 1 <= steps <= self.steps for steps in self.sample_steps):
            raise ValueError(f"sample_steps must be from 1 to {self.steps}; got {list(self.sample_steps)}")

    @property
    def breaking(self) -> Method:
        """What breaks the symmetry."""
        return METHODS[self.method]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"sample_steps": list(self.sample_steps)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Config":
        """What :meth:`as_dict` made."""
        return cls(**values | {"sample_steps": tuple(values["sample_steps"])})


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(
        method,
        "smoke",
        num_train=256,
        num_validation=32,
        num_test=32,
        steps=10,
        node_dim=16,
        edge_dim=8,
        global_dim=8,
        node_hidden=16,
        edge_hidden=8,
        num_layers=2,
        epochs=1,
        batch_size=64,
        draws=2,
        num_samples=16,
        sample_steps=(2, 10),
    )


def fast(method: str) -> Config:
    """Some five minutes a row on one core: half a million parameters, 100 steps of noise, 3,000 of training."""
    return Config(method, "fast")


def quick(method: str) -> Config:
    """The same for half as long, and scored on fewer molecules: what ``sympe reproduce`` shows first."""
    return Config(method, "quick", epochs=1, num_test=500, num_samples=200)


def long(method: str) -> Config:
    """The same network with ten times the training; an hour a row on one core."""
    return Config(
        method, "long", epochs=20, validate_every=4, ema=0.999, num_samples=10_000, sample_steps=(5, 10, 20, 50, 100)
    )


def paper(method: str) -> Config:
    """The published network and process without hydrogens, for a GPU."""
    return Config(
        method,
        "paper",
        steps=500,
        node_dim=256,
        edge_dim=64,
        global_dim=64,
        node_hidden=256,
        edge_hidden=128,
        num_layers=9,
        epochs=1000,
        batch_size=1024,
        learning_rate=2e-4,
        schedule="constant",
        ema=0.9999,
        precision="bf16",
        compile=True,
        validate_every=50,
        num_test=13_053,
        num_samples=10_000,
        sample_steps=(5, 10, 20, 50, 500),
    )


def paper_hydrogens(method: str) -> Config:
    """The published network and process with explicit hydrogens, for a GPU."""
    return replace(
        paper(method),
        recipe="paper-hydrogens",
        data="qm9-hydrogens",
        num_layers=7,
        epochs=2000,
        batch_size=256,
        accumulate=2,
        validate_every=100,
    )


RECIPES = {
    "smoke": smoke,
    "quick": quick,
    "fast": fast,
    "long": long,
    "paper": paper,
    "paper-hydrogens": paper_hydrogens,
}


def make_config(method: str, recipe: str, **changes: Any) -> Config:
    """A recipe for a method, with values changed; None leaves a value as the recipe has it.

    Raises:
        ValueError: If method or recipe is unknown, or a value cannot be.
    """
    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    if changes.get("steps") is not None and changes.get("sample_steps") is None:
        # Sampling with more steps than the process has is not possible.
        known = RECIPES[recipe](method).sample_steps
        changes["sample_steps"] = tuple(sorted({min(steps, changes["steps"]) for steps in known}))
    return replace(RECIPES[recipe](method), **{name: value for name, value in changes.items() if value is not None})
