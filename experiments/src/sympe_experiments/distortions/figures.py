"""Figures of the distortions."""

from collections.abc import Sequence

from sympe_experiments.distortions.config import METHODS, NAME
from sympe_experiments.records import Record
from sympe_experiments.report import strips
from sympe_experiments.report.canvas import Picture
from sympe_experiments.report.statistics import group_records

MEASURED = strips.Measured(METHODS, "right_percent", "right distortions", more_is_better=True, digits=1)


def pictures(records: Sequence[Record]) -> list[Picture]:
    """One chart of all methods per group of runs."""
    return strips.comparison_pictures(records, MEASURED, NAME)


def findings(records: Sequence[Record]) -> list[str]:
    """What came out, in words."""
    return strips.findings(group_records(records), MEASURED.words)
