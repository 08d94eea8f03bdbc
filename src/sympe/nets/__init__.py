"""Equivariant backbones, and a perceptron that is none."""

from sympe.nets.complete_graph import CompleteGraphNetwork
from sympe.nets.gin import GIN
from sympe.nets.graph_transformer import GraphTransformer, Widths
from sympe.nets.node_score import NodeScore
from sympe.nets.perceptron import Perceptron
from sympe.nets.torus import (
    DirectionReadout,
    FieldReadout,
    GroupConv,
    InvariantReadout,
    Lifting,
    SiteNorm,
    TorusNetwork,
)
from sympe.nets.vector_network import VectorNetwork

__all__ = [
    "GIN",
    "CompleteGraphNetwork",
    "DirectionReadout",
    "FieldReadout",
    "GraphTransformer",
    "GroupConv",
    "InvariantReadout",
    "Lifting",
    "NodeScore",
    "Perceptron",
    "SiteNorm",
    "TorusNetwork",
    "VectorNetwork",
    "Widths",
]
