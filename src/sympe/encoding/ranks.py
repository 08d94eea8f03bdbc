r"""Learned vectors for the permutations of nodes: one row per rank.

For :math:`S_n` the vector :math:`v` has one row per rank, and :math:`(g v)_i = v_{\mathrm{rank}(i)}`: each node
reads the row of its rank in the sampled order. Where g shows only its lowest ranks, as under
:class:`~sympe.canonicalize.Base`, v is zero from there on: node k of the base reads row k, all others read zero.
"""

from abc import abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from sympe.encoding.base import Encoding
from sympe.groups import Permutation, SymmetricGroup
from sympe.settings import require_at_least


class PermutedRows(Encoding[Permutation]):
    """An encoding whose v is a table with one row per rank."""

    group = SymmetricGroup()

    @abstractmethod
    def rows(self, count: int) -> Float[Tensor, "count dim"]:
        """The first ``count`` rows of v."""

    def forward(self, g: Permutation) -> Float[Tensor, "N dim"]:
        """Row ``g.rank[i]`` of v for node i, with the gradient of a learned sort if g carries one."""
        _check(g)
        if g.relaxed is not None:
            return g.relaxed @ self.rows(g.relaxed.shape[1])
        rank = g.rank
        if g.shown is None:
            return self.look_up(rank)
        rows = self.rows(int(g.shown.max()) if len(rank) else 0)
        return pad(rows, (0, 0, 0, 1))[torch.where(rank < g.shown, rank, len(rows))]

    def look_up(self, rank: Int[Tensor, "N"]) -> Float[Tensor, "N dim"]:
        """Row ``rank[i]`` of v for each i."""
        return self.rows(int(rank.max()) + 1 if len(rank) else 0)[rank]


class RankEncoding(PermutedRows):
    """A free vector of ``dim`` numbers for each rank up to ``max_nodes``.

    Args:
        dim: Features per node, at least 1.
        max_nodes: Rows of the table, at least 1; no graph may have more nodes.
    """

    def __init__(self, dim: int, max_nodes: int) -> None:
        super().__init__()
        require_at_least(1, dim=dim, max_nodes=max_nodes)
        self.dim = dim
        self.max_nodes = max_nodes
        self.v = nn.Parameter(torch.randn(max_nodes, dim))

    def rows(self, count: int) -> Float[Tensor, "count dim"]:
        if count > self.max_nodes:
            raise ValueError(
                f"{count} ranks are shown, the table has {self.max_nodes} rows; "
                f"raise max_nodes or use SinusoidalRankEncoding, which has no limit"
            )
        return self.v[:count]


class SinusoidalRankEncoding(PermutedRows):
    r"""A vector for every rank, of any size: a learned linear map of :math:`\sin(\omega_k r), \cos(\omega_k r)`.

    The frequencies are those of A. Vaswani et al., *Attention is all you need*, 2017, section 3.5.

    Args:
        dim: Features per node, at least 1.
        num_frequencies: Number of frequencies, in a geometric series from 1 to 1e-4 radians per rank.
    """

    def __init__(self, dim: int, num_frequencies: int = 16) -> None:
        super().__init__()
        require_at_least(1, dim=dim, num_frequencies=num_frequencies)
        self.dim = dim
        self.linear = nn.Linear(2 * num_frequencies, dim)

    def rows(self, count: int) -> Float[Tensor, "count dim"]:
        weight = self.linear.weight
        # Not a buffer: half precision would give ranks one angle.
        frequencies = torch.logspace(0, -4, weight.shape[1] // 2, device=weight.device)
        angle = torch.arange(count, device=weight.device)[:, None] * frequencies
        rows: Tensor = self.linear(torch.cat([angle.sin(), angle.cos()], dim=1).to(weight.dtype))
        return rows


class PairRankEncoding(Encoding[Permutation]):
    r"""A free vector for each ordered pair of ranks, :math:`(g v)_{ij} = v_{\mathrm{rank}(i), \mathrm{rank}(j)}`.

    The result is padded, one matrix per graph: features of pairs for dense networks or, with one feature per head, a
    bias on the logits of attention.

    Args:
        dim: Features per pair, at least 1.
        max_nodes: Rows and columns of the table, at least 1; no graph may have more nodes.
    """

    group = SymmetricGroup()

    def __init__(self, dim: int, max_nodes: int) -> None:
        super().__init__()
        require_at_least(1, dim=dim, max_nodes=max_nodes)
        self.dim = dim
        self.max_nodes = max_nodes
        self.v = nn.Parameter(torch.randn(max_nodes, max_nodes, dim))

    def forward(self, g: Permutation) -> Float[Tensor, "G n n dim"]:
        """The moved table, zero where a row or column holds no node."""
        _check(g)
        place = torch.arange(len(g.batch), device=g.batch.device) - g.start
        graphs, nodes = (int(value.max()) + 1 if len(value) else 0 for value in (g.batch, place))
        if nodes > self.max_nodes:
            raise ValueError(f"a graph has {nodes} nodes, the table {self.max_nodes} rows; raise max_nodes")
        rank = torch.zeros(graphs, nodes, dtype=torch.long, device=g.batch.device)
        rank[g.batch, place] = g.rank
        there = torch.zeros(graphs, nodes, dtype=torch.bool, device=g.batch.device)
        there[g.batch, place] = True if g.shown is None else g.rank < g.shown
        pairs = (there[:, :, None] & there[:, None, :])[..., None]
        return self.v[rank[:, :, None], rank[:, None, :]] * pairs


def _check(g: Permutation) -> None:
    if not isinstance(g, Permutation):
        raise ValueError(f"expected a Permutation, as a kernel draws it; got {type(g).__name__}: pe.encode takes ranks")
