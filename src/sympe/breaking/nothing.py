"""No symmetry breaking, behind the same interface: the row that every comparison starts from."""

from typing import Any

import torch
from torch import Tensor, nn


class Nothing(nn.Module):
    """Features of width 0, one row for each row of ``x``'s batch; a network joined to it gets its old input.

    The same role and interface as :class:`~sympe.encoding.SymPE`.

    Args:
        per_node: Whether there is one row for each node (graphs), or one for each member of the batch (clouds).
    """

    dim = 0

    def __init__(self, per_node: bool = True) -> None:
        super().__init__()
        self.per_node = per_node

    def forward(self, x: Any, generator: torch.Generator | None = None) -> Tensor:
        rows = x.batch.shape[0] if self.per_node else len(x)
        return torch.zeros(rows, 0, device=x.device)
