r"""The graph isomorphism network: sums over neighbors, a perceptron at each node.

.. math:: h_i \leftarrow h_i + \phi\Bigl(h_i, \sum_{j \sim i} h_j\Bigr),

K. Xu, W. Hu, J. Leskovec, S. Jegelka, *How powerful are graph neural networks?*, ICLR 2019, with node and neighbors
kept apart in place of :math:`(1 + \epsilon) h_i + \sum_j h_j`, residual and normalized.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.graphs import Graphs


class GIN(nn.Module):
    """Node features in, node features out, equivariant under relabeling.

    Args:
        in_dim: Features per node; 0 for graphs without any (all nodes start alike).
        out_dim: Features per node that come out.
        hidden_dim: Features of the node states.
        num_layers: Rounds of sums.
    """

    def __init__(self, in_dim: int, out_dim: int, hidden_dim: int = 64, num_layers: int = 8) -> None:
        super().__init__()
        self.start = nn.Parameter(0.1 * torch.randn(hidden_dim))
        self.embed = nn.Linear(in_dim, hidden_dim) if in_dim else None
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(2 * hidden_dim),
                nn.Linear(2 * hidden_dim, hidden_dim),
                nn.SiLU(),
                nn.Linear(hidden_dim, hidden_dim),
            )
            for _ in range(num_layers)
        )
        self.out = nn.Sequential(nn.LayerNorm(hidden_dim), nn.Linear(hidden_dim, out_dim))

    def forward(self, graphs: Graphs, x: Float[Tensor, "N in_dim"]) -> Float[Tensor, "N out_dim"]:
        source, target = graphs.edge_index
        h = self.start.expand(graphs.num_nodes, -1)
        if self.embed is not None:
            h = h + self.embed(x)
        for layer in self.layers:
            received = torch.zeros_like(h).index_add(0, target, h[source])
            h = h + layer(torch.cat([h, received], dim=1))
        return self.out(h)
