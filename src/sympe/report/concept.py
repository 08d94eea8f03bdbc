r"""What symmetry breaking does, shown on a hexagon; everything drawn is computed.

The network is :math:`y \leftarrow \tanh(y - A y / 2)`, ten times over, with :math:`A` the adjacency matrix:
equivariant under relabeling, and it pushes neighbors apart. Six nodes of a hexagon that start alike stay alike.
The group elements that take the canonical form of the hexagon to the hexagon are found by trying all 720. One of
them, drawn at random, puts a vector v (learned in earnest, fixed here) on the nodes, and from there the same
network ends in one of the two proper colorings.
"""

from itertools import permutations
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from sympe.atomic import write_atomically
from sympe.report.canvas import BLUE, INK, ORANGE, SOFT, Picture, house_style

N = 6
V = np.array([-0.9, 0.4, -0.3, 0.8, -0.5, 0.2])

# Heights of the two rows of hexagons, inches.
UPPER, LOWER = 4.4, 1.68

_OUTPUT = LinearSegmentedColormap.from_list("output", [BLUE, "#dfe3e8", ORANGE])
_VECTOR = LinearSegmentedColormap.from_list("vector", ["#f1ecf7", "#6b4f9e"])


def hexagon() -> np.ndarray:
    """Adjacency matrix of a ring of six nodes."""
    ring = np.eye(N, k=1) + np.eye(N, k=1 - N)
    return ring + ring.T


def elements_to(adjacency: np.ndarray) -> np.ndarray:
    """All permutations (as images, one per row) that take the canonical form to the graph.

    The canonical form is the relabeling whose matrix comes last in the order of a dictionary. ``g`` takes the
    form to the graph if ``adjacency[g][:, g]`` is the form.
    """
    every = np.array(list(permutations(range(len(adjacency)))))
    forms = adjacency[every[:, :, None], every[:, None, :]].reshape(len(every), -1)
    return every[(forms == max(map(tuple, forms))).all(1)]


def act(g: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The left action on one number per node, ``(g v)[g[i]] = v[i]``."""
    moved = np.empty_like(v)
    moved[g] = v
    return moved


def network(adjacency: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The equivariant network."""
    for _ in range(10):
        y = np.tanh(y - adjacency @ y / 2)
    return y


@house_style()
def concept_picture(seed: int = 0) -> Picture:
    """An equivariant network on a hexagon, alone and with SymPE.

    Args:
        seed: Fixes the draws of g~ that are shown.
    """
    x = hexagon()
    coset = elements_to(x)
    draws = np.random.default_rng(seed).permutation(coset)
    outputs = [network(x, act(g, V)) for g in draws]
    first = outputs[0] > 0
    # The second draw shown is the next one that ends in the other coloring.
    other = next(k for k, y in enumerate(outputs) if ((y > 0) != first).any())
    counts = [sum(((y > 0) == (shown > 0)).all() for y in outputs) for shown in (outputs[0], outputs[other])]

    figure = Figure(figsize=(11, 6.8))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 11), ylim=(0, 6.8), aspect="equal")
    axes.axis("off")
    _card(axes, 0.2, 3.4, "An equivariant network alone", "Nodes that are alike stay alike.")
    how = r"A draw $\tilde g$ moves six numbers $v$ onto the nodes; the same network tells them apart."
    _card(axes, 3.8, 7.0, "With SymPE", how)

    alone = network(x, np.ones(N))
    _ring(axes, (1.9, UPPER), [""] * N, [_OUTPUT(0.5)] * N)
    _ring(axes, (1.9, LOWER), _signed(alone), _shades(alone))
    _arrow(axes, (1.9, UPPER - 1.02), (1.9, LOWER + 1.02))
    axes.text(2.02, (UPPER + LOWER) / 2, "$f$", va="center", fontsize=11)
    _label(axes, (0.42, UPPER + 0.85), "input $x$")
    _label(axes, (0.42, LOWER + 0.85), "output $f(x)$")

    for k, y, name in ((0, UPPER, "one draw"), (other, LOWER, "another draw")):
        ranks = act(draws[k], np.arange(N))
        _ring(axes, (5.55, y), [f"$v_{r}$" for r in ranks], [_VECTOR((V[r] + 1) / 2) for r in ranks])
        _ring(axes, (9.25, y), _signed(outputs[k]), _shades(outputs[k]))
        _arrow(axes, (6.75, y), (8.05, y))
        axes.text(7.4, y + 0.12, "$f$", ha="center", fontsize=11)
        _label(axes, (4.02, y + 0.85), f"{name}: $\\tilde g v$")
        _label(axes, (7.62, y + 0.85), r"$f(x,\, \tilde g v)$")
    law = (
        f"Of all {len(coset)} values of $\\tilde g$, {counts[0]} end in the upper coloring "
        f"and {counts[1]} in the lower: no output keeps all of the hexagon's symmetry, their law does."
    )
    axes.text(5.5, 0.14, law, ha="center", va="bottom", color=SOFT, fontsize=9.8)
    alt = (
        "Left: an equivariant network gives all nodes of a hexagon the same value. Middle: a sampled group element "
        "puts six different numbers on the nodes. Right: with these the same network colors the nodes alternately."
    )
    return Picture("concept", alt, figure)


def concept_figure(path: Path) -> Path:
    """Write :func:`concept_picture` to a file that ends in ``.png`` or ``.svg``.

    Raises:
        ValueError: If the file ends otherwise.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise ValueError(f"expected a file that ends in .png or .svg; got {path.name}")
    content = concept_picture().encode(kind)
    write_atomically(path, lambda file: file.write(content))
    return path


def _ring(axes: Axes, center: tuple[float, float], names: list[str], colors: list) -> None:
    """The hexagon with a name and a color for each node."""
    angle = np.pi / 2 - 2 * np.pi * np.arange(N) / N
    place = np.stack([center[0] + 0.76 * np.cos(angle), center[1] + 0.76 * np.sin(angle)], axis=1)
    for i, j in zip(*np.nonzero(np.triu(hexagon())), strict=True):
        axes.plot(*place[[i, j]].T, color="#9aa4ae", linewidth=2.2, zorder=2)
    for (x, y), name, color in zip(place, names, colors, strict=True):
        axes.add_patch(Circle((x, y), 0.245, facecolor=color, edgecolor="white", linewidth=1.6, zorder=3))
        axes.text(x, y, name, ha="center", va="center_baseline", fontsize=8.5, color=_ink(color), zorder=4)


def _shades(values: np.ndarray) -> list:
    return [_OUTPUT((value + 1) / 2) for value in values]


def _signed(values: np.ndarray) -> list[str]:
    return [f"{value:+.2f}".replace("-", "\N{MINUS SIGN}") if abs(value) > 0.005 else "0" for value in values]


def _ink(color: tuple[float, ...]) -> str:
    """White on dark colors, dark on light ones."""
    red, green, blue, _ = color
    return "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.55 else INK


def _card(axes: Axes, left: float, width: float, title: str, subtitle: str) -> None:
    shape = "round,pad=0,rounding_size=0.12"
    axes.add_patch(FancyBboxPatch((left, 0.5), width, 6.1, boxstyle=shape, facecolor="#f6f8fa", edgecolor="#e3e8ec"))
    axes.text(left + 0.22, 6.28, title, fontsize=13, fontweight="bold", va="center")
    axes.text(left + 0.22, 5.92, subtitle, fontsize=9.8, color=SOFT, va="center")


def _label(axes: Axes, place: tuple[float, float], text: str) -> None:
    axes.text(*place, text, fontsize=9.8, color=SOFT, va="center")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color=SOFT, linewidth=1.4))
