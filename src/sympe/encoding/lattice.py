r"""Learned vectors for periodic lattices: a field of ``dim`` features per site, moved by the sampled symmetry.

:math:`(g v)(P r + t) = v(r)`, as for scalar fields; the result, ``[B, dim, L1, L2]``, is joined to the input as extra
channels. A spin flip changes the sign of v.

The vector determines what a broken symmetry can look like. A tile repeats and serves every lattice that its period
divides; a full field is free and serves one size; a few waves per lattice vary slowly and serve every size. A base is
three labeled sites: the least that leaves no symmetry of any lattice, with the entropy of a full field.
"""

import math
from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.encoding.base import Encoding
from sympe.groups import LatticeSymmetry, Torus
from sympe.precision import at_least_single
from sympe.settings import require_at_least


class MovedField(Encoding[LatticeSymmetry]):
    """An encoding whose v, with the features first, describes a field on the lattice."""

    #: The largest group of a lattice: any torus moves the field.
    group = Torus("D4", spin_flip=True)
    v: Tensor

    def __init__(self, v: Tensor, frozen: bool) -> None:
        super().__init__()
        self.dim = len(v)
        if frozen:
            self.register_buffer("v", v)
        else:
            self.v = nn.Parameter(v)

    @abstractmethod
    def field(self, size: tuple[int, int]) -> Float[Tensor, "dim L1 L2"]:
        """The vector v on a lattice of this size."""

    def forward(self, g: LatticeSymmetry) -> Float[Tensor, "B dim L1 L2"]:
        """The field v, moved by each symmetry."""
        if not isinstance(g, LatticeSymmetry):
            raise ValueError(f"expected symmetries of a lattice, as a kernel draws them; got {type(g).__name__}")
        moved = self.field(g.size).flatten(1)[:, g.preimage].transpose(0, 1)
        return moved if g.sign is None else moved * g.sign[:, None, None, None]


class FieldEncoding(MovedField):
    """A free number for each feature and site of a lattice of one size.

    Args:
        dim: Features per site, at least 1.
        size: Rows and columns of the lattice, at least 1.
        frozen: Whether v keeps its random initial value.
    """

    def __init__(self, dim: int, size: tuple[int, int], frozen: bool = False) -> None:
        if not isinstance(size, tuple | list) or len(size) != 2:
            raise ValueError(f"expected rows and columns, a pair of integers; got {size!r}")
        require_at_least(1, dim=dim, rows=size[0], columns=size[1])
        super().__init__(torch.randn(dim, *size), frozen)

    def field(self, size: tuple[int, int]) -> Float[Tensor, "dim L1 L2"]:
        if size != self.v.shape[1:]:
            raise ValueError(
                f"v is a field of {self.v.shape[1]} x {self.v.shape[2]} sites, the lattice has {size[0]} x {size[1]}; "
                f"TileEncoding and WaveEncoding serve several sizes"
            )
        return self.v


class TileEncoding(FieldEncoding):
    """A tile that repeats over the whole lattice.

    Args:
        dim: Features per site, at least 1.
        period: Rows and columns of the tile, which must divide those of the lattice; one number for a square tile.
        frozen: Whether v keeps its random initial value.
    """

    def __init__(self, dim: int, period: int | tuple[int, int] = 2, frozen: bool = False) -> None:
        super().__init__(dim, period if isinstance(period, tuple | list) else (period, period), frozen)

    def field(self, size: tuple[int, int]) -> Float[Tensor, "dim L1 L2"]:
        rows, columns = self.v.shape[1:]
        if size[0] % rows or size[1] % columns:
            raise ValueError(
                f"a tile of {rows} x {columns} sites does not fit a lattice of {size[0]} x {size[1]}: "
                f"its period must divide the size"
            )
        return self.v.repeat(1, size[0] // rows, size[1] // columns)


class BaseFieldEncoding(MovedField):
    """Labels on a base of the torus alone: the site (0, 0) and its neighbors to the right and below; others are zero.

    Only the identity keeps three sites of different labels in place (a half turn does on two sites per side, where it
    moves none). So labels are as random as a full field, and a network that sees far enough can tell all sites apart.

    Args:
        dim: Features per site, at least 1.
        frozen: Whether v keeps its random initial value.
    """

    def __init__(self, dim: int, frozen: bool = False) -> None:
        require_at_least(1, dim=dim)
        super().__init__(torch.randn(dim, 3), frozen)

    def field(self, size: tuple[int, int]) -> Float[Tensor, "dim L1 L2"]:
        sites = torch.tensor([0, 1 % size[1], size[1] * (1 % size[0])], device=self.v.device)
        field: Tensor = self.v.new_zeros(self.dim, size[0] * size[1]).index_add(1, sites, self.v).unflatten(1, size)
        return field


class WaveEncoding(MovedField):
    r"""A sum of plane waves with few periods per lattice, on lattices of any size.

    .. math:: v(i, j) = \sum_k a_k \cos \theta_k + b_k \sin \theta_k, \qquad
              \theta_k = 2 \pi (k_1 i / L_1 + k_2 j / L_2),

    over all k with :math:`|k_1|, |k_2| \le K`, one of each pair :math:`\pm k`.

    Args:
        dim: Features per site, at least 1.
        max_periods: K, the maximum number of periods along a side of the lattice, at least 1.
        frozen: Whether the amplitudes keep their random initial values.
    """

    wave: Tensor

    def __init__(self, dim: int, max_periods: int = 2, frozen: bool = False) -> None:
        require_at_least(1, dim=dim, max_periods=max_periods)
        k = torch.arange(-max_periods, max_periods + 1)
        wave = torch.cartesian_prod(k, k)
        wave = wave[len(wave) // 2 + 1 :]  # the waves after k = 0 are minus those before it
        super().__init__(torch.randn(dim, 2 * len(wave)) / math.sqrt(len(wave)), frozen)
        self.register_buffer("wave", wave.float(), persistent=False)

    def field(self, size: tuple[int, int]) -> Float[Tensor, "dim L1 L2"]:
        wave = self.wave.to(at_least_single(self.wave.dtype))[:, :, None, None]
        i, j = (torch.arange(n, device=wave.device, dtype=wave.dtype) / n for n in size)
        angle = 2 * math.pi * (wave[:, 0] * i[:, None] + wave[:, 1] * j)
        return torch.einsum("dk,kij->dij", self.v, torch.cat([angle.cos(), angle.sin()]).to(self.v.dtype))
