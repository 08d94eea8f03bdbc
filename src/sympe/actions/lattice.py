r"""Symmetries of a periodic lattice acting on fields.

A field is a tensor with the batch first and the lattice last, ``[B, ..., L1, L2]``; ``*c`` below stands for any further
axes (channels, features). An element :math:`g : r \mapsto P r + t` moves each site together with its values:

=========================  ====================  ===============================================================
action                     fields                law
=========================  ====================  ===============================================================
:class:`ScalarFields`      ``[B, *c, L1, L2]``    :math:`(g x)(P r + t) = x(r)`
:class:`DirectionFields`   ``[B, 4, *c, L1, L2]`` :math:`(g x)_{P d}(P r + t) = x_d(r)`, d right, down, left, up
:class:`BondFields`        ``[B, 2, *c, L1, L2]`` as directions, for the bonds to the right of and down from a site
:class:`RegularFields`     ``[B, 8, *c, L1, L2]`` :math:`(g x)_{P Q}(P r + t) = x_Q(r)`, Q each of ``POINTS``
=========================  ====================  ===============================================================

**Bonds.** Each bond joins two sites and is stored once, at the left or upper one. The bond to the right of r joins r
and r + (0, 1). Where P takes "right" to "left", it becomes the bond to the *left* of P r + t, which is stored one site
further left. So a reflection or rotation can move a bond one site further than a scalar; four direction channels
(:func:`bonds_to_directions`) need no such shift.

**Spin flip.** It changes the sign of scalar fields (spins, magnetizations, fields that couple to them) unless they are
declared even. Couplings multiply two spins: directions, bonds and regular fields are invariant.
"""

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from sympe.actions.base import Action
from sympe.groups import POINTS, LatticeSymmetry, Torus
from sympe.groups.base import as_numbers
from sympe.groups.torus import preimages


def as_fields(x: object) -> Tensor:
    """A batch of fields, from a tensor or an array of numpy in any layout; axes stay as they are.

    Raises:
        ValueError: If ``x`` is something else, or its numbers are wider than 64 bits.

    Example:
        >>> as_fields(np.zeros((2, 3, 4), np.uint16)).shape
        torch.Size([2, 3, 4])
    """
    if isinstance(x, Tensor):
        return x
    if isinstance(x, np.ndarray):
        return as_numbers(x, "a field")
    raise ValueError(f"expected a field, a tensor of shape [B, ..., L1, L2]; got {type(x).__name__}")


