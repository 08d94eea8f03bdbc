"""One module of a graph network and what breaks its symmetry."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.graphs import Graphs


class SymmetryBreaking(nn.Module):
    """A graph network that gets a symmetry-breaking encoding beside its node features; made by :func:`wrap`."""

    def __init__(self, network: nn.Module, encoding: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.encoding = encoding

    def forward(
        self,
        x: Float[Tensor, "N d"],
        edge_index: Tensor,
        *args: Any,
        batch: Tensor | None = None,
        generator: torch.Generator | None = None,
        **kwargs: Any,
    ) -> Any:
        """``network(torch.cat([x, encoding], -1), edge_index, *args, **kwargs)``, and ``batch`` if it is given.

        The encoding is drawn for the graphs with these edges and features; other arguments do not enter
        the law of g~, which stays equivariant without them.

        Raises:
            ValueError: If edges, ``batch`` and features do not fit together, or a feature is not finite.
        """
        owner = torch.zeros(x.shape[0], dtype=torch.long, device=x.device) if batch is None else batch
        graphs = Graphs(edge_index, owner, x=x)
        if not torch.compiler.is_compiling():
            graphs.validate()
        joined = torch.cat([x, self.encoding(graphs, generator).to(x.dtype)], dim=-1)
        if batch is not None:
            kwargs["batch"] = batch
        return self.network(joined, edge_index, *args, **kwargs)


def wrap(network: nn.Module, encoding: nn.Module) -> SymmetryBreaking:
    """Make one module of a graph network and a symmetry-breaking encoding.

    Args:
        network: Called as ``network(x, edge_index, ...)``, as PyG's are, on ``encoding.dim`` more
            features per node than before.
        encoding: :class:`SymPE`, or anything of :mod:`sympe.breaking`.
    """
    return SymmetryBreaking(network, encoding)
