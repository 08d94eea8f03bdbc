"""The table of the independent sets."""

from collections.abc import Sequence

from sympe_experiments.independent_sets.config import METHODS
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
            "Maximal independent sets: answers that are none, in per cent",
            "single draw",
            {"best_of_draws_error": "best of 10"},
            ["Graphs of the test were not seen in training. An answer is right if every node of the graph is."],
            lambda runs: sample(runs, "error"),
            ours="sympe-labeling",
        )
    ]
