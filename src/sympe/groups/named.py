r"""Finite groups by name: cyclic and dihedral groups, and the point groups of molecules in Schoenflies notation.

Axes: the main axis is z. A twofold axis of :math:`D_n` and a mirror of :math:`C_{nv}` contain x; the mirrors of
:math:`D_{nd}` lie halfway between its twofold axes. T, O and their variants are oriented like a cube with faces across
the axes, and I like the icosahedron with vertices at the cyclic permutations of :math:`(0, \pm 1, \pm \varphi)`, so
that T is a subgroup of I.
"""

import re
from math import cos, pi, sin, sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.groups.finite import FiniteGroup
from sympe.groups.orthogonal import rotation_of_angle
from sympe.settings import require_at_least


def cyclic(n: int) -> FiniteGroup:
    """C_n, the rotations of the plane by multiples of 360/n degrees; element k rotates by k steps.

    Raises:
        ValueError: If n is less than 1.
    """
    rotations, steps = _plane_rotations(n), torch.arange(n)
    return FiniteGroup((steps[:, None] + steps) % n, rotations, f"C{n}")


def dihedral(n: int) -> FiniteGroup:
    """D_n, the 2n symmetries of a regular n-gon in the plane: k as in C_n, and n + k for y -> -y followed by k.

    Raises:
        ValueError: If n is less than 1.
    """
    rotations, steps = _plane_rotations(n), torch.arange(n)
    flipped = torch.arange(2 * n) >= n
    step = torch.cat([steps, steps])
    # r^a f^s r^b f^t = r^(a - b if s else a + b) f^(s + t)
    turn = torch.where(flipped[:, None], step[:, None] - step, step[:, None] + step) % n
    table = turn + n * (flipped[:, None] ^ flipped)
    mirror = torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
    return FiniteGroup(table, torch.cat([rotations, rotations @ mirror]), f"D{n}")


def point_group(name: str) -> FiniteGroup:
    """A finite point group in three dimensions, with its matrices.

    Args:
        name: ``C1 Cs Ci``, ``Cn Cnv Cnh Dn Dnh Dnd`` with a number n, ``Sn`` with n even, or ``T Td Th O Oh I Ih``.

    Raises:
        ValueError: If no finite point group has this name.

    Example:
        >>> [point_group(name).order for name in ("C1", "C2v", "D6h", "Td", "Oh", "Ih")]
        [1, 4, 24, 24, 48, 120]
    """
    generators = _FIXED.get(name)
    match = re.fullmatch(r"([CDS])([1-9]\d{0,2})([vhd]?)", str(name))
    if match and not (match[1] == "S" and int(match[2]) % 2):
        generators = _axial_generators(int(match[2])).get(match[1] + match[3])
    if generators is None:
        raise ValueError(f"expected the name of a finite point group, such as D3h or Td; got {name!r}")
    return FiniteGroup.from_matrices(torch.stack(generators), name)


def rotation_about(axis: list[float | int] | list[int], angle: float) -> Float[Tensor, "3 3"]:
    """The rotation by ``angle`` radians about an axis (Rodrigues' formula)."""
    x, y, z = (torch.tensor(axis, dtype=torch.float64) / sqrt(sum(a * a for a in axis))).tolist()
    k = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    return torch.eye(3, dtype=torch.float64) + sin(angle) * k + (1 - cos(angle)) * (k @ k)


def _plane_rotations(n: int) -> Float[Tensor, "n 2 2"]:
    require_at_least(1, n=n)
    angle = 2 * pi * torch.arange(n).double() / n
    return rotation_of_angle(torch.stack([angle.cos(), angle.sin()], dim=1))


def _axial_generators(n: int) -> dict[str, list[Tensor]]:
    """Generators around an n-fold main axis, by the letters of the name without n."""
    turn, half_step = rotation_about([0, 0, 1], 2 * pi / n), rotation_about([0, 0, 1], pi / n)
    twofold, horizontal = rotation_about([1, 0, 0], pi), _diagonal(1, 1, -1)
    return {
        "C": [turn],
        "Cv": [turn, _diagonal(1, -1, 1)],
        "Ch": [turn, horizontal],
        "D": [turn, twofold],
        "Dh": [turn, twofold, horizontal],
        "Dd": [half_step @ horizontal, twofold],
        "S": [turn @ horizontal],
    }


def _diagonal(*entries: int) -> Float[Tensor, "3 3"]:
    return torch.tensor(entries, dtype=torch.float64).diag()


_INVERSION = _diagonal(-1, -1, -1)
_TETRAHEDRAL = [_diagonal(-1, -1, 1), rotation_about([1, 1, 1], 2 * pi / 3)]
_OCTAHEDRAL = [rotation_about([0, 0, 1], pi / 2), rotation_about([1, 1, 1], 2 * pi / 3)]
_ICOSAHEDRAL = [*_TETRAHEDRAL, rotation_about([0, 1, (1 + sqrt(5)) / 2], 2 * pi / 5)]

_FIXED: dict[str, list[Tensor]] = {
    "Cs": [_diagonal(1, 1, -1)],
    "Ci": [_INVERSION],
    "T": _TETRAHEDRAL,
    "Td": [*_TETRAHEDRAL, rotation_about([0, 0, 1], pi / 2) @ _INVERSION],
    "Th": [*_TETRAHEDRAL, _INVERSION],
    "O": _OCTAHEDRAL,
    "Oh": [*_OCTAHEDRAL, _INVERSION],
    "I": _ICOSAHEDRAL,
    "Ih": [*_ICOSAHEDRAL, _INVERSION],
}
