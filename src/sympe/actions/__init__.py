"""How a group moves data."""

from sympe.actions.base import Action
from sympe.actions.crystals import CrystalMotion
from sympe.actions.graphs import GraphRelabeling, NodeRelabeling
from sympe.actions.irreps import Irreps, IrrepsRotation, WignerMatrices, wigner_d
from sympe.actions.lattice import (
    BondFields,
    DirectionFields,
    LatticeAction,
    RegularFields,
    ScalarFields,
    as_fields,
    bonds_to_directions,
)
from sympe.actions.outputs import DenseRelabeling, Invariant
from sympe.actions.points import PointMotion, PointRotation, PointVectorMotion, TensorRotation
from sympe.actions.representations import permutation_representation, regular_representation

__all__ = [
    "Action",
    "BondFields",
    "CrystalMotion",
    "DenseRelabeling",
    "DirectionFields",
    "GraphRelabeling",
    "Invariant",
    "Irreps",
    "IrrepsRotation",
    "LatticeAction",
    "NodeRelabeling",
    "PointMotion",
    "PointRotation",
    "PointVectorMotion",
    "RegularFields",
    "ScalarFields",
    "TensorRotation",
    "WignerMatrices",
    "as_fields",
    "bonds_to_directions",
    "permutation_representation",
    "regular_representation",
    "wigner_d",
]
