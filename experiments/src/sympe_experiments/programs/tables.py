"""The table of the integer programs."""

from collections.abc import Sequence

from sympe_experiments.programs.config import METHODS
from sympe_experiments.records import Record
from sympe_experiments.report.comparison import comparison_table
from sympe_experiments.report.statistics import sample
from sympe_experiments.report.table import Table

#: Measurements beside the error among all variables, by name.
COLUMNS = {
    "wrong_30": "30 %",
    "wrong_50": "50 %",
    "wrong_70": "70 %",
    "wrong_90": "90 %",
    "validation_loss": "loss",
    "feasible_repaired_percent": "repaired, % feasible",
    "objective": "objective",
    "best_objective": "best of 10",
    "known_objective": "known",
}


def tables(records: Sequence[Record]) -> list[Table]:
    """The table of the experiment."""
    return [
        comparison_table(
            records,
            METHODS,
            "Integer programs: wrong variables among those of which the network is surest",
            "100 %",
            COLUMNS,
            [
                "Wrong variables among the surest 30 to 100 % of those that place an item or open a bin, means over "
                "test instances and 10 draws; loss is the cross-entropy per variable. The objective is that of the "
                "repaired answer, a mean of single draws or the best of 10, beside that of the known solution. "
                "Who beats whom is decided by those among the surest 70 %."
            ],
            lambda runs: sample(runs, "wrong_70"),
            ours="sympe-labeling",
        )
    ]
