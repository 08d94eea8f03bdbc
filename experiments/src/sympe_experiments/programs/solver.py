r"""What predictions are worth to a solver: objectives after the same number of nodes, with and without them.

For each of several test instances HiGHS runs until it has gone through a number of nodes:

- *alone*;
- *started* from the repaired answer, the best of all draws;
- *near* the prediction: of the surest share of the variables, at most a few may differ from it (Q. Han et al., *A
  GNN-guided predict-and-search framework for mixed-integer linear programming*, ICLR 2023).

The primal gap is :math:`|v - v^*| / \max(|v|, |v^*|)` for the objective v found and the best known one, 1 if nothing is
found; a mean over instances, in per cent.

    python -m sympe_experiments.programs.solver RUNS OUT

goes through all records below RUNS and writes one record for each below OUT.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sympe.programs.solutions import load
from sympe_experiments.programs.config import NAME, make_config
from sympe_experiments.programs.data import load_splits, one_hot
from sympe_experiments.programs.instances import Instance
from sympe_experiments.records import FILE_NAME, Record, read_records

#: Test instances, nodes, the share of variables that are held near the prediction, and how many of them may differ.
INSTANCES, NODES, SHARE, DIFFER = 20, 100, 0.5, 10


def objective_after(
    instance: Instance, start: NDArray[np.bool_] | None = None, near: NDArray[np.float64] | None = None
) -> float | None:
    """The objective of the best solution after some nodes; None if there is none."""
    highs = load(instance.program)
    for option, value in (("mip_max_nodes", NODES), ("parallel", "off"), ("time_limit", 300.0)):
        highs.setOptionValue(option, value)
    if near is not None:
        surest = np.argsort(-np.abs(near).ravel(), kind="stable")[: round(SHARE * near.size)]
        ones = near.ravel()[surest] > 0
        # The number of differences is sum of x over predicted zeros, plus sum of 1 - x over predicted ones.
        columns, signs = instance.table.ravel()[surest], np.where(ones, -1.0, 1.0)
        highs.addRow(-np.inf, DIFFER - float(ones.sum()), len(columns), columns.astype(np.int32), signs)
    if start is not None:
        rows = instance.table[: len(start)]
        highs.setSolution(rows.size, rows.ravel().astype(np.int32), start.ravel().astype(np.float64))
    highs.run()
    info = highs.getInfo()
    return float(info.objective_function_value) if info.primal_solution_status == 2 else None


def gap(found: float | None, known: float) -> float:
    """The primal gap in per cent."""
    if found is None:
        return 100.0
    largest = max(abs(found), abs(known))
    return 100 * abs(found - known) / largest if largest > 0 else 0.0


def solve_with(record: Record) -> Record:
    """The record of the solver with the predictions of a run.

    Raises:
        ValueError: If the run has left no predictions.
    """
    started = time.perf_counter()
    config = make_config(**record.config)
    _, test = load_splits(config.data, config.train, config.test)
    kept = record.arrays()
    found: dict[str, list[float]] = {"started": [], "near": []}
    for instance in test[-INSTANCES:]:
        if f"score {instance.name}" not in kept:
            raise ValueError(f"{record.folder}: expected scores for {instance.name} in the arrays of the run")
        best = kept.get(f"best {instance.name}")
        start = None if best is None else one_hot(best.astype(np.int64), instance.table.shape[1])
        known = min(instance.objective, np.inf if start is None else instance.packing.price(start))
        found["started"].append(gap(objective_after(instance, start=start), known))
        near = kept[f"score {instance.name}"].astype(np.float64)
        found["near"].append(gap(objective_after(instance, near=near), known))
    metrics = {f"gap_{name}": float(np.mean(values)) for name, values in found.items()}
    changed = replace(config, recipe="solver")
    return Record.of(NAME, changed, {**metrics, "instances": INSTANCES}, time.perf_counter() - started)


def alone(record: Record) -> Record:
    """The record of the solver without predictions, on the instances of a run."""
    started = time.perf_counter()
    config = make_config(**record.config)
    _, test = load_splits(config.data, config.train, config.test)
    gaps = [gap(objective_after(instance), instance.objective) for instance in test[-INSTANCES:]]
    mean = float(np.mean(gaps))
    metrics: dict[str, float | int | None] = {"gap_started": mean, "gap_near": mean, "instances": INSTANCES}
    changed = replace(config, recipe="solver", method="none", seed=0).as_dict() | {"method": "alone"}
    return Record(NAME, "alone", "solver", config.data, 0, changed, metrics, time.perf_counter() - started)


def main(runs: Path, out: Path) -> None:
    """One record per run, and one of the solver alone for each data set; finished ones are left."""
    done: set[str] = set()
    for record in read_records(runs):
        if record.experiment != NAME or record.recipe == "solver":
            continue
        for make, method, seed in ((alone, "alone", 0), (solve_with, record.method, record.seed)):
            folder = out / record.data / "solver" / method / f"seed{seed}"
            if (folder / FILE_NAME).exists() or str(folder) in done:
                continue
            done.add(str(folder))
            made = make(record)
            made.write(folder)
            print(f"{folder}: {made.metrics}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
