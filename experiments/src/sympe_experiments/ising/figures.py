"""Figures of Ising ground states: who carries over to the other half, phase diagrams, gaps, configurations, vectors.

A panel shows one run and says which: the median of the seeds, or the best and the worst where they differ much.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from numpy.typing import NDArray

from sympe_experiments.ising import facts
from sympe_experiments.ising.config import METHODS, NAME
from sympe_experiments.ising.facts import PHASES
from sympe_experiments.ising.hamiltonian import J1J2
from sympe_experiments.ising.reference import SLICE, ground_waves
from sympe_experiments.records import Record
from sympe_experiments.report import strips
from sympe_experiments.report.canvas import HEAD, Picture, house_style, new_figure, plain, wrapped, write_head
from sympe_experiments.report.explorer import Diagram, Explorer, png_source
from sympe_experiments.report.palette import (
    BLUE,
    BROWN,
    FAINT,
    GRAY,
    GREEN,
    INDIGO,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    SOFT,
    TEAL,
    VERMILION,
    WINE,
    YELLOW,
)
from sympe_experiments.report.statistics import Group, by_weight, finite, group_records
from sympe_experiments.report.strips import Measured

#: Gaps are shown from here on; all below is exact.
LEAST_GAP = 1e-4

#: Names of the waves of period 1, 2 and 4 that j1j2 keeps, by their place, and colors; both axes count alike.
WAVES = {
    "ferromagnet": ((0, 0),),
    "Néel": ((2, 2),),
    "stripes, period 2": ((0, 2), (2, 0)),
    "period 4 along one axis": ((0, 1), (1, 0)),
    "period 4 along both axes": ((1, 1),),
    "period 4 and 2": ((1, 2), (2, 1)),
}
WAVE_COLORS = (VERMILION, GREEN, BLUE, ORANGE, PURPLE, SKY)

#: The measurement that methods are compared by.
MEASURED = Measured(
    METHODS, facts.EXACT_OUT, "exact ground states in the half not trained on", more_is_better=True, digits=1
)

#: Marks and colors of methods in the triangle.
_COLORS = (ORANGE, YELLOW, GRAY, PURPLE, VERMILION, SKY, BLUE, GREEN, TEAL, INDIGO, WINE, BROWN)
_MARKS = tuple(zip("svPDXo*^<>hp", _COLORS, strict=True))


def _panels(count: int, columns: int, side: float, finding: str, context: str) -> tuple[Figure, list[Axes]]:
    """Equal panels, some to a row, below two lines of text; unused ones are blank."""
    rows = -(-count // columns)
    height = HEAD + 0.13 + rows * side
    rect = (0, 0.12 / height, 1, 1 - (HEAD + 0.12) / height)
    figure = Figure(figsize=(9, height), layout=ConstrainedLayoutEngine(rect=rect))
    write_head(figure, finding, context)
    axes = [figure.add_subplot(rows, columns, k + 1) for k in range(rows * columns)]
    for blank in axes[count:]:
        blank.axis("off")
    for each in axes:
        each.spines[["top", "right"]].set_visible(True)
    return figure, axes[:count]


def _plane(axes: Axes, image: NDArray, title: str, x: str = "$J_x$", y: str = "$J_y$", **how: object) -> object:
    """A map over two couplings from -1 to 1, the second upwards."""
    shown = axes.imshow(image, origin="lower", extent=(-1, 1, -1, 1), interpolation="nearest", **how)  # type: ignore[arg-type]
    axes.set_title(title, fontsize=8)
    axes.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlabel=x, ylabel=y)
    axes.label_outer()
    return shown


def phase_colors(order: NDArray) -> NDArray:
    """Colors [.., 3] of order parameters [4, ..]: black where there is no order, mixed where there are several."""
    return np.clip(np.tensordot(order.astype(float), np.array(list(PHASES.values())), axes=(0, 0)), 0, 1)


def exact_order(points: int) -> NDArray:
    """Order parameters [4, points, points] of the ground states: the signs of the couplings."""
    values = (2 * np.arange(points) + 1 - points) / points
    right, down = values[None, :] > 0, values[:, None] > 0
    return np.stack([right & down, ~right & ~down, ~right & down, right & ~down]).astype(float)


def _title(run: Record) -> str:
    """Method, seed, and how much of both halves of the plane is exact."""
    ours, other = (finite(run.metrics.get(name)) for name in (facts.EXACT, facts.EXACT_OUT))
    shown = "" if ours is None or other is None else f": {ours:.1f} % exact, other half {other:.1f} %"
    return f"{wrapped(METHODS.label(run.method), 32)}\nseed {run.seed}{shown}"


@house_style()
def triangle(group: Group, name: str) -> Picture | None:
    """Exact in the half that training saw, against exact in the other half: a point per run."""
    found: dict[str, list[tuple[float, float]]] = {}
    for method in METHODS.in_order(group.methods):
        for run in group.runs(method):
            ours, other = (finite(run.metrics.get(metric)) for metric in (facts.EXACT, facts.EXACT_OUT))
            if ours is not None and other is not None:
                found.setdefault(method, []).append((ours, other))
    if not found:
        return None
    whole = [method for method, points in found.items() if min(map(min, points)) > 97]
    finding = f"Exact in the half never seen as well, with every seed: {len(whole)} of {len(found)} methods"
    figure, axes = new_figure(5.2, finding, f"{plain(group.title)}; a point is a run")
    axes.fill([0, 100, 100], [0, 0, 100], color=FAINT, alpha=0.35, linewidth=0)
    axes.plot([0, 100], [0, 100], color=SOFT, linewidth=1, dashes=(4, 3))
    axes.text(47, 51, "equivariant: both halves alike", rotation=45, ha="center", va="center", color=SOFT, fontsize=8)
    axes.text(70, 10, "not equivariant:\nonly the half it saw", ha="center", va="center", color=SOFT, fontsize=9)
    for k, ((method, points), (shape, color)) in enumerate(zip(found.items(), _MARKS, strict=False)):
        # Hollow and smaller and smaller, so that marks at one place are all seen.
        look: dict = {"mfc": "none", "mec": color, "mew": 1.8, "markersize": 15 - k, "clip_on": False}
        axes.plot(*zip(*points, strict=True), shape, label=wrapped(METHODS.label(method), 40), **look)
    axes.set(xlim=(0, 103), ylim=(0, 103), aspect="equal")
    axes.set_xlabel("exact ground states in the half that training saw, %")
    axes.set_ylabel("in the other half, %")
    axes.legend(loc="upper left", bbox_to_anchor=(1.03, 1.0), fontsize=8.5, labelspacing=0.8)
    return Picture(name, f"Exact in the half of the plane that training saw, and in the other. {finding}.", figure)


@house_style()
def phase_diagrams(group: Group, name: str) -> Picture | None:
    """The phase diagram of each method, beside the exact one."""
    runs = facts.panels(group)
    if not runs:
        return None
    exact = exact_order(runs[0].arrays()["order"].shape[-1])
    whole = {run.method for run in runs} - {run.method for run in runs if not _agrees(run.arrays()["order"], exact)}
    finding = f"All four phases with every seed: {len(whole)} of {len({run.method for run in runs})} methods"
    context = f"{plain(group.title)}; training saw the half below the dashed line; one draw for each pair of couplings"
    figure, axes = _panels(len(runs) + 1, 3, 2.85, finding, context)
    _plane(axes[0], phase_colors(exact), "exact")
    for (x, y), phase in zip(((0.43, 0.86), (-0.42, -0.9), (-0.5, 0.5), (0.5, -0.5)), PHASES, strict=True):
        ink = INK if sum(PHASES[phase]) > 1.5 else "white"
        axes[0].text(x, y, phase.replace(" in ", "\nin "), ha="center", va="center", fontsize=7.2, color=ink)
    for each, run in zip(axes[1:], runs, strict=True):
        _plane(each, phase_colors(run.arrays()["order"]), _title(run))
    for each in axes:
        each.plot([-1, 1], [-1, 1], color="white", linewidth=0.8, dashes=(4, 3))
    handles = [Patch(color=color, label=phase) for phase, color in PHASES.items()]
    handles.append(Patch(color="black", label="no order"))
    figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8.5)
    return Picture(name, f"Phase diagrams over Jx and Jy. {finding}; {group.title}.", figure)


def _agrees(order: NDArray, exact: NDArray) -> bool:
    return bool(((order.argmax(0) == exact.argmax(0)) & (order.max(0) > 0.5)).mean() > 0.97)


@house_style()
def gap_maps(group: Group, name: str) -> Picture | None:
    """How far each method's configurations are above the ground state."""
    runs = facts.panels(group)
    if not runs:
        return None
    exact = {run.method for run in runs} - {run.method for run in runs if run.arrays()["gap"].max() >= LEAST_GAP}
    finding = f"Exact all over the plane: {len(exact)} of {len({run.method for run in runs})} methods"
    figure, axes = _panels(len(runs), 3, 3.1, finding, f"{plain(group.title)}; energy per spin above the ground state")
    labels = ("$J_x$", "$J_y$") if group.data == "nearest" else ("$J_2$", "$J_3$")
    how: dict = {"norm": LogNorm(LEAST_GAP, 4), "cmap": colormaps["magma_r"].with_extremes(bad="white")}
    for each, run in zip(axes, runs, strict=True):
        gap = run.arrays()["gap"]
        shown = _plane(each, np.ma.masked_less(gap, LEAST_GAP), _title(run), *labels, **how)
        if gap.max() < LEAST_GAP:
            each.text(0, 0, "exact", ha="center", va="center", color="black")
    figure.colorbar(shown, ax=axes, shrink=0.7, label="gap, units of J (white: exact)")  # type: ignore[arg-type]
    return Picture(name, f"Energy above the ground state over the couplings. {finding}; {group.title}.", figure)


