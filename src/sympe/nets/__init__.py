"""Equivariant backbones."""

from sympe.nets.complete_graph import CompleteGraphNetwork
from sympe.nets.graph_transformer import GraphTransformer, Widths
from sympe.nets.node_score import NodeScore

__all__ = ["CompleteGraphNetwork", "GraphTransformer", "NodeScore", "Widths"]
