"""SymPE and other ways to break symmetry, most of them a :class:`~sympe.breaking.SymmetryBreaking`."""

from sympe.breaking.base import SymmetryBreaking
from sympe.breaking.baselines import IrrepsNoise, Noise, Nothing, Unmoved
from sympe.breaking.canonicalized import Canonicalized
from sympe.breaking.draws import FixedDraws, average, best_of
from sympe.breaking.laplacian import Laplacian
from sympe.breaking.methods import GRAPH_METHODS, POINT_METHODS, for_graphs, for_points
from sympe.breaking.orbits import OrbitRanks
from sympe.breaking.sets import KeepSubgroup, SymmetryBreakingSet, in_canonical_form
from sympe.breaking.sympe import SymPE
from sympe.breaking.wrapped import WrappedFieldNetwork, WrappedNetwork, wrap

__all__ = [
    "GRAPH_METHODS",
    "POINT_METHODS",
    "Canonicalized",
    "FixedDraws",
    "IrrepsNoise",
    "KeepSubgroup",
    "Laplacian",
    "Noise",
    "Nothing",
    "OrbitRanks",
    "SymPE",
    "SymmetryBreaking",
    "SymmetryBreakingSet",
    "Unmoved",
    "WrappedFieldNetwork",
    "WrappedNetwork",
    "average",
    "best_of",
    "for_graphs",
    "for_points",
    "in_canonical_form",
    "wrap",
]
