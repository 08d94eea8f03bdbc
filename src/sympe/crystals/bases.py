r"""Candidate bases of a crystal: an equivariant set of bases of its lattice, blind to the cell that describes it.

Of all bases of a lattice those are candidates whose lengths and then projections
:math:`(|a|, |b|, |c|, a \cdot b / |b|, a \cdot c / |c|, b \cdot c / |c|)` are lexicographically least, to within the
tolerance. The symmetries of the lattice permute them. Their vectors are successive minima, so in terms of one
Minkowski-reduced basis (H. Minkowski, *Geometrie der Zahlen*, 1896) all coefficients are -1, 0 or 1: a fixed table
holds them all.

Along directions that are not periodic, vectors longer than the crystal is wide take the place of lattice vectors: for
a slab the two normals; for a chain a vector from its axis to a site that is farthest from it, and one across (any two
if all sites are on the axis: the rest of the stabilizer is a circle). For rotations only, bases are right-handed.
"""

from functools import cache
from itertools import combinations, product

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.crystals.crystals import Crystals
from sympe.points.candidates import dot, greatest

#: Lattices at a time.
_BLOCK = 256


def candidate_bases(
    crystals: Crystals, special: bool, tolerance: float
) -> tuple[Int[Tensor, "C"], Float[Tensor, "C 3 3"]]:
    """The crystal of each candidate, non-decreasing, and its basis: vectors in rows, periodic ones first.

    Args:
        crystals: The crystals.
        special: Right-handed bases only.
        tolerance: In angstrom; lengths closer than this are equal.
    """
    with torch.no_grad():
        owners, bases = [], []
        for rank in crystals.pbc.sum(1).unique().tolist():
            for here in (crystals.pbc.sum(1) == rank).nonzero()[:, 0].split(_BLOCK):
                lattice = crystals.cell[here].double()[crystals.pbc[here]].reshape(len(here), rank, 3)
                place, basis = _least(reduced(lattice), special, tolerance)
                if rank < 3:
                    place, basis = _completed(crystals.select(here), place, basis, special, tolerance)
                owners.append(here[place])
                bases.append(basis)
        owner = torch.cat(owners)
        order = torch.argsort(owner, stable=True)
        return owner[order], torch.cat(bases)[order]


def frames_of(basis: Float[Tensor, "C 3 3"]) -> Float[Tensor, "C 3 3"]:
    """The orthogonal matrix of each basis, one axis per column, by Gram-Schmidt; it has the basis's handedness."""
    first = basis[:, 0] / basis[:, 0].norm(dim=1, keepdim=True)
    second = basis[:, 1] - dot(basis[:, 1], first)[:, None] * first
    second = second / second.norm(dim=1, keepdim=True)
    third = torch.linalg.cross(first, second, dim=1)
    return torch.stack([first, second, third * dot(basis[:, 2], third).sign()[:, None]], dim=2)


def reduced(lattice: Float[Tensor, "B r 3"]) -> Float[Tensor, "B r 3"]:
    """Minkowski-reduced bases, shortest vector first, by a greedy search for shorter vectors."""
    rank = lattice.shape[1]
    steps = torch.tensor([s for s in product((-1, 0, 1), repeat=rank) if s[-1] == 1], dtype=lattice.dtype)
    for _ in range(1000):
        before = lattice
        lattice = lattice.gather(1, lattice.norm(dim=2).argsort(1)[..., None].expand_as(lattice))
        for j, i in combinations(range(rank), 2):
            shorter, longer = lattice[:, j], lattice[:, i]
            times = (dot(longer, shorter) / dot(shorter, shorter)).round()
            lattice = torch.cat([lattice[:, :i], (longer - times[:, None] * shorter)[:, None], lattice[:, i + 1 :]], 1)
        images = steps.to(lattice.device) @ lattice
        least = images.norm(dim=2).argmin(1)
        best = images[torch.arange(len(lattice), device=lattice.device), least]
        is_better = best.norm(dim=1) < lattice[:, -1].norm(dim=1) * (1 - 1e-9)
        lattice = torch.cat([lattice[:, :-1], torch.where(is_better[:, None], best, lattice[:, -1])[:, None]], dim=1)
        if bool((lattice.norm(dim=2).sum(1) > before.norm(dim=2).sum(1) * (1 - 1e-9)).all()):
            break
    return lattice.gather(1, lattice.norm(dim=2).argsort(1)[..., None].expand_as(lattice))


