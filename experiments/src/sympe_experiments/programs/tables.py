"""The table of the integer programs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import sqrt
from statistics import fmean, stdev

from sympe_experiments.programs.config import BY_KIND, COMPARABILITY, DATA_SETS, METHODS, SOLVERS
from sympe_experiments.records import Record
from sympe_experiments.report.comparison import comparison_table
from sympe_experiments.report.statistics import Group, Verdict, compare, group_records, sample
from sympe_experiments.report.table import Block, Column, Row, Table, mean_and_spread, number

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

#: The method that others are compared with.
OURS = "orbit-ranks-names"

#: Uses of a prediction that records of the solver hold a gap of, by metric.
USES = {
    "gap_started": "started from the answer",
    "gap_near": "kept near its surest half",
    "gap_answer": "the answer itself",
}

#: Measurements of records of kinds of variables.
KINDS = {
    "wrong_70_orders": "orders, 70 %",
    "wrong_70_capacities": "capacities, 70 %",
    "wrong_70_colors": "colors, 70 %",
    "wrong_100_orders": "orders, 100 %",
    "wrong_100_capacities": "capacities, 100 %",
    "wrong_100_colors": "colors, 100 %",
    "placed": "said to be one",
    "placed_right": "rightly",
}


def tables(records: Sequence[Record]) -> list[Table]:
    """The table of the experiment, and those of solvers and of kinds of variables if there are records of them."""
    makers = dict.fromkeys(SOLVERS, _gaps) | {BY_KIND: _kinds, COMPARABILITY: _ranks}
    parts: dict[Callable[[Sequence[Record]], Table], list[Record]] = {_errors: [], _gaps: [], _kinds: [], _ranks: []}
    for record in records:
        parts[makers.get(record.recipe, _errors)].append(record)
    return [make(some) for make, some in parts.items() if some]


def _ranks(records: Sequence[Record]) -> Table:
    rows = []
    for data in DATA_SETS:
        runs = {method: [r for r in records if (r.data, r.method) == (data, method)] for method in METHODS}
        found = {method: sample(of, "comparable_percent").mean for method, of in runs.items()}
        rows.append({"data": data, **found})
    columns = (
        Column("data", lambda row: row["data"]),
        Column(METHODS.label("sympe-labeling"), lambda row: number(row["sympe-labeling"], 1), True),
        Column(METHODS.label("haar"), lambda row: number(row["haar"], 1), True),
    )
    caption = (
        "Ranks that mean the same in two instances (one kind of node, and one place among the nodes of its orbit), in "
        "per cent of those of the larger instance: means over the pairs of six test instances.",
    )
    return Table("Integer programs: comparable ranks", columns, (Block("comparable ranks", tuple(rows)),), caption)


def _kinds(records: Sequence[Record]) -> Table:
    blocks = []
    for group in group_records(records):
        rows: list[Row] = []
        for method in METHODS.in_order(group.methods):
            runs = group.runs(method)
            found = {name: sample(runs, name) for name in KINDS}
            means = {name: (of.mean, of.spread) for name, of in found.items()}
            rows.append({"label": METHODS.label(method), "seeds": len(runs), **means})
        blocks.append(Block(group.title, tuple(rows)))
    columns = (
        Column("method", lambda row: row["label"]),
        *(Column(header, partial(_mean_of, name), True) for name, header in KINDS.items()),
        Column("seeds", lambda row: str(row["seeds"]), True),
    )
    caption = (
        "Wrong variables by kind, among the surest 70 % and among all; how many of the variables that place an order "
        "the network says are one, and how many of these are. Means over 40 test instances, of 22.4 orders on average, "
        "first draw of each.",
    )
    return Table("Slabs: what is wrong", columns, tuple(blocks), caption)


def _mean_of(name: str, row: Row) -> str:
    return mean_and_spread(*row[name])


def _gaps(records: Sequence[Record]) -> Table:
    blocks = []
    for group in group_records(records):
        predicted = METHODS.in_order([method for method in group.methods if method != "alone"])
        order = ["alone", *predicted] if "alone" in group.methods else predicted
        rows = tuple(_gap_row(group, method) for method in order)
        blocks.append(Block(group.title, rows))
    columns = (
        Column("prediction", lambda row: row["label"]),
        *(Column(header, partial(_gap, use), True) for use, header in USES.items()),
        Column("seeds", lambda row: str(row["seeds"]), True),
    )
    caption = (
        "Primal gap of HiGHS after the same number of nodes, or of the answer before any, in per cent of the larger of "
        "the objective found and the best one known: mean over 20 test instances, and after the comma the mean "
        "difference from HiGHS alone, paired by instance, ± its standard error over instances.",
    )
    return Table("Integer programs: what predictions are worth to a solver", columns, tuple(blocks), caption)


def _gap_row(group: Group, method: str) -> Row:
    label = "none: HiGHS alone" if method == "alone" else METHODS.label(method)
    row: Row = {"method": method, "label": label, "seeds": len({record.seed for record in group.runs(method)})}
    for use in USES:
        own, alone = (sample(group.runs(name), use) for name in (method, "alone"))
        differences = [a - b for a, b in zip(own.cases, alone.cases, strict=False)] if method != "alone" else []
        row[use] = own.mean
        row[f"{use}_difference"] = fmean(differences) if differences else None
        row[f"{use}_error"] = stdev(differences) / sqrt(len(differences)) if len(differences) > 1 else None
    return row


def _gap(use: str, row: Row) -> str:
    difference, error = row[f"{use}_difference"], row[f"{use}_error"]
    more = "" if error is None else f", {difference:+.1f} ± {error:.1f}"
    return f"{number(row[use], 1)}{more}"


def _errors(records: Sequence[Record]) -> Table:
    table = comparison_table(
        records,
        METHODS,
        "Integer programs: wrong variables among those of which the network is surest",
        "100 %",
        COLUMNS,
        [
            "Wrong variables among the surest 30 to 100 % of those that place an item or open a bin, means over "
            "test instances and 10 draws; loss is the cross-entropy per variable. The objective is that of the "
            "repaired answer, a mean of single draws or the best of 10, beside that of the known solution. "
            "Who beats whom is decided by those among the surest 70 %, and for Orbit+ by each share."
        ],
        lambda runs: sample(runs, "wrong_70"),
        ours=OURS,
    )
    blocks = zip(table.blocks, group_records(records), strict=True)
    return replace(table, blocks=tuple(replace(block, notes=block.notes + _by_share(group)) for block, group in blocks))


def _by_share(group: Group) -> tuple[str, ...]:
    """How exact methods compare with Orbit+ in each share of the variables."""
    notes = []
    for method in (OURS, "orbit-ranks", "sympe-labeling", "sympe-base-degree"):
        found: dict[Verdict, list[str]] = {}
        for share in ("30", "50", "70", "90", "100"):
            ours, other = (sample(group.runs(name), f"wrong_{share}") for name in (method, "orbit-plus"))
            if (comparison := compare(ours, other)) and comparison.verdict is not Verdict.UNDECIDED:
                decided = comparison.ratio is not None and comparison.verdict is not Verdict.TIE
                found.setdefault(comparison.verdict, []).append(
                    f"{share} ({comparison.ratio:.1f})" if decided else share
                )
        parts = [f"{verdict.value} Orbit+ at {', '.join(shares)} %" for verdict, shares in found.items()]
        if parts:
            notes.append(f"By share, with pooled standard errors: {METHODS.label(method)} {'; '.join(parts)}.")
    return tuple(notes)
