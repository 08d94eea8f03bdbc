"""Crystals: sites that repeat along one, two or three directions, and their symmetries."""

from sympe.crystals.convert import as_crystals, from_ase, from_pymatgen, read
from sympe.crystals.crystals import Crystals, concatenate, edges, from_cells
from sympe.crystals.symmetrized import symmetrize
from sympe.crystals.symmetry import SpaceGroup, stabilizers

__all__ = [
    "Crystals",
    "SpaceGroup",
    "as_crystals",
    "concatenate",
    "edges",
    "from_ase",
    "from_cells",
    "from_pymatgen",
    "read",
    "stabilizers",
    "symmetrize",
]
