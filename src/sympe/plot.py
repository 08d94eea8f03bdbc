"""Pictures of the symmetry of your data, with Matplotlib (``sympe[plot]``): orbits, draws of g~, frames.

Nodes and points of one orbit get one color and one number. Each function draws the first member of a batch and returns
the figure.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor

from sympe.auditing.drawing import color_of, layout, orbit_names, projected
from sympe.auditing.symmetry.graphs import GraphSymmetry
from sympe.auditing.symmetry.points import PointSymmetry
from sympe.extras import require
from sympe.graphs.inputs import as_graphs
from sympe.kernel import Kernel
from sympe.points import PointClouds
from sympe.points.inputs import as_clouds
from sympe.settings import require_at_least

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIDE = 2.6  # of a panel, in inches
_AXES = "#d55e00", "#009e73", "#0072b2"


def orbits(x: Any, *, special: bool = False) -> "Figure":
    """Which nodes of a graph, or points of a molecule, are alike: no equivariant network tells them apart.

    Args:
        x: What :func:`sympe.graphs.as_graphs` or :func:`sympe.points.as_clouds` takes.
        special: For points, exclude reflections.

    Raises:
        ValueError: If ``x`` is neither.
        ImportError: If Matplotlib is not installed.

    Example:
        >>> import networkx
        >>> figure = orbits(networkx.star_graph(4))
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['', '1', '1', '1', '1']
    """
    drawing = _drawing(x, special)
    figure, (axes,) = panels(1)
    names = orbit_names(drawing["orbits"])
    draw(axes, drawing, [color_of(name) for name in names], [str(name or "") for name in names])
    return figure


def draws(kernel: Kernel[Any, Any], x: Any, count: int = 3, *, generator: torch.Generator | None = None) -> "Figure":
    """Some draws of g~ on a graph: each node's rank, the row of a learned table that it would be given.

    Raises:
        ValueError: If ``x`` is no graph, or the kernel draws no permutations.
        ImportError: If Matplotlib is not installed.
    """
    require_at_least(1, count=count)
    graphs = as_graphs(x)
    drawing = _drawing(graphs)
    n = len(drawing["orbits"])

    def ranks() -> Int[Tensor, "n"]:
        rank: Tensor | None = getattr(kernel(graphs, generator), "rank", None)
        if rank is None:
            raise ValueError("expected a kernel that draws permutations; see frames for those of points in space")
        return rank[:n]

    shade = require("matplotlib", "plot", "Pictures").colormaps["cividis"]
    figure, all_axes = panels(count)
    for axes in all_axes:
        rank = ranks().tolist()
        colors = [shade(0.45 + 0.55 * value / max(n - 1, 1)) for value in rank]
        draw(axes, drawing, colors, [str(value) for value in rank])
    return figure


def frames(kernel: Kernel[Any, Any], x: Any, count: int = 3, *, generator: torch.Generator | None = None) -> "Figure":
    """Some draws of g~ on points in space: the images of the three axes, on the points colored by orbit.

    Raises:
        ValueError: If ``x`` holds no points in three dimensions, or the kernel draws no matrices.
        ImportError: If Matplotlib is not installed.
    """
    require_at_least(1, count=count)
    clouds = as_clouds(x)
    drawing = _drawing(clouds)
    names = orbit_names(drawing["orbits"])
    places = drawing["places"]
    reach = max((sum(c * c for c in place) ** 0.5 for place in places), default=0.0) or 1.0
    figure, all_axes = panels(count)
    for axes in all_axes:
        g = kernel(clouds, generator)
        if not isinstance(g, Tensor) or g.shape[-2:] != (3, 3):
            raise ValueError("expected a kernel that draws matrices; see draws for permutations of nodes")
        draw(axes, drawing, [color_of(name) for name in names], [""] * len(names), projected(places) / (1.3 * reach))
        for tip, color, name in zip(projected((1.2 * g[0].T).tolist()), _AXES, "xyz", strict=True):
            axes.annotate("", tip / 1.3, (0, 0), arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 2})
            axes.text(*tip / 1.18, name, color=color, ha="center", va="center", fontweight="bold")
    return figure


def panels(count: int) -> tuple["Figure", list[Any]]:
    """A figure, and its axes side by side, without frames."""
    figure: Figure = require("matplotlib.figure", "plot", "Pictures").Figure(figsize=(_SIDE * count, _SIDE))
    found = [figure.add_axes((k / count, 0, 1 / count, 1)) for k in range(count)]
    for axes in found:
        axes.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")
        axes.set_axis_off()
    return figure, found


def draw(
    axes: Any, drawing: dict[str, Any], colors: Sequence[Any], texts: Iterable[str], spots: Any | None = None
) -> None:
    """Draw nodes in colors with texts, and the edges between them.

    Args:
        axes: Matplotlib's.
        drawing: Has ``orbits``, ``edges`` and, for points in space, ``places``.
        colors: One per node.
        texts: One per node.
        spots: Where the nodes stand, by default where :func:`sympe.auditing.drawing.layout` puts them.
    """
    if spots is None:
        spots = layout(len(colors), drawing["edges"], drawing.get("places"))
    for a, b in drawing["edges"]:
        axes.plot(*zip(spots[a], spots[b], strict=True), color="#8c959f", linewidth=1.5, zorder=1)
    axes.scatter(*spots.T, s=210, c=list(colors), edgecolors="white", linewidths=1.5, zorder=2)
    for (x, y), text in zip(spots, texts, strict=True):
        axes.text(x, y, text, ha="center", va="center", fontsize=9, fontweight="bold", color="black", zorder=3)


def _drawing(x: Any, special: bool = False) -> dict[str, Any]:
    """What a drawing of the first member of a batch shows."""
    readers: list[tuple[Callable[[Any], Any], Any]] = [
        (as_graphs, GraphSymmetry()),
        (as_clouds, PointSymmetry(special)),
    ]
    if isinstance(x, PointClouds):
        readers = readers[1:]
    refused = []
    for read, symmetry in readers:
        try:
            found = read(x)
        except (ValueError, ImportError) as error:
            refused.append(str(error))
            continue
        if len(found) == 0:
            raise ValueError("expected a graph or a molecule; got an empty batch")
        drawing: dict[str, Any] = symmetry.stabilizers(found).drawing(0)
        return drawing
    raise ValueError(f"expected a graph or points in space; {'; '.join(refused)}")
