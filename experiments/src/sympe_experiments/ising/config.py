"""Methods and recipes of the Ising ground states."""

from dataclasses import asdict, dataclass
from typing import Any

from sympe.settings import require_seed
from sympe_experiments.ising.hamiltonian import HAMILTONIANS
from sympe_experiments.ising.transfer import LONGEST_ROW
from sympe_experiments.report.methods import Methods, ShownMethod
from sympe_experiments.settings import from_recipe, require_known, require_positive

#: Name of the experiment, on the command line and in records.
NAME = "ising"


@dataclass(frozen=True)
class Method(ShownMethod):
    """What maps couplings to spins, what breaks its symmetry, and how reports show it.

    Attributes:
        network: mlp, cnn (translations only) or gcnn (translations and point group); or no network, but annealing or
            milp, which solve one set of couplings at a time.
        vector: What it sees beside the couplings: nothing, noise, or a learned or frozen vector: a tile that is
            repeated, or a field with its own value at every site.
        kernel: How the vector is moved: not at all, by the inversion kernel, or by a Haar element.
    """

    network: str
    vector: str | None = None
    kernel: str | None = None


#: Controls are the same network with more randomness than needed, with a vector that is not learned, or without one.
METHODS = Methods[Method](
    {
        "mlp": Method("MLP, not equivariant", "mlp"),
        "cnn": Method("CNN + learned tile, translations broken in place", "cnn", "tile"),
        "gcnn": Method("group CNN, no symmetry breaking", "gcnn"),
        "gcnn-noise": Method("group CNN + noise at every site", "gcnn", "noise"),
        "haar": Method("group CNN + learned tile, Haar measure (control)", "gcnn", "tile", "haar"),
        "sympe-template-frozen": Method("SymPE, tile frozen at random (control)", "gcnn", "frozen tile", "inversion"),
        "sympe-template": Method(
            "SymPE, learned tile",
            "gcnn",
            "tile",
            "inversion",
            controls=("gcnn", "gcnn-noise", "haar", "sympe-template-frozen"),
        ),
        "sympe-template-field": Method(
            "SymPE, learned field, by its Fourier amplitudes",
            "gcnn",
            "field",
            "inversion",
            controls=("gcnn", "gcnn-noise", "sympe-template-field-plain", "sympe-template-field-frozen"),
        ),
        "sympe-template-field-plain": Method("SymPE, learned field, by its values", "gcnn", "plain field", "inversion"),
        "sympe-template-field-frozen": Method(
            "SymPE, field frozen at random (control)", "gcnn", "frozen field", "inversion"
        ),
        "annealing": Method("simulated annealing, best of 20 reads", "annealing"),
        "milp": Method("integer programming (HiGHS)", "milp"),
    }
)

