"""Methods and recipes of graph diffusion."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from sympe.settings import require_seed
from sympe_experiments.report.methods import Methods, ShownMethod
from sympe_experiments.report.palette import (
    BLUE,
    BROWN,
    GRAY,
    GREEN,
    INDIGO,
    INK,
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
NAME = "molecules"

#: Orders that are found once per stored graph, as exact canonical orders can be.
STORED_ORDERS = ("labeling", "canonical-depth-first", "file")


@dataclass(frozen=True)
class Method(ShownMethod):
    """What breaks the symmetry, and how reports show it.

    Attributes:
        kind: ``none``; ``noise`` (random node features at each step); ``fresh`` (g~ drawn at each step given the
            noisy graph); ``carried`` (g~ drawn once per trajectory, in training given the clean graph).
        order: What orders the nodes: the canonicalizer of the kernel.
        by_rank: Whether the limit of the noise goes by the rank in a carried order.
        seen_above: Share of the process above which the network always sees a carried g~.
        hidden: How often training hides it below, near the graph. There the model mixes what the network guesses with
            and without it, by :attr:`Config.guidance` (J. Ho, T. Salimans, *Classifier-free diffusion guidance*, 2022).
        by_index: Whether graphs stay as the file lists them, and a canonicalizer without a kernel breaks ties by that
            order: what the kernel is there to forbid.
    """

    kind: str
    order: str = ""
    by_rank: bool = False
    seen_above: float = 0.0
    hidden: float = 0.0
    by_index: bool = False

    @property
    def is_stored(self) -> bool:
        """Whether the order of the clean graph is computed once and stored with it."""
        return self.kind == "carried" and self.order in STORED_ORDERS

    @property
    def stored_order(self) -> str:
        """The order to store with graphs; empty for none."""
        return self.order if self.is_stored else ""


METHODS = Methods[Method](
    {
        "none": Method("no symmetry breaking", "none", poster=129.7, color=GRAY),
        "noise": Method("noise (random node features)", "noise", controls=("none",), poster=126.5, color=ORANGE),
        "haar-carried": Method(
            "Haar measure, carried (control)", "carried", "constant", controls=("none",), color=VERMILION
        ),
        "haar-fresh": Method("Haar measure, fresh (control)", "fresh", "constant", controls=("none",), color=WINE),
        "sympe-labeling-fresh": Method(
            "SymPE fresh: exact labeling",
            "fresh",
            "labeling",
            controls=("none", "noise", "haar-fresh"),
            color=GREEN,
        ),
        "sympe-refinement-fresh": Method(
            "SymPE fresh: color refinement", "fresh", "refinement", controls=("none", "haar-fresh"), color=TEAL
        ),
        "sympe-sort-fresh": Method(
            "SymPE fresh: learned sort",
            "fresh",
            "sort",
            controls=("none", "noise", "haar-fresh"),
            poster=30.3,
            color=YELLOW,
        ),
    }
)

#: Carried orders: name, how reports call it, canonicalizer, color.
_CARRIED = (
    ("depth-first", "random depth-first", "random-depth-first", BLUE),
    ("kind-depth-first", "depth-first by kind", "kind-depth-first", PURPLE),
    ("degree-depth-first", "depth-first by degree", "degree-depth-first", YELLOW),
    ("branch-depth-first", "depth-first by branch", "branch-depth-first", TEAL),
    ("heavy-depth-first", "depth-first by kind, hydrogens last", "heavy-depth-first", SKY),
    ("canonical-depth-first", "canonical depth-first", "canonical-depth-first", SKY),
    ("labeling", "exact labeling", "labeling", INDIGO),
    ("refinement", "color refinement", "refinement", TEAL),
    ("sort", "learned sort", "sort", BROWN),
)

METHODS |= {
    f"sympe-{name}-carried": Method(
        f"SymPE carried: {label}", "carried", order, controls=("none", "haar-carried"), color=color
    )
    for name, label, order, color in _CARRIED
} | {
    "file-order": Method("order of the file (leak test)", "carried", "file", color=INK),
    "sort-fresh-index-ties": Method(
        "fresh learned sort without kernel, ties by index (leak test)", "fresh", "sort", by_index=True
    ),
}

METHODS |= {
    f"{name}-by-rank": replace(
        METHODS[name],
        label=f"{METHODS.short_label(name)}, noise by rank",
        by_rank=True,
        controls=("none", name) if name == "haar-carried" else ("none", "haar-carried-by-rank", name),
    )
    for name in (
        "haar-carried",
        "sympe-depth-first-carried",
        "sympe-kind-depth-first-carried",
        "sympe-degree-depth-first-carried",
        "sympe-branch-depth-first-carried",
        "sympe-heavy-depth-first-carried",
        "sympe-canonical-depth-first-carried",
        "sympe-labeling-carried",
    )
}


def _hiding(order: str, name: str, hidden: float, color: str) -> Method:
    """The method with noise by rank that carries this order, but near the graph hides it so often in training."""
    carried = METHODS[f"sympe-{order}-carried-by-rank"]
    return replace(
        carried,
        label=carried.label.replace("carried", name),
        seen_above=0.3,
        hidden=hidden,
        controls=("none", "haar-carried-by-rank", f"sympe-{order}-carried-by-rank"),
        color=color,
    )


METHODS |= {
    "sympe-kind-depth-first-dropped-by-rank": _hiding("kind-depth-first", "dropped", 1.0, BROWN),
    "sympe-kind-depth-first-guided-by-rank": _hiding("kind-depth-first", "guided", 0.5, TEAL),
    "sympe-degree-depth-first-guided-by-rank": _hiding("degree-depth-first", "guided", 0.5, GREEN),
    "sympe-heavy-depth-first-guided-by-rank": _hiding("heavy-depth-first", "guided", 0.5, WINE),
    "sympe-canonical-depth-first-guided-by-rank": _hiding("canonical-depth-first", "guided", 0.5, INDIGO),
}


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
    """Features of node states, and of attention."""
    edge_dim: int = 32
    """Features of edge states."""
    global_dim: int = 32
    """Features of the state of the whole graph."""
    node_hidden_dim: int = 160
    """Features inside the feed-forward networks of nodes."""
    edge_hidden_dim: int = 48
    """Features inside the feed-forward networks of edges."""
    global_hidden_dim: int | None = None
    """Features inside the feed-forward networks of the whole graph, in the layers; by default as for edges."""
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
    spacing: float | None = None
    """Samplers with fewer steps than T use the times T u^spacing for even u: by default 1, evenly. Above 1 they take
    smaller steps near the graph."""
    guidance: float | None = None
    """Of a method whose training hides the order at times near the graph: the weight there of the guess that sees it;
    the guess that does not has the rest. By default 0."""

    def __post_init__(self) -> None:
        """Refuse values that cannot work.

        Raises:
            ValueError: Naming the value, and what was expected instead.
        """
        require_known("method", self.method, METHODS)
        require_one_of(
            self,
            transition=("marginal", "uniform"),
            schedule=("one-cycle", "constant"),
            precision=("32", "bf16"),
        )
        require_seed(self.seed)
        if self.breaking.by_rank and self.transition != "marginal":
            raise ValueError(f"transition must be marginal with noise by rank; got {self.transition}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema must be from 0 to below 1; got {self.ema}")
        require_positive(self, but=("seed", "ema", "weight_decay", "compile", "guidance"))
        if any(not 1 <= steps <= self.steps for steps in self.sample_steps):
            raise ValueError(f"sample_steps must be from 1 to {self.steps}; got {list(self.sample_steps)}")
        if self.spacing is not None and not 1 <= self.spacing <= 10:
            raise ValueError(f"spacing must be from 1 to 10; got {self.spacing}")
        if self.guidance is not None and not (0 < self.breaking.hidden < 1 and 0 <= self.guidance <= 1):
            raise ValueError(
                "guidance must be from 0 to 1, for a method whose training hides the order at times; "
                f"got {self.guidance} for {self.method}"
            )

    @property
    def breaking(self) -> Method:
        """What breaks the symmetry."""
        return METHODS[self.method]

    def as_dict(self) -> dict[str, Any]:
        """All that is set; what is not set is left out, as in records made before it could be."""
        values = asdict(self) | {"sample_steps": list(self.sample_steps)}
        return {name: value for name, value in values.items() if value is not None}

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
        node_hidden_dim=16,
        edge_hidden_dim=8,
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


def plain(method: str) -> Config:
    """For sets of some hundred plain graphs: 800 steps of training on graphs of 64 nodes, half an hour a row."""
    return Config(
        method, "plain", data="planar", epochs=100, batch_size=16, validate_every=25, draws=32, num_samples=100
    )


def long(method: str) -> Config:
    """The same network with ten times the training; an hour a row on one core."""
    return Config(
        method, "long", epochs=20, validate_every=4, ema=0.999, num_samples=10_000, sample_steps=(5, 10, 20, 50, 100)
    )


def paper(method: str) -> Config:
    """The published network and process without hydrogens, for a GPU.

    The published configuration asks for 128 as ``global_hidden_dim``, but the code never hands it to the layers: their
    default of 2048 applies.
    """
    return Config(
        method,
        "paper",
        steps=500,
        node_dim=256,
        edge_dim=64,
        global_dim=64,
        node_hidden_dim=256,
        edge_hidden_dim=128,
        global_hidden_dim=2048,
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
    "plain": plain,
    "long": long,
    "paper": paper,
    "paper-hydrogens": paper_hydrogens,
}


def make_config(method: str, recipe: str, **changes: Any) -> Config:
    """A recipe for a method, with values changed; None leaves a value as the recipe has it.

    Raises:
        ValueError: If method, recipe or a value is invalid.
    """
    require_known("recipe", recipe, RECIPES)
    if changes.get("steps") is not None and changes.get("sample_steps") is None:
        # Sampling with more steps than the process has is not possible.
        known = RECIPES[recipe](method).sample_steps
        changes["sample_steps"] = tuple(sorted({min(steps, changes["steps"]) for steps in known}))
    return from_recipe(RECIPES, method, recipe, **changes)
