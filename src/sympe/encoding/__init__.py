"""Learned vectors, how group elements move them, and SymPE, which shows the moved vector to a network."""

from sympe.encoding.base import Encoding, SymPE
from sympe.encoding.factor import FactorEncoding
from sympe.encoding.fourier import learn_amplitudes
from sympe.encoding.irreps import IrrepsEncoding
from sympe.encoding.lattice import FieldEncoding, TileEncoding, WaveEncoding
from sympe.encoding.ranks import PermutedRows, RankEncoding, SinusoidalRankEncoding
from sympe.encoding.representation import RepresentationEncoding
from sympe.encoding.wrap import SymmetryBreaking, wrap

__all__ = [
    "Encoding",
    "FactorEncoding",
    "FieldEncoding",
    "IrrepsEncoding",
    "PermutedRows",
    "RankEncoding",
    "RepresentationEncoding",
    "SinusoidalRankEncoding",
    "SymPE",
    "SymmetryBreaking",
    "TileEncoding",
    "WaveEncoding",
    "learn_amplitudes",
    "wrap",
]
