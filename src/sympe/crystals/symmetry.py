r"""The symmetries of crystals: space groups modulo the lattice of the cell, with their names.

moyopy finds the operations of crystals and of slabs (K. Shinohara, *moyo*, after spglib: A. Togo, K. Shinohara,
I. Tanaka, 2018), and names them: space groups by number and symbol, slabs by their layer group, magnetic structures by
their number after Belov, Neronova and Smirnova (BNS). For a chain the candidate bases give the operations, and a rod
group its name (*International Tables E*, V. Kopsky, D. B. Litvin, 2002): the point group with its orientation, the
screw of the turns about the chain, and which mirrors along it glide. Here operations become orthogonal matrices and
permutations of sites, which act and average.

Moments and displacements that are part of a crystal leave those operations that preserve them. Time reversal is off by
default: networks equivariant under O(3) alone do not know it. With it, operations may flip all moments.
"""

import logging
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.crystals.bases import across, candidate_bases, frames_of, reduced
from sympe.crystals.crystals import Crystals
from sympe.extras import require
from sympe.groups import FiniteGroup
from sympe.points.symmetry import Stabilizer, schoenflies
from sympe.settings import require_positive

# Without a handler Python would print on stderr that moyopy leaves out what the lattice lacks.
logging.getLogger("moyo").addHandler(logging.NullHandler())

#: Most pairs of an operation and a site.
_MOST = 2**24


@dataclass(frozen=True, eq=False)
class SpaceGroup(Stabilizer):
    """The symmetries of a crystal, modulo the lattice of its cell.

    A lattice may lack symmetries of its crystal, as that of 2 x 1 x 1 cubic cells does. Elements, order and point group
    are of those that are left; name, number, Wyckoff letters and site symmetries are of the crystal itself.

    Attributes:
        point_group: Schoenflies symbol of the rotations and reflections.
        number: Number of the space group or layer group; None for chains.
        translations: The element k takes site i to ``matrices[k] @ x_i + translations[k]``, in angstrom.
        reverses_time: Whether the element flips moments besides.
        orbits: For each site the first of the sites that it is equivalent to.
        wyckoffs: Wyckoff letter of each site; empty for chains.
        site_symmetries: Site symmetry of each site, as in the International Tables; for chains in Schoenflies notation.
    """

    is_periodic: ClassVar[bool] = True

    point_group: str
    number: int | None
    translations: Float[Tensor, "m 3"]
    reverses_time: Bool[Tensor, "m"]
    orbits: list[int]
    wyckoffs: list[str]
    site_symmetries: list[str]

    def of_site(self, site: int) -> Float[Tensor, "k 3 3"]:
        """The matrices of the elements that leave a site in its place."""
        return self.matrices[self.permutations[:, site] == site]

    def group(self) -> FiniteGroup:
        """The finite group with these elements, in this order: the space group modulo the lattice of the cell.

        Raises:
            ValueError: If it is infinite: a chain of sites on one line.
        """
        if math.isinf(self.order):
            raise ValueError(f"expected a finite stabilizer; {self.name} is infinite")
        flat = self.matrices.flatten(1)
        turn = (torch.cdist(flat, flat) < 0.3).int().argmax(1)
        product = torch.cdist((self.matrices[:, None] @ self.matrices).flatten(2), flat).argmin(2)
        images, flips = self.permutations[:, self.permutations], self.reverses_time
        both = turn[product], flips[:, None] ^ flips
        number = {key: k for k, key in enumerate(_keys(turn, flips, self.permutations))}
        found = [number[key] for key in _keys(both[0].flatten(), both[1].flatten(), images.flatten(0, 1))]
        return FiniteGroup(torch.tensor(found).reshape(len(flat), -1), name=self.name)


def _keys(turn: Tensor, flips: Tensor, images: Tensor) -> list[tuple[int, ...]]:
    rows = torch.cat([turn[:, None], flips[:, None].long(), images], dim=1)
    return list(map(tuple, rows.tolist()))


