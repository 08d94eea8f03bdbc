"""How a group moves data."""

from sympe.actions.base import Action
from sympe.actions.graphs import GraphRelabeling, NodeRelabeling
from sympe.actions.irreps import Irreps, IrrepsRotation, WignerMatrices, wigner_d
from sympe.actions.points import PointMotion, PointRelabeling, PointRotation, TensorRotation
from sympe.actions.representations import permutation_representation, regular_representation

__all__ = [
    "Action",
    "GraphRelabeling",
    "Irreps",
    "IrrepsRotation",
    "NodeRelabeling",
    "PointMotion",
    "PointRelabeling",
    "PointRotation",
    "TensorRotation",
    "WignerMatrices",
    "permutation_representation",
    "regular_representation",
    "wigner_d",
]
