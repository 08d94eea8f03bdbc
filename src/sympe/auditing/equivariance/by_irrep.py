r"""How far is a map from equivariant under O(3), irrep by irrep? A variance over the group, by exact quadrature.

Move the output back: :math:`F(h) = h^{-1} f(h x)` is constant if f is equivariant. Its mean over the group is the
equivariant part of f, and its variance the error. Functions on the group split into irreps (l, p), and the part of F in
one of them has the mean square

.. math:: \|F_{lp}\|^2 = (2l + 1) \sum_{a, b} w_a w_b\, \chi_{lp}(h_a^{-1} h_b) \langle F(h_a), F(h_b) \rangle ,

for elements and weights of a quadrature (F. Peter, H. Weyl, 1927). If F has no part of a degree above L, a quadrature
exact to degree 2 L gives all parts exactly, and they add up to the whole; what they lack of it is reported. A part with
l = 1 is a preferred direction, one with l = 2 a preferred axis, one with l = 0 and p odd a preferred hand, one with
l = 4 the axes of a grid.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import Action, CrystalMotion, PointRotation
from sympe.actions.irreps import Irreps, wigner_d
from sympe.auditing.equivariance.copies import as_output
from sympe.crystals import Crystals
from sympe.groups import OrthogonalGroup, ProductGroup
from sympe.groups.quadrature import quadrature
from sympe.points import PointClouds


@dataclass(frozen=True, eq=False)
class EquivarianceByIrrep:
    """Result of :func:`equivariance_by_irrep`; mean squares per row of the output.

    Attributes:
        outputs: The irreps of the output.
        parts: The irreps of the dependence on orientation, ``0e`` first: that part is equivariant.
        power: Mean square of each output in each part.
        total: Mean square of each output.
    """

    outputs: list[str]
    parts: list[str]
    power: Float[Tensor, "outputs parts"]
    total: Float[Tensor, "outputs"]

    @property
    def variance(self) -> Float[Tensor, "outputs"]:
        """Mean square of the error of each output."""
        return (self.total - self.power[:, 0]).clamp(min=0)

    @property
    def unresolved(self) -> Float[Tensor, "outputs"]:
        """What is of higher degrees: if this is not about 0, raise the degree."""
        return self.total - self.power.sum(1)

    def __str__(self) -> str:
        whole = float(self.total.sum()) or 1.0
        heads = ["output", *self.parts, "higher"]
        rows = [[name, *(f"{float(v) / whole:.1e}" for v in (*power, rest))]
                for name, power, rest in zip(self.outputs, self.power, self.unresolved, strict=True)]  # fmt: skip
        lines = ["  ".join(f"{cell:>8}" for cell in row) for row in (heads, *rows)]
        return "\n".join([f"mean squares as shares of that of the output; {self.parts[0]} is equivariant", *lines])


def equivariance_by_irrep(
    map: Callable[[Any], Tensor],
    x: Any,
    irreps: Irreps | str,
    *,
    degree: int = 2,
    special: bool = False,
    action: Action[Any, Any] | None = None,
) -> EquivarianceByIrrep:
    """Split the error of equivariance of a map under O(3), or SO(3), into irreps of output and of orientation.

    Args:
        map: From data to rows of the given irreps, one or more for each member of the batch, in its order.
        x: Point clouds, crystals, or other data with an action.
        irreps: Of a row of the output, in the basis of e3nn.
        degree: Largest degree L to resolve; the map is called about (2 L + 1)^3 times, on the whole batch.
        special: Rotations only.
        action: How matrices move the input; by default rotations of points and crystals.

    Raises:
        ValueError: If the output is of other irreps, or the action is not of this group.

    Example:
        >>> from sympe.points import from_clouds
        >>> x = from_clouds([[[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]], species=[[1, 2]])
        >>> height = lambda x: x.position[::2, 2:] ** 2
        >>> found = equivariance_by_irrep(height, x, "0e")
        >>> dict(zip(found.parts, found.power[0].tolist()))["2e"]  # 4/45
        0.0888...
    """
    parsed = Irreps.parse(irreps)
    if action is None and not isinstance(x, PointClouds | Crystals):
        raise ValueError(f"expected an action on inputs of type {type(x).__name__}; got none")
    if action is None:
        action = CrystalMotion(special) if isinstance(x, Crystals) else PointRotation(3, special)
    matrices, weights = quadrature(2 * degree, special)
    seen = torch.stack([_moved_back(map, x, matrix, parsed, action) for matrix in matrices])
    characters, parts = _characters(matrices.mT[:, None] @ matrices, degree, special)
    powers, totals, start = [], [], 0
    for count, l, _ in parsed.terms:
        block = seen[:, :, start : start + count * (2 * l + 1)].flatten(1)
        start += count * (2 * l + 1)
        gram = weights[:, None] * (block @ block.T) * weights / seen.shape[1]
        powers.append(torch.einsum("iab,ab->i", characters, gram))
        totals.append((weights * block.square().sum(1)).sum() / seen.shape[1])
    names = [str(Irreps((term,))) for term in parsed.terms]
    return EquivarianceByIrrep(names, parts, torch.stack(powers).clamp(min=0), torch.stack(totals))


def _moved_back(
    map: Callable[[Any], Tensor], x: Any, matrix: Float[Tensor, "3 3"], irreps: Irreps, action: Action[Any, Any]
) -> Float[Tensor, "rows dim"]:
    y = as_output(map(action.act(_element(action, matrix, x), x))).double().cpu()
    if y.dim() != 2 or y.shape[1] != irreps.dim:
        raise ValueError(f"expected rows of {irreps.dim} numbers, irreps {irreps}; got shape {list(y.shape)}")
    return y @ wigner_d(matrix, irreps)


def _element(action: Action[Any, Any], matrix: Float[Tensor, "3 3"], x: Any) -> Any:
    group, like = action.group, action.group.identity(x)
    factors = group.factors if isinstance(group, ProductGroup) else (group,)
    parts = like if isinstance(like, tuple) else (like,)
    if not any(isinstance(factor, OrthogonalGroup) and factor.dimension == 3 for factor in factors):
        raise ValueError(f"expected an action of O(3) or SO(3); got one of {group!r}")
    moved = tuple(
        matrix.to(part).expand(len(part), -1, -1) if isinstance(factor, OrthogonalGroup) else part
        for factor, part in zip(factors, parts, strict=True)
    )
    return moved if isinstance(like, tuple) else moved[0]


def _characters(
    g: Float[Tensor, "q q 3 3"], degree: int, special: bool
) -> tuple[Float[Tensor, "parts q q"], list[str]]:
    """Characters of the irreps up to a degree, times their dimensions, and their names."""
    sign = torch.linalg.det(g).round()
    angle = ((sign * g.diagonal(dim1=2, dim2=3).sum(2) - 1) / 2).clamp(-1, 1).acos()
    rows, names = [], []
    for l in range(degree + 1):
        turned = (2 * l + 1) * (1 + 2 * sum(((k * angle).cos() for k in range(1, l + 1)), torch.zeros_like(angle)))
        for parity, letter in ((1, "e"), (-1, "o"))[: 1 if special else 2]:
            # The inversion multiplies by the parity.
            rows.append(turned if parity > 0 else turned * sign)
            names.append(f"{l}" if special else f"{l}{letter}")
    return torch.stack(rows), names
