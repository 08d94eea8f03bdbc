"""Runs of graph diffusion for tests: small ones, on the user's own molecules."""

from pathlib import Path
from typing import Any

from sympe_experiments.molecules.config import Config, make_config
from sympe_experiments.molecules.training import run

CHAINS = ["C" * n + end for n in range(1, 5) for end in ("O", "N", "F", "C#N", "C=O", "C1CC1")]
BROKEN = ["[NH4+]", "nonsense", "[Fe]"]


class Interruption(Exception):
    """What stops a run or a sampling on the way."""


def small(own_file: Path, method: str = "sympe-depth-first-carried", **changes: Any) -> Config:
    """A configuration that trains for a second."""
    values: dict[str, Any] = {"data": str(own_file), "epochs": 2, "num_samples": 12, "batch_size": 4, "steps": 4}
    return make_config(method, "smoke", **values | changes)


def make_run(config: Config, folder: Path, **options: Any) -> Any:
    """The record of a run on the CPU."""
    return run(config, folder, accelerator="cpu", progress=False, **options)


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file of samples."""
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path).to_pylist()
