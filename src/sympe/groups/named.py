r"""Finite groups by name: cyclic and dihedral ones, and the point groups of molecules in Schoenflies's notation.

Axes: the main axis is z. The twofold axes of :math:`D_n` and the mirrors of :math:`C_{nv}` hold x; those mirrors
of :math:`D_{nd}` lie halfway between its twofold axes. T, O and their kin stand as the cube with faces across the
axes, and I as the icosahedron with corners :math:`(0, \pm 1, \pm \varphi)` and cyclic, of which T is a subgroup.
"""

import re
from math import cos, pi, sin, sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.groups.finite import FiniteGroup


def cyclic(n: int) -> FiniteGroup:
    """C_n, the rotations of the plane by multiples of 360/n degrees; element k is the rotation by k of them.

    Raises:
        ValueError: If n is less than 1.
    """
    _at_least_one(n)
    steps = torch.arange(n)
    angle = 2 * pi * steps.double() / n
    return FiniteGroup((steps[:, None] + steps) % n, _plane_rotation(angle), f"C{n}")


def dihedral(n: int) -> FiniteGroup:
    """D_n, the 2n symmetries of a regular n-gon in the plane: element k as in C_n, element n + k = k after y -> -y.

    Raises:
        ValueError: If n is less than 1.
    """
    _at_least_one(n)
    steps = torch.arange(n)
    flipped = torch.arange(2 * n) >= n
    step = torch.cat([steps, steps])
    # r^a f^s r^b f^t = r^(a - b if s else a + b) f^(s + t)
    turn = torch.where(flipped[:, None], step[:, None] - step, step[:, None] + step) % n
    table = turn + n * (flipped[:, None] ^ flipped)
    rotations = _plane_rotation(2 * pi * steps.double() / n)
    mirror = torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
    return FiniteGroup(table, torch.cat([rotations, rotations @ mirror]), f"D{n}")


def point_group(name: str) -> FiniteGroup:
    """A finite point group in three dimensions, with its matrices.

    Args:
        name: ``C1 Cs Ci``, ``Cn Cnv Cnh Dn Dnh Dnd`` with a number n, ``Sn`` with an even one, or
            ``T Td Th O Oh I Ih``.

    Raises:
        ValueError: If there is no such finite group.

    Example:
        >>> [point_group(name).order for name in ("C1", "C2v", "D6h", "Td", "Oh", "Ih")]
        [1, 4, 24, 24, 48, 120]
    """
    generators = _FIXED.get(name)
    if generators is None:
        match = re.fullmatch(r"(C|D|S)([1-9]\d{0,2})(v|h|d)?", name)
        if match is None or (match[1], match[3]) not in _AXIAL or (match[1] == "S" and int(match[2]) % 2):
            raise ValueError(f"expected the name of a finite point group, D3h or Td for instance; got {name!r}")
        n = int(match[2])
        generators = [_axial_generator(kind, n) for kind in _AXIAL[match[1], match[3]]]
    return FiniteGroup.from_matrices(torch.stack(generators), name)


def rotation_about(axis: list[float | int] | list[int], angle: float) -> Float[Tensor, "3 3"]:
    """The rotation by an angle in radians about an axis (Rodrigues's formula)."""
    x, y, z = (torch.tensor(axis, dtype=torch.float64) / sqrt(sum(a * a for a in axis))).tolist()
    k = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    return torch.eye(3, dtype=torch.float64) + sin(angle) * k + (1 - cos(angle)) * (k @ k)


def _at_least_one(n: int) -> None:
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}")


def _plane_rotation(angle: Float[Tensor, "n"]) -> Float[Tensor, "n 2 2"]:
    c, s = angle.cos(), angle.sin()
    return torch.stack([torch.stack([c, -s], 1), torch.stack([s, c], 1)], 1)


def _axial_generator(kind: str, n: int) -> Float[Tensor, "3 3"]:
    match kind:
        case "rotation":
            return rotation_about([0, 0, 1], 2 * pi / n)
        case "improper":  # the rotation by half a step, reflected
            return rotation_about([0, 0, 1], pi / n) @ _diagonal(1, 1, -1)
        case "rotary reflection":
            return rotation_about([0, 0, 1], 2 * pi / n) @ _diagonal(1, 1, -1)
        case "horizontal mirror":
            return _diagonal(1, 1, -1)
        case "vertical mirror":
            return _diagonal(1, -1, 1)
        case _:
            return rotation_about([1, 0, 0], pi)


def _diagonal(*entries: int) -> Float[Tensor, "3 3"]:
    return torch.tensor(entries, dtype=torch.float64).diag()


#: Generators by letter and suffix, around the main axis.
_AXIAL: dict[tuple[str, str | None], list[str]] = {
    ("C", None): ["rotation"],
    ("C", "v"): ["rotation", "vertical mirror"],
    ("C", "h"): ["rotation", "horizontal mirror"],
    ("D", None): ["rotation", "twofold axis"],
    ("D", "h"): ["rotation", "twofold axis", "horizontal mirror"],
    ("D", "d"): ["improper", "twofold axis"],
    ("S", None): ["rotary reflection"],
}

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
