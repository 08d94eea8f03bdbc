"""The library's type of point clouds, and conversions to and from it."""

from sympe.points.clouds import PointClouds, concatenate, from_clouds, from_padded, to_padded
from sympe.points.elements import ATOMIC_NUMBER, SYMBOLS
from sympe.points.files import read
from sympe.points.inputs import as_clouds
from sympe.points.modes import Modes, modes
from sympe.points.symmetrized import asymmetry, symmetrize
from sympe.points.symmetry import Stabilizer, stabilizers
from sympe.points.xyz import write

__all__ = [
    "ATOMIC_NUMBER",
    "SYMBOLS",
    "Modes",
    "PointClouds",
    "Stabilizer",
    "as_clouds",
    "asymmetry",
    "concatenate",
    "from_clouds",
    "from_padded",
    "modes",
    "read",
    "stabilizers",
    "symmetrize",
    "to_padded",
    "write",
]
