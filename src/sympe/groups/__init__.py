"""What a symmetry is: identity, composition, inverse and Haar measure, without data or networks."""

from sympe.groups.base import Batch, Group
from sympe.groups.characters import characters, conjugacy_classes, real_characters
from sympe.groups.finite import FiniteGroup
from sympe.groups.named import cyclic, dihedral, point_group
from sympe.groups.orthogonal import OrthogonalGroup
from sympe.groups.permutations import Permutation, SymmetricGroup
from sympe.groups.product import ProductGroup
from sympe.groups.quadrature import quadrature
from sympe.groups.torus import DIRECTIONS, POINTS, LatticeSymmetry, Torus

__all__ = [
    "DIRECTIONS",
    "POINTS",
    "Batch",
    "FiniteGroup",
    "Group",
    "LatticeSymmetry",
    "OrthogonalGroup",
    "Permutation",
    "ProductGroup",
    "SymmetricGroup",
    "Torus",
    "characters",
    "conjugacy_classes",
    "cyclic",
    "dihedral",
    "point_group",
    "quadrature",
    "real_characters",
]
