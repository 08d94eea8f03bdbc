r"""Symmetries of a periodic lattice of :math:`L_1 \times L_2` sites: translations and a point group.

Sites are :math:`r = (i, j)`; rows i count downward and columns j to the right, both from 0. An element first rotates
or reflects about the site (0, 0), then shifts:

.. math:: g : r \mapsto P r + t \pmod{L_1, L_2} .

**Points.** P is one of the eight matrices :data:`POINTS`, numbered ``4 a + k`` for :math:`P = s^a \rho^k`: first k
quarter turns, then a reflections. The quarter turn :math:`\rho` takes right to down, down to left, left to up and up
to right (clockwise on paper); the reflection s swaps up and down:

.. math:: \rho\,(i, j) = (j, -i), \qquad s\,(i, j) = (-i, j) .

With the directions numbered 0 right, 1 down, 2 left, 3 up (:data:`DIRECTIONS`), :math:`s^a \rho^k` takes direction d
to :math:`d + k`, or to :math:`-(d + k)` if a = 1, modulo 4.

Elements that move the sites of a small lattice alike, as the half turn and the identity do on 2 x 2 sites, are still
distinct: they differ on directions and bonds.

**Spin flip.** An optional factor :math:`Z_2` flips the sign of all spins; it commutes with everything else.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from sympe.groups.base import Group
from sympe.seeding import sample

#: Steps to the right, down, left and up.
DIRECTIONS = torch.tensor([[0, 1], [1, 0], [0, -1], [-1, 0]])

_TURN, _REFLECTION = torch.tensor([[0, 1], [-1, 0]]), torch.tensor([[-1, 0], [0, 1]])
_TURNS = torch.stack([torch.linalg.matrix_power(_TURN.double(), k).long() for k in range(4)])
#: The matrices of D4: 0, 1, 2, 3 quarter turns, then the same, each followed by the reflection.
POINTS: Int[Tensor, "8 2 2"] = torch.cat([_TURNS, _REFLECTION @ _TURNS])

#: Numbers of the points in each group; D2 has the half turn and the two reflections that keep the axes.
POINT_GROUPS = {
    "C1": (0,),
    "C2": (0, 2),
    "C4": (0, 1, 2, 3),
    "D2": (0, 2, 4, 6),
    "D4": (0, 1, 2, 3, 4, 5, 6, 7),
}


@dataclass(frozen=True, eq=False)
class LatticeSymmetry:
    """One symmetry of the lattice for every member of a batch: site ``r`` moves to ``POINTS[point] r + shift``.

    Attributes:
        shift: Rows down and columns to the right, in lattice spacings, within ``0 .. L - 1``.
        point: Which of :data:`POINTS`.
        size: Rows and columns of the lattice, ``(L1, L2)``.
        sign: Factor on the spins, +1 or -1; None if the group has no spin flip.
    """

    shift: Int[Tensor, "B 2"]
    point: Int[Tensor, "B"]
    size: tuple[int, int]
    sign: Int[Tensor, "B"] | None = None

    def __len__(self) -> int:
        return self.point.shape[0]

    @property
    def preimage(self) -> Int[Tensor, "B L1 L2"]:
        """For every site, the one that moves there, numbered row by row: ``L2 i + j``."""
        return preimages(self.shift, self.point, self.size)

    def to(self, device: torch.device | str) -> "LatticeSymmetry":
        """The same symmetries on another device."""
        sign = None if self.sign is None else self.sign.to(device)
        return LatticeSymmetry(self.shift.to(device), self.point.to(device), self.size, sign)


def preimages(
    shift: Int[Tensor, "*#b 2"], point: Int[Tensor, "*#b"], size: tuple[int, int]
) -> Int[Tensor, "... L1 L2"]:
    r"""The site :math:`P^{-1} (r - t)` that moves to each site r, numbered row by row."""
    rows, columns = size
    i = torch.arange(rows, device=shift.device) - shift[..., 0, None]
    j = torch.arange(columns, device=shift.device) - shift[..., 1, None]
    # Points are orthogonal: the inverse is the transpose. Either row of it has one entry that is not 0, so that the
    # coordinates of r contribute one by one.
    inverse = POINTS.to(shift.device)[point][..., None]
    along_i = inverse[..., 0, 0, :] * i % rows * columns + inverse[..., 0, 1, :] * i % columns
    along_j = inverse[..., 1, 0, :] * j % rows * columns + inverse[..., 1, 1, :] * j % columns
    return along_i[..., :, None] + along_j[..., None, :]


class Torus(Group[LatticeSymmetry, Tensor]):
    """Translations of a periodic lattice, with a point group and optionally the flip of all spins.

    In the methods below ``like`` is a field: any tensor whose first axis is the batch and whose last two are the
    lattice. One group serves all lattice sizes.

    Args:
        point_group: "C1" (translations only), "C2", "C4" (rotations), "D2" or "D4" (with reflections). C4 and D4 need
            a square lattice.
        spin_flip: Whether flipping all spins is also a symmetry.

    Raises:
        ValueError: If there is no such point group.

    Example:
        >>> group = Torus("C4")
        >>> group.order((3, 3))
        36
        >>> g = group.haar(torch.zeros(5, 1, 3, 3))
        >>> e = group.compose(g, group.inverse(g))
        >>> int(e.shift.abs().sum() + e.point.sum())
        0
    """

    def __init__(self, point_group: str = "D4", spin_flip: bool = False) -> None:
        if point_group not in tuple(POINT_GROUPS):
            raise ValueError(f"point_group must be one of {', '.join(POINT_GROUPS)}; got {point_group!r}")
        if not isinstance(spin_flip, bool):
            raise ValueError(f"spin_flip must be True or False; got {spin_flip!r}")
        self.point_group = point_group
        self.points = POINT_GROUPS[point_group]
        self.spin_flip = spin_flip

    def __repr__(self) -> str:
        return f"Torus({self.point_group!r}{', spin_flip=True' if self.spin_flip else ''})"

    def order(self, size: tuple[int, int]) -> int:
        """Number of elements on a lattice of this size."""
        self.check_size(size)
        return size[0] * size[1] * len(self.points) * (2 if self.spin_flip else 1)

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise a ``ValueError`` if the lattice has no sites, or quarter turns of the group do not fit its shape."""
        rows, columns = size
        if min(size) < 1:
            raise ValueError(f"expected a lattice of at least 1 x 1 sites; got {rows} x {columns}")
        if 1 in self.points and rows != columns:
            allowed = "which C1, C2 and D2 allow"
            raise ValueError(f"{self.point_group} needs a square lattice; got {rows} x {columns}, {allowed}")

    def take(self, g: object, like: Tensor) -> LatticeSymmetry:
        size = self._size_of(like)
        if not isinstance(g, LatticeSymmetry) or (len(g), g.size) != (len(like), size):
            got = f"{len(g)} of size {g.size}" if isinstance(g, LatticeSymmetry) else type(g).__name__
            raise ValueError(f"expected {len(like)} LatticeSymmetry of size {size}; got {got}")
        if others := set(g.point.tolist()) - set(self.points):
            raise ValueError(f"expected points {self.points} of {self.point_group}; got {sorted(others)}")
        return g.to(like.device)

    def contains(self, other: object) -> bool:
        return isinstance(other, Torus) and set(other.points) <= set(self.points) and self.spin_flip >= other.spin_flip

    def elements(self, size: tuple[int, int]) -> LatticeSymmetry:
        """Every element once: for each point every shift, row by row; then all of them with the spins flipped."""
        return self.element(torch.arange(self.order(size)), size)

    def element(self, index: Int[Tensor, "B"], size: tuple[int, int]) -> LatticeSymmetry:
        """The elements at these places in :meth:`elements`."""
        sites = size[0] * size[1]
        point = torch.tensor(self.points, device=index.device)[index // sites % len(self.points)]
        shift = torch.stack([index // size[1] % size[0], index % size[1]], dim=1)
        sign = 1 - 2 * (index // (sites * len(self.points))) if self.spin_flip else None
        return LatticeSymmetry(shift, point, size, sign)

    def identity(self, like: Tensor) -> LatticeSymmetry:
        return self.element(torch.zeros(len(like), dtype=torch.long, device=like.device), self._size_of(like))

    def compose(self, g: LatticeSymmetry, h: LatticeSymmetry) -> LatticeSymmetry:
        """First h, then g: the product has point ``P_g P_h`` and shift ``P_g t_h + t_g``.

        Raises:
            ValueError: If g and h belong to lattices of different sizes.
        """
        if g.size != h.size:
            raise ValueError(f"expected symmetries of one lattice; got sizes {g.size} and {h.size}")
        shift = _wrap(g.shift + _turned(g.point, h.shift), g.size)
        # rho^k s = s rho^-k.
        turns = torch.where(h.point < 4, g.point, -g.point) + h.point
        sign = h.sign if g.sign is None else g.sign if h.sign is None else g.sign * h.sign
        return LatticeSymmetry(shift, (g.point // 4 + h.point // 4) % 2 * 4 + turns % 4, g.size, sign)

    def inverse(self, g: LatticeSymmetry) -> LatticeSymmetry:
        """The point becomes its inverse (reflections are their own), the shift ``-P^-1 t``."""
        point = torch.where(g.point < 4, -g.point % 4, g.point)
        return LatticeSymmetry(_wrap(-_turned(point, g.shift), g.size), point, g.size, g.sign)

    def haar(self, like: Tensor, generator: torch.Generator | None = None) -> LatticeSymmetry:
        size = self._size_of(like)
        index = sample(torch.randint, self.order(size), (len(like),), generator=generator, device=like.device)
        return self.element(index, size)

    def _size_of(self, like: Tensor) -> tuple[int, int]:
        if like.ndim < 3:
            raise ValueError(f"expected a field of shape [B, ..., L1, L2]; got shape {list(like.shape)}")
        size = like.shape[-2], like.shape[-1]
        self.check_size(size)
        return size


def _turned(point: Int[Tensor, "B"], shift: Int[Tensor, "B 2"]) -> Int[Tensor, "B 2"]:
    # CUDA has no integer matrix product.
    return (POINTS.to(point.device)[point] * shift[:, None, :]).sum(2)


def _wrap(shift: Int[Tensor, "B 2"], size: tuple[int, int]) -> Int[Tensor, "B 2"]:
    return shift % torch.tensor(size, device=shift.device)
