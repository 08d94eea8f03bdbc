r"""Message passing over all ordered pairs of nodes, the adjacency matrix as edge feature.

One layer, for graphs of equal size stored densely:

.. math:: m_{ij} = \phi_2(\phi_1(\bar h_i, \bar h_j, a_{ij})), \qquad
          h_i \leftarrow h_i + \psi\Bigl(\bar h_i, \frac 1 n \sum_{j \ne i} m_{ij}\Bigr), \qquad
          \bar h = \mathrm{LayerNorm}(h),

the graph network of V. G. Satorras, E. Hoogeboom, M. Welling, *E(n) equivariant graph neural networks*, ICML
2021, section 5.2, with normalized states and mean messages: without them training is unstable at large
learning rates and stalls at small ones. The first linear map of a message acts on
:math:`(\bar h_i, \bar h_j, a_{ij})` separately and is applied to nodes, not to pairs: the same function at a
third of the work.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from sympe_experiments.nets.pair_messages import sum_messages


class CompleteGraphLayer(nn.Module):
    """One residual round of messages between all pairs of nodes."""

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden_dim)
        self.receiver = nn.Linear(hidden_dim, hidden_dim)
        self.sender = nn.Linear(hidden_dim, hidden_dim, bias=False)
        self.edge = nn.Parameter(torch.empty(hidden_dim).uniform_(-1, 1) / (2 * hidden_dim + 1) ** 0.5)
        self.message = nn.Linear(hidden_dim, hidden_dim)
        self.update_in = nn.Linear(2 * hidden_dim, hidden_dim)
        self.update_out = nn.Linear(hidden_dim, hidden_dim)

    def forward(self, h: Float[Tensor, "B n d"], adjacency: Float[Tensor, "B n n"]) -> Float[Tensor, "B n d"]:
        s = self.norm(h)
        message = self.message
        received = sum_messages(self.receiver(s), self.sender(s), adjacency, self.edge, message.weight, message.bias)
        received = received / h.shape[1]
        return h + self.update_out(silu(self.update_in(torch.cat([s, received], dim=2))))


class CompleteGraphNetwork(nn.Module):
    """Node features in, node features out, equivariant under relabeling.

    Args:
        in_dim: Features per node; 0 for graphs without any (all nodes start alike).
        out_dim: Features per node that come out.
        hidden_dim: Features of node states and messages.
        num_layers: Rounds of messages.
    """

    def __init__(self, in_dim: int, out_dim: int, hidden_dim: int = 64, num_layers: int = 4) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(hidden_dim))
        self.embed = nn.Linear(in_dim, hidden_dim, bias=False) if in_dim else None
        self.layers = nn.ModuleList(CompleteGraphLayer(hidden_dim) for _ in range(num_layers))
        self.out = nn.Linear(hidden_dim, out_dim)

    def forward(
        self, x: Float[Tensor, "B n in_dim"], adjacency: Float[Tensor, "B n n"]
    ) -> Float[Tensor, "B n out_dim"]:
        h = self.start.expand(*adjacency.shape[:2], -1)
        if self.embed is not None:
            h = h + self.embed(x)
        for layer in self.layers:
            h = layer(h, adjacency)
        return self.out(h)
