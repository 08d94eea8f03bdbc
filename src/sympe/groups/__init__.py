"""What a symmetry is: identity, composition, inverse, Haar measure. No data and no networks here."""

from sympe.groups.base import Group
from sympe.groups.permutations import Permutation, SymmetricGroup
from sympe.groups.torus import DIRECTIONS, POINTS, LatticeSymmetry, Torus

__all__ = ["DIRECTIONS", "POINTS", "Group", "LatticeSymmetry", "Permutation", "SymmetricGroup", "Torus"]
