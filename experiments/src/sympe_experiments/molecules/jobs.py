"""The runs of graph diffusion in each preset."""

from functools import partial
from pathlib import Path

from sympe_experiments.molecules.chemistry import rdkit
from sympe_experiments.molecules.config import NAME, Config, make_config
from sympe_experiments.molecules.fetch import locate_qm9
from sympe_experiments.molecules.floor import record_floor
from sympe_experiments.molecules.training import run
from sympe_experiments.records import Job

#: The rows of the table: no symmetry breaking, its controls, SymPE with several orders, and the leak test.
ROWS = (
    "none",
    "noise",
    "haar-carried",
    "haar-fresh",
    "sympe-labeling-fresh",
    "sympe-sort-fresh",
    "sympe-depth-first-carried",
    "sympe-kind-depth-first-carried",
    "sympe-degree-depth-first-carried",
    "sympe-branch-depth-first-carried",
    "sympe-canonical-depth-first-carried",
    "sympe-labeling-carried",
    "sympe-sort-carried",
    "file-order",
    "sort-fresh-index-ties",
    "haar-carried-by-rank",
    "sympe-depth-first-carried-by-rank",
    "sympe-kind-depth-first-carried-by-rank",
    "sympe-kind-depth-first-dropped-by-rank",
    "sympe-kind-depth-first-guided-by-rank",
    "sympe-degree-depth-first-carried-by-rank",
    "sympe-degree-depth-first-guided-by-rank",
    "sympe-branch-depth-first-carried-by-rank",
    "sympe-canonical-depth-first-carried-by-rank",
    "sympe-canonical-depth-first-guided-by-rank",
)
#: Rows of the long runs: does the class likelihood of carried orders cross below that of none?
LONG = tuple(row for row in ROWS if row not in ("sympe-labeling-carried", "sympe-sort-carried"))
#: Rows with hydrogens, which can come last: which of them explains the poster's figures?
HYDROGENS = (
    *LONG,
    "sympe-heavy-depth-first-carried",
    "sympe-heavy-depth-first-carried-by-rank",
    "sympe-heavy-depth-first-guided-by-rank",
)
#: Sets of plain graphs.
PLAIN = ("community_small", "planar", "sbm", "tree")
#: Their rows: does an order pay where the measure before training says so?
PLAIN_ROWS = (
    "none",
    "haar-carried",
    "haar-carried-by-rank",
    "sympe-depth-first-carried",
    "sympe-depth-first-carried-by-rank",
)
#: Rows of the quick preset.
QUICK = ("none", "sympe-depth-first-carried")
#: Rows of the smoke test: one of each kind.
SMOKE = (
    "none",
    "noise",
    "sympe-labeling-fresh",
    "sympe-depth-first-carried",
    "sympe-depth-first-carried-by-rank",
    "file-order",
)


def run_folder(config: Config) -> Path:
    """The folder of a run below that of all runs."""
    return Path(NAME, Path(config.data).name, config.recipe, config.method, f"seed{config.seed}")


def jobs(preset: str) -> list[Job]:
    """The floors, and the runs of a preset.

    Raises:
        ValueError: If QM9 is missing and the download fails.
        ImportError: If RDKit is not installed.
    """
    rdkit()
    locate_qm9()
    configs: list[Config] = []
    if preset == "smoke":
        configs = [make_config(method, "smoke") for method in SMOKE]
    if preset == "quick":
        configs = [make_config(method, "quick") for method in QUICK]
    if preset == "full":
        configs = [make_config(method, "fast", seed=seed) for seed in range(3) for method in ROWS]
        configs += [
            make_config(method, "fast", seed=seed, data="qm9-hydrogens") for seed in range(3) for method in HYDROGENS
        ]
        configs += [make_config(method, "long", seed=seed) for seed in range(3) for method in LONG]
        configs += [
            make_config(method, "plain", seed=seed, data=data)
            for seed in range(3)
            for data in PLAIN
            for method in PLAIN_ROWS
        ]
    floors = ["qm9", "qm9-hydrogens", *PLAIN] if preset == "full" else ["qm9"] if preset == "quick" else []
    return [*(floor(data) for data in floors), *map(job, configs)]


def job(config: Config) -> Job:
    """One run."""
    return Job.training(run_folder(config), run, config, "class_nll")


def floor(data: str) -> Job:
    """What is known about a data set before any training."""
    return Job.once(Path(NAME, data, "floor"), partial(record_floor, data), "log_classes")
