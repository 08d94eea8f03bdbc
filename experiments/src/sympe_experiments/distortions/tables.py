"""The table of the distortions."""

from collections.abc import Sequence

from sympe_experiments.distortions.config import METHODS
from sympe_experiments.records import Record
from sympe_experiments.report.comparison import comparison_table
from sympe_experiments.report.statistics import Sample, sample
from sympe_experiments.report.table import Table


def tables(records: Sequence[Record]) -> list[Table]:
    """The table of the experiment."""
    return [
        comparison_table(
            records,
            METHODS,
            "Distortions: mean squared distance of the nearest domain",
            "error",
            {
                "floor": "floor without breaking",
                "best": "best of 10",
                "right_percent": "right, %",
                "coverage_p": "p of even coverage",
            },
            [
                "Error in square angstrom per site, over random rotations and reflections of the parent. Every "
                "deterministic equivariant network errs by the floor at least, as the audit finds it. Right: within "
                "0.02 angstrom per site.",
            ],
            lambda runs: Sample(tuple(100 - right for right in sample(runs, "right_percent").values)),
            ours="sympe-frames",
        )
    ]
