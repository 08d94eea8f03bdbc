"""All ways to show a draw by all tasks, in one table, from the records of runs.

    python -m sympe_experiments.report.choosing results

prints it as Markdown.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from sympe_experiments.records import Record, read_records
from sympe_experiments.report.statistics import LEAST_SEEDS, Sample, Verdict, compare, sample
from sympe_experiments.report.table import Block, Column, Row, Table, number


@dataclass(frozen=True)
class Task:
    """One column: an error of which less is better, and the runs that were trained alike.

    Attributes:
        header: What stands above it.
        experiment, data, recipe, where: The runs; ``where`` are values of the configuration.
        error: The metric.
    """

    header: str
    experiment: str
    data: str
    error: str
    recipe: str = "full"
    where: dict[str, Any] = field(default_factory=dict)

    def runs(self, records: Sequence[Record], methods: Sequence[str]) -> list[Record]:
        """Runs of the first of several methods that has any."""
        alike = [r for r in records if (r.experiment, r.data, r.recipe) == (self.experiment, self.data, self.recipe)]
        alike = [r for r in alike if all(r.config.get(name) == value for name, value in self.where.items())]
        found = [[r for r in alike if r.method == method] for method in methods]
        return next((runs for runs in found if runs), [])


#: Programs are trained in several ways; these are compared.
_ALIKE = {"steps": 360, "num_rounds": 2}

TASKS = (
    Task("independent sets, %", "independent-set", "cayley-graphs", "error", where={"steps": 1500}),
    Task("coloring, %", "coloring", "cayley-graphs", "error", where={"steps": 1500, "num_layers": 6}),
    Task("autoencoder, %", "graph-autoencoder", "erdos-renyi", "test_error_percent", "fast"),
    Task("item placement, 70 %", "programs", "item-placement", "wrong_70", where=_ALIKE),
    Task("bin packing, 90 %", "programs", "bin-packing", "wrong_90", where=_ALIKE),
    Task("slabs, 70 %", "programs", "slabs", "wrong_70", where=_ALIKE),
    Task("slabs, 100 %", "programs", "slabs", "wrong_100", where=_ALIKE),
    Task("agents, % missed", "assignment", "depots", "error"),
    Task("agents, new sizes", "assignment", "depots", "error_unseen"),
)

#: What is shown, and the names of the methods that show it.
WAYS = {
    "nothing": ("none",),
    "names of orbits, which break nothing (control)": ("orbit-index", "class-index"),
    "a number per node": ("noise", "uniform"),
    "ranks, Haar measure (control)": ("haar",),
    "a permutation within each orbit": ("orbit",),
    "a permutation of the copies, made by hand": ("orbit-plus",),
    "locally unique ids": ("local-ids",),
    "a base": ("sympe-base",),
    "a base, highest degree first": ("sympe-base-degree",),
    "names of orbits and a base (control)": ("orbit-index-base",),
    "ranks, depth-first order": ("sympe-depth-first",),
    "ranks, color refinement": ("sympe-refinement",),
    "ranks in each orbit, exact": ("orbit-ranks",),
    "ranks in each orbit, exact, orbits named": ("orbit-ranks-names",),
    "ranks, exact labeling": ("sympe-labeling",),
}


def table(records: Sequence[Record]) -> Table:
    """The table; a star marks the least error of a column, a tilde what that does not beat."""
    rows: dict[str, Row] = {way: {"way": way} for way in WAYS}
    for task in TASKS:
        samples = {way: sample(task.runs(records, methods), task.error) for way, methods in WAYS.items()}
        means = {way: of.mean for way, of in samples.items() if of.mean is not None and len(of.values) >= LEAST_SEEDS}
        least = min(means, key=lambda way: means[way], default=None)
        for way, own in samples.items():
            rows[way][task.header] = _cell(own, None if least is None else samples[least])
    columns = (Column("what is shown", lambda row: row["way"]), *(_column(task.header) for task in TASKS))
    caption = (
        "Errors of a single draw, mean ± standard error over seeds, and the number of seeds; less is better. A star "
        "marks the least of a column among those of three seeds at least, a tilde what it does not beat by three "
        "pooled standard errors; rows of fewer seeds decide nothing.",
    )
    return Table("Ways to show a draw, by task", columns, (Block("all tasks", tuple(rows.values())),), caption)


def _cell(own: Sample, least: Sample | None) -> dict[str, Any]:
    count, found = len(own.values), None if least is None else compare(least, own)
    mark = ""
    if found is not None and count >= LEAST_SEEDS and found.verdict is not Verdict.BEATS:
        mark = "*" if own is least else "~"
    error = None if own.spread is None else own.spread / sqrt(count)
    return {"mean": own.mean, "standard_error": error, "seeds": count, "mark": mark}


def _column(header: str) -> Column:
    def text(row: Row) -> str:
        cell = row[header]
        if not cell["seeds"]:
            return "-"
        error = "" if cell["standard_error"] is None else f" ± {number(cell['standard_error'], 2)}"
        return f"{number(cell['mean'], 2)}{error} ({cell['seeds']}) {cell['mark']}".strip()

    return Column(header, text, is_number=True)


if __name__ == "__main__":
    print(table(read_records(Path(sys.argv[1]))).markdown(), end="")
