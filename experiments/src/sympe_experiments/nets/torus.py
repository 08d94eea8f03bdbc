r"""Group convolutions on a periodic L1 x L2 lattice, for its translations with a point group.

Features are functions on the whole group: numbers for each point-group element q, feature and site r, stored as
``[B, P, C, L1, L2]``. Elements :math:`g = (t, p)` act from the left, :math:`(g f)(p r + t, p q) = f(r, q)`. The layers,
after T. Cohen, M. Welling, *Group equivariant convolutional networks*, ICML 2016, section 6, commute with them:

.. math::
    \text{lift:}\quad & f(r, q) = \sum_d w(q^{-1} d)\, x(r + d), \\
    \text{convolve:}\quad & f'(r, q) = \sum_{d,\, q'} w(q^{-1} d,\, q^{-1} q')\, f(r + d, q'), \\
    \text{read a field:}\quad & y(r) = \frac 1 P \sum_q w f(r, q).

Each is one ordinary convolution with circular padding, whose filters are gathered from the free weights by a table of
indices. With the point group D4 the whole group is the wallpaper group p4m, with C4 it is p4, with C1 it is p1: the
translations alone, an ordinary periodic convolution.

Inputs are scalar fields ``[B, C, L1, L2]`` and fields of the four directions ``[B, 4, C, L1, L2]`` (right, down, left,
up), which the point group permutes: what :mod:`sympe.actions.lattice` calls scalar and direction fields. Features on
the group are its regular fields.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import conv2d, silu

from sympe.groups.torus import DIRECTIONS, POINT_GROUPS, POINTS


def _position(rows: Int[Tensor, "*n k"], table: Int[Tensor, "m k"]) -> Int[Tensor, "*n"]:
    """Index in ``table`` of every row, all of which it holds."""
    return (rows[..., None, :] == table).all(-1).int().argmax(-1)


class Tables:
    """Where the elements of a point group take each other, the directions and the offsets of a filter.

    Attributes:
        size: Number P of elements.
        elements: Index of :math:`q^{-1} q'`, by q and q'.
        directions: Index of :math:`q^{-1} d`, by q and d.
        offsets: Index of :math:`q^{-1} d` in a flattened k x k filter, by q and d.
    """

    def __init__(self, point_group: str, filter_width: int) -> None:
        if filter_width < 1 or filter_width % 2 == 0:
            raise ValueError(f"filter_width must be odd; got {filter_width}")
        if point_group not in POINT_GROUPS:
            raise ValueError(f"point_group must be one of {', '.join(POINT_GROUPS)}; got {point_group!r}")
        matrices = POINTS[list(POINT_GROUPS[point_group])]
        inverse = matrices.transpose(1, 2)
        self.size = len(matrices)
        self.elements = _position((inverse[:, None] @ matrices).flatten(2), matrices.flatten(1))
        self.directions = _position((inverse[:, None] @ DIRECTIONS[..., None])[..., 0], DIRECTIONS)
        grid = torch.cartesian_prod(*[torch.arange(filter_width) - filter_width // 2] * 2)
        self.offsets = _position((inverse[:, None] @ grid[..., None])[..., 0], grid)


def periodic_conv(
    x: Float[Tensor, "B cin L1 L2"], filters: Float[Tensor, "cout cin k k"], bias: Float[Tensor, "cout"] | None = None
) -> Float[Tensor, "B cout L1 L2"]:
    """Cross-correlation on the torus, for filters of any odd size, larger than the lattice too."""
    half = filters.shape[-1] // 2
    if half:
        rows, columns = ((torch.arange(-half, n + half, device=x.device) % n) for n in x.shape[-2:])
        x = x[:, :, rows][..., columns]
    return conv2d(x, filters, bias)


def _initial(*shape: int, fan_in: int) -> nn.Parameter:
    """Uniform weights of variance 1 / (3 fan_in), as PyTorch's own convolutions have."""
    return nn.Parameter(torch.empty(shape).uniform_(-1, 1) / fan_in**0.5)


class Lifting(nn.Module):
    """From fields on the lattice to features on the group.

    Args:
        scalar_dim: Features of the scalar field; 0 for none.
        direction_dim: Features of the field of directions; 0 for none.
        out_dim: Features that come out.
        filter_width: Odd width of the filters.
        point_group: D4, C4, D2, C2 or C1.

    Raises:
        ValueError: If the width of the filters is even, or there is no input.
    """

    index: Tensor

    def __init__(
        self, scalar_dim: int, direction_dim: int, out_dim: int, filter_width: int = 3, point_group: str = "D4"
    ) -> None:
        super().__init__()
        if min(scalar_dim, direction_dim) < 0 or scalar_dim + direction_dim < 1:
            raise ValueError(f"expected scalar or direction features; got {scalar_dim} and {direction_dim} of them")
        self.scalar_dim, self.direction_dim = scalar_dim, direction_dim
        self.out_dim, self.filter_width = out_dim, filter_width
        tables = Tables(point_group, filter_width)
        # Each feature that comes in has a filter; turned, a direction's filter is that of another direction.
        scalar = torch.arange(scalar_dim).expand(tables.size, -1)
        direction = tables.directions[..., None] * direction_dim + torch.arange(direction_dim)
        source = torch.cat([scalar, scalar_dim + direction.flatten(1)], dim=1)
        index = source[..., None] * filter_width**2 + tables.offsets[:, None]
        self.register_buffer("index", index, persistent=False)  # [P, scalars + 4 directions, k k]
        inputs = index.shape[1] * filter_width**2
        self.weight = _initial(out_dim, inputs, fan_in=inputs)
        self.bias = nn.Parameter(torch.zeros(out_dim))

    def forward(
        self,
        scalar: Float[Tensor, "B c L1 L2"] | None = None,
        direction: Float[Tensor, "B 4 d L1 L2"] | None = None,
    ) -> Float[Tensor, "B P out L1 L2"]:
        given = [] if scalar is None else [scalar]
        given += [] if direction is None else [direction.flatten(1, 2)]
        counts = [0 if scalar is None else scalar.shape[1], 0 if direction is None else direction.shape[2]]
        if counts != [self.scalar_dim, self.direction_dim]:
            raise ValueError(
                f"expected {self.scalar_dim} scalar and {self.direction_dim} direction features; "
                f"got {counts[0]} and {counts[1]}"
            )
        x = torch.cat(given, dim=1)
        size, inputs, _ = self.index.shape
        filters = self.weight.index_select(1, self.index.flatten()).view(self.out_dim, size, inputs, -1)
        filters = filters.transpose(0, 1).reshape(-1, inputs, self.filter_width, self.filter_width)
        return periodic_conv(x, filters, self.bias.repeat(size)).unflatten(1, (size, self.out_dim))


