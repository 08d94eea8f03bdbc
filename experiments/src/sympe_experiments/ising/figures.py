"""Figures of Ising ground states: phase diagrams, energy gaps, configurations, structure factors and the vector v."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from numpy.typing import NDArray

from sympe_experiments.ising import facts
from sympe_experiments.ising.config import METHODS, NAME
from sympe_experiments.ising.facts import PHASES
from sympe_experiments.records import Record
from sympe_experiments.report.canvas import Picture, house_style, plain, wrapped, write_head
from sympe_experiments.report.palette import SOFT
from sympe_experiments.report.statistics import Group, group_records

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
WAVE_COLORS = ("#d6262a", "#1a9e3d", "#1f61d1", "#e69f00", "#8e44ad", "#5bc0c4")


def _panels(count: int, columns: int, side: float, finding: str, context: str) -> tuple[Figure, list[Axes]]:
    """Equal panels, some to a row, below two lines of text; unused ones are blank."""
    rows = -(-count // columns)
    height = 0.75 + rows * side
    figure = Figure(figsize=(9, height), layout=ConstrainedLayoutEngine(rect=(0, 0.12 / height, 1, 1 - 0.74 / height)))
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
    axes.set_title(wrapped(title, 30), fontsize=8.8)
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


@house_style()
def phase_diagrams(group: Group, name: str) -> Picture | None:
    """The phase diagram of each method, beside the exact one."""
    runs = facts.shown_runs(group)
    if not runs:
        return None
    orders = {method: run.arrays()["order"] for method, run in runs.items()}
    points = next(iter(orders.values())).shape[-1]
    exact = exact_order(points)
    agree = {
        m: float((order.argmax(0) == exact.argmax(0))[order.max(0) > 0.5].sum() / points**2)
        for m, order in orders.items()
    }
    whole = [method for method, share in agree.items() if share > 0.97]
    finding = f"All four phases: {len(whole)} of {len(runs)} methods"
    context = f"{plain(group.title)}; training saw the half below the dashed line; one draw for each pair of couplings"
    figure, axes = _panels(len(runs) + 1, 3, 2.75, finding, context)
    _plane(axes[0], phase_colors(exact), "exact")
    for each, (method, order) in zip(axes[1:], orders.items(), strict=True):
        _plane(each, phase_colors(order), METHODS.label(method))
    for each in axes:
        each.plot([-1, 1], [-1, 1], color="white", linewidth=0.8, dashes=(4, 3))
    handles = [Patch(color=color, label=phase) for phase, color in PHASES.items()]
    handles.append(Patch(color="black", label="no order"))
    figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8.5)
    return Picture(name, f"Phase diagrams over Jx and Jy. {finding}; {group.title}.", figure)


@house_style()
def gap_maps(group: Group, name: str) -> Picture | None:
    """How far each method's configurations are above the ground state."""
    runs = facts.shown_runs(group)
    if not runs:
        return None
    gaps = {method: run.arrays()["gap"] for method, run in runs.items()}
    exact = [method for method, gap in gaps.items() if gap.max() < LEAST_GAP]
    finding = f"Exact all over the plane: {len(exact)} of {len(runs)} methods"
    figure, axes = _panels(len(runs), 3, 2.75, finding, f"{plain(group.title)}; energy per spin above the ground state")
    labels = ("$J_x$", "$J_y$") if group.data == "nearest" else ("$J_2$", "$J_3$")
    norm = LogNorm(LEAST_GAP, 4)
    for each, (method, gap) in zip(axes, gaps.items(), strict=True):
        each.set_facecolor("white")
        image = np.ma.masked_less(gap, LEAST_GAP)
        shown = _plane(each, image, METHODS.label(method), *labels, norm=norm, cmap="magma_r")
        if method in exact:
            each.text(0, 0, "exact", ha="center", va="center", color=SOFT)
    figure.colorbar(shown, ax=axes, shrink=0.7, label="gap, units of J (white: exact)")  # type: ignore[arg-type]
    return Picture(name, f"Energy above the ground state over the couplings. {finding}; {group.title}.", figure)


