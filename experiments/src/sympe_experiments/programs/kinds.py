"""Which variables of slabs networks get wrong: those of orders, of capacities, or of colors.

    python -m sympe_experiments.programs.kinds RUNS OUT

goes through the runs on slabs below RUNS, reads the first draw that each has kept of every test instance, and writes
one record for each below OUT: wrong variables of each kind among the surest 70 % and among all, and of the variables
that place an order how many the network says are one, and how many of these are.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sympe_experiments.programs.config import BY_KIND, NAME, make_config
from sympe_experiments.programs.data import load_splits
from sympe_experiments.programs.instances import Instance
from sympe_experiments.records import FILE_NAME, Record, read_records

KINDS = ("orders", "capacities", "colors")
SHARES = (70, 100)


def counts(instance: Instance, logit: NDArray[np.float64]) -> dict[str, float]:
    """The measurements of one answer."""
    assert instance.packing.colors is not None
    orders, colors = len(instance.packing.sizes), len(set(instance.packing.colors.tolist()))
    row = np.arange(len(logit))[:, None] + np.zeros_like(logit)
    kind = (row >= orders).astype(int) + (row >= len(logit) - colors)
    target, said = instance.closest(logit), logit > 0
    trusted = np.argsort(-np.abs(logit).ravel(), kind="stable")
    found = {"placed": float(said[:orders].sum()), "placed_right": float((said & target)[:orders].sum())}
    for share in SHARES:
        part = trusted[: round(share / 100 * len(trusted))]
        wrong = kind.ravel()[part][(said != target).ravel()[part]]
        found |= {f"wrong_{share}_{name}": float((wrong == k).sum()) for k, name in enumerate(KINDS)}
    return found


def main(runs: Path, out: Path) -> None:
    """One record per run; finished ones are left."""
    for record in read_records(runs):
        if (record.experiment, record.data, record.recipe) != (NAME, "slabs", "full"):
            continue
        config = make_config(**record.config)
        folder = out / record.data / f"{BY_KIND}-{config.num_rounds}-rounds" / record.method / f"seed{record.seed}"
        if (folder / FILE_NAME).exists():
            continue
        kept, (_, test) = record.arrays(), load_splits(config.data, config.train, config.test)
        rows = [counts(instance, kept[f"score {instance.name}"].astype(np.float64)) for instance in test]
        metrics: dict[str, float | int | None] = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        settings = config.as_dict() | {"recipe": BY_KIND}
        made = Record(NAME, record.method, BY_KIND, record.data, record.seed, settings, metrics, 0.0)
        made.write(folder)
        print(f"{folder}: {metrics}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
