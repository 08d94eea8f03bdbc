"""Break the symmetry of equivariant networks: sample a group element, act with it, let the network see it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympe import actions, auditing, breaking, canonicalize, crystals, encoding, graphs, groups, points, programs
    from sympe.auditing import audit, audit_architecture, check_equivariance, check_equivariance_in_distribution
    from sympe.breaking import SymPE
    from sympe.breaking.wrapped import wrap
    from sympe.cached_kernel import CachedInversionKernel
    from sympe.encoding import (
        Encoding,
        FieldEncoding,
        IrrepsEncoding,
        RankEncoding,
        SinusoidalRankEncoding,
        TileEncoding,
        WaveEncoding,
    )
    from sympe.graphs import Graphs
    from sympe.kernel import InversionKernel
    from sympe.points import PointClouds

__version__ = "0.1.0"

#: Public names by the module that they come from, which is loaded when one of them is first used: the command line
#: needs no PyTorch.
_NAMES = {
    "auditing": ("audit", "audit_architecture", "check_equivariance", "check_equivariance_in_distribution"),
    "breaking": ("SymPE", "wrap"),
    "cached_kernel": ("CachedInversionKernel",),
    "encoding": (
        "Encoding",
        "FieldEncoding",
        "IrrepsEncoding",
        "RankEncoding",
        "SinusoidalRankEncoding",
        "TileEncoding",
        "WaveEncoding",
    ),
    "graphs": ("Graphs",),
    "kernel": ("InversionKernel",),
    "points": ("PointClouds",),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}
_MODULES = (
    "actions",
    "auditing",
    "breaking",
    "canonicalize",
    "crystals",
    "encoding",
    "graphs",
    "groups",
    "points",
    "programs",
)

__all__ = [
    "CachedInversionKernel",
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
    "audit_architecture",
    "auditing",
    "breaking",
    "canonicalize",
    "check_equivariance",
    "check_equivariance_in_distribution",
    "crystals",
    "encoding",
    "graphs",
    "groups",
    "points",
    "programs",
    "wrap",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"sympe.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'sympe' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"sympe.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
