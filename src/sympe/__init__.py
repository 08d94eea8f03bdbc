"""Break the symmetry of equivariant networks: sample a group element, act with it, let the network see it."""

from sympe import actions, auditing, breaking, canonicalize, graphs, groups
from sympe.auditing import audit, check_equivariance, check_equivariance_in_distribution
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
    "audit",
    "auditing",
    "breaking",
    "canonicalize",
    "check_equivariance",
    "check_equivariance_in_distribution",
    "graphs",
    "groups",
    "wrap",
]
