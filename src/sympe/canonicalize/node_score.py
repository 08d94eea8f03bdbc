"""A small equivariant network that gives each node of a sparse graph a score to sort by."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.graphs import Graphs


class NodeScore(nn.Module):
    """Mean aggregation over neighbors with node degrees as input; cheap next to any network that needs SymPE.

    Args:
        hidden_dim: Features of the hidden node states.
        num_layers: Rounds of aggregation.
    """

    def __init__(self, hidden_dim: int = 32, num_layers: int = 3) -> None:
        super().__init__()
        self.embed = nn.Linear(2, hidden_dim)
        self.mix = nn.ModuleList(nn.Linear(2 * hidden_dim, hidden_dim) for _ in range(num_layers))
        self.out = nn.Linear(hidden_dim, 1, bias=False)

    def forward(self, x: Graphs) -> Float[Tensor, "N"]:
        source, target = x.edge_index
        dtype = self.out.weight.dtype
        degree = torch.zeros(x.num_nodes, dtype=dtype, device=x.device)
        degree = degree.index_add(0, target, torch.ones_like(target, dtype=dtype))[:, None]
        share = 1 / degree.clamp(min=1)
        size = x.sizes[x.batch, None].to(dtype)
        h = torch.nn.functional.silu(self.embed(torch.cat([degree.log1p(), degree / size], dim=1)))
        for linear in self.mix:
            neighbors = torch.zeros_like(h).index_add(0, target, h[source]) * share
            h = h + torch.nn.functional.silu(linear(torch.cat([h, neighbors], dim=1)))
        score: Tensor = self.out(h)[:, 0]
        return score
