"""The runs of the graph autoencoder in each preset."""

from pathlib import Path

from sympe_experiments.autoencoder.config import NAME, Config, make_config
from sympe_experiments.autoencoder.training import record_floor, run
from sympe_experiments.records import Job

#: The poster's rows, then the combination with the Laplacian, the matched controls, and the best order found.
ROWS = (
    "none",
    "noise",
    "haar",
    "laplacian",
    "sympe-sort",
    "laplacian-sympe-sort",
    "laplacian-haar",
    "laplacian-noise",
    "sympe-sort-no-gradient",
    "sympe-depth-first",
)
#: Rows of the quick preset: the poster's, and the best order found; their control is Haar measure.
QUICK = ("none", "noise", "haar", "laplacian", "sympe-sort", "sympe-depth-first")
#: Rows of the full preset alone: other orders, by the same recipe and three seeds.
ORDERS = ("sympe-labeling", "sympe-laplacian-sort", "sympe-breadth-first", "laplacian-sympe-depth-first")
#: Rows of the full preset that are trained longer.
BEST = ("sympe-sort", "laplacian", "laplacian-haar")


def run_folder(config: Config) -> Path:
    """The folder of a run below that of all runs."""
    return Path(NAME, Path(config.data).name, config.recipe, config.method, f"seed{config.seed}")


def jobs(preset: str) -> list[Job]:
    """The floor, and the runs of a preset."""
    rows: list[tuple[str, str, int]] = []
    if preset == "smoke":
        rows = [(method, "smoke", 0) for method in ROWS]
    if preset == "quick":
        rows = [(method, "fast", 0) for method in QUICK]
    if preset == "full":
        rows = [(method, "fast", seed) for seed in range(3) for method in ROWS + ORDERS]
        rows += [(method, "best", seed) for seed in range(3) for method in BEST]
    floor = Job.once(Path(NAME, "erdos-renyi", "floor"), record_floor, "floor_difference_percent")
    return [floor, *(job(make_config(method, recipe, seed=seed)) for method, recipe, seed in rows)]


def job(config: Config) -> Job:
    """One run."""
    return Job.training(run_folder(config), run, config, "test_error_percent")