#: The point group by the name of the whole group.
WALLPAPER = {"p4m": "D4", "p4": "C4", "p1": "C1"}


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on."""

    method: str = "sympe-template"
    """What maps couplings to spins, and what breaks its symmetry."""
    recipe: str = "fast"
    """The recipe that the other values started from."""
    model: str = "nearest"
    """Couplings: nearest (Jx, Jy), j1j2 (Jx, Jy, J2, J3), field (Jx, Jy and a field h) or bonds (one for each bond)."""
    seed: int = 0
    """Everything random in the run comes from this number."""
    size: int = 10
    """Sites along each side of the lattice to train on, L."""
    epochs: int = 12
    """Stretches of training between checkpoints; twice as many with a field for v."""
    epoch_steps: int = 50
    """Steps per epoch, each on couplings drawn anew."""
    batch_size: int = 64
    """Couplings per step."""
    learning_rate: float = 2e-3
    """Peak of Adam's one-cycle learning rate."""
    field_start: float = 0.1
    """Standard deviation of the values that a learned field starts from."""
    tile_rate: float = 5.0
    """Learning rate of the values of a tile, in units of the network's."""
    field_rate: float = 30.0
    """Learning rate of a field or of a larger tile, in units of the network's."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    temperature: float = 1.0
    """Temperature of the free energy that is minimized, in units in which the mean-field transition is at 2."""
    group: str = "p4m"
    """Symmetry of the network and of g~: p4m (turns and reflections), p4 (turns) or p1 (translations alone)."""
    hidden_dim: int = 4
    """Features of the group CNN, for each element of the point group."""
    num_layers: int = 3
    """Convolutions after the first."""
    filter_width: int = 3
    """Sites along each side of a filter, odd."""
    vector_dim: int = 4
    """Features per site of a tile or of noise; a field has four times as many."""
    period: int = 2
    """Period of a tile."""
    num_test: int = 1024
    """Couplings to test on, in each half of the plane."""
    test_sites: int = 2**20
    """Sites to test on at each of the larger sizes: as many of the couplings as lattices have so many together."""
    num_test_milp: int = 8
    """Couplings to test integer programming on."""
    milp_seconds: float = 20.0
    """Time that integer programming gets for each."""
    transfer: tuple[int, ...] = (20, 40, 80)
    """Larger lattices to test on."""
    grid: int = 40
    """Points along each side of the phase diagram."""

    def __post_init__(self) -> None:
        """Refuse values that cannot work.

        Raises:
            ValueError: Naming the value, and what was expected instead.
        """
        require_known("method", self.method, METHODS)
        require_known("model", self.model, HAMILTONIANS)
        require_known("group", self.group, WALLPAPER)
        require_seed(self.seed)
        require_positive(self)
        if self.size < 2:
            raise ValueError(f"L must be at least 2; got {self.size}")
        if self.filter_width % 2 == 0:
            raise ValueError(f"filter_width must be odd; got {self.filter_width}")
        if self.model == "bonds" and (self.size > LONGEST_ROW or self.transfer):
            raise ValueError(
                f"ground energies of random bonds are known on up to {LONGEST_ROW} x {LONGEST_ROW} sites, at the size "
                f"of training alone; got L = {', '.join(map(str, (self.size, *self.transfer)))}"
            )
        if self.model == "j1j2" and any(size % 4 for size in (self.size, *self.transfer)):
            raise ValueError(
                f"the ordered phases of j1j2 have periods up to 4, which must divide the sizes of lattices; "
                f"got L = {', '.join(map(str, (self.size, *self.transfer)))}"
            )
        tile = METHODS[self.method].vector in ("tile", "frozen tile")
        if tile and any(size % self.period for size in (self.size, *self.transfer)):
            raise ValueError(
                f"a tile of period {self.period} needs lattices whose size it divides; "
                f"got L = {', '.join(map(str, (self.size, *self.transfer)))}: choose sympe-template-field or "
                f"gcnn-noise, or another period"
            )

    @property
    def data(self) -> str:
        """What records name as the data set."""
        return self.model

    @property
    def has_field(self) -> bool:
        """Whether v has another number for every site."""
        return "field" in (METHODS[self.method].vector or "")

    @property
    def has_many_waves(self) -> bool:
        """Whether v holds waves of more periods than two; then it starts small, and learns faster."""
        return self.has_field or self.period > 2

    @property
    def total_epochs(self) -> int:
        """Stretches of training of this method."""
        return self.epochs * (2 if self.has_field else 1)

    def num_test_at(self, size: int) -> int:
        """Couplings to test on at a size of the lattice."""
        return self.num_test if size == self.size else min(self.num_test, max(self.test_sites // size**2, 1))

    @property
    def is_solver(self) -> bool:
        """Whether the method has nothing to train."""
        return METHODS[self.method].network in ("annealing", "milp")

    @property
    def transfers(self) -> bool:
        """Whether the method supports lattices of other sizes than that of training."""
        method = METHODS[self.method]
        return method.network != "mlp" and not self.has_field

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"transfer": list(self.transfer)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Config":
        """What :meth:`as_dict` made."""
        return cls(**values | {"transfer": tuple(values["transfer"])})


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(
        method,
        "smoke",
        size=4,
        epochs=2,
        epoch_steps=10,
        batch_size=16,
        hidden_dim=2,
        num_layers=2,
        num_test=64,
        test_sites=1024,
        transfer=(8,),
        num_test_milp=2,
        grid=10,
    )


def fast(method: str) -> Config:
    """At most ninety seconds a row on one core."""
    return Config(method, "fast")


def best(method: str) -> Config:
    """Five times as many steps."""
    return Config(method, "best", epochs=60)


RECIPES = {"smoke": smoke, "fast": fast, "best": best}


def make_config(method: str, recipe: str, **changes: Any) -> Config:
    """A recipe for a method, with values changed; None leaves a value as the recipe has it.

    With the model ``j1j2`` the period of a tile is 4, the least that serves all its ordered phases on such lattices,
    and the lattice has 8 x 8 sites, unless ``changes`` say otherwise; with ``bonds`` it has 8 x 8 sites, and no larger
    ones are tested.

    Raises:
        ValueError: If method, recipe or a value is invalid.
    """
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes.get("model") == "j1j2":
        sizes = (
            {}
            if recipe == "smoke"
            else {
                "size": 8,
                "transfer": (16, 32),
                "num_test": 256,
                "vector_dim": 16,
                "epochs": 24,
                "test_sites": 2**16,
                "grid": 16,
            }
        )
        changes = {"period": 4, **sizes, **changes}
    if changes.get("model") == "bonds":
        sizes = {} if recipe == "smoke" else {"size": 8, "num_test": 256, "epochs": 24, "num_test_milp": 32}
        changes = {"transfer": (), **sizes, **changes}
    return from_recipe(RECIPES, method, recipe, **changes)
