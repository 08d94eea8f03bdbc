"""Learned vectors, how group elements move them, and SymPE, which shows the moved vector to a network."""

from sympe.encoding.base import Encoding, SymPE
from sympe.encoding.lattice import FieldEncoding, TileEncoding, WaveEncoding
from sympe.encoding.ranks import PermutedRows, RankEncoding, SinusoidalRankEncoding
from sympe.encoding.wrap import SymmetryBreaking, wrap

__all__ = [
    "Encoding",
    "FieldEncoding",
    "PermutedRows",
    "RankEncoding",
    "SinusoidalRankEncoding",
    "SymPE",
    "SymmetryBreaking",
    "TileEncoding",
    "WaveEncoding",
    "wrap",
]