def stabilizers(
    crystals: Crystals, special: bool = False, tolerance: float = 1e-2, time_reversal: bool = False
) -> list[SpaceGroup]:
    """The space group of each crystal of a batch, modulo the lattice of its cell.

    Args:
        crystals: The crystals.
        special: Rotations only, so that mirror images count as different.
        tolerance: In angstrom; an element takes every site to within this distance of its image.
        time_reversal: Whether elements may flip all moments; without moments every element then comes twice.

    Raises:
        ValueError: If a crystal is not valid, has too many sites and symmetries, or no group is found.
        ImportError: If moyopy is not installed.

    Example:
        >>> from sympe.crystals import from_cells
        >>> cells, sites = [[[0, 2.8, 2.8], [2.8, 0, 2.8], [2.8, 2.8, 0]]], [[[0, 0, 0], [0.5, 0.5, 0.5]]]
        >>> (group,) = stabilizers(from_cells(cells, sites, [["Na", "Cl"]]))
        >>> group.name, group.number, group.order, group.site_symmetries
        ('Fm-3m', 225, 48, ['m-3m', 'm-3m'])
    """
    require_positive(tolerance=tolerance)
    crystals.validate()
    every = crystals.to("cpu", torch.float64)
    return [_group(every.select([index]), special, tolerance, time_reversal) for index in range(len(every))]


def _group(x: Crystals, special: bool, tolerance: float, time_reversal: bool) -> SpaceGroup:
    found = _of_chain(x, tolerance) if int(x.pbc.sum()) == 1 else _named(x, tolerance)
    name, number, letters, symbols, matrices, translations = found
    if len(matrices) * x.sites.num_points > _MOST:
        raise ValueError(f"expected a smaller cell; got {len(matrices)} symmetries of {x.sites.num_points} sites")
    permutations, is_symmetry = _images(x, matrices, translations, 2 * tolerance if number else tolerance)
    if special:
        is_symmetry &= torch.linalg.det(matrices) > 0
    preserves, flips = _preserving(x, matrices, permutations, tolerance)
    chosen = (is_symmetry & preserves).nonzero()[:, 0]
    reverses = torch.zeros(len(chosen), dtype=torch.bool)
    if time_reversal:
        flipped = (is_symmetry & flips).nonzero()[:, 0]
        reverses = torch.cat([reverses, torch.ones(len(flipped), dtype=torch.bool)])
        chosen = torch.cat([chosen, flipped])
    matrices, translations, permutations = matrices[chosen], translations[chosen], permutations[chosen]
    axis, whole = None, name_of(matrices)
    along = torch.nn.functional.normalize(x.cell[0][x.pbc[0]], dim=1)
    if len(along) == 1 and bool((across(x).norm(dim=1) <= tolerance).all()):
        axis = along[0]
        is_turned = bool((matrices @ axis @ axis < 0).any())
        whole = ("Dinf" if is_turned else "Cinf") + ("" if special else "h" if is_turned else "v")
    name = name or f"rod group of class {whole}"
    if x.moment is not None and bool((x.moment.abs() > tolerance).any()):
        name = f"{name}, magnetic {_magnetic(x, tolerance)}" if len(along) == 3 else f"{name} with moments"
    return SpaceGroup(
        name=name,
        matrices=matrices,
        permutations=permutations,
        axis=axis,
        is_isotropic=False,
        special=special,
        point_group=whole,
        number=number,
        translations=translations,
        reverses_time=reverses,
        orbits=permutations.amin(0).tolist(),
        wyckoffs=letters,
        site_symmetries=symbols,
    )


#: Name, number, Wyckoff letters, site symmetries, matrices and translations.
_Operations = tuple[str, int | None, list[str], list[str], Tensor, Tensor]


def _named(x: Crystals, tolerance: float) -> _Operations:
    """The operations that moyopy finds, in space, the identity first."""
    moyopy = require("moyopy", "crystals", "symmetries of crystals")
    basis = x.cell[0][x.pbc[0]]
    is_slab = len(basis) == 2
    if is_slab:
        normal = torch.linalg.cross(basis[0], basis[1], dim=0)
        height = x.sites.centered.norm(dim=1).max() + 10
        basis = torch.cat([basis, height * normal[None] / normal.norm()])
    upright = (basis @ frames_of(basis[None])[0]).tolist()
    fractional = x.sites.position @ torch.linalg.inv(basis)
    cell = moyopy.Cell(upright, fractional.tolist(), x.species.tolist())
    try:
        found = (moyopy.MoyoLayerDataset if is_slab else moyopy.MoyoDataset)(cell, symprec=tolerance)
    except ValueError as error:
        raise ValueError(f"expected a crystal whose symmetries can be found to within {tolerance:g} angstrom; "
                         f"moyopy says: {error}") from None  # fmt: skip
    kind = (moyopy.LayerGroupType if is_slab else moyopy.SpaceGroupType)(found.number)
    integral = torch.tensor(found.operations.rotations, dtype=torch.float64)
    left, _, right = torch.linalg.svd(basis.T @ integral @ torch.linalg.inv(basis.T))
    matrices, shift = left @ right, torch.tensor(found.operations.translations, dtype=torch.float64) @ basis
    if is_slab:  # the height of the center is preserved; moyopy gives it modulo the third vector
        center, up = x.sites.centroid[0], normal / normal.norm()
        shift = shift + ((center - matrices @ center - shift) @ up)[:, None] * up
    name = "layer group " * is_slab + kind.hm_short.replace(" ", "")
    return name, found.number, found.wyckoffs, found.site_symmetry_symbols, matrices, shift


