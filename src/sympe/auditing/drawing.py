"""Where to draw the nodes of a graph, or points in space, and in which colors: alike nodes get one."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import igraph
import numpy as np
from numpy.typing import NDArray

#: M. Okabe, K. Ito, *Color universal design*, 2008, and lighter ones of P. Tol, *Colour schemes*, 2021.
COLORS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#88ccee", "#ddcc77", "#aa4499", "#44aa99")
#: Of nodes that are like no other.
ALONE = "#8c959f"

# A turn that shows a cube, or anything else along the axes, from aside.
_ASIDE = np.array([[0.88, 0.0, -0.47], [-0.2, 0.91, -0.37]])


def projected(places: Sequence[Sequence[float]]) -> NDArray[Any]:
    """Points in space as seen from aside, [n, 2]; those in the plane as they are."""
    found: NDArray[Any] = np.array(places, dtype=float)
    return found if found.shape[1:] == (2,) else found.reshape(-1, 3) @ _ASIDE.T


def layout(num_nodes: int, edges: Sequence[Sequence[int]], places: Sequence[Sequence[float]] | None) -> NDArray[Any]:
    """Places [num_nodes, 2] in the unit disk: by Kamada and Kawai for graphs, by projection for points in space."""
    if places is not None:
        found = projected(places)
    else:
        found = _spread(igraph.Graph(num_nodes, [tuple(ends) for ends in edges])) if num_nodes else np.empty((0, 2))
    found = found - (found.max(0, initial=-np.inf) + found.min(0, initial=np.inf)) / 2 if num_nodes else found
    return found / max(float(np.abs(found).max(initial=0.0)), 1e-9)


def _spread(graph: igraph.Graph) -> NDArray[Any]:
    """The layout of less stress, from a circle or from the eigenvectors of distances, where twins coincide."""
    circle = np.array(graph.layout_circle().coords)
    starts = [circle]
    if graph.vcount() > 2:
        starts.append(np.array(graph.layout_mds().coords) + 0.2 * circle)
    found = [np.array(graph.layout_kamada_kawai(seed=start.tolist()).coords).reshape(-1, 2) for start in starts]
    far = np.array(graph.distances())
    asked = np.isfinite(far) & (far > 0)

    def stress(places: NDArray[Any]) -> float:
        apart = np.hypot(*(places[:, None] - places).T).T
        return float(((apart[asked] / far[asked] - 1) ** 2).sum())

    return min(found, key=stress)


def orbit_names(orbits: Sequence[int]) -> list[int | None]:
    """A number for each orbit of more than one node, the largest orbits first; None for nodes that are alone."""
    counts = Counter(orbits)
    several = sorted((orbit for orbit in counts if counts[orbit] > 1), key=lambda orbit: -counts[orbit])
    names = {orbit: place for place, orbit in enumerate(several, start=1)}
    return [names.get(orbit) for orbit in orbits]


def color_of(name: int | None) -> str:
    """The color of the orbit with a number; colors come round, numbers do not."""
    return ALONE if name is None else COLORS[(name - 1) % len(COLORS)]
