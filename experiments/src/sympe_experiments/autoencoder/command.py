"""``sympe graph-autoencoder``."""

from dataclasses import dataclass
from pathlib import Path

from sympe_experiments.commands.output import print_records


@dataclass(frozen=True)
class Command:
    """Train and test one graph autoencoder."""

    method: str = "sympe-sort"
    """What breaks the symmetry: none, noise, permutation, laplacian, sympe, ... (an unknown name lists all)."""
    recipe: str = "fast"
    """smoke, fast, best or poster."""
    seed: int = 0
    """Everything random comes from this number."""
    data: str = "erdos-renyi"
    """erdos-renyi, qm9, or a file of graphs (graph6, GraphML, edge list, npz)."""
    draws: int | None = None
    """Draws of g~ per graph in the test, the K of best-of-K. The recipe's if left out, as all that follow."""
    epochs: int | None = None
    """Passes over the training graphs."""
    batch_size: int | None = None
    """Graphs per step and process."""
    learning_rate: float | None = None
    """Adam's learning rate."""
    num_train: int | None = None
    """Graphs to train on, at most."""
    hidden: int | None = None
    """Width of the network."""
    out: Path | None = None
    """Folder of the run; runs/graph-autoencoder/DATA/RECIPE/METHOD/seedN if left out."""
    resume: bool = False
    """Go on with an interrupted run, or read a finished one."""
    devices: int = 1
    """Processes to train with (DDP)."""
    accelerator: str = "auto"
    """auto, cpu or gpu."""
    json: bool = False
    """Print one JSON object on stdout instead of a table."""

    def __call__(self) -> None:
        from sympe_experiments.autoencoder.config import make_config
        from sympe_experiments.autoencoder.jobs import run_folder
        from sympe_experiments.autoencoder.training import run

        names = ("seed", "data", "draws", "epochs", "batch_size", "learning_rate", "num_train", "hidden")
        config = make_config(self.method, self.recipe, **{name: getattr(self, name) for name in names})
        if self.devices < 1:
            raise ValueError(f"devices must be at least 1; got {self.devices}")
        folder = self.out if self.out is not None else Path("runs") / run_folder(config)
        record = run(config, folder, resume=self.resume, devices=self.devices, accelerator=self.accelerator)
        if record is not None:
            print_records([record], self.json)
