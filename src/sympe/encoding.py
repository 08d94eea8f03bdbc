r"""SymPE: a learned vector, moved by a sampled group element.

For :math:`S_n` the vector :math:`v` has one row per rank, and :math:`(g v)_i = v_{\mathrm{rank}(i)}`: a node
reads the row of its place in the sampled canonical order.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.graphs import Graphs
from sympe.groups import Permutation
from sympe.kernel import InversionKernel


class Encoding(nn.Module, ABC):
    """A learned vector v and the group's action on it.

    Attributes:
        dim: Number of features per node (site, point) that ``act(g, v)`` has.
    """

    dim: int

    @abstractmethod
    def forward(self, g: Any) -> Tensor:
        """The moved vector ``act(g, v)``, in the layout of the data it will be joined to."""


class PermutedRows(Encoding):
    """An encoding whose v is a table of one row per rank."""

    @abstractmethod
    def rows(self, count: int) -> Float[Tensor, "count dim"]:
        """The first ``count`` rows of v."""

    def forward(self, g: Permutation) -> Float[Tensor, "N dim"]:
        """Row ``g.rank[i]`` of v for node i, with the gradient of a learned sort if g carries one."""
        if g.relaxed is not None:
            return g.relaxed @ self.rows(g.relaxed.shape[1])
        rank = g.rank
        return self.rows(int(rank.max()) + 1 if len(rank) else 0)[rank]


class RankEncoding(PermutedRows):
    """A free vector of ``dim`` numbers for each rank up to ``max_nodes``.

    Args:
        dim: Features per node.
        max_nodes: Rows of the table; no graph may have more nodes.
    """

    def __init__(self, dim: int, max_nodes: int) -> None:
        super().__init__()
        if dim < 1 or max_nodes < 1:
            raise ValueError(f"dim and max_nodes must be at least 1; got {dim} and {max_nodes}")
        self.dim = dim
        self.max_nodes = max_nodes
        self.v = nn.Parameter(torch.randn(max_nodes, dim))

    def rows(self, count: int) -> Float[Tensor, "count dim"]:
        if count > self.max_nodes:
            raise ValueError(
                f"a graph has {count} nodes, the table {self.max_nodes} rows; "
                f"raise max_nodes or use SinusoidalRankEncoding, which has no limit"
            )
        return self.v[:count]


class SinusoidalRankEncoding(PermutedRows):
    r"""A vector for every rank, of any size: a learned linear map of :math:`\sin(\omega_k r), \cos(\omega_k r)`.

    The frequencies are those of A. Vaswani et al., *Attention is all you need*, 2017, section 3.5.

    Args:
        dim: Features per node.
        num_frequencies: Number of frequencies, in a geometric series from 1 to 1e-4 per rank.
    """

    frequencies: Tensor

    def __init__(self, dim: int, num_frequencies: int = 16) -> None:
        super().__init__()
        if dim < 1 or num_frequencies < 1:
            raise ValueError(f"dim and num_frequencies must be at least 1; got {dim} and {num_frequencies}")
        self.dim = dim
        self.linear = nn.Linear(2 * num_frequencies, dim)
        self.register_buffer("frequencies", torch.logspace(0, -4, num_frequencies), persistent=False)

    def rows(self, count: int) -> Float[Tensor, "count dim"]:
        angle = torch.arange(count, device=self.frequencies.device)[:, None] * self.frequencies
        return self.linear(torch.cat([angle.sin(), angle.cos()], dim=1))


class SymPE(nn.Module):
    """Sample g~ given the input, act with it on a learned v, hand the result to the network.

    Args:
        kernel: The law of g~ given the input.
        encoding: The vector v.

    Example:
        >>> import sympe
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.Labelling())
        >>> pe = SymPE(kernel, RankEncoding(dim=8, max_nodes=16))
        >>> pe(sympe.graphs.from_edges([(3, [(0, 1), (1, 2)])])).shape
        torch.Size([3, 8])
    """

    def __init__(self, kernel: InversionKernel[Any, Any], encoding: Encoding) -> None:
        super().__init__()
        self.kernel = kernel
        self.encoding = encoding
        self.dim = encoding.dim

    def forward(self, x: Any, generator: torch.Generator | None = None) -> Tensor:
        """``act(g~, v)`` for one draw of g~ per member of the batch."""
        return self.encoding(self.kernel(x, generator))


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
