"""How a group moves data."""

from sympe.actions.base import Action
from sympe.actions.graphs import GraphRelabeling, NodeRelabeling
from sympe.actions.outputs import DenseRelabeling, Invariant

__all__ = ["Action", "DenseRelabeling", "GraphRelabeling", "Invariant", "NodeRelabeling"]
