"""Tables for any experiment: the list of its runs, and all measurements of one that the catalog does not know."""

from collections.abc import Sequence

from sympe_experiments.records import Record
from sympe_experiments.report.statistics import finite, group_records, sample, unusual_config
from sympe_experiments.report.table import Block, Column, Row, Table, mean_and_spread, number


def runs_table(records: Sequence[Record], metric: str | None = None) -> Table:
    """Every run: what it was, what was special about it, where it ran.

    Args:
        records: Runs of one experiment.
        metric: Name of the measurement to show of each.
    """
    rows = tuple(_run_row(record, records, metric) for group in group_records(records) for record in group.records)
    columns = [
        Column("data", lambda row: row["data"]),
        Column("recipe", lambda row: row["recipe"]),
        Column("method", lambda row: row["method"]),
        Column("seed", lambda row: str(row["seed"]), True),
        Column("changed values", lambda row: ", ".join(f"{name} {value}" for name, value in row["changes"].items())),
        Column("commit", lambda row: str(row["commit"] or "-")),
        Column("hardware", lambda row: str(row["hardware"] or "-")),
        Column("seconds", lambda row: number(row["seconds"], 1), True),
    ]
    if metric is not None:
        columns.insert(4, Column(metric.replace("_", " "), lambda row: number(row["result"]), True))
    caption = ("Changed values are those that most runs of the same data and recipe do not have.",)
    return Table("All runs", tuple(columns), (Block(f"{len(rows)} runs", rows),), caption)


def _run_row(record: Record, records: Sequence[Record], metric: str | None) -> Row:
    environment = record.environment or {}
    return {
        "data": record.data,
        "recipe": record.recipe,
        "method": record.method,
        "seed": record.seed,
        "result": None if metric is None else finite(record.metrics.get(metric)),
        "changes": unusual_config(record, records),
        "commit": environment.get("commit"),
        "hardware": environment.get("gpu") or environment.get("processor"),
        "seconds": finite(record.seconds),
    }


def metrics_table(records: Sequence[Record]) -> Table:
    """All measurements of an experiment that the catalog does not know, one row each."""
    blocks = []
    for group in group_records(records):
        rows: list[Row] = []
        for method in group.methods:
            runs = group.runs(method)
            for metric in sorted({name for run in runs for name in run.metrics}):
                over_seeds = sample(runs, metric)
                values = {"mean": over_seeds.mean, "spread": over_seeds.spread, "seeds": len(over_seeds.values)}
                rows.append({"method": method, "metric": metric, **values})
        blocks.append(Block(group.title, tuple(rows)))
    columns = (
        Column("method", lambda row: row["method"]),
        Column("measurement", lambda row: row["metric"]),
        Column("mean", lambda row: mean_and_spread(row["mean"], row["spread"]), True),
        Column("seeds", lambda row: str(row["seeds"]), True),
    )
    return Table("Measurements", columns, tuple(blocks), ("Mean ± sample standard deviation over seeds.",))
