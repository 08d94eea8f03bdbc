"""Other ways to break symmetry, behind the interface of :class:`~sympe.encoding.SymPE`."""

from sympe.breaking.laplacian import Laplacian
from sympe.breaking.methods import GRAPH_METHODS, POINT_METHODS, for_graphs, for_points
from sympe.breaking.noise import IrrepsNoise, Noise
from sympe.breaking.nothing import Nothing
from sympe.breaking.sets import KeepSubgroup, SymmetryBreakingSet, in_canonical_form
from sympe.breaking.unmoved import Unmoved

__all__ = [
    "GRAPH_METHODS",
    "POINT_METHODS",
    "IrrepsNoise",
    "KeepSubgroup",
    "Laplacian",
    "Noise",
    "Nothing",
    "SymmetryBreakingSet",
    "Unmoved",
    "for_graphs",
    "for_points",
    "in_canonical_form",
]
