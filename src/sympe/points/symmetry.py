r"""The symmetries of a labeled point cloud: its stabilizer in O(3) or SO(3), with its name.

Every symmetry takes any candidate frame (:mod:`sympe.points.candidates`) to a candidate frame. So the matrices
:math:`F F_0^{-1}`, over all candidates F and one candidate :math:`F_0`, include the whole stabilizer; those that take
every point close to a point of its species, one to one, are kept. A few points rule out nearly all others; the rest are
tried on all points, by a search tree. Each is then replaced by the orthogonal matrix that fits its permutation best (W.
Kabsch, *A solution for the best rotation to relate two sets of vectors*, Acta Cryst. A32, 1976), which must take every
point to within the tolerance of its image.

A finite stabilizer is named by its elements, in Schoenflies notation. For a linear molecule, whose stabilizer is
infinite, the matrices are one of each kind, up to rotations about the axis; for a single atom, the identity.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from sympe.groups import FiniteGroup
from sympe.groups.orthogonal import random_orthogonal
from sympe.points.candidates import Candidates, candidates, dot
from sympe.points.clouds import PointClouds
from sympe.ragged import rows_of
from sympe.seeding import sample

#: The first search for symmetries uses this multiple of the tolerance.
_NET = 4.0

#: Points of each cloud that rule out most candidates before all points are tried.
_PROBES = 4


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
        table = _table(self.permutations.cpu().numpy(), (torch.linalg.det(self.matrices) > 0).cpu().numpy())
        assert table is not None  # _distinct has checked that the elements are closed
        return FiniteGroup(torch.from_numpy(table), name=self.name)

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
    position = clouds.centered.detach().double()
    found = _alike(candidates(clouds, special, tolerance, slack=_NET), clouds, position, _NET * tolerance)
    frames = found.frames(position)
    motion = frames @ frames[_first_of_cloud(found)].transpose(1, 2)
    kept = _plausible(clouds, position, found, motion, _NET * tolerance)
    ends = torch.bincount(found.cloud[kept], minlength=len(clouds)).cumsum(0).tolist()
    matrices, is_proper = (t[kept].cpu().numpy() for t in (motion, found.sign > 0))
    where, ptr, spans = position.cpu().numpy(), clouds.ptr.tolist(), found.span.tolist()
    kinds = np.zeros(len(where)) if clouds.species is None else np.unique(clouds.species.cpu(), return_inverse=True)[1]
    results: list[Stabilizer | None] = []
    for index, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        points, some = slice(ptr[index], ptr[index + 1]), slice(start, end)
        of_cloud = _Cloud(where[points], kinds[points], spans[index], clouds.device)
        results.append(_stabilizer(of_cloud, matrices[some], is_proper[some], special, tolerance))
    return results


def _first_of_cloud(found: Candidates) -> Int[Tensor, "C"]:
    counts = torch.bincount(found.cloud)
    return (counts.cumsum(0) - counts)[found.cloud]


def _alike(found: Candidates, clouds: PointClouds, position: Float[Tensor, "N d"], net: float) -> Candidates:
    """The candidates whose two points are of the same species and as far apart as those of the first candidate."""
    reference, ends = _first_of_cloud(found), (found.first, found.second)
    first, second = (position.index_select(0, end) for end in ends)
    along = dot(first, second) / dot(first, first).sqrt().clamp(min=net)
    is_alike = (along - along[reference]).abs() <= net
    if clouds.species is not None:
        for end in ends:
            is_alike &= clouds.species[end] == clouds.species[end[reference]]
    return found.select(is_alike.nonzero()[:, 0])


def _plausible(
    clouds: PointClouds, position: Float[Tensor, "N d"], found: Candidates, motion: Float[Tensor, "C d d"], net: float
) -> Int[Tensor, "k"]:
    """The motions that take each of a few points of their cloud near a point of its species; not all are symmetries."""
    kept = torch.arange(len(motion), device=motion.device)
    for probe in range(_PROBES):
        cloud = found.cloud[kept]
        point = clouds.ptr[cloud] + probe % clouds.sizes[cloud]
        moved = (motion[kept] @ position[point][:, :, None])[:, :, 0]
        place, other = rows_of(cloud, clouds.ptr)
        step = position.index_select(0, other) - moved.index_select(0, place)
        is_near = dot(step, step) <= net**2
        if clouds.species is not None:
            is_near &= clouds.species[other] == clouds.species[point][place]
        kept = kept[torch.zeros_like(kept).index_add_(0, place, is_near.long()) > 0]
    return kept


@dataclass(frozen=True)
class _Cloud:
    """One cloud about its centroid, with numbers for its species, and what it spans."""

    position: NDArray[np.float64]
    kinds: NDArray[Any]
    span: int
    device: torch.device

    def images(self, matrices: NDArray[np.float64], net: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The image of each point under each motion, and whether the motion takes all points near one, one to one."""
        from scipy.spatial import cKDTree  # slow to import

        n = len(self.position)
        # Species are a separate axis, along which kinds are farther apart than the net.
        apart = np.broadcast_to(2 * net * self.kinds[:, None], (n, 1))
        tree = cKDTree(np.hstack([self.position, apart]))
        moved = self.position @ matrices.transpose(0, 2, 1)
        moved = np.concatenate([moved, np.broadcast_to(apart, (len(matrices), n, 1))], axis=2)
        image = tree.query(moved, distance_upper_bound=net)[1]
        return image, (np.sort(image, axis=1) == np.arange(n)).all(1)


