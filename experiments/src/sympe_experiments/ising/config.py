"""Methods and recipes of the Ising task."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

from sympe_experiments.ising.hamiltonian import HAMILTONIANS

#: Name of the experiment, on the command line and in records.
NAME = "ising"


class Method(NamedTuple):
    """What maps couplings to spins, and what breaks its symmetry.

    Attributes:
        network: mlp, cnn (translations only) or gcnn (translations and point group); or no network, but annealing or
            milp, which solve one set of couplings at a time.
        vector: What it sees beside the couplings: nothing, noise, or a learned or frozen vector: a tile that is
            repeated, or a field of its own for every site.
        kernel: How the vector is moved: not at all, by the inversion kernel, or by a Haar element.
    """

    network: str
    vector: str | None = None
    kernel: str | None = None


METHODS = {
    "mlp": Method("mlp"),
    "cnn": Method("cnn", "tile"),
    "gcnn": Method("gcnn"),
    "gcnn-noise": Method("gcnn", "noise"),
    "haar": Method("gcnn", "tile", "haar"),
    "sympe-template": Method("gcnn", "tile", "inversion"),
    "sympe-template-frozen": Method("gcnn", "frozen tile", "inversion"),
    "sympe-template-field": Method("gcnn", "field", "inversion"),
    "sympe-template-field-plain": Method("gcnn", "plain field", "inversion"),
    "sympe-template-field-frozen": Method("gcnn", "frozen field", "inversion"),
    "annealing": Method("annealing"),
    "milp": Method("milp"),
}

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
    """Couplings: nearest (Jx, Jy) or j1j2 (Jx, Jy, J2, J3)."""
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
    hidden: int = 4
    """Channels of the group CNN, for each point of the group."""
    num_layers: int = 3
    """Convolutions after the first."""
    kernel: int = 3
    """Width of the filters, odd."""
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
        """Refuse what cannot run.

        Raises:
            ValueError: Naming the value, what was expected and what came.
        """
        choices: dict[str, Iterable[str]] = {"method": METHODS, "model": HAMILTONIANS, "group": WALLPAPER}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"unknown {name} {getattr(self, name)!r}; choose one of {', '.join(known)}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or above; got {self.seed}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "seed" and isinstance(value, int | float) and not value > 0:
                raise ValueError(f"{field.name} must be positive; got {value}")
        if self.size < 2:
            raise ValueError(f"L must be at least 2; got {self.size}")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd; got {self.kernel}")
        if self.model == "j1j2" and any(size % 4 for size in (self.size, *self.transfer)):
            raise ValueError(
                f"the ordered phases of j1j2 have periods up to 4, which must divide the sizes of lattices; "
                f"got L = {', '.join(map(str, (self.size, *self.transfer)))}"
            )
        tile = METHODS[self.method].vector in ("tile", "frozen tile")
        if tile and any(size % self.period for size in (self.size, *self.transfer)):
            raise ValueError(
                f"a tile of period {self.period} needs lattices whose size it divides; "
                f"got L = {', '.join(map(str, (self.size, *self.transfer)))}: choose sympe-full or gcnn-noise, "
                f"or another period"
            )

    @property
    def has_field(self) -> bool:
        """Whether v has a number of its own for every site."""
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
        """Whether there is nothing to train."""
        return METHODS[self.method].network in ("annealing", "milp")

    @property
    def transfers(self) -> bool:
        """Whether the method serves lattices of other sizes than the one it is trained on."""
        method = METHODS[self.method]
        return method.network != "mlp" and not self.has_field

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"transfer": list(self.transfer)}


def smoke(method: str) -> Config:
    """Seconds: shows that everything runs. The figures mean nothing."""
    return Config(
        method,
        "smoke",
        size=4,
        epochs=2,
        epoch_steps=10,
        batch_size=16,
        hidden=2,
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
    and the lattice has 8 x 8 sites, unless told otherwise.

    Raises:
        ValueError: If method or recipe is unknown, or a value cannot be.
    """
    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; choose one of {', '.join(RECIPES)}")
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
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
    return replace(RECIPES[recipe](method), **changes)
