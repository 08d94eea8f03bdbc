"""All ways to break symmetry by name: one flag to compare them on a task of your own."""

from torch import nn

from sympe.breaking.laplacian import Laplacian
from sympe.breaking.noise import Noise
from sympe.breaking.nothing import Nothing
from sympe.breaking.sets import SymmetryBreakingSet
from sympe.canonicalize import BreadthFirst, Constant, DepthFirst, Labelling, NodeOrder, Refinement, Spectral
from sympe.encoding import RankEncoding, SymPE
from sympe.kernel import InversionKernel

#: Canonicalizers of graphs under SymPE.
_ORDERS: dict[str, type[NodeOrder] | type[Constant]] = {
    "permutation": Constant,
    "sympe": Labelling,
    "sympe-refinement": Refinement,
    "sympe-spectral": Spectral,
    "sympe-breadth-first": BreadthFirst,
    "sympe-depth-first": DepthFirst,
}

#: Names for :func:`for_graphs`.
GRAPH_METHODS = ("none", "noise", "laplacian", "symmetry-breaking-set", *_ORDERS)


def for_graphs(method: str, dim: int, max_nodes: int) -> nn.Module:
    """A module from graphs to features of nodes, ``module(graphs, generator)``, with the attribute ``dim``.

    Args:
        method: ``none`` (no features), ``noise``, ``laplacian``, ``permutation`` (the control: g~ Haar), ``sympe`` (exact
            labelling), ``sympe-refinement``, ``sympe-spectral``, ``sympe-breadth-first``, ``sympe-depth-first``, or
            ``symmetry-breaking-set`` (exact labelling, the vector not learned).
        dim: Features per node.
        max_nodes: Nodes of the largest graph.

    Raises:
        ValueError: If there is no such method.

    Example:
        >>> import sympe
        >>> ring = sympe.graphs.from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])])
        >>> {method: tuple(for_graphs(method, 8, 16)(ring).shape) for method in ("none", "laplacian", "sympe")}
        {'none': (6, 0), 'laplacian': (6, 8), 'sympe': (6, 8)}
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
        return SymmetryBreakingSet(InversionKernel(Labelling()), RankEncoding(dim, max_nodes))
    return SymPE(InversionKernel(_ORDERS[method]()), RankEncoding(dim, max_nodes))
