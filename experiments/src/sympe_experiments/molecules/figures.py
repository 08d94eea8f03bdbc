"""Figures of graph diffusion."""

from collections.abc import Sequence
from itertools import cycle
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from sympe_experiments.molecules import facts
from sympe_experiments.molecules.config import METHODS, NAME
from sympe_experiments.molecules.drawing import draw_line, draw_smiles, has_rdkit
from sympe_experiments.records import Record
from sympe_experiments.report import strips
from sympe_experiments.report.canvas import HEAD, Picture, house_style, new_figure, plain, wrapped, write_head
from sympe_experiments.report.palette import BLUE, BROWN, FAINT, GREEN, INK, ORANGE, PURPLE, SOFT, VERMILION
from sympe_experiments.report.statistics import Group, by_weight, finite, sample
from sympe_experiments.report.strips import Measured

#: Properties that samples are compared by, and what to call them.
_PROPERTIES = {"logp": "logP (Crippen)", "qed": "QED", "rings": "number of rings"}

#: Molecules in a row of the grid of samples.
_COLUMNS = 8


@house_style()
def nats_by_time(group: Group, name: str) -> Picture | None:
    """What each stretch of diffusion time costs, by method."""
    curves = {method: curve for method in METHODS.in_order(group.methods) if (curve := _mean_curve(group.runs(method)))}
    if not curves:
        return None
    finding = "What a step back costs, by diffusion time"
    figure, axes = new_figure(
        4.6,
        finding,
        f"{plain(group.title)}; labeled nats, test graphs; T times the area is the bound, but for size and prior",
    )
    for method, curve in curves.items():
        text = wrapped(METHODS.label(method), 38)
        axes.plot(list(curve), list(curve.values()), **_line(method), linewidth=1.9, label=text)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    axes.set_xlabel("diffusion time t/T (0: the clean graph, 1: noise)")
    axes.set_ylabel("nats per step")
    _legend(axes)
    return Picture(name, f"Terms of the bound by diffusion time. {finding}; {group.title}.", figure)


@house_style()
def class_nll_by_method(group: Group, records: Sequence[Record], name: str) -> Picture | None:
    """The class likelihood of every method beside the number that the official code reports."""
    rows: dict[str, tuple[float, float]] = {}
    for method in METHODS.in_order(group.methods):
        ours, theirs = (sample(group.runs(method), metric).mean for metric in (facts.CLASS_NLL, "digress_nll"))
        if ours is not None and theirs is not None:
            rows[method] = (ours, theirs)
    if not rows:
        return None
    best = min(rows, key=lambda method: rows[method][0])
    lowest = min(rows, key=lambda method: rows[method][1])
    finding = f"Lowest class NLL: {plain(METHODS.label(best))}"
    finding += f"; lowest DiGress-compatible number: {plain(METHODS.label(lowest))}" if lowest != best else ""
    figure, axes = new_figure(1.7 + 0.42 * len(rows), finding, f"{plain(group.title)}; nats per graph, less is better")
    for y, (method, (ours, theirs)) in enumerate(rows.items()):
        color = METHODS.color(method)
        axes.plot(ours, y, "o", color=color, markersize=8)
        axes.plot(theirs, y, "D", mfc="none", mec=color, markersize=7)
        axes.text(1.015, y, f"{ours:.2f}, {theirs:.1f}", transform=axes.get_yaxis_transform(), va="center")
    floor = facts.floor_value(facts.floor_of(group.data, records), "log_classes")
    handles = [
        Line2D([], [], linestyle="none", marker="o", color=SOFT, label="class NLL"),
        Line2D([], [], linestyle="none", marker="D", mfc="none", color=SOFT, label="DiGress-compatible number"),
    ]
    if floor is not None:
        text = f"log of the number of graphs: {floor:.2f}"
        handles.append(axes.axvline(floor, color=INK, linestyle="--", linewidth=1, label=text))
    axes.set_yticks(range(len(rows)), [wrapped(METHODS.label(method), 38) for method in rows], fontsize=9)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_xlabel("nats")
    figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8.5)
    return Picture(name, f"Class likelihood by method. {finding}; {group.title}.", figure)


