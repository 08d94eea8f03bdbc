"""Tables made from records."""

from collections.abc import Callable, Iterable, Sequence

from sympe.report import autoencoder
from sympe.report.tables.graph_autoencoder import autoencoder_table, autoencoder_tables, verdict_table
from sympe.report.tables.runs import metrics_table, runs_table
from sympe.report.tables.table import Block, Column, Table
from sympe.results import Record

#: The tables of each task. A task without an entry gets all its measurements in one.
TABLES: dict[str, Callable[[Sequence[Record]], list[Table]]] = {autoencoder.TASK: autoencoder_tables}


def tables_of(records: Iterable[Record]) -> list[Table]:
    """The tables of all tasks that the records are of, in the order of the tasks' names."""
    by_task: dict[str, list[Record]] = {}
    for record in records:
        by_task.setdefault(record.task, []).append(record)
    return [table for task in sorted(by_task) for table in TABLES.get(task, _only_metrics)(by_task[task])]


def _only_metrics(records: Sequence[Record]) -> list[Table]:
    return [metrics_table(records)]


__all__ = [
    "Block",
    "Column",
    "Table",
    "autoencoder_table",
    "autoencoder_tables",
    "metrics_table",
    "runs_table",
    "tables_of",
    "verdict_table",
]
