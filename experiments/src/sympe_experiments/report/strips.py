"""How methods compare in one measurement, as a picture and in words: a mark per seed, a bar at the mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sympe_experiments.records import Record
from sympe_experiments.report.canvas import LinearRange, LogRange, Picture, house_style, new_figure, plain, wrapped
from sympe_experiments.report.methods import ROLES, Methods
from sympe_experiments.report.palette import INK, SOFT
from sympe_experiments.report.statistics import Group, Sample, Verdict, by_weight, compare, group_records, sample
from sympe_experiments.report.table import mean_and_spread

_VERBS = {verdict: verdict.value for verdict in Verdict} | {Verdict.UNDECIDED: "is not decided against"}


@dataclass(frozen=True)
class Measured:
    """One measurement of the methods of an experiment.

    Attributes:
        methods: The methods.
        metric: Its name in records.
        unit: What it counts.
        more_is_better: Whether more of it is better.
        digits: After the decimal point.
        in_percent: Whether it is in per cent.
        is_log: Whether to draw it on a log axis.
        axis: What the axis says, if not the unit.
    """

    methods: Methods[Any]
    metric: str
    unit: str
    more_is_better: bool = False
    digits: int = 2
    in_percent: bool = True
    is_log: bool = False
    axis: str = ""

    def samples(self, group: Group) -> dict[str, Sample]:
        """Values over seeds by method, in the order of rows; only of methods that have any."""
        found = {method: sample(group.runs(method), self.metric) for method in self.methods.in_order(group.methods)}
        return {method: over_seeds for method, over_seeds in found.items() if over_seeds.values}

    def text(self, over_seeds: Sample) -> str:
        """Mean and spread."""
        return mean_and_spread(over_seeds.mean, over_seeds.spread, self.digits)

    def best(self, samples: dict[str, Sample]) -> str:
        """The method with the best mean."""
        sign = -1 if self.more_is_better else 1
        return min(samples, key=lambda method: sign * (samples[method].mean or 0.0))

    def words(self, group: Group) -> list[str]:
        """What came out: the best method with SymPE against the best other one, its controls and none."""
        samples, methods = self.samples(group), self.methods
        ours = {name: values for name, values in samples.items() if methods.role(name) == "ours"}
        others = {name: values for name, values in samples.items() if name not in ours and name != "none"}
        if not ours:
            return []
        ahead = self.best(ours)
        count = f" (best of {len(ours)} methods with SymPE)" if len(ours) > 1 else ""
        percent = " %" if self.in_percent else ""
        said = f"{methods.label(ahead)}{count}: {self.text(ours[ahead])}{percent} {self.unit}."
        rivals = [self.best(others)] if others else []
        rivals += [
            name for name in samples if name in (*methods.controls(ahead), "haar", "none") and name not in rivals
        ]
        found: dict[Verdict, list[str]] = {}
        for name in rivals:
            pair = (samples[name], ours[ahead]) if self.more_is_better else (ours[ahead], samples[name])
            comparison = compare(*pair)
            if comparison is not None:
                best = ", best of the others" if name == rivals[0] and len(others) > 1 else ""
                text = f"{methods.short_label(name)} ({self.text(samples[name])}{best})"
                found.setdefault(comparison.verdict, []).append(text)
        parts = [f"{_VERBS[verdict]} {', '.join(found[verdict])}" for verdict in Verdict if verdict in found]
        return [f"{said} It {'; it '.join(parts)}." if parts else said]

    @house_style()
    def chart(
        self, group: Group, name: str, *, floors: dict[str, float] | None = None, poster: dict[str, float] | None = None
    ) -> Picture | None:
        """A row per method: a mark per seed and a bar at the mean, beside floors and the poster's figures."""
        samples, floors, poster = self.samples(group), floors or {}, poster or {}
        if not samples:
            return None
        values = [value for held in samples.values() for value in held.values]
        limits = (LogRange if self.is_log else LinearRange).of([*values, *floors.values(), *poster.values()])
        ahead = self.best(samples)
        finding = f"{'Most' if self.more_is_better else 'Fewest'} {self.unit} with {plain(self.methods.label(ahead))}"
        context = f"{plain(group.title)}; a mark is a seed, single draws of g~"
        figure, axes = new_figure(2.0 + 0.42 * len(samples), finding, context)
        limits.apply(axes, "x")
        for y, (method, over_seeds) in enumerate(samples.items()):
            self._row(axes, limits, y, method, over_seeds)
            if method in poster:
                axes.plot(poster[method], y, "D", mfc="none", mec=INK, markersize=6.5)
        label_rows(axes, [wrapped(self.methods.label(method), 38) for method in samples])
        axes.set_xlabel(f"{self.axis or self.unit}{', %' * self.in_percent}{' (log scale)' * self.is_log}")
        handles = [mark(shape, text, color=color) for role, (text, color, shape) in ROLES.items()
                   if any(self.methods.role(method) == role for method in samples)]  # fmt: skip
        handles.append(mark("|", "mean of seeds", markersize=12, markeredgewidth=2))
        if poster:
            handles.append(mark("D", "the poster's figure", mfc="none", mec=INK))
        for (text, value), dashes in zip(floors.items(), ("--", ":"), strict=False):
            handles.append(axes.axvline(limits.place(value), color=INK, linestyle=dashes, linewidth=1, label=text))
        figure.legend(handles=handles, loc="outside lower left", ncols=2 if floors else 3, fontsize=8.5)
        return Picture(name, f"{self.unit.capitalize()} by method. {finding}; {group.title}.", figure)

    def _row(self, axes: Axes, limits: LogRange | LinearRange, y: int, method: str, over_seeds: Sample) -> None:
        _, color, shape = ROLES[self.methods.role(method)]
        for value in over_seeds.values:
            dot(axes, limits, value, y, shape, color=color, alpha=0.75, size=6)
        mean = over_seeds.mean or 0.0
        if mean or not self.is_log:
            axes.plot(mean, y, "|", color=color, markersize=17, markeredgewidth=2.2)
        axes.text(1.015, y, self.text(over_seeds), transform=axes.get_yaxis_transform(), va="center")


