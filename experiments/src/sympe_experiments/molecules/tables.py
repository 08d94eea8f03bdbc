"""Tables of graph diffusion: three ways to count a likelihood, side by side; samples; verdicts."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from sympe_experiments.molecules.config import METHODS, NAME
from sympe_experiments.molecules.facts import (
    CLASS_NLL,
    floor_of,
    floor_value,
    is_molecular,
    poster_figure,
    sample_steps,
    trained,
    trajectory_bounds,
)
from sympe_experiments.records import Record
from sympe_experiments.report import verdicts
from sympe_experiments.report.statistics import (
    LEAST_RATIO,
    LEAST_SEEDS,
    Group,
    Sample,
    median_seconds,
    sample,
)
from sympe_experiments.report.table import Block, Column, Row, Table, mean_and_spread, number
from sympe_experiments.report.verdicts import Contest, verdict_columns

#: Columns of likelihoods: name of the measurement, header.
_LIKELIHOODS = {
    "digress_nll": "DiGress-compatible",
    "labeled_nll": "labeled bound",
    "excess_nats": "excess randomness",
    CLASS_NLL: "class NLL",
}
#: What is measured of samples of molecules: name, header.
_MOLECULES = {
    "valid_percent": "valid %",
    "unique_percent": "unique %",
    "novel_percent": "novel %",
    "connected_percent": "connected %",
    "atoms_stable_percent": "atoms stable %",
    "molecules_stable_percent": "molecules stable %",
    "logp_distance": "logP distance",
    "qed_distance": "QED distance",
    "rings_distance": "rings distance",
    "fcd": "FCD",
    "in_order_percent": "in order %",
}
_GRAPHS = {
    "valid_percent": "valid %",
    "unique_percent": "unique %",
    "novel_percent": "novel %",
    "valid_unique_novel_percent": "valid, unique and novel %",
    "connected_percent": "connected %",
    "degree_mmd": "degree MMD",
    "clustering_mmd": "clustering MMD",
    "spectral_mmd": "spectral MMD",
    "in_order_percent": "in order %",
}


def likelihood_table(records: Sequence[Record]) -> Table:
    """One row per method; data sets and recipes apart."""
    blocks, smoke = [], False
    for group in trained(records):
        rows = tuple(_likelihood_row(group, method) for method in METHODS.in_order(group.methods))
        blocks.append(Block(group.title, rows, _floor_notes(floor_of(group.data, records))))
        smoke |= group.recipe == "smoke"
    known = {group.data for group in trained(records)}
    for data in sorted({record.data for record in records} - known):
        blocks.append(Block(data, (), _floor_notes(floor_of(data, records))))

    def text_of(name: str) -> Column:
        return Column(_LIKELIHOODS[name], lambda row: _with_error(row, name), True)

    columns = (
        Column("method", lambda row: row["label"]),
        Column("poster", lambda row: "-" if row["poster_nats"] is None else f"{row['poster_nats']:g}", True),
        *(text_of(name) for name in _LIKELIHOODS),
        Column("seeds", lambda row: str(row["seeds"]), True),
        Column("training steps", lambda row: number(row["steps"], 0), True),
        Column("seconds", lambda row: number(row["seconds"], 0), True),
    )
    caption = [
        "Nats per graph, less is better. The labeled bound is of a graph whose nodes have names; less the excess "
        "randomness of the kernel it bounds the graph up to relabeling: the class NLL, the only column in which rows "
        "may be compared. The DiGress-compatible number counts every pair twice and compares with a law that nothing "
        "is sampled from.",
        "± is the sample standard deviation over seeds; with one seed, the standard error over test graphs.",
    ]
    if any(row["poster_nats"] is not None for block in blocks for row in block.rows):
        caption.append(
            "The poster does not say of what its figures are the likelihood. That 30.3 stands in the row of a fresh "
            "learned sort is our reading of the paper: elements drawn at each step, by a sort."
        )
    if smoke:
        caption.append('The recipe "smoke" shows that everything runs; its figures mean nothing.')
    return Table("Molecules: likelihoods", columns, tuple(blocks), tuple(caption))


def _likelihood_row(group: Group, method: str) -> Row:
    runs = group.runs(method)
    row: Row = {
        "experiment": NAME,
        **group.as_row(),
        "method": method,
        "label": METHODS.label(method),
        "poster_nats": poster_figure(group, method),
        "seeds": len(sample(runs, CLASS_NLL).values),
        "steps": sample(runs, "steps_of_training").mean,
        "seconds": median_seconds(runs),
    }
    for name in _LIKELIHOODS:
        row |= _with_spread(name, runs, name)
    return row


def _with_spread(name: str, runs: Sequence[Record], metric: str) -> Row:
    """Mean of a measurement under a name, its spread over seeds, and the mean of its standard error."""
    over_seeds = sample(runs, metric)
    return {
        name: over_seeds.mean,
        f"{name}_spread": over_seeds.spread,
        f"{name}_se": sample(runs, f"{metric}_se").mean,
    }


def _with_error(row: Row, name: str) -> str:
    spread = row[f"{name}_spread"]
    return mean_and_spread(row[name], row[f"{name}_se"] if spread is None else spread, 2)


def _floor_notes(record: Record | None) -> tuple[str, ...]:
    if record is None:
        return ()
    classes, orders = floor_value(record, "log_classes"), floor_value(record, "log_orders")
    symmetric = floor_value(record, "log_automorphisms")
    notes = []
    if classes is not None:
        notes.append(f"A model of nothing but these graphs, all alike, has a class NLL of {classes:.2f} nats.")
    if orders is not None and symmetric is not None:
        notes.append(
            f"Mean log(n!/|Aut|) {orders:.2f} nats: what an exchangeable model pays for the order of nodes in its "
            f"labeled bound. Mean log|Aut| {symmetric:.2f} nats."
        )
    valid, novel = (floor_value(record, f"{name}_percent_of_test_graphs") for name in ("valid", "novel"))
    if novel is not None:
        told = "" if valid is None else f"{valid:.1f} % are valid as samples are counted, and "
        notes.append(
            f"Of the test graphs themselves {told}{novel:.1f} % of the different ones are not in the training set."
        )
    return tuple(notes)


def trajectories_table(records: Sequence[Record]) -> Table | None:
    """Tighter bounds by steps of the sampler and number of trajectories; None without trajectories."""
    counts = sorted({k for bounds in trajectory_bounds(records).values() for k in bounds})
    if not counts:
        return None
    blocks = []
    for group in trained(records):
        rows = []
        for steps, names in trajectory_bounds(group.records).items():
            for method in METHODS.in_order(group.methods):
                runs = [run for run in group.runs(method) if steps in trajectory_bounds([run])]
                if not runs:
                    continue
                row: Row = {"experiment": NAME, **group.as_row()}
                row |= {"method": method, "label": METHODS.label(method), "sample_steps": steps}
                row |= {"graphs": sample(runs, "test_graphs").mean, "seeds": len({run.seed for run in runs})}
                for k in counts:
                    row |= _with_spread(f"of_{k}", runs, names.get(k, ""))
                rows.append(row)
        if rows:
            blocks.append(Block(group.title, tuple(rows)))

    def bound(k: int) -> Column:
        return Column(f"K = {k}", lambda row: _with_error(row, f"of_{k}"), True)

    columns = (
        Column("method", lambda row: row["label"]),
        Column("steps", lambda row: number(row["sample_steps"], 0), True),
        *map(bound, counts),
        Column("test graphs", lambda row: number(row["graphs"], 0), True),
        Column("seeds", lambda row: str(row["seeds"]), True),
    )
    caption = (
        "Nats per graph, less is better: bounds on the class NLL of a sampler with so many steps, from K whole "
        "trajectories. They close in on the class NLL with more trajectories, but for carried orders that are not "
        "random, where what the model makes with other orders stays uncounted. ± is the sample standard deviation over "
        "seeds; with one seed, the standard error over test graphs, which are the same in all rows.",
    )
    return Table("Molecules: tighter bounds", columns, tuple(blocks), caption)


def samples_table(records: Sequence[Record]) -> Table | None:
    """Quality of samples, at every number of steps; None if there are no samples."""
    groups = [group for group in trained(records) if sample_steps(group.records)]
    if not groups:
        return None
    kinds = {is_molecular(group.records) for group in groups}
    measured = (_MOLECULES if True in kinds else {}) | (_GRAPHS if False in kinds else {})
    blocks = []
    for group in groups:
        steps = sample_steps(group.records)
        rows = []
        for method in METHODS.in_order(group.methods):
            runs = group.runs(method)
            for count in steps:
                rows.append(_samples_row(group, method, runs, count, measured))
        blocks.append(Block(group.title, tuple(row for row in rows if row["seeds"]), _training_notes(group)))

    def text_of(name: str) -> Column:
        digits = 1 if name.endswith("percent") else 3
        return Column(measured[name], lambda row: mean_and_spread(row[name], row[f"{name}_spread"], digits), True)

    columns = (
        Column("method", lambda row: row["label"]),
        Column("steps", lambda row: str(row["sample_steps"]), True),
        *(text_of(name) for name in measured),
        Column("samples/s", lambda row: number(row["speed"], 1), True),
        Column("samples", lambda row: number(row["samples"], 0), True),
        Column("seeds", lambda row: str(row["seeds"]), True),
    )
    caption = []
    if True in kinds:
        caption.append(
            "Valid: RDKit's sanitization accepts the whole graph. Unique: different SMILES of the valid ones. Novel: "
            "of these, not in the training set. Distances of valid samples from the test set are 1-Wasserstein. FCD: "
            "Fréchet ChemNet distance of the valid samples to the test set, from 5,000 of them on."
        )
    if False in kinds:
        caption.append("MMD: squared maximum mean discrepancy to the test graphs, by total variation.")
    if any(row["in_order_percent"] is not None for block in blocks for row in block.rows):
        caption.append(
            "In order: samples whose carried order training could have drawn for them; what a model makes with others "
            "is left uncounted by its bounds."
        )
    return Table("Molecules: samples", columns, tuple(blocks), tuple(caption))


def _training_notes(group: Group) -> tuple[str, ...]:
    distance = sample(group.records, "fcd_of_training_graphs").mean
    return () if distance is None else (f"As many molecules of the training set have an FCD of {distance:.3f}.",)


def _samples_row(group: Group, method: str, runs: Sequence[Record], steps: int, measured: Iterable[str]) -> Row:
    row: Row = {
        "experiment": NAME,
        **group.as_row(),
        "method": method,
        "label": METHODS.label(method),
        "sample_steps": steps,
        "speed": sample(runs, f"samples_per_second_at_{steps}").mean,
        "samples": sample(runs, "num_samples").mean,
    }
    seeds = 0
    for name in measured:
        over_seeds = sample(runs, f"{name}_at_{steps}")
        row |= {name: over_seeds.mean, f"{name}_spread": over_seeds.spread}
        seeds = max(seeds, len(over_seeds.values))
    return row | {"seeds": seeds}


def verdict_table(records: Sequence[Record]) -> Table | None:
    """Every method against its matched controls; None if no run has a control."""
    caption = (
        f"A difference counts from {LEAST_RATIO:g} standard errors on, with {LEAST_SEEDS} seeds on both sides: less is "
        '"ties with", fewer seeds "not decided against". Standard errors are pooled over seeds and, where records hold '
        "the values of all test graphs, paired over these."
    )
    title, columns = "Molecules: verdicts", verdict_columns("values", 2)
    return verdicts.verdict_table(title, NAME, METHODS, trained(records), _contests, columns, caption)


def _contests(group: Group) -> Iterator[Contest]:
    metrics = {CLASS_NLL: "class NLL"}
    for steps, names in trajectory_bounds(group.records).items():
        most = max(names)
        metrics[names[most]] = f"class NLL of {steps} steps (K = {most})"
    metrics |= {f"valid_percent_at_{k}": f"% not valid, {k} steps" for k in sample_steps(group.records)}
    for metric, title in metrics.items():
        yield Contest(metric, partial(_errors, metric), title)


def _errors(metric: str, runs: Sequence[Record]) -> Sample:
    """A measurement of which less is better: instead of what is valid, what is not."""
    values = sample(runs, metric)
    return Sample(tuple(100 - value for value in values.values)) if metric.startswith("valid") else values


def tables(records: Sequence[Record]) -> list[Table]:
    """All tables of the experiment."""
    found = (likelihood_table(records), trajectories_table(records), samples_table(records), verdict_table(records))
    return [table for table in found if table is not None]