def _stabilizer(
    cloud: _Cloud, matrices: NDArray[np.float64], is_proper: NDArray[np.bool_], special: bool, tolerance: float
) -> Stabilizer | None:
    """The stabilizer from the motions of one cloud, possibly with repeats; None if they are not closed."""
    n, dimension = cloud.position.shape
    permutations, table, axis = np.arange(n)[None], np.zeros((1, 1), np.int64), None
    if cloud.span == 0 or len(matrices) == 1:  # a single place has no axis, and its points no order: the identity
        matrices, is_proper = np.eye(dimension)[None], np.ones(1, bool)
    else:
        reduced = _distinct(cloud, matrices, is_proper, tolerance)
        if reduced is None:
            return None
        matrices, permutations, is_proper, table = reduced
    if cloud.span == 0:
        name = ("S" * special + "O2") if dimension == 2 else "K" if special else "Kh"
    elif dimension == 3 and cloud.span == 1:
        farthest = cloud.position[np.linalg.norm(cloud.position, axis=1).argmax()]
        axis = torch.from_numpy(farthest / np.linalg.norm(farthest)).to(cloud.device)
        is_swapped = bool((permutations != permutations[0]).any())
        name = ("Dinf" if is_swapped else "Cinf") + ("" if special else "h" if is_swapped else "v")
    else:
        name = _plane_name(is_proper) if dimension == 2 else schoenflies(matrices, is_proper, table)
    elements, images = (torch.from_numpy(part).to(cloud.device) for part in (matrices, permutations))
    return Stabilizer(name, elements, images, axis, cloud.span == 0, special)


def _distinct(
    cloud: _Cloud, matrices: NDArray[np.float64], is_proper: NDArray[np.bool_], tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]] | None:
    """The symmetries among the motions, without repeats, their permutations, whether each is proper, and their table.

    None if they are not closed under products.
    """
    permutations, is_symmetry = cloud.images(matrices, _NET * tolerance)
    permutations, is_proper = permutations[is_symmetry], is_proper[is_symmetry]
    # Permutation and determinant identify the motion (up to rotations about the axis, for a line in space).
    rows = np.column_stack([~is_proper, permutations])  # compared byte by byte, which is faster than axis=0
    first = np.sort(np.unique(rows.view(f"V{rows.itemsize * rows.shape[1]}")[:, 0], return_index=True)[1])
    permutations, is_proper = permutations[first], is_proper[first]
    fit = (cloud.position, cloud.position[permutations], is_proper)
    matrices = best_fit(*(torch.from_numpy(part) for part in fit)).numpy()
    error = cloud.position @ matrices.transpose(0, 2, 1) - cloud.position[permutations]
    kept = ((error**2).sum(2) <= tolerance**2).all(1)
    permutations, is_proper = permutations[kept], is_proper[kept]
    table = _table(permutations, is_proper)
    return None if table is None else (matrices[kept], permutations, is_proper, table)


def _table(permutations: NDArray[np.int64], is_proper: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """The number of each product; None if one is missing."""
    m, n = permutations.shape
    # The images of a few points, a base, tell all elements apart. Products are looked up by them.
    code, products, count = is_proper.astype(int), (is_proper[:, None] == is_proper).astype(int), 0
    for point in range(n):
        named = code * n + permutations[:, point]
        names = np.unique(named)
        if len(names) > count:
            code, count = np.searchsorted(names, named), len(names)
            named = products * n + permutations[:, permutations[:, point]]
            products = np.searchsorted(names, named).clip(max=count - 1)
            if (names[products] != named).any():
                return None
        if count == m:
            break
    table: NDArray[np.int64] = np.argsort(code)[products]
    # The rest of each product with generators; all products are products of these.
    for generator in _generators(table):
        if (permutations[generator][permutations] != permutations[table[generator]]).any():
            return None
    return table


def _generators(table: NDArray[np.int64]) -> list[int]:
    """A few elements that all others are products of."""
    found: list[int] = []
    is_product = np.arange(len(table)) == 0
    while not is_product.all():
        found.append(int(is_product.argmin()))
        latest = np.flatnonzero(is_product)
        while len(latest):
            made = np.unique(table[found][:, latest])
            latest = made[~is_product[made]]
            is_product[latest] = True
    return found


def best_fit(
    source: Float[Tensor, "n d"], target: Float[Tensor, "m n d"], is_proper: Bool[Tensor, "m"]
) -> Float[Tensor, "m d d"]:
    """The orthogonal matrices of given determinants that take each point nearest to its target."""
    left, _, right = torch.linalg.svd(target.transpose(1, 2) @ source)
    sign = torch.ones(left.shape[:2], dtype=source.dtype, device=source.device)
    sign[:, -1] = torch.linalg.det(left) * torch.linalg.det(right) * (2 * is_proper - 1)
    nearest: Tensor = (left * sign[:, None]) @ right
    return nearest


def _plane_name(is_proper: NDArray[np.bool_]) -> str:
    rotations = int(is_proper.sum())
    return f"{'C' if rotations == len(is_proper) else 'D'}{rotations}"


def schoenflies(matrices: NDArray[np.float64], is_proper: NDArray[np.bool_], table: NDArray[np.int64]) -> str:
    """Schoenflies symbol of a finite group, from the kinds of its elements."""
    order = _element_orders(table)
    rotations = int(is_proper.sum())
    highest = int(order[is_proper].max())
    trace = np.trace(matrices, axis1=1, axis2=2)
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


def _element_orders(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """The least power of each element that is the identity, the only element that is its own square."""
    every = np.arange(len(table))
    power, order = every, np.ones_like(every)
    while (moving := table[power, power] != power).any():
        power, order = np.where(moving, table[power, every], power), order + moving
    return order