def comparison_pictures(records: Sequence[Record], measured: Measured, name: str) -> list[Picture]:
    """One chart per group of runs, the one with most behind it first."""
    groups = enumerate(by_weight(group_records(records)), start=1)
    charts = [measured.chart(group, f"{name}-{k}-methods") for k, group in groups]
    return [chart for chart in charts if chart is not None]


def findings(groups: Sequence[Group], words: Callable[[Group], list[str]]) -> list[str]:
    """What came out in the group with most behind it."""
    return [text for group in by_weight(groups)[:1] for text in words(group)]


def label_rows(axes: Axes, labels: list[str]) -> None:
    """One row per label, the first at the top."""
    axes.set_yticks(range(len(labels)), labels, fontsize=9)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def dot(
    axes: Axes,
    limits: LogRange | LinearRange,
    value: float,
    y: float,
    shape: str = "o",
    *,
    color: str,
    size: float,
    alpha: float = 1,
    hollow: bool = False,
) -> None:
    """A value in a row; a zero on a log axis is an arrow that points out of it."""
    face = "white" if hollow else color
    if value == 0 and isinstance(limits, LogRange):
        zero(axes, limits.low, y, "<", color, face)
    else:
        axes.plot(value, y, shape, color=color, markerfacecolor=face, markersize=size, mew=1.6 * hollow, alpha=alpha)


def zero(axes: Axes, x: float, y: float, marker: str, color: str, face: str | None = None) -> None:
    """A zero on a log axis: an arrow at its lower end that points out of it."""
    axes.plot(
        x, y, marker, color=color, markerfacecolor=face or color, markersize=8, markeredgewidth=1.6, clip_on=False
    )
    axes.annotate("0", (x, y), (7, 5), textcoords="offset points", fontsize=8.5, fontweight="bold", color=color)


def mark(shape: str, text: str, **look: object) -> Line2D:
    """An entry of a legend."""
    style: dict = {"color": SOFT, "markersize": 6, **look}
    return Line2D([], [], linestyle="none", marker=shape, label=text, **style)
