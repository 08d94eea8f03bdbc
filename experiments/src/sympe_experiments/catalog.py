"""The one list of experiments, and what the room of each must contain.

A room is a package with modules of fixed names, loaded on demand:

- ``config``: ``NAME``, ``make_config``, ``METHODS``;
- ``command``: ``Command``, what ``sympe NAME`` runs; or, for ``sympe compare``, ``run`` in a module of that name, and
  ``methods`` in ``config``;
- ``jobs``: ``jobs(preset)``, the runs of ``sympe reproduce``;
- ``tables`` and ``figures``: ``tables(records)``, ``pictures(records)`` and ``findings(records)``, for the report, and
  ``explorer(records)`` where there is something to point at.

Nothing here imports PyTorch: ``sympe --help`` reads this list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympe_experiments.records import Job, Record
    from sympe_experiments.report.canvas import Picture
    from sympe_experiments.report.explorer import Explorer
    from sympe_experiments.report.table import Table


@dataclass(frozen=True)
class Experiment:
    """One entry of the catalog.

    Attributes:
        name: Name on the command line and in records.
        room: Package below ``sympe_experiments``.
        title: Heading of the section in the report.
        question: What it asks, in one sentence.
        headline: Metric that the list of runs shows.
        has_command: Whether ``sympe NAME`` exists; if not, ``sympe compare`` runs it.
        has_jobs: Whether ``sympe reproduce`` runs it.
        has_explorer: Whether the report has a figure of it to point at.
    """

    name: str
    room: str
    title: str
    question: str
    headline: str
    has_command: bool = True
    has_jobs: bool = True
    has_explorer: bool = False

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
        found: list[Picture] = self.load("figures").pictures(records)
        return found

    def findings(self, records: "Sequence[Record]") -> list[str]:
        """What came out, in words, from records of its runs."""
        found: list[str] = self.load("figures").findings(records)
        return found

    def explorer(self, records: "Sequence[Record]") -> "Explorer | None":
        """What to point at in the report."""
        found: Explorer | None = self.load("figures").explorer(records) if self.has_explorer else None
        return found


#: It has no command and no jobs: ``sympe compare`` runs it.
_COMPARED = (False, False)

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "graph-autoencoder",
            "autoencoder",
            "Graph autoencoder",
            "How many node pairs of a graph come back wrong, when each node is encoded by eight numbers?",
            "test_error_percent",
        ),
        Experiment(
            "ising",
            "ising",
            "Ising ground states",
            "Which networks find the ground states of couplings Jx and Jy, and in the half of the plane that training "
            "never saw?",
            "exact_percent_in",
            has_explorer=True,
        ),
        Experiment(
            "molecules",
            "molecules",
            "Molecules",
            "How good are molecules that a diffusion model draws, in few steps and in many, and how likely does it "
            "find those of QM9?",
            "class_nll",
        ),
        Experiment(
            "independent-set",
            "independent_sets",
            "Maximal independent sets",
            "Can a network choose nodes of a graph whose nodes are all alike, so that no two neighbors are chosen and "
            "no further one can be?",
            "error",
            *_COMPARED,
        ),
        Experiment(
            "coloring",
            "independent_sets.coloring",
            "Colorings in three colors",
            "Can a network color a graph whose nodes are all alike, so that no two neighbors have one color?",
            "error",
            *_COMPARED,
        ),
        Experiment(
            "shapes",
            "shapes",
            "Shapes",
            "Can a network move the points of a symmetric shape to one of several less symmetric targets?",
            "error",
            *_COMPARED,
        ),
        Experiment(
            "distortions",
            "distortions",
            "Distortions",
            "Can a network move the sites of a perovskite into one of its domains, also where the period doubles?",
            "error",
            *_COMPARED,
        ),
        Experiment(
            "programs",
            "programs",
            "Integer programs",
            "Of which variables of a program with interchangeable bins can a network say rightly whether they are one?",
            "wrong_70",
            *_COMPARED,
        ),
        Experiment(
            "assignment",
            "assignment",
            "Assignment",
            "Can a transformer send identical agents to different targets?",
            "error",
            *_COMPARED,
        ),
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
    shared = ("compare", "report", "reproduce", "table")
    return found | {name: import_module(f"sympe_experiments.commands.{name}").Command for name in shared}
