"""Equivariant networks, and a perceptron for contrast."""

from sympe_experiments.nets.complete_graph import CompleteGraphNetwork
from sympe_experiments.nets.gin import GIN
from sympe_experiments.nets.graph_transformer import Dims, GraphTransformer
from sympe_experiments.nets.perceptron import Perceptron
from sympe_experiments.nets.relaxed import RelaxedConvolution, RelaxedNetwork
from sympe_experiments.nets.torus import (
    FieldReadout,
    GroupConv,
    Lifting,
    SiteNorm,
    TorusNetwork,
)

__all__ = [
    "GIN",
    "CompleteGraphNetwork",
    "Dims",
    "FieldReadout",
    "GraphTransformer",
    "GroupConv",
    "Lifting",
    "Perceptron",
    "RelaxedConvolution",
    "RelaxedNetwork",
    "SiteNorm",
    "TorusNetwork",
]
