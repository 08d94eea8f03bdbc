"""How a group moves data."""

from sympe.actions.base import Action
from sympe.actions.graphs import GraphRelabeling, NodeRelabeling
from sympe.actions.lattice import (
    BondFields,
    DirectionFields,
    LatticeAction,
    RegularFields,
    ScalarFields,
    bonds_to_directions,
    directions_to_bonds,
)
from sympe.actions.outputs import DenseRelabeling, Invariant
from sympe.actions.points import PointMotion, PointRelabeling, PointRotation, TensorRotation

__all__ = [
    "Action",
    "BondFields",
    "DenseRelabeling",
    "DirectionFields",
    "GraphRelabeling",
    "Invariant",
    "LatticeAction",
    "NodeRelabeling",
    "PointMotion",
    "PointRelabeling",
    "PointRotation",
    "RegularFields",
    "ScalarFields",
    "TensorRotation",
    "bonds_to_directions",
    "directions_to_bonds",
]
