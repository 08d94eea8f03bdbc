"""Join a network and a way to break symmetry into one module."""

import inspect
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.actions import GraphRelabeling, LatticeAction
from sympe.breaking.base import SymmetryBreaking, joined
from sympe.graphs import Graphs, as_graphs
from sympe.kernel import described


class _Wrapped(nn.Module):
    """A network that sees symmetry-breaking features next to its input, along ``axis``."""

    axis: int
    #: What there is more of along that axis.
    kind: str

    def __init__(self, network: nn.Module, breaking: SymmetryBreaking[Any]) -> None:
        super().__init__()
        self.network = network
        self.breaking = breaking

    def _call(self, x: Tensor, drawn: Tensor, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.network(joined(x, drawn, self.axis), *args, **kwargs)
        except RuntimeError as error:
            if not torch.compiler.is_compiling() and ("channels" in str(error) or "shape" in str(error)):
                raise ValueError(self._mismatch(x, f"it failed with: {error}")) from error
            raise

    def _mismatch(self, x: Tensor, found: str) -> str:
        own, dim = x.shape[self.axis], self.breaking.dim
        return f"the network must take {own} + {dim} = {own + dim} {self.kind}, x and pe.dim; {found}"


class WrappedNetwork(_Wrapped):
    """A graph network with symmetry-breaking features added to its node features; made by :func:`wrap`."""

    axis, kind = -1, "features per node"

    def forward(
        self,
        x: Any,
        edge_index: Tensor | None = None,
        *args: Any,
        batch: Tensor | None = None,
        generator: torch.Generator | None = None,
        **kwargs: Any,
    ) -> Any:
        """``network(torch.cat([x, breaking], -1), edge_index, *args, **kwargs)``, with ``batch`` if given.

        In place of tensors, ``x`` may be PyG's ``Data`` or ``Batch``: then the network gets what of ``batch``,
        ``edge_attr`` and ``edge_weight`` the data hold and its ``forward`` names. The draw depends on edges and node
        features, of data also on the attributes of edges; its law stays equivariant.

        Args:
            x: Node features ``[N, d]``, or data.
            edge_index: Source and target of each edge, ``[2, E]``.
            batch: The graph of each node, ``[N]``.
            generator: Source of the draw.

        Raises:
            ValueError: If edges, ``batch`` and features do not fit together, a feature is an integer or not finite, or
                the network takes another number of features.
        """
        if edge_index is None and not isinstance(x, Tensor | Graphs) and hasattr(x, "edge_index"):
            graphs = as_graphs(x)
            named = inspect.signature(self.network.forward).parameters
            held = {name: getattr(x, name, None) for name in ("batch", "edge_attr", "edge_weight")}
            kwargs |= {name: value for name, value in held.items() if value is not None and name in named}
            x, edge_index = x.x, graphs.edge_index
            if x is None:
                raise ValueError("expected data with node features x; got none: set constant ones, torch.ones(N, 1)")
            x = x[:, None] if x.dim() == 1 else x
        elif not isinstance(x, Tensor) or not isinstance(edge_index, Tensor):
            got = f"{type(x).__name__} and {type(edge_index).__name__}"
            raise ValueError(f"expected tensors x [N, d] and edge_index [2, E], or PyG data; got {got}")
        else:
            owner = torch.zeros(x.shape[0], dtype=torch.long, device=x.device) if batch is None else batch
            graphs = Graphs(edge_index, owner, x=x)
            if batch is not None:
                kwargs["batch"] = batch
        drawn = self.breaking(graphs, generator)
        taken = getattr(self.network, "in_channels", None)
        if isinstance(taken, int) and taken not in (-1, x.shape[1] + drawn.shape[1]):
            raise ValueError(self._mismatch(x, f"it has in_channels={taken}"))
        return self._call(x, drawn, edge_index, *args, **kwargs)


class WrappedFieldNetwork(_Wrapped):
    """A network on lattices with symmetry-breaking features as further channels; made by :func:`wrap`."""

    axis, kind = 1, "channels"

    def forward(
        self, x: Float[Tensor, "B c L1 L2"], *args: Any, generator: torch.Generator | None = None, **kwargs: Any
    ) -> Any:
        """``network(torch.cat([x, breaking], 1), *args, **kwargs)``.

        Raises:
            ValueError: If ``x`` is no field of the group's action, or has other axes than ``[B, c, L1, L2]``.
        """
        drawn = self.breaking(x, generator)
        if x.dim() != 4 or drawn.dim() != 4:
            raise ValueError(f"expected a field [B, c, L1, L2] to add channels to; got shape {list(x.shape)}")
        return self._call(x, drawn, *args, **kwargs)


def wrap(network: nn.Module, breaking: SymmetryBreaking[Any]) -> WrappedNetwork | WrappedFieldNetwork:
    """Join a network and a way to break symmetry into one module.

    Args:
        network: For graphs it is called like PyG's, ``network(x, edge_index, ...)``, on ``breaking.dim`` more features
            per node; for lattices ``network(x, ...)`` on as many more channels.
        breaking: :class:`~sympe.SymPE`, or any other :class:`~sympe.breaking.SymmetryBreaking`, for graphs or
            lattices. For networks of e3nn and escnn see :mod:`sympe.integrations`.

    Raises:
        ValueError: If either is something else.
    """
    if not isinstance(network, nn.Module):
        raise ValueError(f"expected a network, an object of torch.nn.Module; got {described(network)}")
    if not isinstance(breaking, SymmetryBreaking):
        raise ValueError(f"expected SymPE or another method of sympe.breaking; got {described(breaking)}")
    if isinstance(breaking.action, LatticeAction):
        return WrappedFieldNetwork(network, breaking)
    if isinstance(breaking.action, GraphRelabeling):
        return WrappedNetwork(network, breaking)
    advice = "join its features yourself, or see sympe.integrations.e3nn.wrap"
    raise ValueError(
        f"expected symmetry breaking for graphs or lattices; got one for {breaking.action.group!r}: {advice}"
    )