@house_style()
def configurations(group: Group, method: str, name: str) -> Picture | None:
    """Two draws for each of some couplings, and the structure factor of the first."""
    runs = [run for run in group.runs(method) if "examples" in run.arrays()]
    if not runs:
        return None
    run = max(runs, key=lambda run: run.arrays()["examples"].shape[1])
    arrays = run.arrays()
    drawn, couplings = arrays["examples"] / 127, arrays["example_couplings"]
    size, count = drawn.shape[-1], len(couplings)
    finding = "Draws for one input differ by a symmetry of the input"
    context = f"{plain(group.title)}; {plain(METHODS.label(method))}, seed {run.seed}, L = {size}; "
    context += "black down, white up, gray between"
    figure, axes = _panels(3 * count, count, 1.95, finding, context)
    names = ("Jx", "Jy", "J2", "J3")
    for k in range(count):
        values = "\n".join(
            ", ".join(f"{n} = {v:g}" for n, v in pairs)
            for pairs in (list(zip(names, couplings[k], strict=False))[i : i + 2] for i in (0, 2))
            if pairs
        )
        other = next((draw for draw in drawn[k, 1:] if (np.sign(draw) != np.sign(drawn[k, 0])).any()), None)
        for row, spins in enumerate((drawn[k, 0], other)):
            each = axes[row * count + k]
            each.set(xticks=(), yticks=(), box_aspect=1)
            if spins is None:
                text = f"all {len(drawn[k])} draws\nare alike"
                each.text(0.5, 0.5, text, ha="center", va="center", color=SOFT, transform=each.transAxes)
            else:
                each.imshow(spins, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axes[k].set_title(values, fontsize=8.8)
        each = axes[2 * count + k]
        edges = (-1 - 1 / size, 1 - 1 / size)  # the pixel of q = 0 in the middle
        factor = np.abs(np.fft.fftshift(np.fft.fft2(drawn[k, 0]))) ** 2 / size**4
        each.imshow(factor, cmap="viridis", vmin=0, vmax=1, extent=(*edges, *edges[::-1]), interpolation="nearest")
        each.set(xticks=(-1, 0), yticks=(-1, 0), xlabel=r"$q_x / \pi$")
    for row, text in enumerate(("one draw", "a draw that differs", "structure factor\n(yellow: 1)\n" + r"$q_y / \pi$")):
        axes[row * count].set_ylabel(text)
    alt = f"Sampled configurations and their structure factors. {finding}; {group.title}."
    return Picture(name, alt, figure)


@house_style()
def vectors(group: Group, name: str) -> Picture | None:
    """The weight of each wave in the vector v."""
    runs = {method: run for method, run in facts.shown_runs(group).items() if "vector" in run.arrays()}
    if not runs:
        return None
    finding = "What v is made of: the weights of its waves"
    context = f"{plain(group.title)}; mean over features of |v(q)|² per site, waves of period 2 circled"
    figure, axes = _panels(len(runs), 3, 3.2, finding, context)
    for each, (method, run) in zip(axes, runs.items(), strict=True):
        v = run.arrays()["vector"]
        n = v.shape[-1]
        weight = (np.abs(np.fft.fft2(v)) ** 2).mean(0) / n**2
        # Wave numbers 0 .. n - 1: q = pi is in the middle, q = 0 at the lower left.
        shown = each.imshow(weight, origin="lower", cmap="viridis", extent=(-0.5, n - 0.5, -0.5, n - 0.5))
        each.set_title(f"{wrapped(METHODS.label(method), 30)}\nseed {run.seed}", fontsize=8.8)
        ticks = (0, n // 2) if n > 1 else (0,)
        names = ["0", r"$\pi$"][: len(ticks)]
        each.set_xticks(ticks, names)
        each.set_yticks(ticks, names)
        each.set(xlabel="$q_x$", ylabel="$q_y$")
        if n > 2 and n % 2 == 0:
            for a in ticks:
                for b in ticks:
                    each.plot(a, b, "o", mfc="none", mec="white", markersize=11)
        figure.colorbar(shown, ax=each, shrink=0.8)
    return Picture(name, f"The learned vector in Fourier space. {finding}; {group.title}.", figure)


@house_style()
def wave_diagrams(group: Group, name: str) -> Picture | None:
    """Of j1j2: the strongest wave over J2 and J3, beside that of the exact ground states."""
    runs = facts.panels(group)
    if not runs:
        return None
    exact = ground_waves(J1J2, SLICE, runs[0].arrays()["order"].shape[-1])
    right = max(_share_of_waves(run.arrays()["order"].astype(float), exact) for run in runs)
    finding = f"Strongest wave over J2 and J3: the right one on {right:.0f} % of the plane at best"
    context = f"{plain(group.title)}; Jx = {SLICE[0]:g}, Jy = {SLICE[1]:g}; darker: less order"
    figure, axes = _panels(len(runs) + 1, 3, 2.85, finding, context)
    _plane(axes[0], _wave_colors(exact), "exact, mean over all ground states", "$J_2$", "$J_3$")
    for each, run in zip(axes[1:], runs, strict=True):
        _plane(each, _wave_colors(run.arrays()["order"].astype(float)), _title(run), "$J_2$", "$J_3$")
    handles = [Patch(color=color, label=wave) for wave, color in zip(WAVES, WAVE_COLORS, strict=True)]
    handles.append(Patch(color="black", label="no order"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8.5)
    return Picture(name, f"Strongest waves over J2 and J3, exact and by method; {group.title}.", figure)


def _wave_weights(order: NDArray) -> NDArray:
    """Weights of :data:`WAVES`, one after the other, from weights [9, ..] of single waves."""
    grid = order.reshape(3, 3, *order.shape[1:])
    return np.stack([sum(grid[a, b] for a, b in places) for places in WAVES.values()])


def _share_of_waves(order: NDArray, exact: NDArray) -> float:
    """Per cent of the plane where the strongest wave is that of the ground states, and has half of the weight."""
    weight = _wave_weights(order)
    return 100 * float(((weight.argmax(0) == _wave_weights(exact).argmax(0)) & (weight.max(0) > 0.5)).mean())


def _wave_colors(order: NDArray) -> NDArray:
    """Colors [.., 3] of the strongest of :data:`WAVES`, from weights [9, ..]; the darker the weaker."""
    weight = _wave_weights(order)
    return to_rgba_array(WAVE_COLORS)[weight.argmax(0), :3] * np.clip(weight.max(0), 0, 1)[..., None] ** 0.5


def pictures(records: Sequence[Record]) -> list[Picture]:
    """All figures of the experiment, group by group."""
    pictures: list[Picture | None] = []
    for k, group in enumerate(by_weight(_drawn(records)), start=1):
        stem = f"{NAME}-{k}"
        diagrams = phase_diagrams if group.data == "nearest" else wave_diagrams
        pictures += [
            triangle(group, f"{stem}-triangle"),
            diagrams(group, f"{stem}-phases"),
            gap_maps(group, f"{stem}-gap"),
            configurations(group, "sympe-template", f"{stem}-configurations"),
            vectors(group, f"{stem}-vectors"),
        ]
    return [picture for picture in pictures if picture is not None]


def explorer(records: Sequence[Record]) -> Explorer | None:
    """What to point at: the phase diagrams of runs of nearest neighbors that keep two draws of every point."""
    shown = []
    for group in by_weight(_drawn(records)):
        kept = {METHODS.label(r.method): r for r in facts.panels(group) + list(group.records) if "spins" in r.arrays()}
        if group.data == "nearest" and kept:
            first = sorted(kept.items(), key=lambda pair: pair[1].method != "sympe-template")
            shown = [_diagram(label, run) for label, run in first]
            break
    return Explorer(tuple(shown)) if shown else None


def _diagram(label: str, run: Record) -> Diagram:
    arrays = run.arrays()
    order, spins = arrays["order"], arrays["spins"]
    _, points, _, size, _ = spins.shape
    # The lattices side by side, that of the largest Jy on top, as the diagram itself.
    mosaics = [draw[::-1].transpose(0, 2, 1, 3).reshape(points * size, points * size) for draw in spins]
    names = [*PHASES, "no order"]
    kinds = np.where(order.max(0) > 0.5, order.argmax(0), len(PHASES))[::-1]
    return Diagram(
        f"{label}, seed {run.seed}",
        points,
        size,
        png_source(phase_colors(order)[::-1]),
        tuple(png_source((mosaic + 1) / 2) for mosaic in mosaics),
        tuple(names[kind] for kind in kinds.ravel()),
    )


def findings(records: Sequence[Record]) -> list[str]:
    """What came out, in words."""
    return strips.findings(_drawn(records), MEASURED.words)


def _drawn(records: Sequence[Record]) -> list[Group]:
    return group_records(record for record in records if record.data in facts.DRAWN)