@house_style()
def configurations(group: Group, method: str, name: str) -> Picture | None:
    """Two draws for each of some couplings, and the structure factor of the first."""
    run = facts.shown_runs(group).get(method)
    if run is None:
        return None
    arrays = run.arrays()
    drawn, couplings = arrays["examples"] / 127, arrays["example_couplings"]
    size, count = drawn.shape[-1], len(couplings)
    finding = "Two draws of one input differ by a symmetry of the input"
    figure, axes = _panels(
        3 * count, count, 1.95, finding, f"{plain(group.title)}; {plain(METHODS.label(method))}, L = {size}"
    )
    names = ("Jx", "Jy", "J2", "J3")
    for k in range(count):
        values = "\n".join(
            ", ".join(f"{n} = {v:g}" for n, v in pairs)
            for pairs in (list(zip(names, couplings[k], strict=False))[i : i + 2] for i in (0, 2))
            if pairs
        )
        for row in range(2):
            each = axes[row * count + k]
            each.imshow(drawn[k, row], cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
            each.set(xticks=(), yticks=())
        axes[k].set_title(values, fontsize=8.8)
        each = axes[2 * count + k]
        edges = (-1 - 1 / size, 1 - 1 / size)  # the pixel of q = 0 in the middle
        factor = np.abs(np.fft.fftshift(np.fft.fft2(drawn[k, 0]))) ** 2 / size**4
        each.imshow(factor, cmap="viridis", vmin=0, vmax=1, extent=(*edges, *edges[::-1]), interpolation="nearest")
        each.set(xticks=(-1, 0), yticks=(-1, 0), xlabel=r"$q_x / \pi$")
    for row, text in enumerate(("one draw", "another draw", r"structure factor" + "\n" + r"$q_y / \pi$")):
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
    figure, axes = _panels(len(runs), 3, 2.75, finding, context)
    for each, (method, run) in zip(axes, runs.items(), strict=True):
        v = run.arrays()["vector"]
        n = v.shape[-1]
        weight = (np.abs(np.fft.fft2(v)) ** 2).mean(0) / n**2
        # Wave numbers 0 .. n - 1: q = pi is in the middle, q = 0 at the lower left.
        shown = each.imshow(weight, origin="lower", cmap="viridis", extent=(-0.5, n - 0.5, -0.5, n - 0.5))
        each.set_title(wrapped(METHODS.label(method), 30), fontsize=8.8)
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
    """Of j1j2: the strongest wave over J2 and J3."""
    runs = facts.shown_runs(group)
    if not runs:
        return None
    finding = "Strongest wave in the plane of J2 and J3"
    figure, axes = _panels(len(runs), 3, 2.75, finding, f"{plain(group.title)}; Jx = 0.5, Jy = 0.3; darker: less order")
    for each, (method, run) in zip(axes, runs.items(), strict=True):
        order = run.arrays()["order"].astype(float)
        grid = order.reshape(3, 3, *order.shape[1:])
        weight = np.stack([sum(grid[a, b] for a, b in places) for places in WAVES.values()])
        colors = np.array([tuple(int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)) for c in WAVE_COLORS])
        image = colors[weight.argmax(0)] * np.clip(weight.max(0), 0, 1)[..., None] ** 0.5
        _plane(each, image, METHODS.label(method), "$J_2$", "$J_3$")
    handles = [Patch(color=color, label=wave) for wave, color in zip(WAVES, WAVE_COLORS, strict=True)]
    handles.append(Patch(color="black", label="no order"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8.5)
    return Picture(name, f"Strongest waves over J2 and J3; {group.title}.", figure)


def pictures(records: Sequence[Record]) -> list[Picture]:
    """All figures of the experiment, group by group."""
    pictures: list[Picture | None] = []
    drawn = [record for record in records if record.data in facts.DRAWN]
    for k, group in enumerate(group_records(drawn), start=1):
        stem = f"{NAME}-{k}"
        diagrams = phase_diagrams if group.data == "nearest" else wave_diagrams
        pictures += [
            diagrams(group, f"{stem}-phases"),
            gap_maps(group, f"{stem}-gap"),
            configurations(group, "sympe-template", f"{stem}-configurations"),
            vectors(group, f"{stem}-vectors"),
        ]
    return [picture for picture in pictures if picture is not None]
