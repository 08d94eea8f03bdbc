"""Random node features: the simplest way to break symmetry, with more randomness than needed."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.graphs import Graphs


class Noise(nn.Module):
    """Independent standard normal features for every node, drawn anew at each call.

    The same role and interface as :class:`~sympe.encoding.SymPE`.

    Args:
        dim: Features per node.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim < 1:
            raise ValueError(f"dim must be at least 1; got {dim}")
        self.dim = dim

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Float[Tensor, "N dim"]:
        drawn_on = x.device if generator is None else generator.device
        return torch.randn(x.num_nodes, self.dim, generator=generator, device=drawn_on).to(x.device)
