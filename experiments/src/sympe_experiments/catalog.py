"""The one list of experiments, and what the room of each must contain.

A room is a package with modules of fixed names, loaded on demand:

- ``config``: ``NAME``, ``make_config``, ``METHODS``;
- ``command``: ``Command``, what ``sympe NAME`` runs; or, for ``sympe compare``, ``run`` in a module of that name, and
  ``methods`` in ``config``;
- ``jobs``: ``jobs(preset)``, the runs of ``sympe reproduce``;
- ``tables`` and ``figures``: ``tables(records)`` and ``pictures(records)``, for the report.

Nothing here imports PyTorch: ``sympe --help`` reads this list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympe_experiments.records import Job, Record
    from sympe_experiments.report.canvas import Picture
    from sympe_experiments.report.table import Table


@dataclass(frozen=True)
class Experiment:
    """One entry of the catalog.

    Attributes:
        name: Name on the command line and in records.
        room: Package below ``sympe_experiments``.
        title: Heading of the section in the report.
        headline: Metric that the list of runs shows.
        has_command: Whether ``sympe NAME`` exists; if not, ``sympe compare`` runs it.
        has_jobs: Whether ``sympe reproduce`` runs it.
        has_figures: Whether the report has figures of it.
    """

    name: str
    room: str
    title: str
    headline: str
    has_command: bool = True
    has_jobs: bool = True
    has_figures: bool = True

    def load(self, module: str) -> Any:
        """A module of the room."""
        return import_module(f"sympe_experiments.{self.room}.{module}")

    def jobs(self, preset: str) -> "list[Job]":
        """The runs that a preset asks for.

        Raises:
            ValueError: If the data of the experiment is missing.
            ImportError: If its software is missing.
        """
        found: list[Job] = self.load("jobs").jobs(preset) if self.has_jobs else []
        return found

    def tables(self, records: "Sequence[Record]") -> "list[Table]":
        """Its tables, from records of its runs."""
        found: list[Table] = self.load("tables").tables(records)
        return found

    def pictures(self, records: "Sequence[Record]") -> "list[Picture]":
        """Its figures, from records of its runs; loads Matplotlib."""
        found: list[Picture] = self.load("figures").pictures(records) if self.has_figures else []
        return found


EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment("graph-autoencoder", "autoencoder", "Graph autoencoder", "test_error_percent"),
        Experiment("ising", "ising", "Ising ground states", "exact_percent_in"),
        Experiment("molecules", "molecules", "Molecules", "class_nll"),
        Experiment("independent-set", "independent_sets", "Maximal independent sets", "error", False, False, False),
        Experiment("shapes", "shapes", "Shapes", "error", False, False, False),
        Experiment("programs", "programs", "Integer programs", "wrong_70", False, False, False),
        Experiment("assignment", "assignment", "Assignment", "error", False, False, False),
    )
}


def find_experiment(name: str) -> Experiment:
    """The entry with that name.

    Raises:
        ValueError: If there is no such experiment.
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def tables_of(records: "Iterable[Record]") -> "list[Table]":
    """The tables of all experiments that have records, in the order of their names.

    An experiment that is not in the catalog gets all its measurements in one table.
    """
    from sympe_experiments.report.runs import metrics_table

    by_name: dict[str, list[Record]] = {}
    for record in records:
        by_name.setdefault(record.experiment, []).append(record)
    return [
        table
        for name, held in sorted(by_name.items())
        for table in (EXPERIMENTS[name].tables(held) if name in EXPERIMENTS else [metrics_table(held)])
    ]


def commands() -> dict[str, type]:
    """What this package adds to the command line of ``sympe``: commands by name."""
    found: dict[str, type] = {
        name: experiment.load("command").Command for name, experiment in EXPERIMENTS.items() if experiment.has_command
    }
    shared = ("compare", "reproduce", "table")
    return found | {name: import_module(f"sympe_experiments.commands.{name}").Command for name in shared}
