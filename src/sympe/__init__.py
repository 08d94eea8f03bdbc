"""Break the symmetry of equivariant networks: sample a group element, act with it, let the network see it."""

from sympe import actions, auditing, breaking, canonicalize, graphs, groups, points
from sympe.auditing import audit, check_equivariance, check_equivariance_in_distribution
from sympe.encoding import (
    Encoding,
    FieldEncoding,
    IrrepsEncoding,
    RankEncoding,
    SinusoidalRankEncoding,
    SymPE,
    TileEncoding,
    WaveEncoding,
    wrap,
)
from sympe.graphs import Graphs
from sympe.kernel import InversionKernel
from sympe.points import PointClouds

__version__ = "0.1.0"

__all__ = [
    "Encoding",
    "FieldEncoding",
    "Graphs",
    "InversionKernel",
    "IrrepsEncoding",
    "PointClouds",
    "RankEncoding",
    "SinusoidalRankEncoding",
    "SymPE",
    "TileEncoding",
    "WaveEncoding",
    "actions",
    "audit",
    "auditing",
    "breaking",
    "canonicalize",
    "check_equivariance",
    "check_equivariance_in_distribution",
    "graphs",
    "groups",
    "points",
    "wrap",
]
