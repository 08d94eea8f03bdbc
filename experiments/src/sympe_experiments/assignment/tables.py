"""The table of the assignment."""

from collections.abc import Sequence

from sympe_experiments.assignment.config import METHODS
from sympe_experiments.records import Record
from sympe_experiments.report.comparison import comparison_table
from sympe_experiments.report.statistics import sample
from sympe_experiments.report.table import Table

#: Measurements beside the share of targets that no agent goes to, by name.
COLUMNS = {
    "right": "all right, %",
    "gap": "cost above least, %",
    "best_gap": "best of 10, %",
    "error_unseen": "missed, new sizes",
    "right_unseen": "right, new sizes",
    "gap_unseen": "cost, new sizes",
}


def tables(records: Sequence[Record]) -> list[Table]:
    """The table of the experiment."""
    return [
        comparison_table(
            records,
            METHODS,
            "Assignment of identical agents: targets that no agent goes to, in per cent",
            "missed, %",
            COLUMNS,
            [
                "As answered, each agent at once: targets that no agent goes to, and instances with every target "
                "served within 1 % of the least cost. The cost is that after repair, in which agents choose one after "
                "the other. New sizes: 10, 20, 32, 48 and 64 agents, after training on 4 to 24."
            ],
            lambda runs: sample(runs, "error"),
            ours="orbit-ranks",
        )
    ]
