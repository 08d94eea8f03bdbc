"""``sympe compare``."""

import sys
from dataclasses import dataclass
from pathlib import Path

from sympe.html import readable
from sympe_experiments.catalog import EXPERIMENTS, tables_of
from sympe_experiments.report.output import print_records


@dataclass(frozen=True)
class Command:
    """Compare all ways to break symmetry on one small experiment: error, excess randomness, cost per step."""

    experiment: str = "independent-set"
    """independent-set, coloring, shapes or distortions (both need e3nn), programs or assignment."""
    data: str | None = None
    """For independent-set: cayley-graphs, or a file of graphs. For shapes: square, octahedron or fragments.
    For distortions: perovskites, polar or doubled."""
    methods: tuple[str, ...] = ()
    """Only these; by default all that the experiment has (an unknown name lists them)."""
    seeds: int = 3
    """Runs of each method, with the seeds 0, 1, ..."""
    steps: int | None = None
    """Steps of training; by default as the recipe has it."""
    recipe: str = "full"
    """full, or smoke (seconds; the figures mean nothing)."""
    out: Path = Path("runs/compare")
    """Folder of all runs; finished ones do not run again."""
    json: bool = False
    """Print one JSON object on stdout instead of the table."""

    def __call__(self) -> None:
        known = [name for name, entry in EXPERIMENTS.items() if not entry.has_command]
        if self.experiment not in known:
            raise ValueError(f"unknown experiment {self.experiment!r}; choose one of {', '.join(known)}")
        if self.seeds < 1:
            raise ValueError(f"seeds must be at least 1; got {self.seeds}")
        entry = EXPERIMENTS[self.experiment]
        settings, run = entry.load("config"), entry.load("run").run
        changes = {"data": self.data, "steps": self.steps}
        configs = [
            settings.make_config(method, self.recipe, seed=seed, **changes)
            for seed in range(self.seeds)
            for method in self.methods or settings.methods(self.data)
        ]
        records = []
        for config in configs:
            folder = self.out / self.experiment / Path(config.data).name
            folder = folder / config.recipe / config.method / f"seed{config.seed}"
            records.append(run(config, folder, resume=True))
            print(readable(f"{folder}: error {records[-1].metrics['error']:.4g}"), file=sys.stderr)
        print_records(records, tables_of, self.json)
