r"""What predictions are worth to a solver: objectives after the same number of nodes, with and without them.

For each of several test instances HiGHS runs until it has gone through a number of nodes:

- *alone*;
- *started* from the repaired answer, the best of all draws;
- *near* the prediction: of the surest share of the variables at most a few may differ from it (Q. Han et al., *A
  GNN-guided predict-and-search framework for mixed-integer linear programming*, ICLR 2023).

The primal gap is :math:`(v - v^*) / \max(|v|, |v^*|)` for the objective v found and the best known one, 1 if nothing is
found and negative if v is better; a mean over instances, in per cent. Records hold the gap of each instance too.

    python -m sympe_experiments.programs.solver RUNS OUT [answer]

goes through all records below RUNS and writes one record for each below OUT; with ``answer``, of the gap of the
repaired answer itself, before any solver: as long as it is larger than that of the solver alone, no start from it, and
no bound on the objective, can be worth much.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sympe.programs.solutions import load
from sympe_experiments.programs.config import NAME, SOLVERS, make_config
from sympe_experiments.programs.data import load_splits, one_hot
from sympe_experiments.programs.instances import Instance
from sympe_experiments.records import FILE_NAME, Record, read_records
from sympe_experiments.report.statistics import OF_CASES

#: Test instances; the share of variables that is trusted, and how many of these may differ.
INSTANCES, SHARE, DIFFER = 20, 0.5, 10

#: Variables and values.
Values = tuple[NDArray[np.int64], NDArray[np.bool_]]


def objective_after(instance: Instance, start: Values | None = None, near: Values | None = None) -> float | None:
    """The objective of the best solution after some nodes; None if there is none.

    Args:
        instance: The instance.
        start: Variables and their values in a start, all of the items' or fewer.
        near: Variables and their values, of which few may differ.
    """
    highs = load(instance.program)
    for option, value in (("mip_max_nodes", SOLVERS["solver"]), ("parallel", "off"), ("time_limit", 300.0)):
        highs.setOptionValue(option, value)
    if near is not None:
        columns, ones = near
        # The number of differences is sum of x over predicted zeros, plus sum of 1 - x over predicted ones.
        highs.addRow(
            -np.inf, DIFFER - float(ones.sum()), len(columns), columns.astype(np.int32), np.where(ones, -1.0, 1.0)
        )
    if start is not None:
        highs.setSolution(len(start[0]), start[0].astype(np.int32), start[1].astype(np.float64))
    highs.run()
    info = highs.getInfo()
    return float(info.objective_function_value) if info.primal_solution_status == 2 else None


def surest(instance: Instance, score: NDArray[np.float64]) -> Values:
    """The variables of which a prediction is surest, and what it says of them."""
    chosen = np.argsort(-np.abs(score).ravel(), kind="stable")[: round(SHARE * score.size)]
    return instance.table.ravel()[chosen], score.ravel()[chosen] > 0


def gap(found: float | None, known: float) -> float:
    """The primal gap in per cent."""
    if found is None:
        return 100.0
    largest = max(abs(found), abs(known))
    return 100 * (found - known) / largest if largest > 0 else 0.0


def gaps_of(record: Record, recipe: str, instance: Instance) -> dict[str, float]:
    """The gap of each use of a run's prediction for an instance.

    Raises:
        ValueError: If the run has left no prediction of it.
    """
    kept = record.arrays()
    if not {f"score {instance.name}", f"best {instance.name}"} <= kept.keys():
        raise ValueError(f"{record.folder}: expected scores and a best answer for {instance.name} in the arrays")
    placed = one_hot(kept[f"best {instance.name}"].astype(np.int64), instance.table.shape[1])
    if recipe == "answer":
        return {"answer": gap(instance.packing.price(placed), instance.objective)}
    items = instance.table[: len(placed)].ravel(), placed.ravel()
    trusted = surest(instance, kept[f"score {instance.name}"].astype(np.float64))
    found = {
        "started": objective_after(instance, start=items),
        "near": objective_after(instance, near=trusted),
    }
    return {use: gap(value, instance.objective) for use, value in found.items()}


def alone(instance: Instance) -> dict[str, float]:
    """The gap of the solver without a prediction, under the name of each use."""
    return dict.fromkeys(("started", "near"), gap(objective_after(instance), instance.objective))


def solve_with(record: Record, recipe: str, method: str, gaps: Callable[[Instance], dict[str, float]]) -> Record:
    """The record of the solver on the last test instances of a run."""
    started = time.perf_counter()
    config = make_config(**record.config)
    _, test = load_splits(config.data, config.train, config.test)
    rows = [gaps(instance) for instance in test[-INSTANCES:]]
    cases = {f"gap_{use}": [row[use] for row in rows] for use in rows[0]}
    metrics: dict[str, float | int | None] = {name: float(np.mean(values)) for name, values in cases.items()}
    seed = 0 if method == "alone" else config.seed
    settings = replace(config, recipe=recipe, seed=seed).as_dict() | {"method": method, "nodes": SOLVERS[recipe]}
    history = {name + OF_CASES: values for name, values in cases.items()}
    seconds = time.perf_counter() - started
    return Record(NAME, method, recipe, config.data, seed, settings, metrics, seconds, history=history)


def main(runs: Path, out: Path, recipe: str = "solver") -> None:
    """One record per run, and one of the solver alone for each data set; finished ones are left."""
    for record in read_records(runs):
        if record.experiment != NAME or record.recipe in SOLVERS:
            continue
        made_by: dict[str, Callable[[Instance], dict[str, float]]] = {record.method: partial(gaps_of, record, recipe)}
        for method, gaps in (made_by if recipe == "answer" else {"alone": alone} | made_by).items():
            seed = 0 if method == "alone" else record.seed
            folder = out / record.data / recipe / method / f"seed{seed}"
            if not (folder / FILE_NAME).exists():
                made = solve_with(record, recipe, method, gaps)
                made.write(folder)
                print(f"{folder}: {made.metrics}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
