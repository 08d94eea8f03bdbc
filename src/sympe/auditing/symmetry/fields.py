r"""Fields on a periodic lattice under translations and a point group: exact stabilizers by correlation.

An element :math:`g = (P, t)` fixes a field if

.. math:: S_P(t) = \sum_r \bigl(x(r) - (P x)(r - t)\bigr)^2 = 0 ,

and for each P, one correlation by fast Fourier transforms gives :math:`S_P` at all shifts. Values are first replaced by
their integer ranks, and large ranks by their digits, so that :math:`S_P` is an integer and rounding in the transform
cannot hide a difference.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from sympe.actions import BondFields, DirectionFields, LatticeAction, RegularFields, ScalarFields
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import POWER, Errors, Loss, Target, class_errors, no_errors
from sympe.graphs.bliss import joined
from sympe.groups import LatticeSymmetry, Torus

#: Actions of rotations and reflections on channels, by name.
FIELDS = {"scalar": ScalarFields, "bonds": BondFields, "directions": DirectionFields, "regular": RegularFields}

_DIGIT = 1024


@dataclass(frozen=True)
class FieldStabilizers(Stabilizers):
    """Exact stabilizers of fields on a lattice.

    Attributes:
        is_symmetry: For each field, the elements of ``group.elements`` that fix it.
        size: Rows and columns of the lattice.
        target_action: The action on targets.
    """

    is_symmetry: Bool[Tensor, "B g"]
    size: tuple[int, int]
    target_action: LatticeAction

    def errors(self, target: Target, loss: Loss) -> Errors:
        values, count = target.values, len(self.orders)
        target.check({"sample": count, "site": count})
        if target.per == "sample":
            return no_errors(values)
        if values.shape[-2:] != self.size:
            raise ValueError(f"expected targets on {self.size[0]} x {self.size[1]} sites; got {list(values.shape)}")
        action = self.target_action
        self.target_action.check(values)
        channels = 1 if action.image is None else action.image.shape[1]
        rows = values.reshape(count, channels, -1, self.size[0] * self.size[1]).transpose(2, 3).flatten(0, 2)
        owner = np.repeat(np.arange(count), len(rows) // max(count, 1))
        if not (action.odd and action.group.spin_flip):
            return class_errors(self._orbits(channels), owner, count, rows, loss)
        # Elements may flip signs: list each entry and its negative; if both lie in one orbit, the answer must be zero.
        orbit = self._orbits(channels, signed=True)
        forced = orbit[: len(rows)] == orbit[len(rows) :]
        free = rows[torch.from_numpy(~forced)]
        errors = class_errors(
            orbit[np.tile(~forced, 2)], np.tile(owner[~forced], 2), count, torch.cat([free, -free]), loss
        )
        lost = np.abs(rows.numpy()[forced].astype(np.float64))
        lost = (lost > 0) if loss == "zero-one" else lost ** POWER[loss]
        zeroed = np.bincount(owner[forced], weights=lost.sum(1), minlength=count)
        entries = np.bincount(owner, minlength=count) * rows.shape[1]
        return Errors(errors.total / 2 + zeroed, entries, errors.violated | (zeroed > 0))

    def _orbits(self, channels: int, signed: bool = False) -> Int[np.ndarray, "M"]:
        """Orbit of each entry of a target, numbered over the batch; if signed, then of its negative."""
        count, entries = len(self.orders), channels * self.size[0] * self.size[1]
        owner, element = _generators(self.is_symmetry, self.target_action.group, self.size)
        g = self.target_action.group.element(element, self.size)
        place = torch.arange(entries).view(channels, *self.size).expand(len(g), -1, -1, -1)
        plain = LatticeSymmetry(g.shift, g.point, g.size)
        source = self.target_action.act(plain, place).reshape(len(g), entries) + owner[:, None] * entries
        image = torch.arange(entries) + owner[:, None] * entries
        if not signed:
            return joined([source.numpy()], [image.numpy()], count * entries)
        assert g.sign is not None
        half, flipped = count * entries, (g.sign < 0)[:, None]
        other = torch.where(flipped, image + half, image)
        mirrored = torch.where(flipped, image, image + half)
        return joined([source.numpy(), source.numpy() + half], [other.numpy(), mirrored.numpy()], 2 * half)


class FieldSymmetry(Symmetry):
    """Translations, rotations and reflections of a periodic lattice.

    Args:
        action: The action on inputs; by default scalars under translations and D4.
        target_action: The action on targets; by default scalars.
        resolution: Round values to multiples of this before comparing them; by default compare exactly.

    Raises:
        ValueError: If the actions belong to different groups, or the resolution is not positive.
    """

    name = "torus"
    kind = "fields"

    def __init__(
        self,
        action: LatticeAction | None = None,
        target_action: LatticeAction | None = None,
        resolution: float | None = None,
    ) -> None:
        self.action = ScalarFields(Torus("D4")) if action is None else action
        group = self.action.group
        self.target_action = ScalarFields(group) if target_action is None else target_action
        other = self.target_action.group
        if (other.point_group, other.spin_flip) != (group.point_group, group.spin_flip):
            raise ValueError(f"expected inputs and targets to be moved by one group; got {group} and {other}")
        if resolution is not None and not resolution > 0:
            raise ValueError(f"resolution must be positive; got {resolution}")
        self.resolution = resolution
        flip = " and the flip of all spins" if group.spin_flip else ""
        self.title = f"translations of a periodic lattice, {group.point_group}{flip}"
        self.breaker = "sympe.InversionKernel(sympe.canonicalize.LexicographicMinimum(action)) and a learned field"

    def stabilizers(self, x: Tensor) -> FieldStabilizers:
        if not isinstance(x, Tensor):
            raise ValueError(f"expected fields for the group torus; got {type(x).__name__}")
        self.action.check(x)
        size = (x.shape[-2], x.shape[-1])
        is_symmetry = self._symmetries(x)
        orders = is_symmetry.sum(1).tolist()
        whole = self.action.group.order(size)
        log_orbits = [float(np.log(whole / order)) for order in orders]
        sites = size[0] * size[1]
        names: list[str | None] = [None] * len(x)
        return FieldStabilizers([sites] * len(x), orders, log_orbits, names, is_symmetry, size, self.target_action)

    def _symmetries(self, x: Shaped[Tensor, "B *c L1 L2"]) -> Bool[Tensor, "B g"]:
        group, size = self.action.group, (x.shape[-2], x.shape[-1])
        digits = _digits(x if self.resolution is None else (x.double() / self.resolution).round())
        signs = [1, -1] if group.spin_flip and self.action.odd else [1]
        still = torch.fft.rfft2(digits)
        energy = (digits**2).flatten(1).sum(1)[:, None, None]
        found = []
        for point in group.points:
            turn = LatticeSymmetry(torch.zeros(len(x), 2, dtype=torch.long), torch.full((len(x),), point), size)
            # Digits are the last channels, which the action leaves in place.
            turned = torch.fft.rfft2(self.action.act(turn, digits))
            product = (still * turned.conj()).flatten(1, -3).sum(1)
            found.append(torch.fft.irfft2(product, s=size))
        correlation = torch.stack(found, dim=1)
        planes = [(2 * (energy[:, None] - sign * correlation) < 0.5).flatten(1) for sign in signs]
        if group.spin_flip and not self.action.odd:
            planes *= 2
        return torch.cat(planes, dim=1)


def _digits(x: Shaped[Tensor, "B *c L1 L2"]) -> Shaped[Tensor, "B *c d L1 L2"]:
    """Digits of the rank of each value's magnitude within its field, with the sign of the value."""
    flat = x.detach().cpu().flatten(1)
    flat = flat.double() if flat.is_floating_point() else flat.long()  # large integers stay apart
    if not bool(flat.isfinite().all()):
        raise ValueError("fields must be finite; got infinity or not a number")
    size = flat.abs()
    order = size.argsort(1)
    ranked = size.gather(1, order)
    steps = torch.cat([ranked[:, :1] > 0, ranked.diff(dim=1) > 0], dim=1).cumsum(1)
    rank = torch.empty_like(steps).scatter_(1, order, steps)
    planes = []
    while True:
        planes.append(((rank % _DIGIT) * flat.sign()).double())
        rank = rank // _DIGIT
        if not bool(rank.any()):
            break
    return torch.stack([plane.view(x.shape) for plane in planes], dim=-3)


def _generators(
    is_symmetry: Bool[Tensor, "B g"], group: Torus, size: tuple[int, int]
) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """Generators of each stabilizer: two shifts, and one element per point-group element and sign in it."""
    sites = size[0] * size[1]
    blocks = is_symmetry.view(len(is_symmetry), -1, sites)
    owner, block = blocks.any(2).nonzero(as_tuple=True)
    chosen = [(owner, block * sites + blocks[owner, block].int().argmax(1))]
    shifts = blocks[:, 0].view(-1, *size)
    # The smallest shift within a row and a shift by the fewest rows generate all shifts.
    columns = shifts[:, 0, 1:]
    has, least = columns.any(1), columns.int().argmax(1) + 1
    chosen.append((has.nonzero()[:, 0], least[has]))
    rows = shifts[:, 1:].any(2)
    has, least = rows.any(1), rows.int().argmax(1) + 1
    found = has.nonzero()[:, 0]
    column = shifts[found, least[has]].int().argmax(1)
    chosen.append((found, least[has] * size[1] + column))
    return torch.cat([o for o, _ in chosen]), torch.cat([e for _, e in chosen])
