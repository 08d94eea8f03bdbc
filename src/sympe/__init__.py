"""Break the symmetry of equivariant networks: sample a group element, act with it, let the network see it."""

from sympe import actions, breaking, canonicalize, graphs, groups
from sympe.auditing import check_equivariance, check_equivariance_in_distribution
from sympe.encoding import Encoding, RankEncoding, SinusoidalRankEncoding, SymPE, wrap
from sympe.graphs import Graphs
from sympe.kernel import InversionKernel

__version__ = "0.1.0"

__all__ = [
    "Encoding",
    "Graphs",
    "InversionKernel",
    "RankEncoding",
    "SinusoidalRankEncoding",
    "SymPE",
    "actions",
    "breaking",
    "canonicalize",
    "check_equivariance",
    "check_equivariance_in_distribution",
    "graphs",
    "groups",
    "wrap",
]
