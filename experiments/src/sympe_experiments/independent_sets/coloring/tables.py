"""The table of the colorings."""

from collections.abc import Sequence

from sympe_experiments.independent_sets.coloring.config import METHODS
from sympe_experiments.records import Record
from sympe_experiments.report.comparison import comparison_table
from sympe_experiments.report.statistics import sample
from sympe_experiments.report.table import Table


def tables(records: Sequence[Record]) -> list[Table]:
    """The table of the experiment."""
    return [
        comparison_table(
            records,
            METHODS,
            "Colorings in three colors: graphs with neighbors of one color, in per cent",
            "single draw",
            {"best_of_draws_error": "best of 10", "clashes_percent": "edges of one color"},
            ["Graphs of the test were not seen in training. An answer is right if no two neighbors have one color."],
            lambda runs: sample(runs, "error"),
            ours="sympe-labeling",
        )
    ]
