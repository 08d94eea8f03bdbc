"""Learned vectors, how group elements move them, and SymPE, which shows the moved vector to a network."""

from sympe.encoding.base import Encoding, SymPE
from sympe.encoding.irreps import IrrepsEncoding
from sympe.encoding.ranks import PermutedRows, RankEncoding, SinusoidalRankEncoding
from sympe.encoding.representation import RepresentationEncoding
from sympe.encoding.wrap import SymmetryBreaking, wrap

__all__ = [
    "Encoding",
    "IrrepsEncoding",
    "PermutedRows",
    "RankEncoding",
    "RepresentationEncoding",
    "SinusoidalRankEncoding",
    "SymPE",
    "SymmetryBreaking",
    "wrap",
]
