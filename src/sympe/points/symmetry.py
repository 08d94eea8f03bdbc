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
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

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
from sympe.settings import require_positive

#: The first search for symmetries uses this multiple of the tolerance.
_NET = 4.0

#: Points of each cloud that rule out most candidates before all points are tried.
_PROBES = 4

#: Extent of a cloud in tolerances, at most: double precision resolves a ten-thousandth of the tolerance there.
_MOST_TOLERANCES = 1e12


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
        assert table is not None  # _stabilizer has checked that the elements are closed
        return FiniteGroup(torch.tensor(table), name=self.name)

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
        ValueError: If the tolerance is not positive, or a cloud is empty, not finite, has coincident points, or is so
            large that its coordinates do not resolve the tolerance.

    Example:
        >>> from sympe.points import from_clouds
        >>> water = from_clouds([[[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.48]]], species=[[8, 1, 1]])
        >>> [(s.name, s.order) for s in stabilizers(water)]
        [('C2v', 4)]
    """
    require_positive(tolerance=tolerance)
    clouds.validate()
    extent = float(clouds.centered.detach().abs().max()) if clouds.num_points else 0.0
    if extent > (most := _MOST_TOLERANCES * tolerance):
        raise ValueError(
            f"expected points within {most:.3g} of the center of their cloud, as rounding allows with tolerance "
            f"{tolerance:g}; got {extent:.3g}"
        )
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
    kinds = clouds.batch.cpu().numpy()
    if clouds.species is not None:
        species = np.unique(clouds.species.cpu(), return_inverse=True)[1]
        kinds = kinds * (species.max() + 1) + species
    where = position.cpu().numpy()
    near = _Nearest(where, kinds, _NET * tolerance)
    motions = _Motions(*(t.cpu().numpy() for t in (found.cloud, motion, found.sign > 0, clouds.ptr)))
    each = motions.plausible(near).one_to_one(near).fitted(where, tolerance)
    sizes, spans = clouds.ptr.tolist(), found.span.tolist()
    return [
        _stabilizer(where[first:end], group, span, special, clouds.device)
        for first, end, group, span in zip(sizes, sizes[1:], each, spans, strict=False)
    ]


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


class _Nearest:
    """Which point of its cloud and kind is near a place."""

    def __init__(self, where: NDArray[np.float64], kinds: NDArray[np.int64], net: float) -> None:
        from scipy.spatial import cKDTree  # slow to import

        self.where, self.net = where, net
        # Kinds are a separate axis, along which they are farther apart than the net.
        self.apart = 2 * net * kinds[:, None]
        self.tree = cKDTree(np.hstack([where, self.apart]))

    def to(self, matrices: NDArray[np.float64], point: NDArray[np.int64]) -> NDArray[np.int64]:
        """The point nearest to where each motion takes a point; the number of points if none is near."""
        moved = np.einsum("rij,rj->ri", matrices, self.where[point])
        nearest: NDArray[np.int64] = self.tree.query(
            np.hstack([moved, self.apart[point]]), distance_upper_bound=self.net
        )[1]
        return nearest


Group = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]


@dataclass(frozen=True)
class _Motions:
    """Motions of the clouds of a batch, cloud after cloud. A *row* is a motion and a point of its cloud.

    Attributes:
        cloud: The cloud of each motion.
        matrices: The motions.
        is_proper: Whether the determinant is 1.
        ptr: The first point of each cloud, and the number of points at the end.
        image: The point that the motion takes the point of each row to.
    """

    cloud: NDArray[np.int64]
    matrices: NDArray[np.float64]
    is_proper: NDArray[np.bool_]
    ptr: NDArray[np.int64]
    image: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @cached_property
    def rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Motion and point of each row, and the first row of each motion."""
        place, point = (t.numpy() for t in rows_of(torch.from_numpy(self.cloud), torch.from_numpy(self.ptr)))
        return place, point, np.searchsorted(place, np.arange(len(self.cloud)))

    def plausible(self, near: _Nearest) -> "_Motions":
        """Those that take a few points near one of their kind."""
        kept = np.arange(len(self.cloud))
        for probe in range(_PROBES):
            first, end = self.ptr[self.cloud[kept]], self.ptr[self.cloud[kept] + 1]
            kept = kept[near.to(self.matrices[kept], first + probe % (end - first)) < len(near.where)]
        return _Motions(self.cloud[kept], self.matrices[kept], self.is_proper[kept], self.ptr)

    def one_to_one(self, near: _Nearest) -> "_Motions":
        """Those that take all points near one of their kind, one to one; one of each permutation and determinant."""
        place, point, first = self.rows
        image = near.to(self.matrices[place], point)
        is_hit = np.zeros(len(image) + 1, bool)
        is_hit[np.where(image < len(near.where), first[place] + image - self.ptr[self.cloud[place]], -1)] = True
        # These identify the motion (up to rotations about the axis, for a line in space).
        chosen: dict[tuple[bool, bytes], int] = {}
        text, bounds, signs = image.tobytes(), (8 * np.append(first, len(image))).tolist(), self.is_proper.tolist()
        for k in np.flatnonzero(np.logical_and.reduceat(is_hit[:-1], first)).tolist():
            chosen.setdefault((signs[k], text[bounds[k] : bounds[k + 1]]), k)
        kept, image = list(chosen.values()), np.frombuffer(b"".join(images for _, images in chosen), np.int64)
        return _Motions(self.cloud[kept], self.matrices[kept], self.is_proper[kept], self.ptr, image)

    def fitted(self, where: NDArray[np.float64], tolerance: float) -> Iterator[Group]:
        """For each cloud the motions that fit their permutations, if no point errs by more than the tolerance."""
        place, point, first = self.rows
        target, source = where[self.image], where[point]
        cross = np.add.reduceat(target[:, :, None] * source[:, None], first)
        matrices = _nearest(torch.from_numpy(cross), torch.from_numpy(self.is_proper)).numpy()
        error = np.einsum("rij,rj->ri", matrices[place], source) - target
        is_close = np.maximum.reduceat((error**2).sum(1), first) <= tolerance**2
        ends = np.bincount(self.cloud, minlength=len(self.ptr) - 1).cumsum().tolist()
        for start, end, before, size in zip([0, *ends], ends, self.ptr, np.diff(self.ptr), strict=False):
            kept = is_close[start:end]
            images = self.image[first[start] :][: size * (end - start)].reshape(-1, size) - before
            yield matrices[start:end][kept], self.is_proper[start:end][kept], images[kept]


