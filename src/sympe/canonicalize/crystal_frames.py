r"""Frames of crystals: which rotation and which relabeling take the canonical form to the crystal.

A crystal has an equivariant set of descriptions (M, o): a candidate basis M of its lattice
(:mod:`sympe.crystals.bases`) and an origin o, any site of its rarest species. Site i then has fractional coordinates
:math:`f_i = (x_i - x_o) M^{-1}`, which :math:`E(f) = (\cos 2 \pi f_a, \sin 2 \pi f_a)_{a = 1, 2, 3}` embeds without a
seam (across the periodic directions M holds vectors longer than the crystal is wide). As for clouds of points
(:mod:`sympe.canonicalize.frames`), the canonical form minimizes

.. math:: \Phi_1(M, o) = \frac 1 {\sqrt n} \sum_i \cos\bigl(\omega_1 \cdot E(f_i) + \theta_1(s_i)\bigr)

with ties broken by :math:`\Phi_2` and so on, for fixed generic :math:`\omega_k`. Values tie if errors of half the
tolerance in places explain what they differ by, or if such values connect them. If sites carry vectors, further
functions follow, with their components in the frame of M inside the cosine, and low :math:`\omega_k`. What remains is
one coset of the space group modulo the lattice of the cell, each description equally often, and one is drawn at random.

The drawn description orders the sites, by species and then along a generic direction of E, and its frame is the
rotation. A translation that is a symmetry changes the origin, hence the order: both kinds of symmetry break at once.
With time reversal every description comes twice, with moments as they are and flipped.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.actions.crystals import CrystalMotion
from sympe.canonicalize.base import Canonicalizer
from sympe.canonicalize.frames import draw_one
from sympe.crystals import Crystals
from sympe.crystals.bases import candidate_bases, frames_of
from sympe.groups import Permutation
from sympe.groups.product import Elements
from sympe.points.candidates import dot, greatest
from sympe.precision import at_least_single
from sympe.ragged import rows_of
from sympe.settings import require_positive

#: Lengths of the frequencies: low ones are robust, high ones tell sites of large cells and mirror images of centered
#: cubic ones apart.
_LENGTHS = (4, 5, 7, 8, 10, 11, 13, 17, 19, 23, 26, 29, 31, 6, 9, 12, 15, 18, 21, 24)
#: Frequencies of places, and of vectors in units of the longest: low ones, so that errors matter little.
_WITH_VECTORS = tuple((0.5 + k % 2 / 2, 1 + k % 3 / 2) for k in range(36))
#: Most pairs of a description and a site that are held at once, and that are tried for one crystal.
_BLOCK, _MOST = 2**17, 2**28


class Descriptions(NamedTuple):
    """Ways to see crystals: whose each is, a basis of the lattice, a site as origin, and whether moments are flipped.

    The crystals are non-decreasing.
    """

    crystal: Int[Tensor, "C"]
    basis: Float[Tensor, "C 3 3"]
    origin: Int[Tensor, "C"]
    reverses_time: Int[Tensor, "C"]

    def at(self, kept: Int[Tensor, "k"]) -> "Descriptions":
        return Descriptions(*(column[kept] for column in self))


class CrystalFrames(Canonicalizer[Elements, Crystals]):
    """Exact frames of crystals for relabelings together with O(3) or SO(3), on any device.

    Under the kernel the pair of a permutation and a matrix is uniform on a coset of the space group modulo the lattice
    of the cell: the point group, times the translations that a supercell adds. It depends neither on the origin nor on
    the choice of lattice vectors.

    Args:
        special: Rotations only, so that mirror images count as different.
        tolerance: In angstrom; lengths and places closer than this are equal.
        time_reversal: Whether elements may flip all moments besides. They are then triples, whose third member is 1 if
            they do; without moments each is as likely.

    Raises:
        ValueError: If the tolerance is not positive, a crystal is not valid, or it has too many sites.

    Example:
        >>> import sympe
        >>> from sympe.crystals import from_cells
        >>> salt = from_cells([[[0, 2.8, 2.8], [2.8, 0, 2.8], [2.8, 2.8, 0]]], [[[0, 0, 0], [0.5] * 3]], [["Na", "Cl"]])
        >>> permutation, matrix = sympe.InversionKernel(CrystalFrames())(salt, torch.Generator().manual_seed(0))
        >>> permutation.rank.tolist(), matrix.shape
        ([0, 1], torch.Size([1, 3, 3]))
    """

    def __init__(self, special: bool = False, tolerance: float = 1e-2, time_reversal: bool = False) -> None:
        super().__init__()
        require_positive(tolerance=tolerance)
        self.action = CrystalMotion(special, time_reversal)
        self.special = special
        self.tolerance = tolerance
        self.time_reversal = time_reversal

    def forward(self, x: Crystals, generator: torch.Generator | None = None) -> Elements:
        x.check_finite()
        ways = self.tied(x)
        return self._elements(x, ways.at(draw_one(ways.crystal, len(x), generator)))

    def equally_likely(self, x: Crystals) -> tuple[Crystals, Elements]:
        """The coset of the stabilizer, in double precision."""
        ways = self.tied(x)
        copies = x.select([0] * len(ways.crystal)).to(dtype=torch.float64)
        first = torch.arange(len(copies), device=x.device)
        ways = ways._replace(crystal=first, origin=ways.origin + first * x.sites.num_points)
        return copies, self._elements(copies, ways)

    def tied(self, x: Crystals) -> Descriptions:
        """The descriptions that show the canonical form."""
        with torch.no_grad():
            crystal, basis = candidate_bases(x, self.special, self.tolerance)
            rare = _is_rarest(x).nonzero()[:, 0]
            counts = torch.bincount(x.batch[rare], minlength=len(x))
            if len(x) and int((torch.bincount(crystal) * counts * x.sizes).max()) > _MOST:
                raise ValueError(f"expected crystals of fewer sites; got {int(x.sizes.max())}: take a smaller cell")
            pair = torch.repeat_interleave(torch.arange(len(crystal), device=x.device), counts[crystal])
            first = torch.repeat_interleave(counts[crystal].cumsum(0) - counts[crystal], counts[crystal])
            place = torch.arange(len(pair), device=x.device) - first
            origin = rare[(counts.cumsum(0) - counts)[crystal[pair]] + place]
            ways = Descriptions(crystal[pair], basis[pair], origin, torch.zeros_like(pair))
            if self.time_reversal:
                ways = ways.at(torch.arange(2 * len(pair), device=x.device) // 2)
                ways = ways._replace(reverses_time=torch.arange(2 * len(pair), device=x.device) % 2)
            rounds = [(length, 0.0) for length in _LENGTHS] + list(_WITH_VECTORS if x.vectors() else ())
            for k, lengths in enumerate(rounds):
                places = torch.arange(len(ways.crystal), device=x.device)
                parts = places.split(max(1, _BLOCK // int(x.sizes.max())))
                found = [_values(x, ways.at(part), k, *lengths) for part in parts]
                value, slope = (torch.cat(column) for column in zip(*found, strict=True))
                ways = ways.at(_least_cluster(value, self.tolerance / 2 * slope, ways.crystal))
            return ways

    def _elements(self, x: Crystals, ways: Descriptions) -> Elements:
        """The elements that show the sites of each crystal in its one description."""
        site = torch.arange(len(x.batch), device=x.device)
        embedded = _embedded(x, ways.basis, ways.origin, x.batch, site)
        # Sines of different integers have no rational relations (Lindemann and Weierstrass), by which places at halves
        # and quarters of the cell would tie.
        order = torch.argsort(embedded @ torch.arange(1, 7, device=embedded.device, dtype=embedded.dtype).sin())
        for key in (x.species, x.batch):
            order = order[torch.argsort(key[order], stable=True)]
        time = (ways.reverses_time,) if self.time_reversal else ()
        return Permutation.trusted(order, x), frames_of(ways.basis).to(at_least_single(x.dtype)), *time


def _least_cluster(
    value: Float[Tensor, "C"], error: Float[Tensor, "C"], crystal: Int[Tensor, "C"]
) -> Int[Tensor, "kept"]:
    """The descriptions up to the first gap between the values of each crystal that errors do not explain."""
    order = torch.argsort(value)
    order = order[torch.argsort(crystal[order], stable=True)]
    value, error, owner = value[order], error[order], crystal[order]
    is_first = torch.ones_like(owner, dtype=torch.bool)
    is_first[1:] = owner.diff() > 0
    is_gap = torch.zeros_like(is_first)
    is_gap[1:] = (value.diff() > error[1:] + error[:-1]) & ~is_first[1:]
    gaps = is_gap.cumsum(0)
    before = gaps[is_first][is_first.cumsum(0) - 1]
    return order[gaps == before].sort().values


def _values(
    x: Crystals, ways: Descriptions, k: int, length: float, of_vectors: float
) -> tuple[Float[Tensor, "C"], Float[Tensor, "C"]]:
    """Phi_k of each description, and by how much it may change per angstrom that sites and vectors are off."""
    crystal, basis, origin, reverses_time = ways
    place, site = rows_of(crystal, x.sites.ptr)
    embedded = _embedded(x, basis, origin, place, site)
    frequency = _frequency(length, k, embedded)
    angle = embedded @ frequency + x.species[site].double() * (2.399963 + 1.094213 * k)
    slope = 4 * torch.pi * length / basis.norm(dim=2).amin(1)
    frame = frames_of(basis)
    for axial, vector in ((True, x.moment), (False, x.displacement)):
        if vector is not None and of_vectors:
            scale = greatest(vector.double().norm(dim=1), x.batch, len(x)).clamp(min=1e-12)[crystal]
            seen = frame @ _frequency(of_vectors, k + axial, frame)[:3] / scale[:, None]
            sign = torch.linalg.det(frame) * (1 - 2 * reverses_time) if axial else torch.ones_like(scale)
            angle = angle + dot(vector.double()[site], (sign[:, None] * seen)[place])
            slope = slope + of_vectors / scale
    # The error of the origin is common to all sites; those of other sites add up like a random walk.
    cosine, sine = embedded.split(3, dim=1)
    change = angle.sin()[:, None] * (sine * frequency[:3] - cosine * frequency[3:])
    total = embedded.new_zeros(len(crystal), 4).index_add(0, place, torch.cat([angle.cos()[:, None], change], dim=1))
    total = total / x.sizes[crystal, None].to(total.dtype).sqrt()
    of_origin = (torch.linalg.inv(basis) @ total[:, 1:, None]).norm(dim=(1, 2))
    return total[:, 0], slope + 2 * torch.pi * of_origin


def _embedded(
    x: Crystals,
    basis: Float[Tensor, "C 3 3"],
    origin: Int[Tensor, "C"],
    place: Int[Tensor, "m"],
    site: Int[Tensor, "m"],
) -> Float[Tensor, "m 6"]:
    """E of the site in the description at each place."""
    position = x.sites.position.double()
    away = position[site] - position[origin][place]
    inverse = torch.linalg.inv(basis)
    wave = 2 * torch.pi * torch.stack([dot(away, inverse[place, :, a]) for a in range(3)], dim=1)
    return torch.cat([wave.cos(), wave.sin()], dim=1)


def _is_rarest(x: Crystals) -> Bool[Tensor, "N"]:
    """The sites of the species with the fewest sites, of several such the one with the least number."""
    pair, kind, counts = torch.unique(
        torch.stack([x.batch, x.species], dim=1), dim=0, return_inverse=True, return_counts=True
    )
    fewest = -greatest(-counts.double(), pair[:, 0], len(x))
    number = pair[:, 1].double().where(counts == fewest[pair[:, 0]], torch.inf)
    least = -greatest(-number, pair[:, 0], len(x))
    is_rarest: Tensor = (number == least[pair[:, 0]])[kind]
    return is_rarest


def _frequency(length: float, k: int, like: Tensor) -> Float[Tensor, "6"]:
    """A fixed generic direction of the given length."""
    # Multiples of irrational numbers, modulo 1, are well spread: components of similar size and mixed signs.
    count = torch.arange(6 * k + 1, 6 * k + 7, device=like.device, dtype=like.dtype)
    direction = (1 + (count * 5**0.5 / 2) % 1) * torch.where((count * 2**0.5) % 1 < 0.5, 1.0, -1.0)
    scaled: Tensor = length * direction / direction.norm()
    return scaled
