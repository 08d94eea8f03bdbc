r"""Crystals under E(3) and relabeling: the stabilizer is the space group modulo the lattice of the cell.

A symmetry acts on vectors per site by :math:`(g y)_{g(i)} = R_g\, y_i`, and so do the translations that a supercell
adds, with :math:`R_g = 1`: the mean over all of them is the most that an equivariant network can predict.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions.irreps import Irreps
from sympe.auditing.symmetry.points import PointStabilizers, neighbors, representation
from sympe.auditing.symmetry.stabilizers import Symmetry
from sympe.auditing.targets import Errors, Loss, Target
from sympe.crystals import Crystals, SpaceGroup, stabilizers
from sympe.points import Stabilizer
from sympe.points.elements import symbol_of_kind
from sympe.points.modes import irrep_label
from sympe.settings import require_positive

#: Most entries of the matrices that act on the targets of one crystal.
_MOST = 2**25


@dataclass(frozen=True)
class CrystalStabilizers(PointStabilizers):
    """Space groups, found with a tolerance.

    Attributes:
        crystals: The crystals.
        time_odd: Whether targets change sign with moments.
    """

    crystals: Crystals
    time_odd: bool

    def errors(self, target: Target, loss: Loss) -> Errors:
        if self.time_odd and not target.vector and target.irreps is None:  # moments along one line
            rows = target.values.double()[:, None].flatten(1)
            target = replace(target, values=rows, irreps=f"{rows.shape[1]}x0e")
        return super().errors(target, loss)

    def signs(self, group: Stabilizer) -> Float[Tensor, "k"]:
        is_odd = self.time_odd and isinstance(group, SpaceGroup)
        return 1 - 2 * group.reverses_time.double() if is_odd else super().signs(group)  # type: ignore[attr-defined]

    def lengths(self) -> list[float]:
        longest = self.crystals.cell.norm(dim=2).amax(1).tolist()
        return [max(pair) for pair in zip(super().lengths(), longest, strict=True)]

    def drawing(self, sample: int) -> dict[str, Any]:
        """The sites of one cell with their Wyckoff letters, and the cell around them."""
        x, group = self.crystals.select([sample]).to("cpu", torch.float64), self.groups[sample]
        assert isinstance(group, SpaceGroup)
        wrapped = x.fractional - (x.fractional + 1e-6).floor() * x.pbc
        places = wrapped @ x.cell[0]
        corners = torch.cartesian_prod(*(torch.arange(1.0 + periodic) for periodic in x.pbc[0].tolist())).double()
        joined = torch.cdist(corners, corners, p=1) == 1
        corners += wrapped.mean(0) * ~x.pbc[0]
        return {
            "orbits": group.orbits,
            "edges": neighbors(places),
            "places": places.tolist(),
            "letters": group.wyckoffs,
            "corners": (corners @ x.cell[0]).tolist(),
            "frame": joined.triu().nonzero().tolist(),
        }


class CrystalSymmetry(Symmetry):
    """Rotations, reflections and translations that permute sites of one species.

    Args:
        special: Exclude reflections.
        tolerance: Tolerance in angstrom; see :func:`sympe.crystals.stabilizers`.
        time_reversal: Whether moments of the input may be flipped besides.
        time_odd: Whether targets change sign if they are, as moments do.

    Raises:
        ValueError: If the tolerance is not positive.
    """

    kind = "crystals"

    def __init__(
        self, special: bool = False, tolerance: float = 1e-2, time_reversal: bool = False, time_odd: bool = False
    ) -> None:
        require_positive(tolerance=tolerance)
        self.special, self.tolerance, self.time_reversal, self.time_odd = special, tolerance, time_reversal, time_odd
        self.name = "se3" if special else "e3"
        what = "rotations and translations" if special else "rotations, reflections and translations"
        self.title = f"{what}, to within {tolerance:g} angstrom"
        chosen = ", ".join(["special=True"] * special + ["time_reversal=True"] * time_reversal)
        self.breaker = f"sympe.InversionKernel(sympe.canonicalize.CrystalFrames({chosen}))"

    def stabilizers(self, x: Crystals) -> CrystalStabilizers:
        if not isinstance(x, Crystals):
            raise ValueError(f"expected crystals for the group {self.name}; got {type(x).__name__}")
        groups = stabilizers(x, self.special, self.tolerance, self.time_reversal)
        orders = [None if group.axis is not None else len(group.matrices) for group in groups]
        names = [group.name for group in groups]
        unknown: list[float | None] = [None] * len(x)
        found: list[Stabilizer] = [*groups]
        return CrystalStabilizers(
            x.sizes.tolist(), orders, unknown, names, x.sites, found, self.tolerance, x, self.time_odd
        )


@dataclass(frozen=True)
class Share:
    """A part of the error that symmetry forces on the target of one crystal.

    Attributes:
        place: The sites or the irrep.
        sites: How many sites, or for an irrep its dimension.
        error: The squared error.
    """

    place: str
    sites: int
    error: float


def shares(
    crystals: Crystals, values: Float[Tensor, "n e"], irreps: str = "1x1o", tolerance: float = 1e-2
) -> tuple[list[Share], list[Share]]:
    r"""Where the irreducible error of one crystal sits: by orbit of sites, and by irrep of its space group.

    The space of all targets is split into irreps by the eigenspaces of a random matrix, made invariant by averaging
    over the group: generically each is one irrep, up to equivalence, with the label of
    :func:`~sympe.points.modes.irrep_label`: a wave that is not (0 0 0) multiplies the period.

    Args:
        crystals: A batch of one.
        values: The target of each site.
        irreps: How it rotates; by default vectors.
        tolerance: In angstrom.

    Raises:
        ValueError: If there are several crystals, the target does not fit, or the cell is too large.
    """
    kinds = Irreps.parse(irreps)
    if len(crystals) != 1 or values.shape != (len(crystals.batch), kinds.dim):
        raise ValueError(
            f"expected one crystal and values {[len(crystals.batch), kinds.dim]}; got {list(values.shape)}"
        )
    (group,) = stabilizers(crystals, tolerance=tolerance)
    n, dim, count = len(values), kinds.dim, len(group.matrices)
    if (n * dim) ** 2 * count > _MOST * 16:
        raise ValueError(f"expected a smaller cell; got {count} symmetries of {n} sites")
    turns, images = representation(group.matrices, 1, kinds), group.permutations
    y = values.double().cpu()
    moved = torch.einsum("kab,ib->kia", turns, y)
    fixed = torch.empty_like(moved).scatter_(1, images[..., None].expand_as(moved), moved).mean(0)
    rest = y - fixed
    by_site = [_of_orbit(group, crystals, rest, first) for first in sorted(set(group.orbits))]

    random = torch.randn(n * dim, n * dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean = torch.zeros_like(random)
    for turn, image in zip(turns, images, strict=True):
        matrix = torch.zeros(n, dim, n, dim, dtype=torch.float64)
        matrix[image, :, torch.arange(n)] = turn
        whole = matrix.reshape(n * dim, n * dim)
        mean += whole @ (random + random.T) @ whole.T / count
    values_of, vectors = torch.linalg.eigh(mean)
    ends = [0, *((values_of.diff() > 1e-6 * values_of.abs().max()).nonzero()[:, 0] + 1).tolist(), n * dim]
    by_irrep: dict[tuple[str, int], float] = {}
    for start, end in pairwise(ends):
        space = vectors[:, start:end]
        error = float((space.T @ rest.flatten()).square().sum())
        label = _label(group, turns, space, crystals.cell[0].double().cpu())
        by_irrep[label, end - start] = by_irrep.get((label, end - start), 0.0) + error
    total = float(rest.square().sum())
    listed = [Share(label, size, error) for (label, size), error in by_irrep.items() if error > 1e-9 * total > 0]
    return by_site, sorted(listed, key=lambda share: -share.error)


def _of_orbit(group: SpaceGroup, crystals: Crystals, rest: Float[Tensor, "n e"], first: int) -> Share:
    here = torch.tensor(group.orbits) == first
    symmetry = group.site_symmetries[first]
    letter = f" at {group.wyckoffs[first]}" if group.wyckoffs else ""
    return Share(f"{symbol_of_kind(int(crystals.species[first]))}{letter}, site symmetry {symmetry}", int(here.sum()),
                 float(rest[here].square().sum()))  # fmt: skip


def _label(
    group: SpaceGroup, turns: Float[Tensor, "k e e"], space: Float[Tensor, "m d"], cell: Float[Tensor, "3 3"]
) -> str:
    vectors = space.view(group.permutations.shape[1], turns.shape[1], -1)
    back = vectors[group.permutations]  # what is at the site that each site goes to
    characters = torch.einsum("kiad,kab,ibd->k", back, turns, vectors)
    shifts = group.translations @ torch.linalg.inv(cell)
    return irrep_label(group.matrices.numpy(), characters.numpy(), space.shape[1], shifts.numpy())
