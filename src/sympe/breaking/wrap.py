"""Join a graph network and a way to break symmetry into one module."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.breaking.base import SymmetryBreaking
from sympe.graphs import Graphs
from sympe.graphs.batch import check_graphs
from sympe.kernel import described


class WrappedNetwork(nn.Module):
    """A graph network with symmetry-breaking features added to its node features; made by :func:`wrap`."""

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
        """``network(torch.cat([x, breaking], -1), edge_index, *args, **kwargs)``, with ``batch`` if given.

        The draw depends only on edges and node features; its law stays equivariant.

        Raises:
            ValueError: If edges, ``batch`` and features do not fit together, a feature is not finite, or the network
                takes another number of features.
        """
        if not isinstance(x, Tensor) or not isinstance(edge_index, Tensor):
            raise ValueError(
                f"expected tensors x [N, d] and edge_index [2, E]; got {type(x).__name__} and "
                f"{type(edge_index).__name__}: pass data.x and data.edge_index"
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
    """Join a graph network and a way to break symmetry into one module.

    Args:
        network: Called like PyG's as ``network(x, edge_index, ...)``; it must take ``breaking.dim`` extra features
            per node.
        breaking: :class:`~sympe.SymPE`, or any other :class:`~sympe.breaking.SymmetryBreaking` for graphs.

    Raises:
        ValueError: If either is something else.
    """
    if not isinstance(network, nn.Module):
        raise ValueError(f"expected a network, an object of torch.nn.Module; got {described(network)}")
    if not isinstance(breaking, SymmetryBreaking):
        raise ValueError(f"expected SymPE or another method of sympe.breaking; got {described(breaking)}")
    return WrappedNetwork(network, breaking)
