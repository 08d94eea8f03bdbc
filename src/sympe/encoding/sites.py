r"""A learned vector of irreps of O(3) for every rank: features of sites with a place and a direction.

For a pair :math:`g = (\pi, R)` of a relabeling and a rotation, :math:`(g v)_i = D(R)\, v_{\mathrm{rank}(i)}`. The rank
tells equivalent sites apart, those that a translation exchanges among them, and the matrix turns what each carries. So
under the kernel of :class:`~sympe.canonicalize.CrystalFrames` both kinds of symmetry break together, with one draw, and
a crystal of twice the period can be learned from its parent.

Irreps that are odd under time reversal, as magnetic moments are, change sign besides if g flips moments.
"""

from typing import Never

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.actions import Irreps, IrrepsRotation
from sympe.encoding.base import Encoding
from sympe.groups import Group, OrthogonalGroup, ProductGroup, SymmetricGroup, cyclic
from sympe.groups.product import Elements


class SiteIrrepsEncoding(Encoding[Elements]):
    """A free vector of given irreps for each rank up to ``max_sites``; for crystals, and for clouds of points.

    Args:
        irreps: Of each site, such as ``"4x0e+2x1o+1x2e"``.
        max_sites: Rows of the table, at least 1; no cell may have more sites.
        time_odd: Further irreps of each site, after the others: they change sign if moments are flipped, as
            ``CrystalFrames(time_reversal=True)`` does.

    Raises:
        ValueError: If the irreps cannot be read, there are none, or ``max_sites`` is not positive.

    Example:
        >>> import sympe
        >>> from sympe.crystals import from_cells
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.CrystalFrames())
        >>> pe = sympe.SymPE(kernel, SiteIrrepsEncoding("2x0e+1x1o", max_sites=8))
        >>> iron = from_cells([[[2.87, 0, 0], [0, 2.87, 0], [0, 0, 2.87]]], [[[0, 0, 0], [0.5] * 3]], [["Fe", "Fe"]])
        >>> pe(iron).shape
        torch.Size([2, 5])
    """

    group = ProductGroup(SymmetricGroup(), OrthogonalGroup(3))

    def __init__(self, irreps: Irreps | str, max_sites: int, time_odd: Irreps | str = "") -> None:
        super().__init__()
        odd = Irreps.parse(time_odd)
        self.action = IrrepsRotation(Irreps.parse(irreps) + odd)
        self.num_odd = odd.dim
        self.irreps = self.action.irreps
        self.dim = self.irreps.dim
        if not self.dim or max_sites < 1:
            raise ValueError(f"expected irreps of dimension 1 or more and max_sites of 1 or more; got {str(irreps)!r} "
                             f"and {max_sites}")  # fmt: skip
        self.max_sites = max_sites
        self.v = nn.Parameter(torch.randn(max_sites, self.dim))

    def check_group(self, drawn: Group[Elements, Never]) -> None:
        if isinstance(drawn, ProductGroup) and len(drawn.factors) == 3 and cyclic(2).contains(drawn.factors[2]):
            drawn = ProductGroup(*drawn.factors[:2])
        super().check_group(drawn)

    def forward(self, g: Elements) -> Float[Tensor, "N dim"]:
        """The vector of each site's rank, moved by its crystal's matrix, and negated in part if moments are flipped."""
        permutation, matrix, *time = g
        rank = permutation.rank
        if len(rank) and int(rank.max()) >= self.max_sites:
            raise ValueError(f"got {int(rank.max()) + 1} sites for a table of {self.max_sites} rows; raise max_sites")
        moved = self.action.act(matrix.to(self.v.dtype)[permutation.batch], self.v[rank])
        if not time or not self.num_odd:
            return moved
        even, odd = moved.split([self.dim - self.num_odd, self.num_odd], dim=1)
        return torch.cat([even, odd * (1 - 2 * time[0])[permutation.batch, None]], dim=1)
