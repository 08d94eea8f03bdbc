r"""Rotations and reflections of space and of the plane: O(3), SO(3), O(2), SO(2).

A batch of elements is a tensor of orthogonal matrices ``[B, d, d]``; ``compose`` is the matrix product. Haar measure
on SO(3) is the law of the rotation by a normalized Gaussian quaternion (K. Shoemake, *Uniform random rotations*,
Graphics Gems III, 1992), and on SO(2) that of a uniform angle. For O(d) the last column gets a random sign.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.groups.base import Batch, Group, as_numbers
from sympe.precision import at_least_single, outside_autocast
from sympe.seeding import sample


class OrthogonalGroup(Group[Tensor, Batch]):
    """O(d), or SO(d), in d = 2 or 3 dimensions.

    A batch ``like`` is anything with a length and a device; the matrices take its floating-point ``dtype``, if any.

    Args:
        dimension: 2 or 3.
        special: Rotations only, determinant 1.

    Raises:
        ValueError: If the dimension is neither 2 nor 3.

    Example:
        >>> group = OrthogonalGroup(3)
        >>> g = group.haar(torch.zeros(5, 3), torch.Generator().manual_seed(0))
        >>> torch.allclose(group.compose(g, group.inverse(g)), group.identity(g), atol=1e-6)
        True
    """

    def __init__(self, dimension: int = 3, special: bool = False) -> None:
        if not isinstance(dimension, int) or dimension not in (2, 3):
            raise ValueError(f"dimension must be 2 or 3; got {dimension!r}")
        self.dimension = dimension
        self.special = special

    def __repr__(self) -> str:
        return f"{'S' * self.special}O({self.dimension})"

    def identity(self, like: Batch) -> Float[Tensor, "B d d"]:
        return torch.eye(self.dimension, dtype=_dtype(like), device=like.device).expand(len(like), -1, -1)

    @outside_autocast
    def compose(self, g: Float[Tensor, "B d d"], h: Float[Tensor, "B d d"]) -> Float[Tensor, "B d d"]:
        return g @ h

    def inverse(self, g: Float[Tensor, "B d d"]) -> Float[Tensor, "B d d"]:
        return g.transpose(-1, -2)

    def haar(self, like: Batch, generator: torch.Generator | None = None) -> Float[Tensor, "B d d"]:
        return random_orthogonal(len(like), self.dimension, self.special, generator, like.device, _dtype(like))

    def take(self, g: object, like: Batch) -> Float[Tensor, "B d d"]:
        g, shape = as_numbers(g, "matrices").to(like.device), [len(like), self.dimension, self.dimension]
        if not g.is_floating_point() or list(g.shape) != shape:
            raise ValueError(f"expected matrices of {self!r} of shape {shape}; got {g.dtype} {list(g.shape)}")
        products = g @ g.mT - torch.eye(self.dimension, dtype=g.dtype, device=g.device)
        if not bool((products.abs() < 1e-3).all()) or (self.special and bool((torch.linalg.det(g.double()) < 0).any())):
            raise ValueError(f"expected matrices of {self!r}; got some that are none")
        matrices: Tensor = g
        return matrices

    def contains(self, other: object) -> bool:
        return (
            isinstance(other, OrthogonalGroup) and self.dimension == other.dimension and self.special <= other.special
        )


def random_orthogonal(
    count: int,
    dimension: int,
    special: bool,
    generator: torch.Generator | None,
    device: torch.device,
    dtype: torch.dtype,
) -> Float[Tensor, "count d d"]:
    """Independent Haar matrices; a CPU generator gives the same ones for every device."""
    # Two normalized Gaussians give a uniform angle, four a uniform quaternion.
    gauss = sample(torch.randn, count, 2 * (dimension - 1), generator=generator, device=device, dtype=dtype)
    if count == 1 and dimension == 3 and not torch.compiler.is_compiling():
        mirror = 1 if special else sample(torch.randint, 2, (1,), generator=generator, device=device).item() * 2 - 1
        w, x, y, z = gauss[0].tolist()
        return torch.tensor([_rotation(w, x, y, z, mirror)], device=device, dtype=dtype)
    unit = gauss / torch.linalg.vector_norm(gauss, dim=1, keepdim=True).clamp(min=torch.finfo(dtype).tiny)
    rotation = rotation_of_angle(unit) if dimension == 2 else rotation_of_quaternion(unit)
    if special:
        return rotation
    rotation[..., -1] *= sample(torch.randint, 2, (count, 1), generator=generator, device=device) * 2 - 1
    return rotation


#: Of a quaternion (w, v), the matrix w 1 + K, row by row, where K a is the cross product of v and a.
_TURN = torch.tensor(
    [
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0],
        [0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)


def rotation_of_quaternion(q: Float[Tensor, "*B 4"]) -> Float[Tensor, "*B 3 3"]:
    """The rotations by unit quaternions ``w + x i + y j + z k``."""
    v, turn = q[..., 1:], (q @ _TURN.to(q)).unflatten(-1, (3, 3))
    turned: Tensor = turn @ turn + v[..., :, None] * v[..., None, :]
    return turned


def _rotation(w: float, x: float, y: float, z: float, mirror: float) -> list[list[float]]:
    """The rotation by a quaternion of any length, in numbers; its last column times a sign."""
    s = 2 / (w * w + x * x + y * y + z * z)
    return [
        [1 - s * (y * y + z * z), s * (x * y - w * z), mirror * s * (x * z + w * y)],
        [s * (x * y + w * z), 1 - s * (x * x + z * z), mirror * s * (y * z - w * x)],
        [s * (x * z - w * y), s * (y * z + w * x), mirror * (1 - s * (x * x + y * y))],
    ]


def rotation_of_angle(unit: Float[Tensor, "*B 2"]) -> Float[Tensor, "*B 2 2"]:
    """The rotations that take (1, 0) to each of the unit vectors."""
    cosine, sine = unit.unbind(-1)
    return torch.stack([torch.stack([cosine, -sine], dim=-1), torch.stack([sine, cosine], dim=-1)], dim=-2)


def _dtype(like: object) -> torch.dtype:
    dtype = getattr(like, "dtype", None)
    return at_least_single(dtype) if dtype is not None and dtype.is_floating_point else torch.get_default_dtype()