@house_style()
def invalid_by_steps(group: Group, name: str) -> Picture | None:
    """How many samples are not valid, by the number of steps of the sampler."""
    steps = facts.sample_steps(group.records)
    curves = {}
    for method in METHODS.in_order(group.methods):
        valid = {k: sample(group.runs(method), f"valid_percent_at_{k}").mean for k in steps}
        curves[method] = {k: 100 - value for k, value in valid.items() if value is not None}
    if len(steps) < 3 or not any(curves.values()):
        return None
    fewest = {method: curve[min(steps)] for method, curve in curves.items() if min(steps) in curve}
    best = min(fewest, key=fewest.__getitem__, default=None)
    finding = "Samples that are no molecules, by the number of steps"
    finding += f"; fewest at {min(steps)}: {plain(METHODS.label(best))}" if best is not None and len(fewest) > 1 else ""
    figure, axes = new_figure(4.4, finding, plain(group.title))
    for method, curve in curves.items():
        text = wrapped(METHODS.label(method), 38)
        axes.plot(list(curve), list(curve.values()), **_line(method), marker="o", linewidth=1.9, label=text)
    _by_steps(axes, steps)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("not valid, %")
    _legend(axes)
    return Picture(name, f"Not valid samples by the number of steps. {finding}; {group.title}.", figure)


@house_style()
def class_nll_by_steps(group: Group, name: str) -> Picture | None:
    """Difference of the class NLL of a sampler to that without symmetry breaking, by its steps."""
    bounds = facts.trajectory_bounds(group.records)
    curves: dict[str, dict[int, list[float]]] = {}
    for method in METHODS.in_order(set(group.methods) - {"none"}):
        for steps, names in bounds.items():
            metric = names[max(names)]
            ours, theirs = (
                {run.seed: value for run in group.runs(one) if (value := finite(run.metrics.get(metric))) is not None}
                for one in (method, "none")
            )
            if both := sorted(ours.keys() & theirs.keys()):
                curves.setdefault(method, {})[steps] = [ours[seed] - theirs[seed] for seed in both]
    if len(bounds) < 3 or not curves:
        return None
    most = {max(names) for names in bounds.values()}
    context = f"{plain(group.title)}; bounds from {', '.join(map(str, sorted(most)))} trajectories; a point is a seed"
    finding = "Class NLL compared with no symmetry breaking, by the number of steps"
    figure, axes = new_figure(4.4, finding, context)
    axes.axhline(0, color=METHODS.color("none"), linewidth=1.9, label=METHODS.label("none"))
    for method, curve in curves.items():
        text = wrapped(METHODS.label(method), 38)
        axes.plot(list(curve), [fmean(values) for values in curve.values()], **_line(method), linewidth=1.9, label=text)
        points = [(steps, value) for steps, values in curve.items() for value in values]
        axes.plot(*zip(*points, strict=True), "o", color=_line(method)["color"], markersize=5)
    _by_steps(axes, list(bounds))
    axes.set_ylabel("nats; below 0 is better")
    _legend(axes)
    return Picture(name, f"Class NLL by the number of steps. {finding}; {group.title}.", figure)


