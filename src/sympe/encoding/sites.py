r"""A learned vector of irreps of O(3) for every rank: features of sites with a place and a direction.

For a pair :math:`g = (\pi, R)` of a relabeling and a rotation, :math:`(g v)_i = D(R)\, v_{\mathrm{rank}(i)}`. The rank
tells equivalent sites apart, those that a translation exchanges among them, and the matrix turns what each carries. So
under the kernel of :class:`~sympe.canonicalize.CrystalFrames` both kinds of symmetry break together, with one draw, and
a crystal of twice the period can be learned from its parent.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.actions import Irreps, IrrepsRotation
from sympe.encoding.base import Encoding
from sympe.groups import OrthogonalGroup, Permutation, ProductGroup, SymmetricGroup


class SiteIrrepsEncoding(Encoding[tuple[Permutation, Tensor]]):
    """A free vector of given irreps for each rank up to ``max_sites``; for crystals, and for clouds of points.

    Args:
        irreps: Of each site, such as ``"4x0e+2x1o+1x2e"``.
        max_sites: Rows of the table, at least 1; no cell may have more sites.

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

    def __init__(self, irreps: Irreps | str, max_sites: int) -> None:
        super().__init__()
        self.action = IrrepsRotation(irreps)
        self.irreps = self.action.irreps
        self.dim = self.irreps.dim
        if not self.dim or max_sites < 1:
            raise ValueError(f"expected irreps of dimension 1 or more and max_sites of 1 or more; got {str(irreps)!r} "
                             f"and {max_sites}")  # fmt: skip
        self.max_sites = max_sites
        self.v = nn.Parameter(torch.randn(max_sites, self.dim))

    def forward(self, g: tuple[Permutation, Tensor]) -> Float[Tensor, "N dim"]:
        """The vector of each site's rank, moved by its crystal's matrix."""
        permutation, matrix = g
        rank = permutation.rank
        if len(rank) and int(rank.max()) >= self.max_sites:
            raise ValueError(f"got {int(rank.max()) + 1} sites for a table of {self.max_sites} rows; raise max_sites")
        return self.action.act(matrix.to(self.v.dtype)[permutation.batch], self.v[rank])
