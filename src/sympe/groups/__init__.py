"""What a symmetry is: identity, composition, inverse, Haar measure. No data and no networks here."""

from sympe.groups.base import Group
from sympe.groups.permutations import Permutation, SymmetricGroup

__all__ = ["Group", "Permutation", "SymmetricGroup"]
