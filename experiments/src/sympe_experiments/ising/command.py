"""``sympe ising`` and ``sympe ising predict``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sympe_experiments.commands.output import print_records


@dataclass(frozen=True)
class PredictCommand:
    """Ground states for given couplings, by a trained network."""

    weights: Path | None = None
    """Weights of a run; those that come with the package if left out."""
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
            print(f"sample {k}: energy per spin {energy:.6f}{found.comment()}")
            if self.out is None:
                print(found.picture(k))
        if self.out is not None:
            print(f"Spins: {self.out}")


@dataclass(frozen=True)
class Command:
    """Train and test a network on Ising ground states, or predict some."""

    predict: Annotated[PredictCommand, tyro.conf.subcommand("predict")] | None = None
    method: str = "sympe-template"
    """mlp, cnn, gcnn, gcnn-noise, gcnn-haar, sympe, sympe-full, ... (an unknown name lists all)."""
    model: str = "nearest"
    """Couplings: nearest (Jx, Jy) or j1j2 (Jx, Jy, J2, J3)."""
    recipe: str = "fast"
    """smoke, fast or best."""
    seed: int = 0
    """Everything random comes from this number."""
    L: int | None = None
    """Sites along each side of the lattice to train on. The recipe's if left out, as all that follow."""
    transfer: tuple[int, ...] | None = None
    """Larger lattices to test on."""
    group: str | None = None
    """Symmetry: p4m, p4 or p1."""
    epochs: int | None = None
    """Stretches of training, of 50 steps each but in the recipe smoke."""
    batch_size: int | None = None
    """Couplings per step and process."""
    learning_rate: float | None = None
    """Peak of Adam's learning rate."""
    hidden: int | None = None
    """Channels of the group CNN."""
    period: int | None = None
    """Period of a tile."""
    out: Path | None = None
    """Folder of the run; runs/ising/MODEL/RECIPE/L/METHOD/seedN if left out."""
    resume: bool = False
    """Go on with an interrupted run, or read a finished one."""
    devices: int = 1
    """Processes to train with (DDP)."""
    accelerator: str = "auto"
    """auto, cpu or gpu."""
    json: bool = False
    """Print one JSON object on stdout instead of a table."""

    def __call__(self) -> None:
        if self.predict is not None:
            self.predict()
            return
        from sympe_experiments.ising.config import make_config
        from sympe_experiments.ising.jobs import run_folder
        from sympe_experiments.ising.training import run, summary

        names = ("model", "seed", "transfer", "group", "epochs", "batch_size", "learning_rate", "hidden", "period")
        changes = {name: getattr(self, name) for name in names} | {"size": self.L}
        config = make_config(self.method, self.recipe, **changes)
        if self.devices < 1:
            raise ValueError(f"devices must be at least 1; got {self.devices}")
        folder = self.out if self.out is not None else Path("runs") / run_folder(config)
        record = run(config, folder, resume=self.resume, devices=self.devices, accelerator=self.accelerator)
        if record is None:
            return
        if self.json:
            print(json.dumps(summary(record)))
        else:
            print_records([record], False)
