"""The table of the shapes."""

from collections.abc import Sequence

from sympe_experiments.records import Record
from sympe_experiments.report.comparison import comparison_table
from sympe_experiments.report.statistics import Sample, sample
from sympe_experiments.report.table import Table
from sympe_experiments.shapes.config import METHODS


def tables(records: Sequence[Record]) -> list[Table]:
    """The table of the experiment."""
    return [
        comparison_table(
            records,
            METHODS,
            "Shapes: mean squared distance of the nearest target",
            "error",
            {
                "floor": "floor without breaking",
                "right_percent": "right, %",
                "right_unturned_percent": "right as in training, %",
                "coverage_p": "p of even coverage",
            },
            [
                "Error in square angstrom per point, over random rotations and reflections of the input. Every "
                "deterministic equivariant network errs by the floor at least. Right: within 0.05 angstrom per point, "
                "for the same inputs or for such as stand as they did in training.",
            ],
            lambda runs: Sample(tuple(100 - right for right in sample(runs, "right_percent").values)),
            ours="sympe-frames",
        )
    ]
