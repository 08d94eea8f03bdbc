"""``sympe compare``."""

import sys
from dataclasses import dataclass
from pathlib import Path

from sympe.cli.output import print_records

TASKS = ("independent-set", "shapes")


@dataclass(frozen=True)
class CompareCommand:
    """Compare all ways to break symmetry on one small task: error, excess randomness, cost per step."""

    task: str = "independent-set"
    """independent-set, or shapes (needs e3nn)."""
    data: str | None = None
    """For independent-set: cayley-graphs, or a file of graphs. For shapes: square, octahedron or fragments."""
    methods: tuple[str, ...] = ()
    """Only these; all that the task has if left out (an unknown name lists them)."""
    seeds: int = 3
    """Runs of each method, with the seeds 0, 1, ..."""
    steps: int | None = None
    """Steps of training; the task's own number if left out."""
    recipe: str = "full"
    """full, or smoke (seconds; the figures mean nothing)."""
    out: Path = Path("runs/compare")
    """Folder of all runs; what is finished there is not run again."""
    json: bool = False
    """Print one JSON object on stdout instead of the table."""

    def __call__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"unknown task {self.task!r}; choose one of {', '.join(TASKS)}")
        if self.seeds < 1:
            raise ValueError(f"seeds must be at least 1; got {self.seeds}")
        from sympe.tasks import independent_set, shapes

        task = {"independent-set": independent_set, "shapes": shapes}[self.task]
        changes = {"data": self.data, "steps": self.steps}
        configs = [
            task.make_config(method, self.recipe, seed=seed, **changes)
            for seed in range(self.seeds)
            for method in self.methods or task.methods(self.data)
        ]
        records = []
        for config in configs:
            folder = (
                self.out / self.task / Path(config.data).name / config.recipe / config.method / f"seed{config.seed}"
            )
            records.append(task.run(config, folder, resume=True))
            print(f"{folder}: error {records[-1].metrics['error']:.4g}", file=sys.stderr)
        print_records(records, self.json)