def _of_chain(x: Crystals, tolerance: float) -> _Operations:
    """All motions that take the first candidate basis, at the first site, to another; not all are symmetries."""
    frames = frames_of(candidate_bases(x, False, tolerance)[1])
    turns = frames @ frames[0].T
    like = (x.species == x.species[0]).nonzero()[:, 0]
    matrices = turns.repeat_interleave(len(like), dim=0)
    shift = x.sites.position[like].repeat(len(turns), 1) - matrices @ x.sites.position[0]
    image, is_symmetry = _images(x, matrices, shift, tolerance)
    image, matrices, shift = image[is_symmetry], matrices[is_symmetry], shift[is_symmetry]
    # Sites above each other give the same motion.
    same = (torch.cdist(matrices.flatten(1), matrices.flatten(1)) < 0.1) & (image[:, None] == image).all(2)
    first = same.int().argmax(1) == torch.arange(len(same))
    image, matrices, shift = image[first], matrices[first], shift[first]
    fixing = [matrices[image[:, i] == i] for i in range(x.sites.num_points)]
    is_line = bool((across(x).norm(dim=1) <= tolerance).all())
    name = "" if is_line else _rod(matrices, shift, x.cell[0][x.pbc[0]][0])
    return name, None, [], [name_of(some) for some in fixing], matrices, shift


#: Rod groups by class, with a prime if the one axis or plane that C2, Cs, C2h or C2v name lies otherwise: {t} is the
#: turn about the chain, {v} and {w} are the mirrors along it.
_RODS = {
    "C1": "p1", "Ci": "p-1", "C2": "p11{t}", "C2'": "p211", "Cs": "p11m", "Cs'": "p{v}11", "C2h": "p11{t}/m",
    "C2h'": "p2/{v}11", "D2": "p22{t}", "C2v": "p{v}{w}{t}", "C2v'": "p2{v}m", "D2h": "p{v}{w}m", "S4": "p-4",
    "D4h": "p{t}/m{v}{w}", "D2d": "p-42{v}", "S6": "p-3", "D3": "p{t}12", "C3v": "p3{v}1", "D3d": "p-31{v}",
    "C3h": "p-6", "D3h": "p-6{v}2", "D6h": "p{t}/m{v}{w}",
    **{f"C{n}": "p{t}" for n in (3, 4, 6)}, **{f"C{n}h": "p{t}/m" for n in (4, 6)},
    **{f"D{n}": "p{t}22" for n in (4, 6)}, **{f"C{n}v": "p{t}{v}{w}" for n in (4, 6)},
}  # fmt: skip


def _rod(matrices: Float[Tensor, "m 3 3"], shifts: Float[Tensor, "m 3"], along: Float[Tensor, "3"]) -> str:
    """The name of the rod group with these operations, modulo a translation ``along`` the chain."""
    axis, trace = along / along.norm(), matrices.diagonal(dim1=1, dim2=2).sum(1)
    is_proper, keeps = torch.linalg.det(matrices) > 0, matrices @ axis @ axis > 0
    cells = int((trace > 2.9).sum())  # the translation may be a multiple of the shortest one
    step, n = shifts @ axis / along.norm() * cells, int((is_proper & keeps).sum()) // cells
    sine = (matrices - matrices.mT)[:, [2, 0, 1], [1, 2, 0]] @ axis / 2
    turn = torch.atan2(sine, (trace - 1) / 2) * n / (2 * torch.pi)
    first = is_proper & keeps & ((turn - 1).abs().minimum((turn + n - 1).abs()) < 0.1)
    screw = round(float(step[first][0]) * n) % n
    kinds = [
        "c" if round(2 * one) % 2 else "m" for one in step[~is_proper & keeps & ((trace - 1).abs() < 0.1)].tolist()
    ]
    whole = name_of(matrices)
    is_across = (n == 1 and whole in ("C2", "C2h", "C2v")) or (whole == "Cs" and bool(kinds))
    form = _RODS.get(whole + "'" * is_across, f"of class {whole}")
    v, w = ("m" if "m" in kinds else "c"), ("c" if "c" in kinds else "m")
    return "rod group " + form.format(t=f"{n}_{screw}" if screw else n, v=v, w=w)


