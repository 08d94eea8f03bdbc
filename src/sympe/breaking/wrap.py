"""One module of a graph network and what breaks its symmetry."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.breaking.base import SymmetryBreaking
from sympe.graphs import Graphs
from sympe.graphs.batch import check_graphs
from sympe.kernel import described


class WrappedNetwork(nn.Module):
    """A graph network that gets symmetry-breaking features beside its node features; made by :func:`wrap`."""

    def __init__(self, network: nn.Module, breaking: SymmetryBreaking[Graphs]) -> None:
        super().__init__()
        self.network = network
        self.breaking = breaking

    def forward(
        self,
        x: Float[Tensor, "N d"],
        edge_index: Tensor,
        *args: Any,
        batch: Tensor | None = None,
        generator: torch.Generator | None = None,
        **kwargs: Any,
    ) -> Any:
        """``network(torch.cat([x, breaking], -1), edge_index, *args, **kwargs)``, and ``batch`` if it is given.

        Features are drawn for the graphs with these edges and node features; other arguments do not enter the law of
        g~, which stays equivariant without them.

        Raises:
            ValueError: If edges, ``batch`` and features do not fit together, a feature is not finite, or the network
                takes another number of features.
        """
        if not isinstance(x, Tensor) or not isinstance(edge_index, Tensor):
            raise ValueError(
                f"expected tensors x [N, d] and edge_index [2, E]; got {type(x).__name__} and "
                f"{type(edge_index).__name__}: hand over data.x and data.edge_index"
            )
        owner = torch.zeros(x.shape[0], dtype=torch.long, device=x.device) if batch is None else batch
        graphs = Graphs(edge_index, owner, x=x)
        check_graphs(graphs)
        drawn = self.breaking(graphs, generator)
        joined = torch.cat([x, drawn.to(x.dtype)], dim=-1)
        if batch is not None:
            kwargs["batch"] = batch
        taken = getattr(self.network, "in_channels", None)
        if isinstance(taken, int) and taken not in (-1, joined.shape[1]):
            raise ValueError(self._mismatch(x.shape[1], f"it has in_channels={taken}"))
        try:
            return self.network(joined, edge_index, *args, **kwargs)
        except RuntimeError as error:
            if not torch.compiler.is_compiling() and "shape" in str(error):
                raise ValueError(self._mismatch(x.shape[1], f"it failed with: {error}")) from error
            raise

    def _mismatch(self, width: int, found: str) -> str:
        dim = self.breaking.dim
        return f"the network must take {width} + {dim} = {width + dim} features per node, x and pe.dim; {found}"


def wrap(network: nn.Module, breaking: SymmetryBreaking[Graphs]) -> WrappedNetwork:
    """Make one module of a graph network and what breaks its symmetry.

    Args:
        network: Called as ``network(x, edge_index, ...)``, as PyG's are, on ``breaking.dim`` more features per node
            than before.
        breaking: :class:`~sympe.SymPE`, or anything else of :mod:`sympe.breaking`.

    Raises:
        ValueError: If they are not what is expected.
    """
    if not isinstance(network, nn.Module):
        raise ValueError(f"expected a network, an object of torch.nn.Module; got {described(network)}")
    if not isinstance(breaking, SymmetryBreaking):
        raise ValueError(f"expected SymPE or another method of sympe.breaking; got {described(breaking)}")
    return WrappedNetwork(network, breaking)
