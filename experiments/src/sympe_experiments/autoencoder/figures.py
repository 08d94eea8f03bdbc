"""Figures of the graph autoencoder."""

from collections.abc import Sequence
from statistics import fmean

from matplotlib.ticker import MaxNLocator

from sympe_experiments.autoencoder import facts
from sympe_experiments.autoencoder.config import METHODS, NAME
from sympe_experiments.records import Record
from sympe_experiments.report import strips
from sympe_experiments.report.canvas import LogRange, Picture, house_style, new_figure, plain, wrapped
from sympe_experiments.report.statistics import Group, by_weight, finite, sample
from sympe_experiments.report.strips import Measured, dot, label_rows, mark, zero
from sympe_experiments.report.table import number

#: The measurement that methods are compared by.
MEASURED = Measured(METHODS, facts.ERROR, "wrong node pairs", digits=3, is_log=True)


def error_by_method(group: Group, records: Sequence[Record], name: str) -> Picture | None:
    """A mark per seed and a bar at the mean, beside the poster's figure and the floors."""
    floors = {
        f"floor without breaking symmetry, {facts.FLOORS[floor]}: {value:.3f} %": value
        for floor, value in facts.floors(group, records).items()
        if floor != "trivial_percent"
    }
    poster = {method: value for method in group.methods if (value := facts.poster_figure(group, method)) is not None}
    return MEASURED.chart(group, name, floors=floors, poster=poster)


@house_style()
def learning_curves(group: Group, name: str) -> Picture | None:
    """Validation error over training: the mean of the seeds, and each seed faintly."""
    curves = {
        method: [c for run in group.runs(method) if (c := _curve(run))] for method in METHODS.in_order(group.methods)
    }
    curves = {method: found for method, found in curves.items() if found}
    if not curves:
        return None
    means = {method: _mean_curve(found) for method, found in curves.items()}
    limits = LogRange.of(value for found in curves.values() for curve in found for value in curve.values())
    lasts = {method: list(mean.values())[-1] for method, mean in means.items()}
    best = min(lasts, key=lambda method: lasts[method])
    finding = f"Lowest validation error at the end: {number(lasts[best])} %, {plain(METHODS.label(best))}"

    figure, axes = new_figure(max(4.4, 1.1 + 0.34 * len(means)), finding, f"{plain(group.title)}; mean of seeds")
    for method, mean in means.items():
        style: dict = {"color": METHODS.color(method), "linestyle": _line(method)}
        for curve in curves[method] if len(curves[method]) > 1 else ():
            axes.plot(list(curve), list(map(limits.place, curve.values())), linewidth=0.7, alpha=0.4, **style)
        text = f"{wrapped(METHODS.label(method), 38)}: {number(lasts[method])} %"
        marker = "o" if len(mean) < 3 else None
        axes.plot(list(mean), list(map(limits.place, mean.values())), linewidth=1.9, marker=marker, label=text, **style)
        for epoch, value in mean.items():
            if value == 0:
                zero(axes, epoch, limits.low, "v", METHODS.color(method))
    limits.apply(axes, "y")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("wrong node pairs of validation graphs, %")
    # In the order in which the curves end, so that the eye finds a name beside its curve.
    handles, _ = axes.get_legend_handles_labels()
    order = sorted(zip(lasts.values(), handles, strict=True), key=lambda pair: -pair[0])
    axes.legend(handles=[h for _, h in order], loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=8.5)
    return Picture(name, f"Validation error over training. {finding}; {group.title}.", figure)


@house_style()
def single_and_best(group: Group, name: str) -> Picture | None:
    """How much the best of several draws of g~, chosen by the loss, gains over a single one."""
    draws = facts.most_draws(group.records)
    pairs: dict[str, tuple[float, float]] = {}
    for method in METHODS.in_order(group.methods):
        runs = group.runs(method)
        single, best = sample(runs, facts.ERROR).mean, sample(runs, facts.best_of(draws)).mean
        if single is not None and best is not None:
            pairs[method] = (single, best)
    if not pairs:
        return None
    limits = LogRange.of(value for pair in pairs.values() for value in pair)
    lower = sum(best < single for single, best in pairs.values())
    perfect = sum(best == 0 for _, best in pairs.values())
    finding = f"Best of {draws} draws: lower for {lower} of {len(pairs)} methods"
    finding += f", no error left for {perfect}" if perfect else ""
    figure, axes = new_figure(2.0 + 0.42 * len(pairs), finding, f"{plain(group.title)}; mean of seeds")
    limits.apply(axes, "x")
    for y, (method, (single, best)) in enumerate(pairs.items()):
        color = METHODS.color(method)
        ends = [limits.place(single), limits.place(best)]
        axes.plot(ends, [y, y], color=color, linewidth=2, alpha=0.45, clip_on=False)
        dot(axes, limits, single, y, color=color, size=8)
        dot(axes, limits, best, y, color=color, size=8, hollow=True)
        text = f"{number(single)} → {number(best)}"
        axes.text(1.015, y, text, transform=axes.get_yaxis_transform(), va="center")
    label_rows(axes, [wrapped(METHODS.label(method), 38) for method in pairs])
    handles = [mark("o", "single draw"), mark("o", f"best of {draws} draws", mfc="white")]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8.5)
    axes.set_xlabel("wrong node pairs, % (log scale)")
    return Picture(name, f"Single draws and best of {draws}. {finding}; {group.title}.", figure)


def pictures(records: Sequence[Record]) -> list[Picture]:
    """All figures of the experiment, group by group."""
    pictures = []
    for k, group in enumerate(by_weight(facts.trained(records)), start=1):
        stem = f"{NAME}-{k}"
        pictures += [
            error_by_method(group, records, f"{stem}-error"),
            single_and_best(group, f"{stem}-best-of-k"),
            learning_curves(group, f"{stem}-learning"),
        ]
    return [picture for picture in pictures if picture is not None]


def findings(records: Sequence[Record]) -> list[str]:
    """What came out, in words."""
    return strips.findings(facts.trained(records), lambda group: MEASURED.words(group) + _floor(group, records))


def _floor(group: Group, records: Sequence[Record]) -> list[str]:
    floor = facts.floors(group, records).get("floor_pair_percent")
    return [] if floor is None else [f"No encoder that keeps the symmetry gets below {floor:.3f} %."]


def _line(method: str) -> str:
    return "--" if method.startswith("laplacian-") else "-"


def _curve(record: Record) -> dict[float, float]:
    """Validation error by epoch; values that are not finite are left out."""
    errors = (record.history or {}).get("validation_error_percent") or []
    epochs = (record.history or {}).get("validation_epoch") or range(1, len(errors) + 1)
    pairs = ((finite(epoch), finite(error)) for epoch, error in zip(epochs, errors, strict=False))
    return {epoch: error for epoch, error in pairs if epoch is not None and error is not None}


def _mean_curve(curves: Sequence[dict[float, float]]) -> dict[float, float]:
    """The mean over the runs that have a value at an epoch."""
    epochs = sorted({epoch for curve in curves for epoch in curve})
    return {epoch: fmean(curve[epoch] for curve in curves if epoch in curve) for epoch in epochs}
