r"""Which irreps of its point group the displacements of a molecule or crystal belong to: :math:`\Gamma_{vib}`.

A motion k moves the displacements with the character :math:`\chi(k) = f_k \operatorname{tr} R_k`, where :math:`f_k`
points stay in place. Without the translations, :math:`\operatorname{tr} R_k`, and for molecules the rotations,
:math:`\det R_k \operatorname{tr} R_k`, the vibrations are left (E. B. Wilson, J. C. Decius, P. C. Cross, *Molecular
Vibrations*, 1955). For a crystal these are the vibrations at the center of the zone of its cell.

Irreps over the real numbers have the names of R. S. Mulliken (*Report on notation for the spectra of polyatomic
molecules*, J. Chem. Phys. 23, 1955). Where a name depends on the choice of axes, the axes and planes with most points
in them count as primed or vertical ones, as usual, but of C2v the plane with fewest is xz; if that does not decide,
the number is left out.
"""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.groups.characters import real_characters
from sympe.points.symmetry import Stabilizer


@dataclass(frozen=True, eq=False)
class Modes:
    """One irrep of a found group.

    Attributes:
        name: Mulliken symbol.
        dim: Its dimension.
        characters: At each element of the group.
        displacements: How often it appears among all displacements.
        vibrations: How often without translations, and for molecules without rotations.
        is_infrared: Whether it contains a polar vector, so that light can excite it.
        is_raman: Whether it contains a symmetric tensor.
    """

    name: str
    dim: int
    characters: Float[Tensor, "m"]
    displacements: int
    vibrations: int
    is_infrared: bool
    is_raman: bool


def modes(group: Stabilizer) -> list[Modes]:
    """The irreps of a finite group that was found, and how often displacements contain each.

    Raises:
        ValueError: If the group is infinite.

    Example:
        >>> from sympe.points import from_clouds, stabilizers
        >>> water = from_clouds([[[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.48]]], species=[[8, 1, 1]])
        >>> [f"{mode.vibrations} {mode.name}" for mode in modes(stabilizers(water)[0]) if mode.vibrations]
        ['2 A1', '1 B2']
    """
    rows = real_characters(group.group())
    matrices, images = group.matrices.double().cpu(), group.permutations.cpu()
    fixed = (images == torch.arange(images.shape[1])).sum(1)
    trace, sign = matrices.diagonal(dim1=1, dim2=2).sum(1), torch.linalg.det(matrices).round()
    square = (matrices @ matrices).diagonal(dim1=1, dim2=2).sum(1)
    moved = fixed * trace
    free = trace if group.is_periodic else trace + sign * trace
    wanted = torch.stack([moved, moved - free, trace, (trace**2 + square) / 2])
    counts = (wanted @ rows.T / rows.square().sum(1)).round().int().T.tolist()
    names = _names(rows, matrices, fixed)
    return [
        Modes(name, round(float(row.max())), row, all_, vibrations, vector > 0, tensor > 0)
        for name, row, (all_, vibrations, vector, tensor) in zip(names, rows, counts, strict=True)
    ]