class GroupConv(nn.Module):
    """From features on the group to features on the group.

    Args:
        in_dim: Features that come in.
        out_dim: Features that come out.
        filter_width: Odd width of the filters.
        point_group: D4, C4, D2, C2 or C1.
    """

    index: Tensor

    def __init__(self, in_dim: int, out_dim: int, filter_width: int = 3, point_group: str = "D4") -> None:
        super().__init__()
        self.in_dim, self.out_dim, self.filter_width = in_dim, out_dim, filter_width
        tables = Tables(point_group, filter_width)
        index = tables.elements[..., None] * filter_width**2 + tables.offsets[:, None]
        self.register_buffer("index", index, persistent=False)  # [P out, P in, k k]
        taps = tables.size * filter_width**2
        self.weight = _initial(out_dim, in_dim, taps, fan_in=in_dim * taps)
        self.bias = nn.Parameter(torch.zeros(out_dim))

    def forward(self, f: Float[Tensor, "B P in L1 L2"]) -> Float[Tensor, "B P out L1 L2"]:
        size = len(self.index)
        # index_select: the gradient of indexing by a table would be far slower.
        filters = self.weight.flatten(2).index_select(2, self.index.flatten())
        filters = filters.view(self.out_dim, self.in_dim, *self.index.shape)
        filters = filters.permute(2, 0, 3, 1, 4)  # [P out, out, P in, in, k k]
        filters = filters.reshape(self.out_dim * size, self.in_dim * size, self.filter_width, self.filter_width)
        out = periodic_conv(f.flatten(1, 2), filters, self.bias.repeat(size))
        return out.unflatten(1, (size, self.out_dim))


class SiteNorm(nn.Module):
    """Divides the features of each site by their root mean square, and scales each feature.

    Site by site, the norm does not depend on the size of the lattice; over features and point group together, it
    commutes with the group.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(dim))

    def forward(self, f: Float[Tensor, "B P c L1 L2"]) -> Float[Tensor, "B P c L1 L2"]:
        return f * torch.rsqrt(f.square().mean((1, 2), keepdim=True) + 1e-6) * self.gain[:, None, None]


class FieldReadout(nn.Module):
    """A scalar field, equivariant: a linear map of the features' means over the point group."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(in_dim, out_dim, 1)

    def forward(self, f: Float[Tensor, "B P c L1 L2"]) -> Float[Tensor, "B out L1 L2"]:
        return self.linear(f.mean(1))


class TorusNetwork(nn.Module):
    """Lifting, residual group convolutions and an equivariant scalar field.

    Args:
        scalar_dim: Features of the scalar input; 0 for none.
        direction_dim: Features of the input with four directions; 0 for none.
        out_dim: Features of the scalar field that comes out.
        hidden_dim: Features of the features on the group.
        num_layers: Group convolutions after the lifting.
        filter_width: Odd width of all filters.
        point_group: D4 (the whole group is then p4m), C4 (p4), D2, C2 or C1 (p1, the translations alone).
    """

    def __init__(
        self,
        scalar_dim: int,
        direction_dim: int,
        out_dim: int = 1,
        hidden_dim: int = 8,
        num_layers: int = 4,
        filter_width: int = 3,
        point_group: str = "D4",
    ) -> None:
        super().__init__()
        self.lift = Lifting(scalar_dim, direction_dim, hidden_dim, filter_width, point_group)
        self.norms = nn.ModuleList(SiteNorm(hidden_dim) for _ in range(num_layers))
        self.layers = nn.ModuleList(
            GroupConv(hidden_dim, hidden_dim, filter_width, point_group) for _ in range(num_layers)
        )
        self.last = SiteNorm(hidden_dim)
        self.readout = FieldReadout(hidden_dim, out_dim)

    def forward(
        self,
        scalar: Float[Tensor, "B c L1 L2"] | None = None,
        direction: Float[Tensor, "B 4 d L1 L2"] | None = None,
    ) -> Float[Tensor, "B out L1 L2"]:
        f = self.lift(scalar, direction)
        for norm, layer in zip(self.norms, self.layers, strict=True):
            f = f + layer(silu(norm(f)))
        return self.readout(silu(self.last(f)))
