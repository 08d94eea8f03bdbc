r"""Fields on a periodic lattice under translations and a point group: exact stabilizers by correlation.

An element :math:`g = (P, t)` fixes a field if

.. math:: S_P(t) = \sum_r \bigl(x(r) - (P x)(r - t)\bigr)^2 = 0 ,

and for each P, one correlation by fast Fourier transforms gives :math:`S_P` at all shifts. Values are first replaced by
their integer ranks, and large ranks by their digits, so that :math:`S_P` is an integer and rounding in the transform
cannot hide a difference.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from sympe.actions import BondFields, DirectionFields, LatticeAction, RegularFields, ScalarFields
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import POWER, Errors, Loss, Target, class_errors, no_errors
from sympe.graphs.bliss import joined
from sympe.groups import LatticeSymmetry, Torus
from sympe.settings import require_positive

#: Actions of rotations and reflections on channels, by name.
FIELDS = {"scalar": ScalarFields, "bonds": BondFields, "directions": DirectionFields, "regular": RegularFields}

_DIGIT = 1024


@dataclass(frozen=True)
class FieldStabilizers(Stabilizers):
    """Exact stabilizers of fields: the elements of ``group.elements(size)`` that fix each."""

    is_symmetry: Bool[Tensor, "B g"]
    size: tuple[int, int]
    target_action: LatticeAction
    most_drawn: ClassVar[int] = 400

    def drawing(self, sample: int) -> dict[str, Any]:
        """Each site at its place, the first axis downward, and the lattice around them."""
        _, element = _generators(self.is_symmetry[sample : sample + 1], self.size)
        group = self.target_action.group
        moved = ScalarFields(group).source(group.element(element, self.size)).flatten(1).numpy()
        sites = np.arange(self.size[0] * self.size[1])
        down, right = np.divmod(sites, self.size[1])
        bottom, side = (value - 0.5 for value in self.size)
        return {
            "orbits": joined([np.broadcast_to(sites, moved.shape)], [moved], len(sites)).tolist(),
            "edges": [],
            "places": np.stack([right, down], 1).tolist(),
            "corners": [[-0.5, -0.5], [side, -0.5], [side, bottom], [-0.5, bottom]],
            "frame": [[0, 1], [1, 2], [2, 3], [3, 0]],
        }

    def errors(self, target: Target, loss: Loss) -> Errors:
        values, count = target.values, len(self.orders)
        target.check({"sample": count, "site": count})
        if target.per == "sample":
            return no_errors(values)
        if values.shape[-2:] != self.size:
            raise ValueError(f"expected targets on {self.size[0]} x {self.size[1]} sites; got {list(values.shape)}")
        action = self.target_action
        action.check(values)
        channels = 1 if action.image is None else action.image.shape[1]
        rows = values.reshape(count, channels, -1, self.size[0] * self.size[1]).transpose(2, 3).flatten(0, 2)
        owner = np.repeat(np.arange(count), len(rows) // max(count, 1))
        is_signed = action.odd and action.group.spin_flip
        orbit = self._orbits(is_signed)
        if not is_signed:
            return class_errors(orbit, owner, count, rows, loss)
        # Elements may flip signs: list each entry and its negative; if both lie in one orbit, the answer must be zero.
        forced = orbit[: len(rows)] == orbit[len(rows) :]
        free, both = rows[torch.from_numpy(~forced)], np.tile(~forced, 2)
        errors = class_errors(orbit[both], np.tile(owner, 2)[both], count, torch.cat([free, -free]), loss)
        lost = np.abs(rows.numpy()[forced].astype(np.float64))
        lost = (lost > 0) if loss == "zero-one" else lost ** POWER[loss]
        zeroed = np.bincount(owner[forced], weights=lost.sum(1), minlength=count)
        entries = np.bincount(owner, minlength=count) * rows.shape[1]
        return Errors(errors.total / 2 + zeroed, entries, errors.violated | (zeroed > 0))

    def _orbits(self, is_signed: bool) -> Int[np.ndarray, "M"]:
        """Orbit of each entry of a target, numbered over the batch; if signed, then of its negative."""
        owner, element = _generators(self.is_symmetry, self.size)
        g = self.target_action.group.element(element, self.size)
        moved = self.target_action.source(g).flatten(1)
        entries = moved.shape[1]
        start, half = owner[:, None] * entries, len(self.orders) * entries
        source, image = (moved + start).numpy(), (torch.arange(entries) + start).numpy()
        if not is_signed:
            return joined([source], [image], half)
        assert g.sign is not None
        other = half * (g.sign < 0).numpy()[:, None]
        return joined([source, source + half], [image + other, image + half - other], 2 * half)


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
        require_positive(resolution=resolution)
        self.resolution = resolution
        flip = " and the flip of all spins" if group.spin_flip else ""
        self.title = f"translations of a periodic lattice, {group.point_group}{flip}"
        self.breaker = "sympe.InversionKernel(sympe.canonicalize.LexicographicMinimum(action)) and a learned field"

    def stabilizers(self, x: Tensor) -> FieldStabilizers:
        self.action.check(x)
        size = (x.shape[-2], x.shape[-1])
        is_symmetry = self._symmetries(x)
        orders, sizes = is_symmetry.sum(1).tolist(), [size[0] * size[1]] * len(x)
        log_orbits = [math.log(self.action.group.order(size) / order) for order in orders]
        return FieldStabilizers(sizes, orders, log_orbits, [None] * len(x), is_symmetry, size, self.target_action)

    def _symmetries(self, x: Shaped[Tensor, "B *c L1 L2"]) -> Bool[Tensor, "B g"]:
        group, size = self.action.group, (x.shape[-2], x.shape[-1])
        digits = _digits(x if self.resolution is None else (x.double() / self.resolution).round())
        signs = (1, -1 if self.action.odd else 1) if group.spin_flip else (1,)
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
        return torch.cat([(2 * (energy[:, None] - sign * correlation) < 0.5).flatten(1) for sign in signs], dim=1)


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
    planes = [(rank % _DIGIT * flat.sign()).double()]
    while bool((rank := rank // _DIGIT).any()):
        planes.append((rank % _DIGIT * flat.sign()).double())
    return torch.stack([plane.view(x.shape) for plane in planes], dim=-3)


def _generators(is_symmetry: Bool[Tensor, "B g"], size: tuple[int, int]) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """Generators of each stabilizer: two shifts, and one element per point-group element and sign in it."""
    site = torch.arange(size[0] * size[1])
    blocks = is_symmetry.unflatten(1, (-1, len(site)))
    count, shifts = blocks.shape[1], blocks[:, :1]
    # The smallest shift within a row and a shift by the fewest rows generate all shifts.
    blocks = torch.cat([blocks, shifts & (site > 0) & (site < size[1]), shifts & (site >= size[1])], dim=1)
    owner, block = blocks.any(2).nonzero(as_tuple=True)
    return owner, torch.where(block < count, block, 0) * len(site) + blocks[owner, block].int().argmax(1)
