"""Learned vectors, and how group elements move them."""

from sympe.encoding.base import Encoding
from sympe.encoding.factor import FactorEncoding
from sympe.encoding.fourier import learn_amplitudes
from sympe.encoding.irreps import IrrepsEncoding
from sympe.encoding.lattice import BaseFieldEncoding, FieldEncoding, TileEncoding, WaveEncoding
from sympe.encoding.ranks import PairRankEncoding, PermutedRows, RankEncoding, SinusoidalRankEncoding
from sympe.encoding.representation import RepresentationEncoding
from sympe.encoding.sites import SiteIrrepsEncoding

__all__ = [
    "BaseFieldEncoding",
    "Encoding",
    "FactorEncoding",
    "FieldEncoding",
    "IrrepsEncoding",
    "PairRankEncoding",
    "PermutedRows",
    "RankEncoding",
    "RepresentationEncoding",
    "SinusoidalRankEncoding",
    "SiteIrrepsEncoding",
    "TileEncoding",
    "WaveEncoding",
    "learn_amplitudes",
]
