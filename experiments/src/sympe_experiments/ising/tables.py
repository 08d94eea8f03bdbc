"""Tables of Ising ground states: found in and out of distribution, by size, and verdicts on controls."""

from collections.abc import Callable, Sequence

from sympe_experiments.ising.config import METHODS, NAME
from sympe_experiments.ising.facts import DRAWN, EXACT, EXACT_OUT, GAP, GAP_OUT, SOLVERS, sizes
from sympe_experiments.records import Record
from sympe_experiments.report import verdicts
from sympe_experiments.report.statistics import (
    LEAST_RATIO,
    LEAST_SEEDS,
    Group,
    Sample,
    group_records,
    median_seconds,
    sample,
)
from sympe_experiments.report.table import Block, Column, Row, Table, mean_and_spread, number
from sympe_experiments.report.verdicts import Contest, verdict_columns


def ising_table(records: Sequence[Record]) -> Table:
    """One row per method of one model: per cent of exact ground states, energy gap, transfer, time."""
    blocks = []
    for group in group_records(records):
        rows = tuple(_row(group, method) for method in METHODS.in_order(group.methods))
        blocks.append(Block(group.title, rows, _notes(group)))
    tested, name = sizes(records), records[0].data
    columns = (
        Column("method", lambda row: row["label"]),
        Column("exact, %", lambda row: mean_and_spread(row["exact_in"], row["exact_in_spread"], 2), True),
        Column("other half, %", lambda row: mean_and_spread(row["exact_out"], row["exact_out_spread"], 2), True),
        Column("gap", lambda row: number(row["gap"], 5), True),
        *(Column(f"L = {size}, %", _by_size(size), True) for size in tested),
        Column("seeds", lambda row: str(row["seeds"]), True),
        Column("parameters", lambda row: number(row["parameters"], 0), True),
        Column("seconds", lambda row: number(row["seconds"], 0), True),
        Column("processor s", lambda row: number(row["processor_seconds"], 0), True),
        Column("ms per instance", lambda row: number(row["milliseconds"], 2), True),
    )
    halves = (
        "Training sees couplings with Jx > Jy; the other half holds their mirror images. "
        if name in DRAWN
        else "Training and test draw from one law; the other half holds the mirror images of the test couplings. "
    )
    caption: tuple[str, ...] = (
        "Exact: per cent of test couplings for which the spins of a single draw are a ground state, mean ± sample "
        f"deviation over seeds. {halves}"
        "Gap: energy per spin above the ground state, in units of the largest coupling, both halves.",
        "Seconds: training and test, wall time, median; processor s: training, processor time of one core. "
        "ms per instance: processor time of one draw for one set of couplings at the size of training, in a batch; for "
        "annealing and integer programming, which take one set at a time, all that it takes to solve one.",
    )
    if name == "nearest":
        caption += (
            "The sign of each coupling gives these ground states in closed form: a demonstration that a network can "
            "break a symmetry, not a use for one.",
        )
    return Table(f"Ising ground states: {name}", columns, tuple(blocks), caption)


def _by_size(size: int) -> Callable[[Row], str]:
    def text(row: Row) -> str:
        mean, spread = row["by_size"].get(str(size), (None, None))
        return mean_and_spread(mean, spread, 1)

    return text


def _notes(group: Group) -> tuple[str, ...]:
    if group.recipe == "smoke":
        return ('The recipe "smoke" shows that everything runs; its figures mean nothing.',)
    return ()


def _row(group: Group, method: str) -> Row:
    runs = group.runs(method)
    inside, outside = sample(runs, EXACT), sample(runs, EXACT_OUT)
    by_size = {str(size): sample(runs, f"exact_percent_L{size}") for size in sizes(runs)}
    milliseconds = sample(runs, "seconds_per_instance").mean
    return {
        "experiment": NAME,
        **group.as_row(),
        "method": method,
        "label": METHODS.label(method),
        "exact_in": inside.mean,
        "exact_in_spread": inside.spread,
        "exact_out": outside.mean,
        "exact_out_spread": outside.spread,
        "gap": _both_halves(runs).mean,
        "by_size": {size: (found.mean, found.spread) for size, found in by_size.items()},
        "seeds": len(inside.values),
        "parameters": sample(runs, "n_parameters").mean,
        "seconds": median_seconds(runs),
        "processor_seconds": sample(runs, "train_processor_seconds").mean,
        "milliseconds": None if milliseconds is None else 1000 * milliseconds,
    }


