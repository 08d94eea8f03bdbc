"""``sympe ising`` and ``sympe ising predict``."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from sympe.html import readable
from sympe_experiments.settings import RunOptions, changes


@dataclass(frozen=True)
class PredictCommand:
    """Ground states for given couplings, by a trained network."""

    weights: Path | None = None
    """Weights of a run; by default those that come with the package."""
    Jx: float | None = None
    """Coupling to the neighbor on the right, positive for a ferromagnet."""
    Jy: float | None = None
    """Coupling to the neighbor below."""
    J2: float = 0.0
    """Coupling across the diagonals, for weights of the model j1j2."""
    J3: float = 0.0
    """Coupling two steps along the axes, for weights of the model j1j2."""
    L: int = 32
    """Sites along each side."""
    couplings: Path | None = None
    """npz file with arrays Jx and Jy [L, L]: a coupling for each bond to the right of a site, and below it."""
    samples: int = 4
    """Configurations to draw."""
    seed: int = 0
    """Fixes the draws."""
    out: Path | None = None
    """Write spins [samples, L, L] and energies to this npz file instead of printing the spins."""
    json: bool = False
    """Print one JSON object on stdout."""

    def __call__(self) -> None:
        from sympe_experiments.ising.predict import predict

        found = predict(
            self.weights,
            {"Jx": self.Jx, "Jy": self.Jy, "J2": self.J2, "J3": self.J3},
            self.L,
            couplings=self.couplings,
            samples=self.samples,
            seed=self.seed,
        )
        if self.out is not None:
            found.write(self.out)
        if self.json:
            print(json.dumps(found.as_dict(with_spins=self.out is None)))
            return
        for k, energy in enumerate(found.energy.tolist()):
            print(f"sample {k}: energy per spin {found.shown(energy)}{found.comment(k)}")
            if self.out is None:
                print(found.picture(k))
        if self.out is not None:
            print(readable(f"Spins: {self.out}"))


@dataclass(frozen=True)
class Command:
    """Train and test a network on Ising ground states, or predict some."""

    predict: Annotated[PredictCommand, tyro.conf.subcommand("predict")] | None = None
    method: str = "sympe-template"
    """mlp, cnn, gcnn, gcnn-noise, haar, sympe-template, ... (an unknown name lists all)."""
    model: str = "nearest"
    """Couplings: nearest (Jx, Jy), j1j2 (Jx, Jy, J2, J3), field (Jx, Jy and a field h) or bonds (one for each bond)."""
    recipe: str = "fast"
    """smoke, fast or best."""
    seed: int = 0
    """Everything random comes from this number."""
    size: Annotated[int | None, tyro.conf.arg(name="L")] = None
    """Sites along each side of the lattice to train on. By default as the recipe has it, like all that follow."""
    transfer: tuple[int, ...] | None = None
    """Larger lattices to test on."""
    group: str | None = None
    """Symmetry: p4m, p4 or p1."""
    epochs: int | None = None
    """Epochs of training, 50 steps each (10 in the recipe smoke)."""
    batch_size: int | None = None
    """Couplings per step and process."""
    learning_rate: float | None = None
    """Peak of Adam's learning rate."""
    hidden_dim: int | None = None
    """Features of the group CNN, for each element of the point group."""
    period: int | None = None
    """Period of a tile."""
    options: Annotated[RunOptions, tyro.conf.arg(name="")] = field(default_factory=RunOptions)

    def __call__(self) -> None:
        if self.predict is not None:
            self.predict()
            return
        from sympe_experiments.ising.config import Config, make_config
        from sympe_experiments.ising.jobs import run_folder
        from sympe_experiments.ising.tables import tables
        from sympe_experiments.ising.training import run, summary
        from sympe_experiments.report.output import print_records

        config = make_config(self.method, self.recipe, **changes(self, Config))
        record = run(config, self.options.folder(run_folder(config)), **self.options.how())
        if record is None:
            return
        if self.options.json:
            print(json.dumps(summary(record)))
        else:
            print_records([record], tables, False)
