"""Figures of the integer programs."""

from collections.abc import Sequence

from sympe_experiments.programs.config import METHODS, NAME
from sympe_experiments.records import Record
from sympe_experiments.report import strips
from sympe_experiments.report.canvas import Picture
from sympe_experiments.report.statistics import group_records

_UNIT = "wrong variables among the surest 70 %"
MEASURED = strips.Measured(METHODS, "wrong_70", _UNIT, digits=1, in_percent=False, axis=f"number of {_UNIT}")


def pictures(records: Sequence[Record]) -> list[Picture]:
    """One chart of all methods per group of runs."""
    return strips.comparison_pictures(records, MEASURED, NAME)


def findings(records: Sequence[Record]) -> list[str]:
    """What came out, in words."""
    return strips.findings(group_records(records), MEASURED.words)