def _both_halves(runs: Sequence[Record]) -> Sample:
    """The gap over both halves of the plane, one value per seed."""
    inside, outside = sample(runs, GAP).values, sample(runs, GAP_OUT).values
    if len(inside) != len(outside):
        return Sample(inside)
    return Sample(tuple((a + b) / 2 for a, b in zip(inside, outside, strict=True)))


def _missed(runs: Sequence[Record]) -> Sample:
    """Per cent of couplings whose ground state is missed, in the half of training; one value per seed."""
    return Sample(tuple(100 - value for value in sample(runs, EXACT).values))


def verdict_table(records: Sequence[Record]) -> Table | None:
    """SymPE against its matched controls; None if no run has one."""
    caption = (
        "Missed: ground states not found, in the half of the plane that training sees. "
        f"A difference counts from {LEAST_RATIO:g} pooled standard errors on, with {LEAST_SEEDS} seeds on both sides."
    )
    contest = Contest("missed_percent", _missed)
    title, columns = "Ising ground states: verdicts", verdict_columns("% missed", 2)
    return verdicts.verdict_table(title, NAME, METHODS, group_records(records), lambda _: [contest], columns, caption)


def solver_table(records: Sequence[Record]) -> Table | None:
    """Networks beside annealing and integer programming on the same couplings, by size; None without solvers."""
    blocks = []
    for group in group_records(records):
        if not set(SOLVERS) & set(group.methods):
            continue
        rows: list[Row] = []
        for size in sizes(group.records):
            for method in METHODS.in_order(group.methods):
                runs = group.runs(method)
                exact, gap = sample(runs, f"exact_percent_L{size}"), sample(runs, f"gap_L{size}")
                seconds = sample(runs, f"seconds_per_instance_L{size}").mean
                if size == _training_size(group):
                    gap = sample(runs, GAP) if not gap.values else gap
                    seconds = sample(runs, "seconds_per_instance").mean
                if exact.mean is not None:
                    milliseconds = None if seconds is None else 1000 * seconds
                    rows.append(
                        {
                            "size": size,
                            "method": method,
                            "label": METHODS.label(method),
                            "exact": exact.mean,
                            "spread": exact.spread,
                            "gap": gap.mean,
                            "milliseconds": milliseconds,
                        }
                    )
        blocks.append(Block(group.title, tuple(rows)))
    if not blocks:
        return None
    columns = (
        Column("L", lambda row: str(row["size"]), True),
        Column("method", lambda row: row["label"]),
        Column("exact, %", lambda row: mean_and_spread(row["exact"], row["spread"], 1), True),
        Column("gap", lambda row: number(row["gap"], 5), True),
        Column("ms per instance", lambda row: number(row["milliseconds"], 2), True),
    )
    caption = (
        "The same couplings for all, the first few for integer programming, which also has a limit of time. "
        "A network's time is that of one draw, in a batch, after training; its training is not counted.",
    )
    return Table("Ising ground states: time to solution", columns, tuple(blocks), caption)


def _training_size(group: Group) -> object:
    return group.records[0].config.get("size") if group.records else None


def tables(records: Sequence[Record]) -> list[Table]:
    """All tables of the experiment."""
    # A table for each model: they are tested at different sizes.
    models = sorted({record.data for record in records}, key=lambda name: (name != "nearest", name))
    main = [ising_table([record for record in records if record.data == name]) for name in models]
    found = (*main, verdict_table(records), solver_table(records))
    return [table for table in found if table is not None]