class LatticeAction(Action[LatticeSymmetry, Tensor]):
    """Left action on fields, where points may permute the first axis after the batch, the channels.

    Attributes:
        image: The channel that each channel becomes under each point; None if points permute no axis.
        offset: Rows and columns that a channel moves beyond ``P r + t``; None if it never does.
        odd: Whether a spin flip changes the sign of the field.
    """

    group: Torus
    image: Int[Tensor, "8 n"] | None = None
    offset: Int[Tensor, "8 n 2"] | None = None
    odd: bool = False

    def __init__(self, group: Torus) -> None:
        if not isinstance(group, Torus):
            raise ValueError(f"expected the group of a lattice, such as Torus('D4'); got {group!r}")
        self.group = group

    def take(self, x: object) -> Tensor:
        """Fields of this action; see :func:`as_fields`."""
        field = as_fields(x)
        self.check(field)
        return field

    def act(self, g: LatticeSymmetry, x: Shaped[Tensor, "B *c L1 L2"]) -> Shaped[Tensor, "B *c L1 L2"]:
        """Move each field of the batch by its element.

        Raises:
            ValueError: If ``x`` is not a field of this action, or its batch or lattice size differs from that of ``g``.
        """
        self.check(x)
        if (len(g), g.size) != (x.shape[0], tuple(x.shape[-2:])):
            expected = f"{len(g)} fields of {g.size[0]} x {g.size[1]} sites, as the group elements have"
            raise ValueError(f"expected {expected}; got shape {list(x.shape)}")
        count, sites = 1 if self.image is None else self.image.shape[1], g.size[0] * g.size[1]
        index = self.source(g).view(len(g), 1, count * sites)
        moved = x.reshape(len(g), count, x.shape[1:-2].numel() // count, sites).transpose(1, 2).flatten(2)
        moved = moved.gather(2, index.expand(-1, moved.shape[1], -1)).unflatten(2, (count, sites)).transpose(1, 2)
        if self.odd and g.sign is not None:
            moved = moved * g.sign.to(x.dtype)[:, None, None, None]
        return torch.reshape(moved, x.shape)

    def source(self, g: LatticeSymmetry) -> Int[Tensor, "B n L1 L2"]:
        """For every channel and site, the one that moves there, numbered channel by channel, row by row."""
        if self.image is None:
            return g.preimage[:, None]
        channel = self.image.argsort(1).to(g.point.device)[g.point]
        shift = g.shift[:, None]
        if self.offset is not None:
            shift = shift + self.offset.to(g.point.device)[g.point[:, None], channel]
        site = preimages(shift, g.point[:, None], g.size)
        return channel[:, :, None, None] * (g.size[0] * g.size[1]) + site

    def check(self, x: Tensor) -> None:
        """Raise a ``ValueError`` unless ``x`` is a field of this kind, on a lattice that the group acts on."""
        if not isinstance(x, Tensor):
            raise ValueError(f"expected a field, a tensor of shape [B, ..., L1, L2]; got {type(x).__name__}")
        if x.is_complex():
            raise ValueError(f"expected real fields; got {x.dtype}: stack real and imaginary parts as two features")
        channels = "" if self.image is None else f"{self.image.shape[1]}, "
        is_field = x.ndim >= 3 if self.image is None else x.ndim >= 4 and x.shape[1] == self.image.shape[1]
        if not is_field or 0 in x.shape[1:-2]:
            raise ValueError(f"expected a field of shape [B, {channels}..., L1, L2]; got shape {list(x.shape)}")
        self.group.check_size((x.shape[-2], x.shape[-1]))


class ScalarFields(LatticeAction):
    """A number at each site, which points only move and a spin flip negates if it is odd: ``x[B, *c, L1, L2]``."""

    def __init__(self, group: Torus, odd: bool = True) -> None:
        super().__init__(group)
        self.odd = odd


class DirectionFields(LatticeAction):
    """A number for each site and direction (right, down, left, up): ``x[B, 4, *c, L1, L2]``."""

    image = torch.tensor([[(1 if p < 4 else -1) * (d + p) % 4 for d in range(4)] for p in range(8)])


class BondFields(LatticeAction):
    """A number for each bond, stored by site as the bonds to the right and down: ``x[B, 2, *c, L1, L2]``."""

    image = DirectionFields.image[:, :2] % 2
    #: A bond that ends up left of or above its site is stored at its other end.
    offset = torch.where(DirectionFields.image[:, :2, None] >= 2, POINTS[:, :, [1, 0]].transpose(1, 2), 0)


class RegularFields(LatticeAction):
    """A number for each site and point of D4, as in the layers of a group CNN: ``x[B, 8, *c, L1, L2]``.

    The four channels of a C4 network move as :class:`DirectionFields`.
    """

    image = torch.tensor(
        [[(p // 4 + q // 4) % 2 * 4 + (q + (p if q < 4 else -p)) % 4 for q in range(8)] for p in range(8)]
    )


def bonds_to_directions(x: Shaped[Tensor, "B 2 *c L1 L2"]) -> Shaped[Tensor, "B 4 *c L1 L2"]:
    """The bonds to the right of, down from, to the left of and up from each site; every bond appears twice."""
    right, down = x.unbind(1)
    return torch.stack([right, down, right.roll(1, -1), down.roll(1, -2)], dim=1)
