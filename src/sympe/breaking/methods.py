"""All ways to break symmetry by name, to compare them on your own task."""

from collections.abc import Callable

from torch import Tensor

from sympe import canonicalize
from sympe.actions import Irreps, PointRotation
from sympe.breaking.base import SymmetryBreaking
from sympe.breaking.baselines import IrrepsNoise, Noise, Nothing, Unmoved
from sympe.breaking.laplacian import Laplacian
from sympe.breaking.orbits import OrbitRanks
from sympe.breaking.sets import SymmetryBreakingSet
from sympe.breaking.sympe import SymPE
from sympe.encoding import IrrepsEncoding, RankEncoding
from sympe.graphs import Graphs
from sympe.groups import Permutation
from sympe.kernel import InversionKernel
from sympe.points import PointClouds

#: Canonicalizers of graphs under SymPE.
_ORDERS: dict[str, Callable[[], canonicalize.Canonicalizer[Permutation, Graphs]]] = {
    "haar": canonicalize.Constant,
    "sympe-labeling": canonicalize.Labeling,
    "sympe-base": canonicalize.Base,
    "sympe-refinement": canonicalize.Refinement,
    "sympe-spectral": canonicalize.Spectral,
    "sympe-breadth-first": canonicalize.BreadthFirst,
    "sympe-depth-first": canonicalize.DepthFirst,
}

#: Canonicalizers of point clouds under SymPE, for O(3) or SO(3).
_FRAMES: dict[str, Callable[[bool], canonicalize.Canonicalizer[Tensor, PointClouds]]] = {
    "haar": lambda special: canonicalize.Constant(PointRotation(special=special)),
    "sympe-principal-axes": lambda special: canonicalize.PrincipalAxes(special=special),
    "sympe-weighted-frames": lambda special: canonicalize.WeightedFrames(special=special),
    "sympe-frames": lambda special: canonicalize.Frames(special=special),
}

#: Names for :func:`for_graphs`.
GRAPH_METHODS = ("none", "noise", "laplacian", "symmetry-breaking-set", "orbit-ranks", *_ORDERS)
#: Names for :func:`for_points`.
POINT_METHODS = ("none", "noise", "unmoved", "symmetry-breaking-set", *_FRAMES)


def for_graphs(method: str, dim: int, max_nodes: int) -> SymmetryBreaking[Graphs]:
    """A module from graphs to node features, ``module(graphs, generator)``, with the attribute ``dim``.

    Args:
        method: ``none`` (no features), ``noise``, ``laplacian``, ``haar`` (the control: g~ is Haar), ``sympe-labeling``
            (exact labeling), ``sympe-base``, ``sympe-refinement``, ``sympe-spectral``, ``sympe-breadth-first``,
            ``sympe-depth-first``, ``orbit-ranks`` (exact labeling, ranks counted in each orbit), or
            ``symmetry-breaking-set`` (exact labeling, vector not learned).
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
    _check_name(method, GRAPH_METHODS)
    if method == "none":
        return Nothing()
    if method == "noise":
        return Noise(dim)
    if method == "laplacian":
        return Laplacian(dim)
    encoding = RankEncoding(dim, max_nodes)
    if method == "symmetry-breaking-set":
        return SymmetryBreakingSet(InversionKernel(canonicalize.Labeling()), encoding)
    if method == "orbit-ranks":
        return OrbitRanks(InversionKernel(canonicalize.Labeling()), encoding)
    return SymPE(InversionKernel(_ORDERS[method]()), encoding)


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
    _check_name(method, POINT_METHODS)
    if method == "none":
        return Nothing(per_node=False)
    if method == "noise":
        return IrrepsNoise(irreps)
    encoding = IrrepsEncoding(irreps)
    if method == "unmoved":
        return Unmoved(encoding, PointRotation(special=special))
    if method == "symmetry-breaking-set":
        return SymmetryBreakingSet(InversionKernel(canonicalize.Frames(special=special)), encoding)
    return SymPE(InversionKernel(_FRAMES[method](special)), encoding)


def _check_name(method: str, known: tuple[str, ...]) -> None:
    if method not in known:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(known)}")
