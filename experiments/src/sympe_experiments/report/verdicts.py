"""Every method against its matched controls: the rows and columns that the verdicts of all experiments share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sympe_experiments.records import Record
from sympe_experiments.report.statistics import LEAST_SEEDS, Group, Sample, compare
from sympe_experiments.report.table import Column, Row, number

#: What is said of runs of which no comparison is decided.
NOTHING_DECIDED = f"Nothing is decided: that takes {LEAST_SEEDS} seeds on both sides."


def verdict_rows(
    experiment: str,
    group: Group,
    methods: Iterable[str],
    controls: Mapping[str, Sequence[str]],
    label: Callable[[str], str],
    errors: Callable[[Sequence[Record]], Sample],
    metric: str,
) -> Iterator[Row]:
    """One row for each method and matched control that have been measured.

    Args:
        experiment: Name of the experiment.
        group: Runs that may be compared.
        methods: Their methods, in the order of rows.
        controls: Matched controls of a method.
        label: What to call a method.
        errors: A measurement of runs of one method, of which less is better.
        metric: What it is called.
    """
    for method in methods:
        for control in controls.get(method, ()):
            ours, theirs = errors(group.runs(method)), errors(group.runs(control))
            comparison = compare(ours, theirs)
            if comparison is not None:
                yield {
                    "experiment": experiment,
                    "data": group.data,
                    "recipe": group.recipe,
                    "setting": group.setting,
                    "metric": metric,
                    "method": method,
                    "label": label(method),
                    "control": control,
                    "control_label": label(control),
                    "mean": ours.mean,
                    "control_mean": theirs.mean,
                    "difference": comparison.difference,
                    "standard_errors": comparison.ratio,
                    "seeds": len(ours.values),
                    "control_seeds": len(theirs.values),
                    "verdict": comparison.verdict.value,
                }


def verdict_columns(measured: str, digits: int) -> tuple[Column, ...]:
    """Columns for such rows; ``measured`` heads the two means, shown with so many digits."""
    return (
        Column("method", lambda row: row["label"]),
        Column("", lambda row: row["verdict"]),
        Column("matched control", lambda row: row["control_label"].removesuffix(" (control)")),
        Column(measured, lambda row: f"{number(row['mean'], digits)}, {number(row['control_mean'], digits)}", True),
        Column("std. errors", lambda row: number(row["standard_errors"], 1), True),
        Column("seeds", lambda row: f"{row['seeds']}, {row['control_seeds']}", True),
    )
