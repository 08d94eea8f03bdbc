"""One way in for points: what users hold becomes :class:`~sympe.PointClouds`, or an error that names a converter."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sympe.extras import require
from sympe.groups.base import as_numbers
from sympe.points.cif import KINDS
from sympe.points.clouds import PointClouds, concatenate, from_clouds, from_padded
from sympe.points.elements import kind_of_atom, kind_of_symbol
from sympe.points.sdf import kind_of
from sympe.points.xyz import PERIODIC

_NAMES, _CELL = ("pos", "positions", "batch"), ("cell", "lattice", "box", "unit_cell", "pbc")
_SPECIES = ("z", "species", "numbers", "atomic_numbers")


def as_clouds(x: object) -> PointClouds:
    """A batch of point clouds, from what users hold.

    Points keep their order. Accepted are

    - :class:`~sympe.PointClouds`;
    - ASE's ``Atoms`` (none that are periodic; masses tell isotopes apart, charges and magnetic moments do not count),
      RDKit molecules with coordinates (the first conformer), PyG data or a mapping with ``pos`` and, if there are any,
      ``batch`` and species, numbers or symbols, as ``z``, ``species``, ``numbers`` or ``atomic_numbers``; or a list of
      one of these;
    - floating-point tensors or arrays: one cloud ``[n, d]`` or as many of equal size ``[B, n, d]``;
    - a pair of positions ``[B, n, d]`` and a mask ``[B, n]``, or of positions ``[N, d]`` and ``batch`` ``[N]``.

    Raises:
        ValueError: If ``x`` is nothing of this kind, not valid, or periodic: its symmetries are a space group.

    Example:
        >>> len(as_clouds(torch.rand(5, 4, 3)))
        5
    """
    if isinstance(x, PointClouds):
        return x
    found = _converted(x)
    if found is None:
        raise ValueError(
            f"expected sympe.PointClouds; got {type(x).__name__}: pass ASE atoms or positions, or make a batch with "
            f"sympe.points.from_clouds, from_padded or read"
        )
    return found


def _converted(x: Any) -> PointClouds | None:
    if isinstance(x, Tensor | np.ndarray):
        position = as_numbers(x, "positions")
        if not position.is_floating_point() or position.dim() not in (2, 3):
            return None
        return from_clouds(list(position) if position.dim() == 3 else [position])
    if isinstance(x, tuple) and len(x) == 2 and all(isinstance(part, Tensor | np.ndarray) for part in x):
        position, second = (as_numbers(part, "positions and batch") for part in x)
        if second.dtype == torch.bool:
            return from_padded(position, second)
        if second.dim() != 1:
            return None
        if len(second) and (int(second[0]) != 0 or int(second.diff(prepend=second[:1]).max()) > 1):
            raise ValueError(
                "expected batch to count clouds from 0; for kinds of atoms use from_clouds([positions], [kinds])"
            )
        return PointClouds(position, second).validate()
    if isinstance(x, list | tuple) and x:
        parts = [_converted(part) for part in x]
        known = [part for part in parts if part is not None]
        return concatenate(known) if len(known) == len(parts) else None
    if hasattr(x, "get_positions") and hasattr(x, "numbers"):
        position, kinds = atoms_of_ase(x)
        return from_clouds([position], [kinds])
    if hasattr(x, "GetConformer"):
        if not x.GetNumConformers():
            raise ValueError("expected a molecule with coordinates; this one has no conformer: embed it first")
        if not x.GetConformer().Is3D():
            raise ValueError("expected coordinates in three dimensions; got those of a drawing: embed the molecule")
        position = torch.as_tensor(np.array(x.GetConformer().GetPositions()))
        return from_clouds([position], [[kind_of(atom) for atom in x.GetAtoms()]])
    return _from_fields(x)


def atoms_of_ase(atoms: Any) -> tuple[Float[Tensor, "n 3"], list[int]]:
    """Coordinates and kinds of the ``Atoms`` of ASE; see :func:`kinds_of_ase`.

    Raises:
        ValueError: If they are periodic.
    """
    if bool(np.any(atoms.pbc)):
        raise ValueError(PERIODIC)
    return torch.as_tensor(atoms.get_positions()), kinds_of_ase(atoms)


def kinds_of_ase(atoms: Any) -> list[int]:
    """Kinds of the ``Atoms`` of ASE: what a CIF states, or elements, and isotopes where masses are set to theirs.

    A mass that all atoms of an element share tells none apart: it is no isotope, unless the element is hydrogen.

    Raises:
        ValueError: If a number is that of no element.
    """
    if KINDS in atoms.arrays:
        return [int(kind) for kind in atoms.arrays[KINDS]]
    known = require("ase.data", "crystals", "atoms of ASE").atomic_masses
    if strange := sorted(set(atoms.numbers.tolist()) - set(range(len(known)))):
        raise ValueError(f"expected atomic numbers up to {len(known) - 1}; got {strange[0]}")
    usual = known[atoms.numbers]
    masses = atoms.get_masses()
    isotopes = np.where(np.abs(masses - usual) > 0.02, masses.round(), 0).astype(int)
    for z in set(atoms.numbers.tolist()) - {1}:
        if len(set(isotopes[atoms.numbers == z].tolist())) == 1:
            isotopes[atoms.numbers == z] = 0
    return [kind_of_atom(int(z), isotope=int(a)) for z, a in zip(atoms.numbers, isotopes, strict=True)]


def _from_fields(x: Any) -> PointClouds | None:
    """PyG's data, or a mapping with the same names."""
    held = fields_of(x)
    if any(held.get(name) is not None and bool((as_numbers(held[name], name) != 0).any()) for name in _CELL):
        raise ValueError(PERIODIC)
    found = cloud_of(held)
    return None if found is None else found.validate()


def fields_of(x: Any) -> Mapping[str, Any]:
    """What a mapping holds, or PyG's data and other objects under the names that mean something here."""
    names = (*_NAMES, *_CELL, *_SPECIES)
    return x if isinstance(x, Mapping) else {name: getattr(x, name, None) for name in names}


def cloud_of(held: Mapping[str, Any]) -> PointClouds | None:
    """Positions, ``batch`` and species of such fields, with checked shapes and types; None if there are no positions.

    Raises:
        ValueError: If they do not fit together.
    """
    position = next((held[name] for name in _NAMES[:2] if held.get(name) is not None), None)
    if position is None:
        return None
    position, batch = as_numbers(position, "positions"), held.get("batch")
    batch = torch.zeros(len(position), dtype=torch.long, device=position.device) if batch is None else batch
    kinds = next((held[name] for name in _SPECIES if held.get(name) is not None), None)
    if isinstance(kinds, list | tuple | np.ndarray) and any(isinstance(kind, str) for kind in kinds):
        kinds = [kind_of_symbol(str(kind)) for kind in kinds]
    kinds = None if kinds is None else as_numbers(kinds, "species").to(position.device)
    return PointClouds(position, as_numbers(batch, "batch"), kinds)
