"""Every method against its matched controls: the tables of verdicts of all experiments."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sympe_experiments.records import Record
from sympe_experiments.report.methods import Methods
from sympe_experiments.report.statistics import LEAST_SEEDS, Group, Sample, Verdict, compare
from sympe_experiments.report.table import Block, Column, Row, Table, number


class Contest(NamedTuple):
    """A measurement of which less is better.

    Attributes:
        metric: Its name.
        errors: Measures the runs of one method, one value per seed.
        title: Its name in titles; empty if it is the only one.
    """

    metric: str
    errors: Callable[[Sequence[Record]], Sample]
    title: str = ""


def verdict_table(
    title: str,
    experiment: str,
    methods: Methods[Any],
    groups: Iterable[Group],
    contests: Callable[[Group], Iterable[Contest]],
    columns: tuple[Column, ...],
    caption: str,
) -> Table | None:
    """Every method against its matched controls; None if no run has a control.

    Args:
        title: Of the table.
        experiment: Name of the experiment.
        methods: Its methods.
        groups: Runs that may be compared.
        contests: The measurements to compare the methods of a group by.
        columns: See :func:`verdict_columns`.
        caption: How to read the table.
    """
    blocks = [block for group in groups for block in _blocks(experiment, methods, group, contests(group))]
    return Table(title, columns, tuple(blocks), (caption,)) if blocks else None


def _blocks(experiment: str, methods: Methods[Any], group: Group, contests: Iterable[Contest]) -> Iterator[Block]:
    found = [(contest, tuple(_rows(experiment, methods, group, contest))) for contest in contests]
    compared = [row for _, rows in found for row in rows]
    if compared and all(row["verdict"] == Verdict.UNDECIDED for row in compared):
        yield Block(group.title, (), (f"Nothing is decided: that takes {LEAST_SEEDS} seeds on both sides.",))
        return
    for contest, rows in found:
        if rows:
            yield Block(f"{group.title}: {contest.title}" if contest.title else group.title, rows)


def _rows(experiment: str, methods: Methods[Any], group: Group, contest: Contest) -> Iterator[Row]:
    for method in methods.in_order(group.methods):
        for control in methods.controls(method):
            ours, theirs = contest.errors(group.runs(method)), contest.errors(group.runs(control))
            comparison = compare(ours, theirs)
            if comparison is not None:
                yield {
                    "experiment": experiment,
                    **group.as_row(),
                    "metric": contest.metric,
                    "method": method,
                    "label": methods.label(method),
                    "control": control,
                    "control_label": methods.label(control),
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
