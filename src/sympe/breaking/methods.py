"""All ways to break symmetry by name, to compare them on your own task."""

from torch import Tensor

from sympe.actions import Irreps, PointRotation
from sympe.breaking.base import SymmetryBreaking
from sympe.breaking.laplacian import Laplacian
from sympe.breaking.noise import IrrepsNoise, Noise
from sympe.breaking.nothing import Nothing
from sympe.breaking.sets import SymmetryBreakingSet
from sympe.breaking.sympe import SymPE
from sympe.breaking.unmoved import Unmoved
from sympe.canonicalize import (
    BreadthFirst,
    Canonicalizer,
    Constant,
    DepthFirst,
    Frames,
    Labeling,
    NodeOrder,
    PrincipalAxes,
    Refinement,
    Spectral,
    WeightedFrames,
)
from sympe.encoding import IrrepsEncoding, RankEncoding
from sympe.graphs import Graphs
from sympe.groups import Permutation
from sympe.kernel import InversionKernel
from sympe.points import PointClouds

#: Canonicalizers of graphs under SymPE.
_ORDERS: dict[str, type[NodeOrder] | type[Constant[Permutation, Graphs]]] = {
    "haar": Constant,
    "sympe-labeling": Labeling,
    "sympe-refinement": Refinement,
    "sympe-spectral": Spectral,
    "sympe-breadth-first": BreadthFirst,
    "sympe-depth-first": DepthFirst,
}

#: Names for :func:`for_graphs`.
GRAPH_METHODS = ("none", "noise", "laplacian", "symmetry-breaking-set", *_ORDERS)


def for_graphs(method: str, dim: int, max_nodes: int) -> SymmetryBreaking[Graphs]:
    """A module from graphs to node features, ``module(graphs, generator)``, with the attribute ``dim``.

    Args:
        method: ``none`` (no features), ``noise``, ``laplacian``, ``haar`` (the control: g~ is Haar), ``sympe-labeling``
            (exact labeling), ``sympe-refinement``, ``sympe-spectral``, ``sympe-breadth-first``,
            ``sympe-depth-first``, or ``symmetry-breaking-set`` (exact labeling, vector not learned).
        dim: Features per node.
        max_nodes: Nodes of the largest graph.

    Raises:
        ValueError: If there is no such method.

    Example:
        >>> import sympe
        >>> ring = sympe.graphs.from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])])
        >>> {method: tuple(for_graphs(method, 8, 16)(ring).shape) for method in ("none", "laplacian", "sympe-labeling")}
        {'none': (6, 0), 'laplacian': (6, 8), 'sympe-labeling': (6, 8)}
    """
    if method not in GRAPH_METHODS:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(GRAPH_METHODS)}")
    if method == "none":
        return Nothing()
    if method == "noise":
        return Noise(dim)
    if method == "laplacian":
        return Laplacian(dim)
    if method == "symmetry-breaking-set":
        return SymmetryBreakingSet(InversionKernel(Labeling()), RankEncoding(dim, max_nodes))
    return SymPE(InversionKernel(_ORDERS[method]()), RankEncoding(dim, max_nodes))


#: Names for :func:`for_points`.
POINT_METHODS = (
    "none",
    "noise",
    "unmoved",
    "haar",
    "sympe-principal-axes",
    "sympe-weighted-frames",
    "symmetry-breaking-set",
    "sympe-frames",
)


def for_points(method: str, irreps: Irreps | str, special: bool = False) -> SymmetryBreaking[PointClouds]:
    """A module from point clouds to irreps of O(3), one row per cloud, ``module(clouds, generator)``, with ``dim``.

    Args:
        method: ``none`` (no features), ``noise``, ``unmoved`` (a learned vector that does not move), ``haar`` (the
            control: g~ is Haar), ``sympe-frames`` (exact frames), ``sympe-principal-axes``, ``sympe-weighted-frames``
            (drawn with continuous weights), or ``symmetry-breaking-set`` (exact frames, vector not learned).
        irreps: Irreps of the vector, such as ``"2x1o+2x2e"``.
        special: Rotations only, SO(3).

    Raises:
        ValueError: If there is no such method, or the irreps cannot be read.
    """
    if method not in POINT_METHODS:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(POINT_METHODS)}")
    if method == "none":
        return Nothing(per_node=False)
    if method == "noise":
        return IrrepsNoise(irreps)
    action = PointRotation(3, special)
    if method == "unmoved":
        return Unmoved(IrrepsEncoding(irreps), action)
    if method == "symmetry-breaking-set":
        return SymmetryBreakingSet(InversionKernel(Frames(special=special)), IrrepsEncoding(irreps))
    canonicalizers: dict[str, Canonicalizer[Tensor, PointClouds]] = {
        "haar": Constant(action),
        "sympe-principal-axes": PrincipalAxes(special=special),
        "sympe-weighted-frames": WeightedFrames(special=special),
        "sympe-frames": Frames(special=special),
    }
    return SymPE(InversionKernel(canonicalizers[method]), IrrepsEncoding(irreps))
