"""No symmetry breaking, with the same interface: the baseline of every comparison."""

from typing import TypeVar

import torch
from torch import Tensor

from sympe.actions import GraphRelabeling, PointRotation
from sympe.breaking.base import SymmetryBreaking
from sympe.graphs import Graphs
from sympe.points import PointClouds

Given = TypeVar("Given", Graphs, PointClouds)


class Nothing(SymmetryBreaking[Given]):
    """Zero features per row, so that joining them leaves a network's input unchanged.

    Args:
        per_node: Whether there is one row per node (graphs), or one per member of the batch (clouds).
    """

    dim = 0

    def __init__(self, per_node: bool = True) -> None:
        super().__init__()
        self.per_node = per_node
        self.action = GraphRelabeling() if per_node else PointRotation()  # type: ignore[assignment]

    def draw(self, x: Given, generator: torch.Generator | None) -> Tensor:
        rows = x.batch.shape[0] if self.per_node else len(x)
        return torch.zeros(rows, 0, device=x.device)
