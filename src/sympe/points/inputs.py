"""One way in for points: what users hold becomes :class:`~sympe.PointClouds`, or an error that names a converter."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sympe.extras import require
from sympe.points.clouds import PointClouds, concatenate, from_clouds, from_padded
from sympe.points.elements import kind_of_atom
from sympe.points.sdf import kind_of
from sympe.points.xyz import PERIODIC


def as_clouds(x: Any) -> PointClouds:
    """A batch of point clouds, from what users hold.

    Points keep their order. Accepted are

    - :class:`~sympe.PointClouds`;
    - ASE's ``Atoms`` (none that are periodic; masses tell isotopes apart, charges and magnetic moments do not count),
      RDKit molecules with coordinates, PyG data or a mapping with ``pos`` and, if there are any, species ``z`` and
      ``batch``; or a list of one of these;
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
        position = torch.as_tensor(x)
        if not position.is_floating_point() or position.dim() not in (2, 3):
            return None
        return from_clouds(list(position) if position.dim() == 3 else [position])
    if isinstance(x, tuple) and len(x) == 2 and all(isinstance(part, Tensor | np.ndarray) for part in x):
        position, second = (torch.as_tensor(part) for part in x)
        if second.dtype == torch.bool:
            return from_padded(position, second)
        return PointClouds(position, second).validate() if second.dim() == 1 else None
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
        position = torch.as_tensor(np.array(x.GetConformer().GetPositions()))
        return from_clouds([position], [[kind_of(atom) for atom in x.GetAtoms()]])
    return _from_fields(x)


def atoms_of_ase(atoms: Any) -> tuple[Float[Tensor, "n 3"], list[int]]:
    """Coordinates and kinds of the ``Atoms`` of ASE; a mass that was set to that of an isotope is part of the kind.

    Raises:
        ValueError: If they are periodic.
    """
    if bool(np.any(atoms.pbc)):
        raise ValueError(PERIODIC)
    usual = require("ase.data", "crystals", "atoms of ASE").atomic_masses[atoms.numbers]
    masses = atoms.get_masses()
    isotopes = np.where(np.abs(masses - usual) > 0.02, masses.round(), 0).astype(int)
    kinds = [kind_of_atom(int(z), isotope=int(a)) for z, a in zip(atoms.numbers, isotopes, strict=True)]
    return torch.as_tensor(atoms.get_positions()), kinds


def _from_fields(x: Any) -> PointClouds | None:
    """PyG's data, or a mapping with the same names."""
    held = x if isinstance(x, Mapping) else {name: getattr(x, name, None) for name in ("pos", "z", "batch", "cell")}
    position = held.get("pos")
    if position is None:
        return None
    if held.get("cell") is not None and bool((torch.as_tensor(held["cell"]) != 0).any()):
        raise ValueError("expected a molecule; the data have a cell, and their symmetries are a space group")
    position = torch.as_tensor(position)
    batch = held.get("batch")
    batch = torch.zeros(len(position), dtype=torch.long, device=position.device) if batch is None else batch
    return PointClouds(position, torch.as_tensor(batch), held.get("z")).validate()
