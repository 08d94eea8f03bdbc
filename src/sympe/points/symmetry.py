r"""The symmetries of a labeled point cloud: its stabilizer in O(3) or SO(3), with its name.

Every symmetry takes any candidate frame (:mod:`sympe.points.candidates`) to a candidate frame. So the matrices
:math:`F F_0^{-1}`, over all candidates F and one candidate :math:`F_0`, include the whole stabilizer; those that take
every point close to a point of its species, one to one, are kept. Each is then replaced by the orthogonal matrix that
fits its permutation best (W. Kabsch, *A solution for the best rotation to relate two sets of vectors*, Acta Cryst. A32,
1976), which must take every point to within the tolerance of its image.

A finite stabilizer is named by its elements, in Schoenflies notation. For a linear molecule, whose stabilizer is
infinite, the matrices are one of each kind, up to rotations about the axis; for a single atom, the identity.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.groups import FiniteGroup
from sympe.groups.orthogonal import random_orthogonal
from sympe.points.candidates import candidates
from sympe.points.clouds import PointClouds, to_padded
from sympe.seeding import sample

#: The first search for symmetries uses this multiple of the tolerance.
_NET = 4.0

#: Size of one block of distances between points and moved points.
_BLOCK = 2**24


@dataclass(frozen=True, eq=False)
class Stabilizer:
    """The motions about the centroid that take a cloud to itself.

    Attributes:
        name: Schoenflies symbol: ``C2v``, ``Td``, ``Dinfh``, ``Kh``; ``Dn`` and ``Cn`` for clouds in the plane.
        matrices: The elements, the identity first; for infinite groups one per permutation of the points and sign of
            the determinant.
        permutations: The permutation of each element: point i moves to the place of point ``permutations[k, i]``.
        axis: Unit vector along a linear cloud in space, which all rotations about it preserve; None for others.
        is_isotropic: Whether all points coincide, so that every motion is a symmetry.
        special: Whether only rotations count.
        is_periodic: Whether these are symmetries of a crystal.
    """

    is_periodic: ClassVar[bool] = False

    name: str
    matrices: Float[Tensor, "m d d"]
    permutations: Int[Tensor, "m n"]
    axis: Float[Tensor, "3"] | None
    is_isotropic: bool
    special: bool

    @property
    def order(self) -> float | int:
        """Number of elements, ``inf`` for a linear molecule or a single atom."""
        return math.inf if self.axis is not None or self.is_isotropic else len(self.matrices)

    def group(self) -> FiniteGroup:
        """The finite group with these elements, in this order.

        Raises:
            ValueError: If the stabilizer is infinite.
        """
        if math.isinf(self.order):
            raise ValueError(f"expected a finite stabilizer; {self.name} is infinite")
        table = _table(self.permutations, torch.linalg.det(self.matrices) > 0)
        assert table is not None  # _distinct has checked that the elements are closed
        return FiniteGroup(table, name=self.name)

    def haar(self, count: int, generator: torch.Generator | None = None) -> Float[Tensor, "count d d"]:
        """Independent uniform elements, also of infinite groups."""
        dimension = self.matrices.shape[1]
        device, dtype = self.matrices.device, self.matrices.dtype
        if self.is_isotropic:
            return random_orthogonal(count, dimension, self.special, generator, device, dtype)
        index = sample(torch.randint, len(self.matrices), (count,), generator=generator, device=device)
        if self.axis is None:
            return self.matrices[index]
        turn = random_orthogonal(count, 2, True, generator, device, dtype)
        basis = torch.linalg.qr(torch.cat([self.axis[:, None], torch.eye(3, dtype=dtype, device=device)], 1))[0]
        block = torch.eye(3, dtype=dtype, device=device).repeat(count, 1, 1)
        block[:, 1:, 1:] = turn
        matrices: Tensor = basis @ block @ basis.T @ self.matrices[index]
        return matrices


def stabilizers(clouds: PointClouds, special: bool = False, tolerance: float = 1e-2) -> list[Stabilizer]:
    """The stabilizer of each cloud of a batch.

    Args:
        clouds: The clouds; points of one species are alike, whatever their order.
        special: Rotations only, so that mirror images count as different.
        tolerance: In angstrom. A motion is a symmetry if it takes every point to within this distance of its image.
            If the symmetries are not closed under products, the tolerance is halved until they are.

    Raises:
        ValueError: If the tolerance is not positive, or a cloud is empty, not finite or has coincident points.

    Example:
        >>> from sympe.points import from_clouds
        >>> water = from_clouds([[[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.48]]], species=[[8, 1, 1]])
        >>> [(s.name, s.order) for s in stabilizers(water)]
        [('C2v', 4)]
    """
    if not tolerance > 0:
        raise ValueError(f"tolerance must be positive; got {tolerance}")
    clouds.validate()
    results: list[Stabilizer | None] = [None] * len(clouds)
    open_clouds, now = torch.arange(len(clouds), device=clouds.device), tolerance
    while len(open_clouds):
        for index, found in zip(open_clouds.tolist(), _closed(clouds.select(open_clouds), special, now), strict=True):
            results[index] = found
        unclosed = [index for index in open_clouds.tolist() if results[index] is None]
        open_clouds, now = torch.tensor(unclosed, dtype=torch.long, device=clouds.device), now / 2
    return [result for result in results if result is not None]


def _closed(clouds: PointClouds, special: bool, tolerance: float) -> list[Stabilizer | None]:
    """Stabilizers at one tolerance; None where the symmetries are not closed under products."""
    # A frame of two points errs several times more than a fit to all points: cast a wide net first, then fit.
    found = candidates(clouds, special, tolerance, slack=_NET)
    frames = found.frames(clouds.centered.double())
    counts = torch.bincount(found.cloud, minlength=len(clouds))
    reference = (counts.cumsum(0) - counts)[found.cloud]
    motion = frames @ frames[reference].transpose(1, 2)
    image, is_symmetry = _match(clouds, found.cloud, motion, _NET * tolerance)
    # A single place has no first axis, and several points there have no order: keep the reference frame alone.
    is_symmetry |= (found.span[found.cloud] == 0) & (torch.arange(len(frames), device=frames.device) == reference)
    motion, image, cloud = motion[is_symmetry], image[is_symmetry], found.cloud[is_symmetry]
    sizes, spans = clouds.sizes.tolist(), found.span.tolist()
    ends = torch.bincount(cloud, minlength=len(clouds)).cumsum(0).tolist()
    position = clouds.centered.double().split(sizes)
    results: list[Stabilizer | None] = []
    for index, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        matrices, permutations = motion[start:end], image[start:end, : sizes[index]]
        results.append(_stabilizer(position[index], spans[index], matrices, permutations, special, tolerance))
    return results


def _match(
    clouds: PointClouds, cloud: Int[Tensor, "C"], motion: Float[Tensor, "C d d"], tolerance: float
) -> tuple[Int[Tensor, "C n"], Bool[Tensor, "C"]]:
    """The image of each point under each motion, and whether the motion is a symmetry."""
    position, mask, species = to_padded(clouds.to(dtype=torch.float64))
    position = (position - clouds.centroid.double()[:, None]) * mask[..., None]
    n = mask.shape[1]
    images, fits = [], []
    for part, moved_by in zip(*(t.split(max(1, _BLOCK // max(1, n * n))) for t in (cloud, motion)), strict=True):
        points, there = position[part], mask[part]
        moved = points @ moved_by.transpose(1, 2)
        distance = torch.cdist(moved, points, compute_mode="donot_use_mm_for_euclid_dist")
        distance = distance.masked_fill(~there[:, None, :], torch.inf)
        if species is not None:
            kind = species[part]
            distance = distance.masked_fill(kind[:, :, None] != kind[:, None, :], torch.inf)
        nearest, image = distance.min(2)
        nearest = nearest.masked_fill(~there, 0)
        image = torch.where(there, image, torch.arange(n, device=image.device))
        is_onto = (image.sort(1).values == torch.arange(n, device=image.device)).all(1)
        images.append(image)
        fits.append(is_onto & (nearest <= tolerance).all(1))
    return torch.cat(images), torch.cat(fits)


def _stabilizer(
    position: Float[Tensor, "n d"],
    span: int,
    matrices: Float[Tensor, "m d d"],
    permutations: Int[Tensor, "m n"],
    special: bool,
    tolerance: float,
) -> Stabilizer | None:
    """The stabilizer from the motions of one cloud, possibly with repeats; None if they are not closed."""
    dimension = position.shape[1]
    if span == 0:
        name = ("S" * special + "O2") if dimension == 2 else "K" if special else "Kh"
        identity = torch.arange(len(position), device=position.device)[None]
        return Stabilizer(name, torch.eye(dimension, **_kind(position))[None], identity, None, True, special)
    if len(matrices) > 1:
        reduced = _distinct(position, matrices, permutations, tolerance)
        if reduced is None:
            return None
        matrices, permutations, is_proper, table = reduced
    else:
        is_proper, table = torch.ones(1) > 0, torch.zeros(1, 1, dtype=torch.long)
    if dimension == 3 and span == 1:
        axis = position[position.norm(dim=1).argmax()]
        is_swapped = bool((permutations != permutations[0]).any())
        name = ("Dinf" if is_swapped else "Cinf") + ("" if special else "h" if is_swapped else "v")
        return Stabilizer(name, matrices, permutations, axis / axis.norm(), False, special)
    name = _plane_name(is_proper) if dimension == 2 else schoenflies(matrices, is_proper, table)
    return Stabilizer(name, matrices, permutations, None, False, special)


def _distinct(
    position: Float[Tensor, "n d"],
    matrices: Float[Tensor, "k d d"],
    permutations: Int[Tensor, "k n"],
    tolerance: float,
) -> tuple[Float[Tensor, "m d d"], Int[Tensor, "m n"], Bool[Tensor, "m"], Int[Tensor, "m m"]] | None:
    """The motions without repeats, whether each is proper, and their table; None if they are not closed."""
    is_proper = torch.linalg.det(matrices) > 0
    # Permutation and determinant identify the motion (up to rotations about the axis, for a line in space).
    keys = torch.cat([~is_proper[:, None], permutations], dim=1)
    keys, repeat = torch.unique(keys, dim=0, return_inverse=True)
    first = torch.full((len(keys),), len(matrices), device=repeat.device)
    first = first.scatter_reduce(0, repeat, torch.arange(len(repeat), device=repeat.device), "amin").sort().values
    permutations, is_proper = permutations[first], is_proper[first]
    matrices = best_fit(position, position[permutations], is_proper)
    error = (position @ matrices.transpose(1, 2) - position[permutations]).norm(dim=2).amax(1)
    matrices, permutations, is_proper = (t[error <= tolerance] for t in (matrices, permutations, is_proper))
    table = _table(permutations, is_proper)
    if table is None:
        return None
    return matrices, permutations, is_proper, table


def _kind(like: Tensor) -> dict[str, Any]:
    return {"dtype": like.dtype, "device": like.device}


def _table(permutations: Int[Tensor, "m n"], is_proper: Bool[Tensor, "m"]) -> Int[Tensor, "m m"] | None:
    """The number of each product; None if one is missing."""
    m, n = permutations.shape
    elements = zip(permutations.tolist(), is_proper.tolist(), strict=True)
    number = {(*row, proper): i for i, (row, proper) in enumerate(elements)}
    products = permutations[:, permutations].reshape(m * m, n)  # [i, j, a] = permutation i of permutation j of a
    signs = (is_proper[:, None] == is_proper).reshape(-1)
    found = [number.get((*row, sign), -1) for row, sign in zip(products.tolist(), signs.tolist(), strict=True)]
    table = torch.tensor(found).reshape(m, m)
    return None if bool((table < 0).any()) else table


def best_fit(
    source: Float[Tensor, "n d"], target: Float[Tensor, "m n d"], is_proper: Bool[Tensor, "m"]
) -> Float[Tensor, "m d d"]:
    """The orthogonal matrices of given determinants that take each point nearest to its target."""
    left, _, right = torch.linalg.svd(target.transpose(1, 2) @ source)
    sign = torch.ones(left.shape[:2], **_kind(source))
    sign[:, -1] = torch.linalg.det(left) * torch.linalg.det(right) * (2 * is_proper - 1)
    nearest: Tensor = (left * sign[:, None]) @ right
    return nearest


def _plane_name(is_proper: Bool[Tensor, "m"]) -> str:
    rotations = int(is_proper.sum())
    return f"{'C' if rotations == len(is_proper) else 'D'}{rotations}"


def schoenflies(matrices: Float[Tensor, "m 3 3"], is_proper: Bool[Tensor, "m"], table: Int[Tensor, "m m"]) -> str:
    """Schoenflies symbol of a finite group, from the kinds of its elements."""
    order = FiniteGroup(table).element_orders().to(is_proper.device)
    rotations = int(is_proper.sum())
    highest = int(order[is_proper].max())
    trace = matrices.diagonal(dim1=1, dim2=2).sum(1)
    is_involution = ~is_proper & (order == 2)
    mirrors = int((is_involution & (trace > 0)).sum())  # trace 1; that of an inversion is -3
    has_inversion = bool((is_involution & (trace < -2)).any())
    is_chiral = rotations == len(matrices)
    polyhedral = {(12, 3): "T", (24, 4): "O", (60, 5): "I"}.get((rotations, highest))
    if polyhedral is not None:
        return polyhedral + ("" if is_chiral else "h" if has_inversion else "d")
    if rotations == 2 * highest:
        return f"D{highest}" + ("" if is_chiral else "h" if mirrors == highest + 1 else "d")
    if is_chiral:
        return f"C{highest}"
    if highest == 1:
        return "Cs" if mirrors else "Ci"
    if mirrors:
        return f"C{highest}" + ("h" if mirrors == 1 else "v")
    return f"S{2 * highest}"