def irrep_label(
    matrices: Float[np.ndarray, "m 3 3"],
    characters: Float[np.ndarray, "m"],
    dim: int,
    shifts: Float[np.ndarray, "m 3"] | None = None,
) -> str:
    """A short label of one irrep, which needs no other: A for dimension 1, E for 2, T for 3, else the dimension.

    Then g or u if the inversion has one sign, and for supercells how often the wave repeats along each vector of the
    cell, for one wave of the star; ``shifts`` are the translations of the elements in units of these.
    """
    sign = characters[np.abs(matrices + np.eye(3)).max((1, 2)) < 0.1] / dim
    label = {1: "A", 2: "E", 3: "T"}.get(dim, str(dim))
    label += (
        ("g" if sign[0] > 0 else "u") if len(sign) and np.abs(sign - sign[0]).max() + 1 - abs(sign[0]) < 0.01 else ""
    )
    is_shift = np.abs(matrices - np.eye(3)).max((1, 2)) < 0.1
    if is_shift.sum() < 2 or shifts is None:
        return label
    steps = shifts[is_shift].round(4) % 1
    ranges = [range(-((len(np.unique(column)) - 1) // 2), len(np.unique(column)) // 2 + 1) for column in steps.T]
    weights = {q: np.mean(np.cos(2 * np.pi * steps @ q) * characters[is_shift]) for q in product(*ranges)}
    present = [q for q, weight in weights.items() if weight > 1e-3]
    q = min(present, key=lambda q: (sum(map(abs, q)), [-part for part in q]))
    return f"{label} ({' '.join(map(str, q))})"


def _names(rows: Float[Tensor, "k m"], matrices: Float[Tensor, "m 3 3"], fixed: Int[Tensor, "m"]) -> list[str]:
    kinds = _Kinds(matrices, fixed)
    names = []
    for row in rows:
        dim = round(float(row.max()))
        folds = bool((row[kinds.is_shift] < dim - 0.1).any())
        letter = {2: "E", 3: "T", 4: "G", 5: "H"}.get(dim, f"{dim}-dimensional")
        if folds:
            names.append(f"{'A' if dim == 1 else letter}, odd under translations")
            continue
        if dim == 1:
            letter = "B" if kinds.is_antisymmetric(row) else "A"
        names.append(letter + kinds.number(row, dim, letter) + kinds.parity(row))
    return names


class _Kinds:
    """The elements of a point group that names of irreps refer to."""

    def __init__(self, matrices: Float[Tensor, "m 3 3"], fixed: Int[Tensor, "m"]) -> None:
        self.fixed = fixed
        sign = torch.linalg.det(matrices).round()
        self.is_proper = sign > 0
        # The angle of a rotation, or of a rotation followed by a reflection across its axis.
        trace = matrices.diagonal(dim1=1, dim2=2).sum(1)
        self.angle = ((trace - sign) / 2).clamp(-1, 1).acos()
        turned = sign[:, None, None] * matrices
        self.is_shift = self.is_proper & (self.angle < 0.01)
        self.is_inversion = ~self.is_proper & (self.angle > math.pi - 0.01)
        self.is_mirror = ~self.is_proper & (self.angle < 0.01)
        # The axis of each element: that of its rotation, or the normal of its mirror.
        values, vectors = torch.linalg.eigh((turned + turned.mT) / 2)
        self.axis = torch.where((values[:, 2] - values[:, 1] > 1e-3)[:, None], vectors[:, :, 2], vectors[:, :, 0])
        self.order, principal = self._highest(self.is_proper & ~self.is_shift)
        lines = self.axis[principal]
        self.is_polyhedral = self.order > 2 and bool(((lines @ lines.T).abs() < 0.99).any())
        order, other = self._highest(~self.is_proper & ~self.is_mirror & ~self.is_inversion)
        has_inversion = bool(self.is_inversion.any())
        if order > self.order and not has_inversion and order % 2 == 0:
            self.order, principal = order, other
        self.principal = principal
        lines = self.axis[principal]
        self.is_rhombic = self.order == 2 and bool(((lines @ lines.T).abs() < 0.99).any())
        along = (self.axis @ lines[0]).abs() if len(lines) else torch.ones(len(sign))
        is_across = ~self.is_shift & ~self.is_inversion & (along < 0.1)
        turns = is_across & self.is_proper & (self.angle > math.pi - 0.01)
        self.secondary = turns if bool(turns.any()) else is_across & self.is_mirror
        self.horizontal = self.is_mirror & (along > 0.9)

    def _highest(self, of: Bool[Tensor, "m"]) -> tuple[int, Bool[Tensor, "m"]]:
        """The order of the smallest turn among some elements, and which of them are that turn."""
        if not bool(of.any()):
            return 1, of
        least = self.angle[of].min()
        return round(2 * math.pi / float(least)), of & (self.angle < least + 0.01)

    def is_antisymmetric(self, row: Float[Tensor, "m"]) -> bool:
        return bool((row[self.principal] < 0).any()) and not self.is_polyhedral

    def number(self, row: Float[Tensor, "m"], dim: int, letter: str) -> str:
        if self.is_polyhedral:
            if (dim in (1, 3) and self.order % 2 == 0) or (dim == 3 and self.order == 5):
                return "1" if bool((row[self.principal] > 0).all()) else "2"
            return ""
        if dim == 2 and self.order > 4:
            cosine = float(row[self.principal][0]) / 2
            return str(round(math.acos(max(-1.0, min(1.0, cosine))) * self.order / (2 * math.pi)))
        if self.is_rhombic:
            return self._rhombic(row) if letter == "B" else ""
        if dim == 2 or not bool(self.secondary.any()):
            return ""
        even, odd = self.secondary & (row > 0), self.secondary & (row < 0)
        if not (bool(even.any()) and bool(odd.any())):
            return "1" if bool(even.any()) else "2"
        more = int(self.fixed[even].max()) - int(self.fixed[odd].max())
        more = -more if self.order == 2 else more
        return "" if more == 0 else "1" if more > 0 else "2"

    def _rhombic(self, row: Float[Tensor, "m"]) -> str:
        """1, 2 or 3 for z, y or x: z holds most points, and of the planes with z, yz does."""
        axes: list[int] = []
        for k in self.principal.nonzero()[:, 0].tolist():
            if not bool(self._parallel(k)[axes].any()):
                axes.append(k)
        held = {k: (self._most(k, self.principal), self._most(k, self.is_mirror)) for k in axes}
        z, *others = sorted(axes, key=lambda k: -held[k][0])
        x, y = sorted(others, key=lambda k: (-held[k][1], held[k][0]))
        if held[z][0] == max(held[x][0], held[y][0]):
            return ""
        own = {k: bool((row[self.principal & self._parallel(k)] > 0).all()) for k in axes}
        return "1" if own[z] else "" if held[x] == held[y] else "3" if own[x] else "2"

    def _parallel(self, k: int) -> Bool[Tensor, "m"]:
        return (self.axis @ self.axis[k]).abs() > 0.9

    def _most(self, k: int, kinds: Bool[Tensor, "m"]) -> int:
        """The most points that an element of these kinds about one axis leaves in place."""
        here = kinds & self._parallel(k)
        return int(self.fixed[here].max()) if bool(here.any()) else 0

    def parity(self, row: Float[Tensor, "m"]) -> str:
        if bool(self.is_inversion.any()):
            return "g" if bool((row[self.is_inversion] > 0).all()) else "u"
        if self.order % 2 and bool(self.horizontal.any()):
            return "'" if bool((row[self.horizontal] > 0).all()) else "''"
        return ""
