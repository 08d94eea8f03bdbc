"""What a symmetry is: identity, composition, inverse, Haar measure. No data and no networks here."""

from sympe.groups.base import Group
from sympe.groups.finite import FiniteGroup
from sympe.groups.named import cyclic, dihedral, point_group
from sympe.groups.orthogonal import OrthogonalGroup
from sympe.groups.permutations import Permutation, SymmetricGroup
from sympe.groups.product import ProductGroup

__all__ = [
    "FiniteGroup",
    "Group",
    "OrthogonalGroup",
    "Permutation",
    "ProductGroup",
    "SymmetricGroup",
    "cyclic",
    "dihedral",
    "point_group",
]