def _least(
    reduced: Float[Tensor, "B r 3"], special: bool, tolerance: float
) -> tuple[Int[Tensor, "C"], Float[Tensor, "C r 3"]]:
    """The bases with the least lengths and projections, and the lattice of each."""
    rank, device = reduced.shape[1], reduced.device
    vectors, is_part = _table(rank)
    images = vectors.to(device) @ reduced
    gram = images @ images.transpose(1, 2)
    length = gram.diagonal(dim1=1, dim2=2).sqrt()
    place = torch.arange(len(reduced), device=device)
    chosen = place[:, None].expand(-1, 0)

    def keep(key: Float[Tensor, "C"], slack: float) -> None:
        nonlocal place, chosen
        least = -greatest(-key, place, len(reduced))
        kept = (key <= least[place] + slack).nonzero()[:, 0]
        place, chosen = place[kept], chosen[kept]

    for step in range(rank):
        fits = is_part[step].to(device)[tuple(chosen.T)].expand(len(place), -1)
        mine, more = fits.nonzero(as_tuple=True)
        place, chosen = place[mine], torch.cat([chosen[mine], more[:, None]], dim=1)
        if special and step == 2:
            is_right = torch.linalg.det(images[place[:, None], chosen]) > 0
            place, chosen = place[is_right], chosen[is_right]
        keep(length[place, chosen[:, step]], tolerance)
    for i, j in combinations(range(rank), 2):
        keep(gram[place, chosen[:, i], chosen[:, j]] / length[place, chosen[:, j]], 2 * tolerance)
    return place, images[place[:, None], chosen]


@cache
def _table(rank: int) -> tuple[Float[Tensor, "m r"], list[Bool[Tensor, "..."]]]:
    """All vectors with coefficients -1, 0 and 1, and which of them begin a basis of the same lattice: 1, 2 or 3."""
    vectors = torch.tensor([v for v in product((-1, 0, 1), repeat=rank) if any(v)], dtype=torch.float64)
    choices = torch.cartesian_prod(*[torch.arange(len(vectors))] * rank).reshape(-1, rank)
    whole = (torch.linalg.det(vectors[choices]).round().abs() == 1).reshape([len(vectors)] * rank)
    parts = [whole]
    while len(parts) < rank:
        parts.insert(0, parts[0].any(-1))
    return vectors, parts


def across(crystals: Crystals) -> Float[Tensor, "N 3"]:
    """Positions relative to the centroid, without their part along the lattice; the cell does not matter."""
    lattice = crystals.cell.double() * crystals.pbc[..., None]
    along = torch.linalg.pinv(lattice) @ lattice
    centered = crystals.sites.centered.double()
    return centered - torch.einsum("ni,nij->nj", centered, along[crystals.batch])


def _completed(
    crystals: Crystals, place: Int[Tensor, "C"], basis: Float[Tensor, "C r 3"], special: bool, tolerance: float
) -> tuple[Int[Tensor, "D"], Float[Tensor, "D 3 3"]]:
    """Bases with vectors across the periodic ones."""
    rank = basis.shape[1]
    if rank == 1:
        place, basis = _with_sites(crystals, place, basis[:, 0], tolerance)
    last = torch.linalg.cross(basis[:, 0], basis[:, 1], dim=1)
    last = last / last.norm(dim=1, keepdim=True)
    signs = (1,) if special else (1, -1)
    bases = torch.cat([torch.cat([basis, sign * last[:, None]], dim=1) for sign in signs])
    width = greatest(across(crystals).norm(dim=1), crystals.batch, len(crystals)).clamp(min=1.0)
    bases[:, rank:] *= 5 * width[place.repeat(len(signs)), None, None]
    return place.repeat(len(signs)), bases


def _with_sites(
    crystals: Crystals, place: Int[Tensor, "C"], axis: Float[Tensor, "C 3"], tolerance: float
) -> tuple[Int[Tensor, "D"], Float[Tensor, "D 2 3"]]:
    """Chains: the vector along with each vector toward one of the sites that are farthest from the axis."""
    along = torch.nn.functional.normalize(axis[torch.searchsorted(place, crystals.batch)], dim=1)
    away = across(crystals)
    radius = away.norm(dim=1)
    farthest = greatest(radius, crystals.batch, len(crystals))
    # On the axis any direction serves; take one, from the coordinate axis that is least along.
    other = torch.nn.functional.one_hot(along.abs().argmin(1), 3).to(along)
    is_line = (farthest <= tolerance)[crystals.batch]
    first = torch.arange(len(radius), device=radius.device) == crystals.start
    away = torch.where(is_line[:, None], other - dot(other, along)[:, None] * along, away)
    tied = torch.where(is_line, first, radius >= torch.maximum(farthest - tolerance, farthest / 2)[crystals.batch])
    mine, site = ((place[:, None] == crystals.batch) & tied).nonzero(as_tuple=True)
    return place[mine], torch.stack([axis[mine], torch.nn.functional.normalize(away[site], dim=1)], dim=1)
