"""What the report knows of each experiment; one entry per task, everything else works for any."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sympe.report.comparison import independent_set_tables, shapes_tables
from sympe.report.graph_autoencoder import facts as graph_autoencoder
from sympe.report.graph_autoencoder.tables import autoencoder_tables
from sympe.report.ising import facts as ising
from sympe.report.ising.tables import ising_tables
from sympe.report.molecules import facts as molecules
from sympe.report.molecules.tables import molecule_tables
from sympe.report.runs import metrics_table
from sympe.report.table import Table
from sympe.results import Record

if TYPE_CHECKING:
    # Matplotlib takes a second to load; who only prints a table does not need it.
    from sympe.report.canvas import Picture


@dataclass(frozen=True)
class Experiment:
    """How the runs of one task are shown.

    Attributes:
        title: Heading of its section.
        headline: Name of the metric that the list of runs shows.
        tables: Makes its tables.
        pictures: Makes its figures.
    """

    title: str
    headline: str | None
    tables: Callable[[Sequence[Record]], list[Table]]
    pictures: Callable[[Sequence[Record]], "list[Picture]"]


def _autoencoder_pictures(records: Sequence[Record]) -> "list[Picture]":
    from sympe.report.graph_autoencoder.figures import autoencoder_pictures

    return autoencoder_pictures(records)


def _ising_pictures(records: Sequence[Record]) -> "list[Picture]":
    from sympe.report.ising.figures import ising_pictures

    return ising_pictures(records)


def _molecule_pictures(records: Sequence[Record]) -> "list[Picture]":
    from sympe.report.molecules.figures import molecule_pictures

    return molecule_pictures(records)


EXPERIMENTS = {
    graph_autoencoder.TASK: Experiment(
        "Graph autoencoder", graph_autoencoder.ERROR, autoencoder_tables, _autoencoder_pictures
    ),
    ising.TASK: Experiment("Ising ground states", ising.EXACT, ising_tables, _ising_pictures),
    molecules.TASK: Experiment("Molecules", molecules.CLASS_NLL, molecule_tables, _molecule_pictures),
    "independent-set": Experiment("Maximal independent sets", "error", independent_set_tables, lambda records: []),
    "shapes": Experiment("Shapes", "error", shapes_tables, lambda records: []),
}


def experiment(task: str) -> Experiment:
    """The entry of a task; one without gets all its measurements in one table and no figures."""
    return EXPERIMENTS.get(task) or Experiment(task, None, lambda records: [metrics_table(records)], lambda records: [])


def tables_of(records: Iterable[Record]) -> list[Table]:
    """The tables of all tasks that the records are of, in the order of the tasks' names."""
    by_task: dict[str, list[Record]] = {}
    for record in records:
        by_task.setdefault(record.task, []).append(record)
    return [table for task in sorted(by_task) for table in experiment(task).tables(by_task[task])]
