r"""A network on the bipartite graph of a program: messages from variables to constraints and back.

A message is a perceptron of the two ends and the coefficient between them; sums are normalized, states are residual
(after M. Gasse et al., *Exact combinatorial optimization with graph convolutional neural networks*, NeurIPS 2019).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sympe_experiments.programs.breaking import Breaking
from sympe_experiments.programs.instances import Batch


class Messages(nn.Module):
    """States of the nodes at one end of the edges, from those at the other."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.of_target, self.of_source = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        self.of_weight = nn.Linear(1, dim, bias=False)
        self.normalize = nn.LayerNorm(dim)
        self.update = nn.Sequential(nn.Linear(2 * dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.after = nn.LayerNorm(dim)

    def forward(
        self, h: Float[Tensor, "N d"], edges: Int[Tensor, "2 E"], weight: Float[Tensor, "E 1"]
    ) -> Float[Tensor, "N d"]:
        source, target = edges
        message = self.of_target(h)[target] + self.of_source(h)[source] + self.of_weight(weight)
        received = torch.zeros_like(h).index_add(0, target, nn.functional.silu(message))
        return self.after(h + self.update(torch.cat([h, self.normalize(received)], dim=1)))


class ProgramNetwork(nn.Module):
    """What breaks the symmetry, and a network that sees it; one logit per entry of the tables."""

    def __init__(self, breaking: Breaking, in_dim: int, hidden_dim: int, num_rounds: int) -> None:
        super().__init__()
        self.breaking = breaking
        self.embed = nn.ModuleList(
            nn.Sequential(nn.Linear(in_dim + breaking.dim, hidden_dim), nn.SiLU(), nn.Linear(hidden_dim, hidden_dim))
            for _ in range(2)
        )
        self.rounds = nn.ModuleList(Messages(hidden_dim) for _ in range(2 * num_rounds))
        self.out = nn.Sequential(nn.Linear(hidden_dim, hidden_dim), nn.SiLU(), nn.Linear(hidden_dim, 1))

    def forward(self, batch: Batch, generator: torch.Generator) -> Float[Tensor, "V"]:
        x = torch.cat([batch.features, self.breaking(batch, generator)], dim=1)
        is_variable = batch.features[:, :1] > 0
        h = torch.where(is_variable, self.embed[0](x), self.embed[1](x))
        from_variable = is_variable[batch.graphs.edge_index[0], 0]
        ways = [(batch.graphs.edge_index[:, way], batch.weight[way, None]) for way in (from_variable, ~from_variable)]
        for number, messages in enumerate(self.rounds):
            edges, weight = ways[number % 2]
            receives = is_variable == bool(number % 2)
            h = torch.where(receives, messages(h, edges, weight), h)
        return self.out(h[batch.variable])[:, 0]