@house_style()
def property_histograms(group: Group, name: str) -> Picture | None:
    """LogP, QED and rings of samples of every method with the fewest and the most steps, beside test molecules."""
    told = [k for k in facts.sample_steps(group.records) if any(_histogram(run, "rings", k) for run in group.records)]
    if not told:
        return None
    shown = sorted({told[0], told[-1]})
    finding = f"Properties of valid samples after {' and '.join(map(str, shown))} steps, and of test molecules"
    height = 1.5 + 2.3 * len(shown)
    figure = Figure(figsize=(9, height), layout=ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - HEAD / height)))
    panels = figure.subplots(len(shown), len(_PROPERTIES), squeeze=False)
    for row, steps in zip(panels, shown, strict=True):
        for axes, (key, text) in zip(row, _PROPERTIES.items(), strict=True):
            for method in METHODS.in_order(group.methods):
                found = next((h for run in group.runs(method) if (h := _histogram(run, key, steps))), None)
                if found is None:
                    continue
                edges, test, ours = found
                if not axes.patches:
                    axes.stairs(test, edges, fill=True, color=FAINT, label="test molecules")
                axes.stairs(ours, edges, **_line(method), linewidth=1.5, label=plain(METHODS.label(method)))
            axes.set_xlabel(text)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
        row[0].set_ylabel(f"{steps} steps")
    named = {
        text: handle for axes in panels[:, 0] for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(named.values(), named.keys(), loc="outside lower left", ncols=3, fontsize=8.5)
    write_head(figure, finding, f"{plain(group.title)}; share of molecules, one run of each method")
    return Picture(name, f"Histograms of logP, QED and number of rings. {finding}; {group.title}.", figure)


@house_style()
def symmetry_by_time(records: Sequence[Record], name: str) -> Picture | None:
    """How symmetric graphs are on their way to noise."""
    curves = {}
    for record in records:
        times, values = ((record.history or {}).get(key) or [] for key in ("diffusion_time", "log_automorphisms"))
        if not facts.is_trained(record) and times and len(times) == len(values):
            curves[record.data] = (times, values)
    if not curves:
        return None
    data, (_, values) = max(curves.items(), key=lambda item: item[1][1][0])
    finding = f"Symmetry along the noise: {plain(data)} from {values[0]:.2f} nats to {values[-1]:.2f}"
    figure, axes = new_figure(4.2, finding, "mean log of the number of automorphisms of the noisy graph")
    colors = cycle((BLUE, VERMILION, GREEN, ORANGE, PURPLE, BROWN))
    for color, (data, (times, values)) in zip(colors, sorted(curves.items()), strict=False):
        axes.plot(times, values, color=color, linewidth=1.9, label=plain(data))
    # Even up to one nat, logarithmic above: trees have many.
    axes.set_yscale("symlog", linthresh=1, subs=range(2, 10))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    axes.set_xlabel("diffusion time t/T (0: the clean graph, 1: noise)")
    axes.set_ylabel("nats")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=9)
    return Picture(name, f"Symmetry by diffusion time. {finding}.", figure)