def _images(
    x: Crystals, matrices: Float[Tensor, "m 3 3"], translations: Float[Tensor, "m 3"], tolerance: float
) -> tuple[Int[Tensor, "m n"], Bool[Tensor, "m"]]:
    """The site that each element takes each site to, and whether it is a symmetry."""
    from scipy.spatial import cKDTree

    n, lattice = x.sites.num_points, reduced(x.cell[0][x.pbc[0]][None])[0]
    basis = torch.cat([lattice, torch.linalg.svd(lattice)[2][len(lattice) :]])
    size = basis.norm(dim=1) * (torch.arange(3) < len(lattice))
    # Close to angstrom, as the basis is reduced; periodic along the edges of the box.
    scaled = torch.linalg.inv(basis) * basis.norm(dim=1)
    moved = x.sites.position @ matrices.transpose(1, 2) + translations[:, None]
    shifted = [torch.where(size > 0, p @ scaled % size.clamp(min=1e-9) % size.clamp(min=1e-9), p @ scaled)
               for p in (x.sites.position, moved)]  # fmt: skip
    image = np.empty((len(matrices), n), dtype=np.int64)
    distance = np.full((len(matrices), n), np.inf)
    for kind in x.species.unique().tolist():
        here = (x.species == kind).nonzero()[:, 0].numpy()
        tree = cKDTree(shifted[0][here].numpy(), boxsize=size.numpy())
        distance[:, here], found = tree.query(shifted[1][:, here].numpy())
        image[:, here] = here[found]
    is_onto = (np.sort(image, axis=1) == np.arange(n)).all(1)
    return torch.from_numpy(image), torch.from_numpy(is_onto & (distance <= 2 * tolerance).all(1))


def _preserving(
    x: Crystals, matrices: Float[Tensor, "m 3 3"], permutations: Int[Tensor, "m n"], tolerance: float
) -> tuple[Bool[Tensor, "m"], Bool[Tensor, "m"]]:
    """Which elements preserve the vectors of the sites, and which do so if moments are flipped besides."""
    results = []
    sign = torch.linalg.det(matrices).round()[:, None, None]
    for flip in (1, -1):
        kept = torch.ones(len(matrices), dtype=torch.bool)
        for vector, factor in ((x.moment, flip * sign), (x.displacement, torch.ones_like(sign))):
            if vector is not None:
                error = factor * (vector @ matrices.transpose(1, 2)) - vector[permutations]
                kept &= (error.norm(dim=2) <= tolerance).all(1)
        results.append(kept)
    return results[0], results[1]


def _magnetic(x: Crystals, tolerance: float) -> str:
    """The number of the magnetic space group in the setting of Belov, Neronova and Smirnova."""
    moyopy = require("moyopy", "crystals", "symmetries of crystals")
    assert x.moment is not None
    fractional = x.fractional.tolist()
    cell = moyopy.NonCollinearMagneticCell(x.cell[0].tolist(), fractional, x.species.tolist(), x.moment.tolist())
    found = moyopy.MoyoNonCollinearMagneticDataset(cell, symprec=tolerance, mag_symprec=tolerance)
    return str(moyopy.MagneticSpaceGroupType(found.uni_number).bns_number)


def name_of(matrices: Float[Tensor, "m 3 3"]) -> str:
    """Schoenflies symbol of the group of these matrices, which may repeat."""
    flat = matrices.flatten(1)
    is_first = (torch.cdist(flat, flat) < 0.3).int().argmax(1) == torch.arange(len(flat))
    distinct = matrices[is_first]
    products = (distinct[:, None] @ distinct).flatten(2).flatten(0, 1)
    table = torch.cdist(products, distinct.flatten(1)).argmin(1).reshape(len(distinct), -1)
    return schoenflies(distinct.numpy(), (torch.linalg.det(distinct) > 0).numpy(), table.tolist())
