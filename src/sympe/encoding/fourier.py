r"""A field learned in another basis: by its Fourier amplitudes instead of its values.

The real Fourier basis of a ring of n sites, :math:`H_{kx} = (\cos \theta + \sin \theta) / \sqrt n` with
:math:`\theta = 2 \pi k x / n` (R. Hartley, *A more symmetrical Fourier analysis*, Proc. IRE 30, 144, 1942), is
orthogonal and its own inverse. With :math:`v = H c H` the amplitudes c of a field of independent normal values are
independent and normal too: this assumes nothing about v and prefers no field.

What changes is the path of an optimizer that scales each coordinate separately, such as Adam. A pattern that the
network keeps asking for, such as a checkerboard, is a single amplitude that can grow by itself; in terms of site values
it is a small common component of L x L gradients, each dominated by other contributions.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from sympe.encoding.lattice import FieldEncoding


def fourier_basis(n: int) -> Float[Tensor, "n n"]:
    """The real orthonormal Fourier basis of a ring of n sites, one wave per row; its own inverse."""
    turns = torch.arange(n, dtype=torch.float64)
    angle = 2 * math.pi / n * (turns[:, None] * turns % n)
    return (angle.cos() + angle.sin()) / math.sqrt(n)


class FourierAmplitudes(nn.Module):
    """Fields from their amplitudes and, by the same formula, amplitudes from fields."""

    rows: Tensor
    columns: Tensor

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.register_buffer("rows", fourier_basis(size[0]), persistent=False)
        self.register_buffer("columns", fourier_basis(size[1]), persistent=False)

    def forward(self, c: Float[Tensor, "dim L1 L2"]) -> Float[Tensor, "dim L1 L2"]:
        return self.rows.to(c.dtype) @ c @ self.columns.to(c.dtype)

    def right_inverse(self, v: Float[Tensor, "dim L1 L2"]) -> Float[Tensor, "dim L1 L2"]:
        return self.forward(v)


def learn_amplitudes(encoding: FieldEncoding) -> FieldEncoding:
    """Parametrize a field or tile by its Fourier amplitudes; returns the same encoding, with the same v.

    Raises:
        ValueError: If v is frozen.
    """
    if not isinstance(encoding, FieldEncoding):
        raise ValueError(f"expected a FieldEncoding or TileEncoding; got {type(encoding).__name__}")
    if not isinstance(encoding.v, nn.Parameter):
        raise ValueError("expected a v that is learned; this one is frozen")
    size = encoding.v.shape[1:]
    register_parametrization(encoding, "v", FourierAmplitudes((size[0], size[1])))
    return encoding