def _stabilizer(
    position: NDArray[np.float64], group: Group, span: int, special: bool, device: torch.device
) -> Stabilizer | None:
    """The stabilizer from the symmetries of one cloud; None if they are not closed."""
    (n, dimension), (matrices, is_proper, permutations) = position.shape, group
    axis = None
    if span == 0 or len(matrices) <= 1:  # a single place has no axis, and its points no order: the identity
        matrices, is_proper, permutations = np.eye(dimension)[None], np.ones(1, bool), np.arange(n)[None]
    table = _table(permutations, is_proper)
    if table is None:
        return None
    if span == 0:
        name = ("S" * special + "O2") if dimension == 2 else "K" if special else "Kh"
    elif dimension == 3 and span == 1:
        farthest = position[np.linalg.norm(position, axis=1).argmax()]
        axis = torch.from_numpy(farthest / np.linalg.norm(farthest)).to(device)
        is_swapped = bool((permutations != permutations[0]).any())
        name = ("Dinf" if is_swapped else "Cinf") + ("" if special else "h" if is_swapped else "v")
    else:
        name = _plane_name(is_proper) if dimension == 2 else schoenflies(matrices, is_proper, table)
    elements, images = (torch.from_numpy(part).to(device) for part in (matrices, permutations))
    return Stabilizer(name, elements, images, axis, span == 0, special)


def _table(permutations: NDArray[np.int64], is_proper: NDArray[np.bool_]) -> list[list[int]] | None:
    """The number of each product, the identity being the first element; None if one is missing."""

    def named(several: NDArray[np.int64], signs: NDArray[np.bool_]) -> list[tuple[bool, bytes]]:
        text, width = several.tobytes(), several.itemsize * several.shape[1]
        return [(sign, text[k * width : (k + 1) * width]) for k, sign in enumerate(signs.tolist())]

    number = {name: k for k, name in enumerate(named(permutations, is_proper))}
    table: dict[int, list[int]] = {0: list(range(len(number)))}
    generators: list[list[int]] = []
    for k in range(len(number)):
        if k in table:
            continue
        products = named(permutations[k][permutations], is_proper == is_proper[k])
        row = [number.get(name, -1) for name in products]
        if -1 in row:
            return None
        generators.append(row)
        # All other products are products of these: (g a) b = g (a b).
        latest = list(table)
        while latest:
            fresh = {row[a]: (row, a) for row in generators for a in latest if row[a] not in table}
            table |= {k: [row[b] for b in table[a]] for k, (row, a) in fresh.items()}
            latest = list(fresh)
    return [table[k] for k in range(len(number))]


def best_fit(
    source: Float[Tensor, "n d"], target: Float[Tensor, "m n d"], is_proper: Bool[Tensor, "m"]
) -> Float[Tensor, "m d d"]:
    """The orthogonal matrices of given determinants that take each point nearest to its target."""
    return _nearest(target.transpose(1, 2) @ source, is_proper)


def _nearest(cross: Float[Tensor, "m d d"], is_proper: Bool[Tensor, "m"]) -> Float[Tensor, "m d d"]:
    """The orthogonal matrices of given determinants nearest to others."""
    left, _, right = torch.linalg.svd(cross)
    sign = torch.ones(left.shape[:2], dtype=cross.dtype, device=cross.device)
    sign[:, -1] = torch.linalg.det(left) * torch.linalg.det(right) * (2 * is_proper - 1)
    nearest: Tensor = (left * sign[:, None]) @ right
    return nearest


def _plane_name(is_proper: NDArray[np.bool_]) -> str:
    rotations = int(is_proper.sum())
    return f"{'C' if rotations == len(is_proper) else 'D'}{rotations}"


def schoenflies(matrices: NDArray[np.float64], is_proper: NDArray[np.bool_], table: list[list[int]]) -> str:
    """Schoenflies symbol of a finite group, from the kinds of its elements."""
    elements = list(
        zip(_element_orders(table), is_proper.tolist(), np.einsum("mii->m", matrices).tolist(), strict=True)
    )
    rotations = sum(proper for _, proper, _ in elements)
    highest = max(order for order, proper, _ in elements if proper)
    involutions = [trace for order, proper, trace in elements if order == 2 and not proper]
    mirrors = sum(trace > 0 for trace in involutions)  # trace 1; that of an inversion is -3
    has_inversion = any(trace < -2 for trace in involutions)
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


def _element_orders(table: list[list[int]]) -> list[int]:
    """The least power of each element that is the identity, the only element that is its own square."""
    identity, orders = next(k for k, row in enumerate(table) if row[k] == k), []
    for k, row in enumerate(table):
        power, order = k, 1
        while power != identity:
            power, order = row[power], order + 1
        orders.append(order)
    return orders
