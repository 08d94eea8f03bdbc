"""Equivariant backbones, and a perceptron that is none."""

from sympe_experiments.nets.complete_graph import CompleteGraphNetwork
from sympe_experiments.nets.gin import GIN
from sympe_experiments.nets.graph_transformer import GraphTransformer, Widths
from sympe_experiments.nets.perceptron import Perceptron
from sympe_experiments.nets.torus import (
    DirectionReadout,
    FieldReadout,
    GroupConv,
    InvariantReadout,
    Lifting,
    SiteNorm,
    TorusNetwork,
)

__all__ = [
    "GIN",
    "CompleteGraphNetwork",
    "DirectionReadout",
    "FieldReadout",
    "GraphTransformer",
    "GroupConv",
    "InvariantReadout",
    "Lifting",
    "Perceptron",
    "SiteNorm",
    "TorusNetwork",
    "Widths",
]
