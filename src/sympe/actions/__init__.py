"""How a group moves data."""

from sympe.actions.base import Action
from sympe.actions.graphs import GraphRelabeling, NodeRelabeling
from sympe.actions.points import PointMotion, PointRelabeling, PointRotation, TensorRotation

__all__ = [
    "Action",
    "GraphRelabeling",
    "NodeRelabeling",
    "PointMotion",
    "PointRelabeling",
    "PointRotation",
    "TensorRotation",
]
