"""Other ways to break symmetry, behind the interface of :class:`~sympe.encoding.SymPE`."""

from sympe.breaking.laplacian import Laplacian
from sympe.breaking.noise import Noise

__all__ = ["Laplacian", "Noise"]
