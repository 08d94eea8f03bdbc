"""The table of ``sympe compare``: error, randomness and cost of every way to break symmetry in one experiment."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from sympe_experiments.records import Record
from sympe_experiments.report.methods import Methods, ShownMethod
from sympe_experiments.report.statistics import Group, Sample, Verdict, compare, group_records, sample
from sympe_experiments.report.table import Block, Column, Row, Table, mean_and_spread, number


@dataclass(frozen=True)
class ComparedMethod(ShownMethod):
    """A method of an experiment that compares them all.

    Attributes:
        is_continuous: Whether its draws have infinite entropy.
    """

    _: KW_ONLY
    is_continuous: bool = False


def comparison_table(
    records: Sequence[Record],
    methods: Methods[Any],
    title: str,
    error: str,
    more: dict[str, str],
    notes: Sequence[str],
    mistakes: Callable[[Sequence[Record]], Sample],
    ours: str,
) -> Table:
    """One row per method.

    Args:
        records: Runs of one experiment.
        methods: Its methods, each a :class:`ComparedMethod`.
        title: Of the table.
        error: Header of the error's column.
        more: Headers of further measurements, by name.
        notes: Sentences below the table.
        mistakes: Per cent of wrong answers of the runs of a method, which decides who beats whom.
        ours: The method that the others are compared with.
    """
    blocks = tuple(
        Block(
            group.title,
            tuple(_row(group, method, methods.label(method), more) for method in methods.in_order(group.methods)),
            _verdicts(group, methods, mistakes, ours),
        )
        for group in group_records(records)
    )
    endless = {name for name, method in methods.items() if method.is_continuous}
    columns = (
        Column("method", lambda row: row["label"]),
        Column(error, lambda row: mean_and_spread(row["error"], row["error_spread"]), True),
        *(Column(header, _shown(name), True) for name, header in more.items()),
        Column("excess nats", lambda row: "∞" if row["method"] in endless else _nats(row), True),
        Column("ms per step", lambda row: number(row["step_ms"], 1), True),
        Column("seeds", lambda row: str(row["seeds"]), True),
    )
    caption = [
        *notes,
        "Mean ± sample standard deviation over seeds. Excess nats are the entropy of what the network is shown, given "
        "the input, beyond the logarithm of the number of its symmetries: exact, or estimated from draws with an "
        "interval of 95 %, or that interval's lower end (≥) if draws tell no upper one. A step is timed in processor "
        "time.",
        "Who beats whom is said of the per cent of wrong answers in a single draw: three pooled standard errors at "
        "least, of three seeds at least.",
    ]
    if any(record.recipe == "smoke" for record in records):
        caption.append('The recipe "smoke" shows that everything runs; its figures mean nothing.')
    return Table(title, columns, blocks, tuple(caption))


def _row(group: Group, method: str, label: str, more: dict[str, str]) -> Row:
    runs = group.runs(method)
    error = sample(runs, "error")
    row: Row = {
        "data": group.data,
        "recipe": group.recipe,
        "method": method,
        "label": label,
        "error": error.mean,
        "error_spread": error.spread,
        **{name: sample(runs, name).mean for name in ("excess_nats", "excess_nats_low", "excess_nats_high")},
        "step_ms": sample(runs, "step_ms").mean,
        "seeds": len(error.values),
    }
    for name in more:
        row |= {name: sample(runs, name).mean, f"{name}_spread": sample(runs, name).spread}
    return row


def _verdicts(
    group: Group, methods: Methods[Any], mistakes: Callable[[Sequence[Record]], Sample], ours: str
) -> tuple[str, ...]:
    """One sentence on how ``ours`` compares with every other method of the group."""
    found: dict[Verdict, list[str]] = {}
    for method in methods.in_order(group.methods):
        comparison = compare(mistakes(group.runs(ours)), mistakes(group.runs(method)))
        if method != ours and comparison is not None:
            found.setdefault(comparison.verdict, []).append(methods.short_label(method))
    parts = [f"{verdict.value} {', '.join(found[verdict])}" for verdict in Verdict if verdict in found]
    return (f"{methods.label(ours)} {'; '.join(parts)}.",) if parts else ()


def _shown(name: str) -> Callable[[Row], str]:
    return lambda row: mean_and_spread(row[name], row[f"{name}_spread"])


def _nats(row: Row) -> str:
    nats, low, high = (row[name] for name in ("excess_nats", "excess_nats_low", "excess_nats_high"))
    if low is None or low == high:
        return number(nats, 2)
    return f"≥ {number(low, 2)}" if high is None else f"{number(nats, 2)} [{number(low, 2)}, {number(high, 2)}]"
