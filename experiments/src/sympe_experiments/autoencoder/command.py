"""``sympe graph-autoencoder``."""

from dataclasses import dataclass, field
from typing import Annotated

import tyro

from sympe_experiments.settings import RunOptions, changes


@dataclass(frozen=True)
class Command:
    """Train and test one graph autoencoder."""

    method: str = "sympe-sort"
    """What breaks the symmetry: none, noise, haar, laplacian, sympe-sort, ... (an unknown name lists all)."""
    recipe: str = "fast"
    """smoke, fast, best or poster."""
    seed: int = 0
    """Everything random comes from this number."""
    data: str = "erdos-renyi"
    """erdos-renyi, qm9, or a file of graphs (graph6, GraphML, edge list, npz)."""
    draws: int | None = None
    """Draws of g~ per graph in the test, the K of best-of-K. By default as the recipe has it, like all that follow."""
    epochs: int | None = None
    """Passes over the training graphs."""
    batch_size: int | None = None
    """Graphs per step and process."""
    learning_rate: float | None = None
    """Adam's learning rate."""
    num_train: int | None = None
    """Graphs to train on, at most."""
    hidden_dim: int | None = None
    """Features inside the network."""
    options: Annotated[RunOptions, tyro.conf.arg(name="")] = field(default_factory=RunOptions)

    def __call__(self) -> None:
        from sympe_experiments.autoencoder.config import Config, make_config
        from sympe_experiments.autoencoder.jobs import run_folder
        from sympe_experiments.autoencoder.tables import tables
        from sympe_experiments.autoencoder.training import run
        from sympe_experiments.report.output import print_records

        config = make_config(self.method, self.recipe, **changes(self, Config))
        record = run(config, self.options.folder(run_folder(config)), **self.options.how())
        if record is not None:
            print_records([record], tables, self.options.json)
