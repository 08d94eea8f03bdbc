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

__all__ = [
    "Action",
    "BondFields",
    "DirectionFields",
    "GraphRelabeling",
    "LatticeAction",
    "NodeRelabeling",
    "RegularFields",
    "ScalarFields",
    "bonds_to_directions",
    "directions_to_bonds",
]
