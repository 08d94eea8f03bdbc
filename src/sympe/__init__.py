"""Break the symmetry of equivariant networks: sample a group element, act with it, let the network see it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympe import actions, auditing, breaking, canonicalize, encoding, graphs, groups, points
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

#: Where each public name comes from; None for a module. Loaded when first used: the command line needs no PyTorch.
_HOMES: dict[str, str | None] = {
    "Encoding": "encoding",
    "FieldEncoding": "encoding",
    "Graphs": "graphs",
    "InversionKernel": "kernel",
    "IrrepsEncoding": "encoding",
    "PointClouds": "points",
    "RankEncoding": "encoding",
    "SinusoidalRankEncoding": "encoding",
    "SymPE": "encoding",
    "TileEncoding": "encoding",
    "WaveEncoding": "encoding",
    "actions": None,
    "audit": "auditing",
    "auditing": None,
    "breaking": None,
    "canonicalize": None,
    "check_equivariance": "auditing",
    "check_equivariance_in_distribution": "auditing",
    "encoding": None,
    "graphs": None,
    "groups": None,
    "points": None,
    "wrap": "encoding",
}

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
    "encoding",
    "graphs",
    "groups",
    "points",
    "wrap",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sympe' has no attribute {name!r}")
    home = _HOMES[name]
    value = import_module(f"sympe.{name}") if home is None else getattr(import_module(f"sympe.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