@house_style()
def samples_grid(group: Group, name: str) -> Picture | None:
    """Some samples of every method, with the most steps."""
    steps = facts.sample_steps(group.records)
    shown, seed = {}, min(record.seed for record in group.records)
    for method in METHODS.in_order(group.methods):
        for record in group.runs(method)[:1]:
            smiles = (record.examples or {}).get(f"samples_at_{steps[-1]}" if steps else "") or []
            if any(smiles):
                shown[method] = smiles[:: max(1, len(smiles) // _COLUMNS)][:_COLUMNS]
    if not shown:
        return None
    figure = Figure(figsize=(9, 0.75 + 1.25 * len(shown)))
    finding = f"Samples after {steps[-1]} steps, smallest molecules at the left"
    context = f"{plain(group.title)}, seed {seed}; drawn evenly from all samples, a cross where one is not valid"
    write_head(figure, finding, context)
    top = 1 - (HEAD + 0.08) / figure.get_figheight()
    for row, (method, smiles) in enumerate(shown.items()):
        for column in range(_COLUMNS):
            height = top / len(shown)
            axes = figure.add_axes((column / _COLUMNS, top - (row + 1) * height, 1 / _COLUMNS, 0.8 * height))
            axes.set_axis_off()
            if column < len(smiles) and not draw_smiles(axes, smiles[column]):
                axes.text(0.5, 0.5, "x", color=VERMILION, fontsize=16, ha="center", va="center")
        figure.text(0.012, top - row * top / len(shown) - 0.02, METHODS.label(method), fontsize=8.5, color=SOFT)
    return Picture(name, f"Sampled molecules, one row per method. {finding}; {group.title}.", figure)


@house_style()
def denoising(group: Group, name: str) -> Picture | None:
    """One sample on its way from noise."""
    told = {record.method: record for record in group.records if (record.examples or {}).get("trajectory")}
    if not told:
        return None
    record = told.get("sympe-depth-first-carried") or told[METHODS.in_order(told)[0]]
    lines, times = record.examples["trajectory"], record.examples.get("trajectory_times") or []
    figure = Figure(figsize=(9, 2.3))
    write_head(figure, "From noise to molecule", f"{plain(group.title)}; {plain(METHODS.label(record.method))}")
    for column, line in enumerate(lines):
        axes = figure.add_axes((column / len(lines), 0.02, 1 / len(lines), 0.6))
        axes.set_axis_off()
        draw_line(axes, line)
        if column < len(times):
            axes.set_title(f"t = {times[column]}", fontsize=9, color=SOFT)
    return Picture(name, f"One sample at {len(lines)} times from noise to the end; {group.title}.", figure)


def pictures(records: Sequence[Record]) -> list[Picture]:
    """All figures of the experiment, group by group."""
    pictures: list[Picture | None] = []
    for k, group in enumerate(by_weight(facts.trained(records)), start=1):
        stem = f"{NAME}-{k}"
        pictures += [invalid_by_steps(group, f"{stem}-steps"), class_nll_by_method(group, records, f"{stem}-nll")]
        pictures += [nats_by_time(group, f"{stem}-time"), class_nll_by_steps(group, f"{stem}-bounds")]
        pictures.append(property_histograms(group, f"{stem}-properties"))
        if has_rdkit():
            pictures += [samples_grid(group, f"{stem}-samples"), denoising(group, f"{stem}-denoising")]
    pictures.append(symmetry_by_time(records, f"{NAME}-symmetry"))
    return [picture for picture in pictures if picture is not None]


def findings(records: Sequence[Record]) -> list[str]:
    """What came out, in words."""
    return strips.findings(facts.trained(records), _words)


def _words(group: Group) -> list[str]:
    steps = facts.sample_steps(group.records)
    ends = sorted({min(steps), max(steps)}) if facts.is_molecular(group.records) else []
    valid = [Measured(METHODS, f"valid_percent_at_{k}", f"valid molecules in {k} steps", True, 1) for k in ends]
    likely = Measured(METHODS, facts.CLASS_NLL, "nats per graph up to relabeling (class NLL)", in_percent=False)
    return [text for measured in (*valid, likely) for text in measured.words(group)]


def _by_steps(axes: Axes, steps: Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.set_xticks(steps, [f"{k}" for k in steps])
    axes.minorticks_off()
    axes.grid(axis="y")
    axes.set_xlabel("steps from noise to molecule")


def _legend(axes: Axes) -> None:
    """Beside the axes, where it hides no curve."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=8.5)


def _line(method: str) -> dict[str, Any]:
    """How a method is drawn."""
    dashes = "--" if method == "file-order" else ":" if method.endswith("by-rank") else "-"
    return {"color": METHODS.color(method), "linestyle": dashes}


def _histogram(run: Record, key: str, steps: int) -> tuple[list[float], list[float], list[float]] | None:
    """Edges of bins, shares of test molecules and of samples; None if the run has none, or no sample is valid."""
    history = run.history or {}
    edges, test, ours = (history.get(f"{key}_{end}") or [] for end in ("edges", "of_test_graphs", f"at_{steps}"))
    return (edges, test, ours) if any(ours) and len(edges) == len(test) + 1 == len(ours) + 1 else None


def _mean_curve(runs: Sequence[Record]) -> dict[float, float]:
    """Nats per step by time, mean over the runs that have a value there."""
    found: dict[float, list[float]] = {}
    for run in runs:
        history = run.history or {}
        for time, nats in zip(history.get("diffusion_time") or [], history.get("nats_per_step") or [], strict=False):
            if finite(time) is not None and (finite(nats) or 0) > 0:
                found.setdefault(round(time, 2), []).append(nats)
    return {time: fmean(found[time]) for time in sorted(found)}
