"""How a group moves data."""

from sympe.actions.base import Action
from sympe.actions.graphs import GraphRelabeling, NodeRelabeling

__all__ = ["Action", "GraphRelabeling", "NodeRelabeling"]
