"""Tables of the graph autoencoder: the poster's figures beside ours, and every method against its matched controls."""

from collections.abc import Iterator, Sequence

from sympe_experiments.autoencoder.config import METHODS, NAME
from sympe_experiments.autoencoder.facts import (
    ERROR,
    FLOORS,
    best_of,
    floor_values,
    floors,
    floors_apart,
    most_draws,
    poster_figure,
    test_pairs,
    trained,
)
from sympe_experiments.records import Record
from sympe_experiments.report import verdicts
from sympe_experiments.report.statistics import LEAST_RATIO, LEAST_SEEDS, Group, median_seconds, sample
from sympe_experiments.report.table import Block, Column, Row, Table, mean_and_spread, number
from sympe_experiments.report.verdicts import Contest, verdict_columns


def autoencoder_table(records: Sequence[Record]) -> Table:
    """One row per method, the poster's figure beside ours; data sets and recipes apart."""
    blocks, smoke = [], False
    for group in trained(records):
        known = floors(group, records)
        rows = tuple(_row(group, method) | known for method in METHODS.in_order(group.methods))
        blocks.append(Block(group.title, rows, _floor_notes(known)))
        smoke |= group.recipe == "smoke"
    for record in floors_apart(records):
        pairs = test_pairs(record)
        title = record.data if pairs is None else f"{record.data}, {pairs:,.0f} test pairs"
        blocks.append(Block(title, (), _floor_notes(floor_values(record))))
    draws = most_draws(records)
    best = "best of K draws" if draws is None else f"best of {draws}"
    columns = (
        Column("method", lambda row: row["label"]),
        Column("poster", lambda row: "-" if row["poster_percent"] is None else f"{row['poster_percent']:g}", True),
        Column("ours", lambda row: mean_and_spread(row["error_percent"], row["error_spread"]), True),
        Column("seeds", lambda row: str(row["seeds"]), True),
        Column(best, lambda row: _best_of(row, draws), True),
        Column("epochs", lambda row: number(row["epochs"], 0), True),
        Column("seconds", lambda row: number(row["seconds"], 0), True),
    )
    caption = [
        "Per cent of ordered node pairs of the test graphs that are reconstructed wrongly: less is better. "
        "Ours is the error of a single draw of g~, mean ± sample standard deviation over seeds; seconds are a median.",
        'The column header of the poster reads "correct"; its text and the order of its rows mean per cent wrong.',
    ]
    if draws is not None:
        caption.append(f"Best of {draws}: the encoder keeps the draw with the lowest loss; still one code per node.")
    if smoke:
        caption.append('The recipe "smoke" shows that everything runs; its figures mean nothing.')
    return Table("Graph autoencoder: wrong edges in per cent", columns, tuple(blocks), tuple(caption))


def _row(group: Group, method: str) -> Row:
    runs = group.runs(method)
    draws = most_draws(runs)
    error, best = sample(runs, ERROR), sample(runs, best_of(draws))
    return {
        "experiment": NAME,
        **group.as_row(),
        "method": method,
        "label": METHODS.label(method),
        "poster_percent": poster_figure(group, method),
        "error_percent": error.mean,
        "error_spread": error.spread,
        "seeds": len(error.values),
        "draws": draws,
        "best_percent": best.mean,
        "best_spread": best.spread,
        "epochs": sample(runs, "epochs").mean,
        "seconds": median_seconds(runs),
    }


def _best_of(row: Row, draws: int | None) -> str:
    text = mean_and_spread(row["best_percent"], row["best_spread"])
    return text if row["draws"] in (None, draws) else f"{text} (of {row['draws']})"


def _floor_notes(found: dict[str, float]) -> tuple[str, ...]:
    """Sentences on the floors of a group, none if they are not known."""
    bounds = [f"{found[name]:.3f} % ({FLOORS[name]})" for name in FLOORS if name in found and name != "trivial_percent"]
    notes = ["Floor of every deterministic equivariant encoder: " + ", ".join(bounds) + "."] if bounds else []
    if "trivial_percent" in found:
        notes.append(f"{FLOORS['trivial_percent'].capitalize()}: {found['trivial_percent']:.2f} %.")
    return tuple(notes)


def verdict_table(records: Sequence[Record]) -> Table | None:
    """Every method against its matched controls; None if no run has a control."""
    caption = (
        f"A difference counts from {LEAST_RATIO:g} pooled standard errors on, with {LEAST_SEEDS} seeds on both sides: "
        'less is "ties with", fewer seeds "not decided against". With three seeds each, chance alone gives such a '
        "difference in 4 % of comparisons."
    )
    title, columns = "Graph autoencoder: verdicts", verdict_columns("% wrong", 3)
    return verdicts.verdict_table(title, NAME, METHODS, trained(records), _contests, columns, caption)


def _contests(group: Group) -> Iterator[Contest]:
    yield Contest(ERROR, lambda runs: sample(runs, ERROR), "single draw")
    draws = most_draws(group.records)
    if draws is not None:
        yield Contest(best_of(draws), lambda runs: sample(runs, best_of(draws)), f"best of {draws}")


def tables(records: Sequence[Record]) -> list[Table]:
    """All tables of the experiment."""
    return [table for table in (autoencoder_table(records), verdict_table(records)) if table is not None]
