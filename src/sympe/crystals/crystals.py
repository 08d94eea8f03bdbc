r"""A ragged batch of crystals: the sites of one cell, and the vectors along which they repeat.

A crystal is a lattice L and a set of sites in space modulo L. The cell is only a description: another basis of the
same lattice, another origin, and sites moved by lattice vectors give the same crystal. A larger lattice vector does
not: a 2 x 2 x 2 supercell is another input, whose symmetries modulo its lattice include translations.

The rows of a cell are vectors in angstrom, and a site at fractional coordinates f is at f @ cell. Along a direction
that is not periodic the row carries no meaning; it is replaced by a unit vector across the periodic ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from sympe.extras import require
from sympe.points import PointClouds, from_clouds
from sympe.points import concatenate as concatenate_clouds
from sympe.ragged import Ragged, rows_of
from sympe.settings import require_positive

#: No two atoms, and no atom and its image, are this close, in angstrom.
CLOSEST = 0.1


@dataclass(frozen=True, eq=False)
class Crystals(Ragged):
    """A batch of crystals.

    Attributes:
        sites: Positions in angstrom and species of the sites of one cell.
        cell: Lattice vectors in angstrom, one per row.
        pbc: Along which of them the crystal repeats.
        moment: Optional magnetic moments: axial vectors, odd under time reversal.
        displacement: Optional displacements, electric dipoles or the like: polar vectors.

    Raises:
        ValueError: If shapes, types or devices do not fit together.
    """

    sites: PointClouds
    cell: Float[Tensor, "B 3 3"]
    pbc: Bool[Tensor, "B 3"]
    moment: Float[Tensor, "N 3"] | None = None
    displacement: Float[Tensor, "N 3"] | None = None
    batch: Int[Tensor, "N"] = field(init=False)
    words: ClassVar[tuple[str, str]] = ("crystal", "site")

    def __post_init__(self) -> None:
        object.__setattr__(self, "batch", self.sites.batch)
        count, n = len(self.sites), self.sites.num_points
        expected = {"cell": (count, 3, 3), "pbc": (count, 3), "moment": (n, 3), "displacement": (n, 3)}
        for name, shape in expected.items():
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                raise ValueError(f"{name} must have shape {list(shape)}; got {list(value.shape)}")
            if value is not None and value.device != self.device:
                raise ValueError(f"all tensors must be on one device; got {value.device} and {self.device}")
        if self.sites.dimension != 3 or self.pbc.dtype != torch.bool:
            raise ValueError(f"expected sites in 3 dimensions and a boolean pbc; got {self.pbc.dtype}")

    def validate(self) -> "Crystals":
        """Check every value, and return the batch itself.

        Raises:
            ValueError: If a cell is singular, two sites coincide, or a crystal is empty, not finite or not periodic.
        """
        self.check_finite()
        with torch.no_grad():
            cells, pbcs = self.cell.cpu().double().numpy(), self.pbc.cpu().numpy()
            fractional = self.fractional.cpu().double().split(self.sizes.tolist())
        for index, (cell, pbc) in enumerate(zip(cells, pbcs, strict=True)):
            _check_distances(fractional[index].numpy(), cell, pbc, index)
        return self

    def check_finite(self) -> None:
        """Check what every computation needs.

        Raises:
            ValueError: If a crystal is empty, not finite or not periodic, or a cell is singular.
        """
        self.sites.check_batch()
        self.sites.check_finite()
        for name, is_bad, what in (
            ("pbc", ~self.pbc.any(1), "periodic along one direction at least; for molecules use sympe.points"),
            ("cell", _is_singular(self.cell), "of full rank, and finite"),
            ("cell", (self.pbc & (self.cell.norm(dim=2) > 1e4)).any(1), "with cell vectors of at most 10,000 angstrom"),
        ):
            if bool(is_bad.any()):
                crystal = int(is_bad.nonzero()[0])
                raise ValueError(f"expected crystals {what}; crystal {crystal} has {name} "
                                 f"{getattr(self, name)[crystal].tolist()}")  # fmt: skip
        for name in ("moment", "displacement"):
            value = getattr(self, name)
            if value is not None and not bool(value.isfinite().all()):
                raise ValueError(f"expected finite values of {name}; got {value[~value.isfinite()][0].item()}")

    @property
    def fractional(self) -> Float[Tensor, "N 3"]:
        """Coordinates in units of the lattice vectors, as stored: not wrapped into the cell."""
        inverse = torch.linalg.inv(self.cell)[self.batch]
        return torch.einsum("ni,nij->nj", self.sites.position, inverse)

    @property
    def species(self) -> Int[Tensor, "N"]:
        """Species of each site; 0 for all if they are alike."""
        return torch.zeros_like(self.batch) if self.sites.species is None else self.sites.species

    @property
    def num_points(self) -> int:
        return self.sites.num_points

    @property
    def dtype(self) -> torch.dtype:
        return self.sites.dtype

    def __len__(self) -> int:
        return len(self.sites)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "Crystals":
        """The same crystals on another device, or with positions of another floating-point type."""
        moved = {name: value.to(device, dtype) for name, value in self.vectors().items()}
        return replace(self, sites=self.sites.to(device, dtype), cell=self.cell.to(device, dtype),
                       pbc=self.pbc.to(device), **moved)  # fmt: skip

    def vectors(self) -> dict[str, Float[Tensor, "N 3"]]:
        """The vectors that the sites carry, by name."""
        held = {"moment": self.moment, "displacement": self.displacement}
        return {name: value for name, value in held.items() if value is not None}

    def select(self, indices: Sequence[int] | Int[Tensor, "k"]) -> "Crystals":
        chosen = self._chosen(indices)
        sites = rows_of(chosen, self.ptr)[1]
        vectors: dict[str, Any] = {name: value[sites] for name, value in self.vectors().items()}
        return Crystals(self.sites.select(chosen), self.cell[chosen], self.pbc[chosen], **vectors)


def from_cells(
    cells: Sequence[Any],
    fractional: Sequence[Any],
    species: Sequence[Any],
    pbc: Sequence[Sequence[bool]] | None = None,
    moments: Sequence[Any] | None = None,
    displacements: Sequence[Any] | None = None,
    dtype: torch.dtype = torch.float64,
) -> Crystals:
    """A batch from one cell, one list of fractional coordinates and one list of species per crystal.

    Args:
        cells: Lattice vectors in angstrom, one per row.
        fractional: Coordinates in units of these.
        species: Atomic numbers or symbols.
        pbc: Along which vectors the crystal repeats, by default all.
        moments: Magnetic moments, one vector per site.
        displacements: Polar vectors, one per site.
        dtype: Floating-point type of the batch.

    Raises:
        ValueError: If lists do not fit together; see also :meth:`Crystals.validate`.

    Example:
        >>> salt = from_cells([[[0, 2.8, 2.8], [2.8, 0, 2.8], [2.8, 2.8, 0]]], [[[0, 0, 0], [0.5] * 3]], [["Na", "Cl"]])
        >>> salt.species.tolist()
        [11, 17]
    """
    cell = torch.stack([_tensor(one) for one in cells])
    if cell.dim() != 3 or cell.shape[1:] != (3, 3) or len(cell) != len(fractional):
        raise ValueError(f"expected a cell of 3 vectors for each of {len(fractional)} crystals; got {list(cell.shape)}")
    places = [_tensor(f) @ one for f, one in zip(fractional, cell, strict=True)]
    periodic = torch.ones(len(cell), 3, dtype=torch.bool) if pbc is None else torch.as_tensor(np.array(pbc))
    used = torch.stack([completed(one, repeats) for one, repeats in zip(cell, periodic, strict=True)])
    vectors: dict[str, Any] = {
        name: torch.cat([_tensor(v) for v in value])
        for name, value in (("moment", moments), ("displacement", displacements))
        if value is not None
    }
    if bool((singular := _is_singular(used)).any()):
        # Before the sites: places in a singular cell coincide.
        index = int(singular.nonzero()[0])
        raise ValueError(f"expected crystals of full rank, and finite; crystal {index} has cell {cell[index].tolist()}")
    sites = from_clouds(places, species)
    return Crystals(sites, used, periodic, **vectors).validate().to(dtype=dtype)


def _is_singular(cell: Float[Tensor, "B 3 3"]) -> Bool[Tensor, "B"]:
    volume = torch.linalg.det(cell.double() / cell.double().norm(dim=2, keepdim=True))
    is_singular: Tensor = ~cell.isfinite().all(2).all(1) | ~(volume.abs() > 1e-4)
    return is_singular


def concatenate(parts: Sequence[Crystals]) -> Crystals:
    """Join several batches into one; all or none must carry moments, and likewise displacements."""
    if len({tuple(part.vectors()) for part in parts}) > 1:
        raise ValueError("expected vectors of one kind on all crystals; some have moments or displacements, some not")
    vectors: dict[str, Any] = {name: torch.cat([p.vectors()[name] for p in parts]) for name in parts[0].vectors()}
    cell, pbc = torch.cat([part.cell for part in parts]), torch.cat([part.pbc for part in parts])
    return Crystals(concatenate_clouds([part.sites for part in parts]), cell, pbc, **vectors)


def edges(crystals: Crystals, cutoff: float) -> tuple[Int[Tensor, "2 E"], Float[Tensor, "E 3"]]:
    """All ordered pairs of a site and a site or image closer than ``cutoff``, and the vectors between them.

    Args:
        crystals: The crystals.
        cutoff: In angstrom, at least :data:`CLOSEST`; it may exceed the cell.

    Returns:
        ``edge_index``, source and target, and the vector from source to target in angstrom, differentiable in
        positions and cells.

    Raises:
        ValueError: If ``cutoff`` is not positive and finite.
    """
    require_positive(cutoff=cutoff)
    find = require("ase.neighborlist", "crystals", "edges of crystals").primitive_neighbor_list
    with torch.no_grad():
        cells, pbcs = crystals.cell.double().cpu().numpy(), crystals.pbc.cpu().numpy()
        places = [place.double().cpu().numpy() for place in crystals.sites.position.split(crystals.sizes.tolist())]
    found = [find("ijS", pbc, cell, place, cutoff) for pbc, cell, place in zip(pbcs, cells, places, strict=True)]
    ends = crystals.sites.ptr.tolist()
    source, target = (
        torch.cat([torch.as_tensor(pairs[k]) + start for pairs, start in zip(found, ends[:-1], strict=True)])
        for k in (0, 1)
    )
    shift = torch.cat([torch.as_tensor(pairs[2]) for pairs in found])
    source, target, shift = (value.to(crystals.device) for value in (source, target, shift))
    across = torch.einsum("ei,eij->ej", shift.to(crystals.dtype), crystals.cell[crystals.batch[source]])
    position = crystals.sites.position
    return torch.stack([source, target]), position[target] - position[source] + across


def _tensor(values: Any) -> Float[Tensor, "..."]:
    return torch.as_tensor(values if isinstance(values, Tensor) else np.array(values), dtype=torch.float64)


def completed(cell: Float[Tensor, "3 3"], pbc: Bool[Tensor, "3"]) -> Float[Tensor, "3 3"]:
    """The cell with unit vectors across the periodic ones in the other rows."""
    cell = cell.clone()
    if not bool(pbc.all()) and bool(cell[pbc].isfinite().all()):
        cell[~pbc] = torch.linalg.svd(cell[pbc].detach())[2][int(pbc.sum()) :]
    return cell


def _check_distances(fractional: NDArray[Any], cell: NDArray[Any], pbc: NDArray[Any], index: int) -> None:
    """Raise a ``ValueError`` if two sites of a crystal are closer than :data:`CLOSEST`."""
    from scipy.spatial import cKDTree

    shortest = float(np.linalg.norm(cell[pbc], axis=1).min())
    if shortest < CLOSEST:
        raise ValueError(f"expected lattice vectors of at least {CLOSEST} angstrom; crystal {index} has {shortest:.2g}")
    # In units of the lattice vectors the box is a cube, which the tree can repeat.
    reach = CLOSEST * float(np.linalg.norm(np.linalg.inv(cell), 2))
    wrapped = np.where(pbc, fractional % 1 % 1, fractional - fractional.min(0))
    tree = cKDTree(wrapped, boxsize=np.where(pbc, 1.0, 0.0))
    pairs = tree.query_pairs(min(reach, 0.49), output_type="ndarray")
    step = fractional[pairs[:, 0]] - fractional[pairs[:, 1]]
    distance = np.linalg.norm((step - np.where(pbc, np.rint(step), 0)) @ cell, axis=1)
    if len(pairs) and distance.min() < CLOSEST:
        i, j = pairs[distance.argmin()]
        raise ValueError(
            f"expected one atom per site; sites {i} and {j} of crystal {index} are {distance.min():.2g} angstrom apart"
        )
