"""A ragged batch of labeled point clouds, stored flat like a batch of graphs.

The points of all clouds are at positions ``0 .. N-1``, cloud after cloud; ``batch`` holds the cloud of each point. The
order of the points within a cloud has no meaning.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.points.elements import kind_of_symbol
from sympe.ragged import Ragged, joined, rows_of


@dataclass(frozen=True, eq=False)
class PointClouds(Ragged):
    """A batch of clouds of points in space or in the plane, optionally with a species per point.

    The constructor checks shapes, types and devices; :meth:`validate`, which the ``from_...`` functions and
    :func:`~sympe.points.read` call, also checks values.

    Attributes:
        position: Coordinates in angstrom, in 2 or 3 dimensions.
        batch: The cloud of each point, non-decreasing.
        species: Integer kind of each point (an atomic number, say), or None if all are alike.
        num_clouds: Number of clouds; by default read off ``batch``.

    Raises:
        ValueError: If shapes, types or devices do not fit together.

    Example:
        >>> water = torch.tensor([[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.48]])
        >>> len(PointClouds(water, torch.zeros(3, dtype=torch.long), species=torch.tensor([8, 1, 1])))
        1
    """

    position: Float[Tensor, "N d"]
    batch: Int[Tensor, "N"]
    species: Int[Tensor, "N"] | None = None
    num_clouds: int = -1
    words: ClassVar[tuple[str, str]] = ("cloud", "point")

    def __post_init__(self) -> None:
        if self.position.dim() != 2 or self.position.shape[1] not in (2, 3):
            raise ValueError(f"position must have shape [N, 3] or [N, 2]; got {list(self.position.shape)}")
        if not self.position.is_floating_point():
            raise ValueError(f"position must hold floating-point numbers; got {self.position.dtype}")
        for name in ("batch", "species"):
            value = getattr(self, name)
            if value is None:
                continue
            if value.shape != (self.num_points,):
                raise ValueError(f"{name} must have shape [{self.num_points}]; got {list(value.shape)}")
            if value.device != self.position.device:
                raise ValueError(f"all tensors must be on one device; got {value.device} and {self.position.device}")
        self._widen_integers("batch", "species")
        if self.num_clouds < 0:
            object.__setattr__(self, "num_clouds", int(self.batch[-1]) + 1 if self.num_points else 0)

    def validate(self) -> "PointClouds":
        """Check every value, and return the batch itself.

        Raises:
            ValueError: If ``batch`` decreases or is out of range, a cloud is empty, a coordinate is not finite, or two
                points of a cloud coincide.
        """
        self.check_batch()
        self.check_finite()
        order = torch.arange(self.num_points, device=self.device)
        for key in (*self.position.T, self.batch):
            order = order[torch.argsort(key[order], stable=True)]
        same = (self.position[order].diff(dim=0) == 0).all(1) & (self.batch[order].diff() == 0)
        if bool(same.any()):
            place = int(same.nonzero()[0])
            a, b = sorted((order[place : place + 2] - self.start[order[place]]).tolist())
            cloud = int(self.batch[order[place]])
            raise ValueError(f"expected distinct positions; points {a} and {b} of cloud {cloud} coincide")
        return self

    def check_finite(self) -> None:
        """Check what every computation needs.

        Raises:
            ValueError: If a cloud is empty or a coordinate is not finite.
        """
        is_single = len(self) == 1 and self.num_points
        if len(self) and not is_single and not int(self.sizes.min()):
            cloud = int((self.sizes == 0).nonzero()[0])
            raise ValueError(f"expected at least one point in every cloud; cloud {cloud} is empty")
        # A sum is finite only if all summands are; the opposite, an overflow, is looked into.
        if not math.isfinite(self.position.detach().sum()) and not bool(self.position.isfinite().all()):
            point = int((~self.position.isfinite()).any(1).nonzero()[0])
            where = f"point {point - int(self.start[point])} of cloud {int(self.batch[point])}"
            raise ValueError(f"positions must be finite; got {self.position[point].tolist()} at {where}")

    @property
    def num_points(self) -> int:
        return self.position.shape[0]

    @property
    def dimension(self) -> int:
        return self.position.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        return self.position.dtype

    def __len__(self) -> int:
        return self.num_clouds

    @property
    def centroid(self) -> Float[Tensor, "B d"]:
        """Mean position of each cloud, regardless of species; zero for an empty cloud."""
        if self.num_clouds == 1 and self.num_points:
            return self.position.mean(0, keepdim=True)
        total = self.position.new_zeros(self.num_clouds, self.dimension).index_add(0, self.batch, self.position)
        return total / self.sizes.clamp(min=1)[:, None]

    @property
    def centered(self) -> Float[Tensor, "N d"]:
        """Positions relative to the centroid."""
        return self.position - self.centroid[self.batch]

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "PointClouds":
        """The same clouds on another device, or with positions of another floating-point type."""
        species = None if self.species is None else self.species.to(device)
        return replace(self, position=self.position.to(device, dtype), batch=self.batch.to(device), species=species)

    def select(self, indices: Sequence[int] | Int[Tensor, "k"]) -> "PointClouds":
        chosen = self._chosen(indices)
        batch, points = rows_of(chosen, self.ptr)
        species = None if self.species is None else self.species[points]
        return PointClouds(self.position[points], batch, species, len(chosen))


def concatenate(parts: Sequence[PointClouds]) -> PointClouds:
    """Join several batches into one.

    Raises:
        ValueError: If there are none, only some carry species, or dimensions differ.
    """
    if not parts:
        raise ValueError("expected at least one batch of clouds; got none")
    if len(dimensions := {part.dimension for part in parts}) > 1:
        raise ValueError(f"all batches must have one dimension; got {sorted(dimensions)}")
    shift, batch = 0, []
    for part in parts:
        batch.append(part.batch + shift)
        shift += part.num_clouds
    position = torch.cat([part.position for part in parts])
    return PointClouds(position, torch.cat(batch), joined(parts, "species"), shift)


def from_clouds(
    positions: Sequence[Sequence[Sequence[float]] | Tensor],
    species: Sequence[Sequence[int | str] | Tensor] | None = None,
    dtype: torch.dtype | None = None,
) -> PointClouds:
    """A batch from a list of coordinates and, optionally, a list of species per cloud.

    Raises:
        ValueError: If a cloud is empty or its lists do not fit together; see also :meth:`PointClouds.validate`.

    Example:
        >>> from_clouds([[[0.0, 0.0, 0.0], [0.0, 0.0, 1.1]]], species=[[6, 8]]).sizes
        tensor([2])
    """
    if isinstance(positions, Tensor) and positions.dim() != 3:
        raise ValueError(f"expected a list of clouds; got a tensor {list(positions.shape)}: put it in a list")
    if not len(positions):
        raise ValueError("expected at least one cloud; got none")
    tensors = [torch.as_tensor(p, dtype=dtype or (None if isinstance(p, Tensor) else torch.get_default_dtype()))
               for p in positions]  # fmt: skip
    for index, cloud in enumerate(tensors):
        if cloud.dim() != 2 or not len(cloud):
            raise ValueError(f"expected clouds of shape [n, 3] or [n, 2], n at least 1; got {list(cloud.shape)} "
                             f"for cloud {index}")  # fmt: skip
    sizes = torch.tensor([len(cloud) for cloud in tensors])
    if species is not None and not all(hasattr(kinds, "__len__") for kinds in species):
        raise ValueError("expected one list of species per cloud; got a list of numbers: put it in a list")
    if species is not None:
        species = [_numbers(kinds) for kinds in species]
    if species is not None and [len(kinds) for kinds in species] != sizes.tolist():
        raise ValueError(f"expected species for {sizes.tolist()} points; got {[len(kinds) for kinds in species]}")
    if len(widths := {cloud.shape[1] for cloud in tensors}) > 1:
        raise ValueError(f"all clouds must have one dimension; got {sorted(widths)}")
    position = torch.cat(tensors)
    batch = torch.repeat_interleave(torch.arange(len(tensors)), sizes).to(position.device)
    kinds = None if species is None else torch.cat([torch.as_tensor(s, device=position.device) for s in species])
    return PointClouds(position, batch, kinds, len(tensors)).validate()


def _numbers(kinds: Sequence[int | str] | Tensor) -> Sequence[int] | Tensor:
    """Species as integers, symbols of elements among them by their kind."""
    if isinstance(kinds, Tensor) or not any(isinstance(kind, str) for kind in kinds):
        return kinds  # type: ignore[return-value]
    return [kind_of_symbol(kind) if isinstance(kind, str) else int(kind) for kind in kinds]


def from_padded(
    position: Float[Tensor, "B n d"], mask: Bool[Tensor, "B n"], species: Int[Tensor, "B n"] | None = None
) -> PointClouds:
    """A batch from padded arrays; only the points where ``mask`` is True count.

    Raises:
        ValueError: If the shapes do not fit together; see also :meth:`PointClouds.validate`.
    """
    if position.dim() != 3 or mask.shape != position.shape[:2] or mask.dtype != torch.bool:
        got = f"{list(position.shape)} and {list(mask.shape)} {mask.dtype}"
        raise ValueError(f"expected positions [B, n, d] and a boolean mask [B, n]; got {got}")
    if species is not None and species.shape != mask.shape:
        raise ValueError(f"expected species of shape {list(mask.shape)}; got {list(species.shape)}")
    batch = mask.nonzero()[:, 0]
    return PointClouds(position[mask], batch, None if species is None else species[mask], len(mask)).validate()


def to_padded(
    clouds: PointClouds,
) -> tuple[Float[Tensor, "B n d"], Bool[Tensor, "B n"], Int[Tensor, "B n"] | None]:
    """Positions, mask and species, padded with zeros to the size of the largest cloud."""
    n = int(clouds.sizes.max()) if len(clouds) else 0
    place = torch.arange(clouds.num_points, device=clouds.device) - clouds.start
    position = clouds.position.new_zeros(len(clouds), n, clouds.dimension)
    position = position.index_put((clouds.batch, place), clouds.position)
    mask = torch.arange(n, device=clouds.device) < clouds.sizes[:, None]
    if clouds.species is None:
        return position, mask, None
    return position, mask, clouds.species.new_zeros(len(clouds), n).index_put((clouds.batch, place), clouds.species)
