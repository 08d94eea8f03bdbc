"""Figures of the colorings."""

from collections.abc import Sequence

from sympe_experiments.independent_sets.coloring.config import METHODS, NAME
from sympe_experiments.records import Record
from sympe_experiments.report import strips
from sympe_experiments.report.canvas import Picture
from sympe_experiments.report.statistics import group_records

MEASURED = strips.Measured(METHODS, "error", "graphs with neighbors of one color")


def pictures(records: Sequence[Record]) -> list[Picture]:
    """One chart of all methods per group of runs."""
    return strips.comparison_pictures(records, MEASURED, NAME)


def findings(records: Sequence[Record]) -> list[str]:
    """What came out, in words."""
    return strips.findings(group_records(records), MEASURED.words)
