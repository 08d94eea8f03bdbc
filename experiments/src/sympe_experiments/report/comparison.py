"""The table of ``sympe compare``: every way to break symmetry in one experiment, its error, randomness and cost."""

from collections.abc import Callable, Sequence

from sympe_experiments.records import Record
from sympe_experiments.report.statistics import Group, Sample, Verdict, compare, group_records, sample
from sympe_experiments.report.table import Block, Column, Row, Table, mean_and_spread, number

#: Methods in the order of rows, and what to call them; experiments name their own beside these.
LABELS = {
    "none": "no symmetry breaking",
    "noise": "noise",
    "laplacian": "Laplacian encodings",
    "haar": "Haar measure (control)",
    "unmoved": "learned vector that is not moved (control)",
    "sympe-principal-axes": "SymPE: principal axes",
    "sympe-weighted-frames": "SymPE: weighted frames",
    "relaxed": "relaxed weights",
    "relaxed-turned": "relaxed weights trained in all poses",
    "canonicalized": "perceptron on the canonical form",
    "symmetry-breaking-set": "symmetry-breaking set",
    "partial": "partial symmetry-breaking set",
    "sympe-frames": "SymPE: exact frames",
    "sympe-labeling": "SymPE: exact labeling",
    "sympe-depth-first": "SymPE: depth-first order",
}


def comparison_table(
    records: Sequence[Record],
    title: str,
    error: str,
    more: dict[str, str],
    notes: Sequence[str],
    mistakes: Callable[[Sequence[Record]], Sample],
    ours: str,
    continuous: Sequence[str],
) -> Table:
    """One row per method.

    Args:
        records: Runs of one experiment.
        title: Of the table.
        error: Header of the error's column.
        more: Headers of further measurements, by name.
        notes: Sentences below the table.
        mistakes: Per cent of wrong answers of a method's runs, by which methods are held against each other.
        ours: The method that the others are held against.
        continuous: Methods whose draws have infinite entropy.
    """
    blocks = tuple(
        Block(g.title, tuple(_row(g, m, more) for m in _in_order(g)), _verdicts(g, mistakes, ours))
        for g in group_records(records)
    )
    columns = (
        Column("method", lambda row: row["label"]),
        Column(error, lambda row: mean_and_spread(row["error"], row["error_spread"]), True),
        *(Column(header, _shown(name), True) for name, header in more.items()),
        Column("excess nats", lambda row: "∞" if row["method"] in continuous else _nats(row), True),
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


def _in_order(group: Group) -> list[str]:
    known = list(LABELS)
    return sorted(group.methods, key=lambda method: (known.index(method) if method in known else len(known), method))


def _row(group: Group, method: str, more: dict[str, str]) -> Row:
    runs = group.runs(method)
    error = sample(runs, "error")
    row: Row = {
        "data": group.data,
        "recipe": group.recipe,
        "method": method,
        "label": LABELS.get(method, method),
        "error": error.mean,
        "error_spread": error.spread,
        **{name: sample(runs, name).mean for name in ("excess_nats", "excess_nats_low", "excess_nats_high")},
        "step_ms": sample(runs, "step_ms").mean,
        "seeds": len(error.values),
    }
    for name in more:
        row |= {name: sample(runs, name).mean, f"{name}_spread": sample(runs, name).spread}
    return row


def _verdicts(group: Group, mistakes: Callable[[Sequence[Record]], Sample], ours: str) -> tuple[str, ...]:
    """One sentence on how ``ours`` compares with every other method of the group."""
    found: dict[Verdict, list[str]] = {}
    for method in _in_order(group):
        comparison = compare(mistakes(group.runs(ours)), mistakes(group.runs(method)))
        if method != ours and comparison is not None:
            found.setdefault(comparison.verdict, []).append(LABELS.get(method, method).removesuffix(" (control)"))
    parts = [f"{verdict.value} {', '.join(found[verdict])}" for verdict in Verdict if verdict in found]
    return (f"{LABELS[ours]} {'; '.join(parts)}.",) if parts else ()


def _shown(name: str) -> Callable[[Row], str]:
    return lambda row: mean_and_spread(row[name], row[f"{name}_spread"])


def _nats(row: Row) -> str:
    nats, low, high = (row[name] for name in ("excess_nats", "excess_nats_low", "excess_nats_high"))
    if low is None or low == high:
        return number(nats, 2)
    return f"≥ {number(low, 2)}" if high is None else f"{number(nats, 2)} [{number(low, 2)}, {number(high, 2)}]"
