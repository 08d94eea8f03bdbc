r"""Canonicalizers :math:`\tau`: which group element takes the canonical form to the input."""

from sympe.canonicalize.base import Canonicalizer, NodeOrder, sort_nodes
from sympe.canonicalize.constant import Constant
from sympe.canonicalize.labelling import Labelling
from sympe.canonicalize.lattice import FieldCanonicalizer
from sympe.canonicalize.lexicographic import LexicographicMinimum
from sympe.canonicalize.refinement import Refinement
from sympe.canonicalize.sort import Sort
from sympe.canonicalize.spectral import Spectral
from sympe.canonicalize.template import Template
from sympe.canonicalize.traversal import BreadthFirst, DepthFirst, RandomDepthFirst

__all__ = [
    "BreadthFirst",
    "Canonicalizer",
    "Constant",
    "DepthFirst",
    "FieldCanonicalizer",
    "Labelling",
    "LexicographicMinimum",
    "NodeOrder",
    "RandomDepthFirst",
    "Refinement",
    "Sort",
    "Spectral",
    "Template",
    "sort_nodes",
]
