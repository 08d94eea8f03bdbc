"""No symmetry breaking, behind the same interface: the row that every comparison starts from."""

from typing import TypeVar

import torch
from torch import Tensor

from sympe.breaking.base import SymmetryBreaking
from sympe.graphs import Graphs
from sympe.points import PointClouds

Given = TypeVar("Given", Graphs, PointClouds)


class Nothing(SymmetryBreaking[Given]):
    """Features of width 0, one row for each row of ``x``'s batch; a network joined to it gets its old input.

    Args:
        per_node: Whether there is one row for each node (graphs), or one for each member of the batch (clouds).
    """

    dim = 0

    def __init__(self, per_node: bool = True) -> None:
        super().__init__()
        self.per_node = per_node

    def forward(self, x: Given, generator: torch.Generator | None = None) -> Tensor:
        rows = x.batch.shape[0] if self.per_node else len(x)
        return torch.zeros(rows, 0, device=x.device)
