r"""Canonicalizers :math:`\tau`: which group element takes the canonical form to the input."""

from sympe.canonicalize.averaging import Averaged
from sympe.canonicalize.base import Canonicalizer, NodeOrder, sort_nodes
from sympe.canonicalize.constant import Constant
from sympe.canonicalize.crystal_frames import CrystalFrames
from sympe.canonicalize.frames import Frames
from sympe.canonicalize.individualized import Base
from sympe.canonicalize.joint_frames import JointFrames
from sympe.canonicalize.labeling import Labeling
from sympe.canonicalize.lattice import FieldCanonicalizer
from sympe.canonicalize.learned_frames import LearnedFrames
from sympe.canonicalize.lexicographic import LexicographicMinimum
from sympe.canonicalize.principal_axes import PrincipalAxes
from sympe.canonicalize.refinement import Refinement
from sympe.canonicalize.sort import NodeScore, Sort
from sympe.canonicalize.spectral import Spectral
from sympe.canonicalize.template import Template
from sympe.canonicalize.traversal import BreadthFirst, DepthFirst, RandomDepthFirst
from sympe.canonicalize.vector_network import VectorNetwork
from sympe.canonicalize.weighted_frames import WeightedFrames

__all__ = [
    "Averaged",
    "Base",
    "BreadthFirst",
    "Canonicalizer",
    "Constant",
    "CrystalFrames",
    "DepthFirst",
    "FieldCanonicalizer",
    "Frames",
    "JointFrames",
    "Labeling",
    "LearnedFrames",
    "LexicographicMinimum",
    "NodeOrder",
    "NodeScore",
    "PrincipalAxes",
    "RandomDepthFirst",
    "Refinement",
    "Sort",
    "Spectral",
    "Template",
    "VectorNetwork",
    "WeightedFrames",
    "sort_nodes",
]
