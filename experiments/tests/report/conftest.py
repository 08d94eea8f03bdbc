"""Synthetic records: no network was trained for them."""

from collections.abc import Callable
from typing import Any

import pytest

from sympe_experiments.records import Record

Make = Callable[..., Record]


@pytest.fixture
def make() -> Make:
    """Makes a synthetic record of the graph autoencoder."""

    def synthetic(method: str = "sympe-sort", error: float | None = 1.0, seed: int = 0, **changes: Any) -> Record:
        config = {"method": method, "seed": seed, "epochs": 8, "draws": 10, **changes.pop("config", {})}
        best = changes.pop("best", None if error is None else error / 2)
        values: dict[str, Any] = {
            "experiment": "graph-autoencoder",
            "method": method,
            "recipe": "fast",
            "data": "erdos-renyi",
            "seed": seed,
            "config": config,
            "metrics": {
                "test_error_percent": error,
                "best_of_10_error_percent": best,
                "epochs": 8,
                "test_pairs": 64500,
            },
            "seconds": 60.0 + seed,
            "history": {"validation_epoch": [4, 8], "validation_error_percent": [2.0, 1.0]},
            "environment": {"commit": "0123456789ab", "processor": "Imaginary CPU", "gpu": None},
        }
        return Record(**values | changes)

    return synthetic


@pytest.fixture
def floor() -> Record:
    """A synthetic record of floors."""
    metrics = {"floor_pair_percent": 0.7504, "floor_difference_percent": 1.1969, "trivial_percent": 25.1132}
    return Record("graph-autoencoder", "floor", "exact", "erdos-renyi", 0, {}, metrics | {"test_pairs": 64500}, 0.5)


@pytest.fixture
def awkward(make: Make, floor: Record) -> dict[str, list[Record]]:
    """Collections of records that a report must survive."""
    bare = Record("graph-autoencoder", "none", "fast", "qm9", 0, {}, {}, 1.0, {}, {})
    nulls = make(history=None, environment=None, seconds=None, config={"epochs": None})
    return {
        "one record": [make()],
        "no measurement": [make(error=None)],
        "nothing but names": [bare],
        "nulls": [nulls],
        "floor alone": [floor],
        "floor of other graphs": [floor, make(metrics={"test_error_percent": 1.0, "test_pairs": 10})],
        "a floor of zero": [make(), make("floor", metrics={"floor_pair_percent": 0.0})],
        "zero errors": [make(error=0.0, history={"validation_epoch": [4], "validation_error_percent": [0.0]})],
        "zeros among others": [make("none", 3.0), make("laplacian", 0.0), make("sympe-sort", 0.5, best=0.0)],
        "unknown method": [make("a-new-method", 0.4), make("none", 3.0)],
        "another experiment": [make(experiment="knitting", metrics={"stitches": 3, "dropped": None})],
        "several recipes": [make(), make(recipe="best", config={"epochs": 99}, history={})],
        "lengths differ": [make(history={"validation_epoch": [1], "validation_error_percent": [3.0, 2.0]})],
        "not a number": [make(error=float("nan"), history={"validation_error_percent": [float("inf"), 1.0]})],
        "names": [make(data='$\\x$ <b>[bold]|`*_\x1b[31m\udc80"' + "long" * 50, method="[/] $y", recipe="{{ 7 * 7 }}")],
    }
