"""What users hold as :class:`~sympe.crystals.Crystals`: ASE's atoms, structures of pymatgen, and files.

Species are kinds of atoms (:mod:`sympe.points.elements`): atomic numbers, unless isotopes, or several charges of one
element, are stated. Moments and displacements are read only if asked for: as targets they are no part of the input, and
an input that carries them has fewer symmetries.
"""

import io
import os
import re
import warnings
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sympe.compressed import lines_of, opened, reason_of, suffix_of
from sympe.crystals.crystals import Crystals, completed, concatenate, from_cells
from sympe.extras import require
from sympe.groups.base import as_numbers
from sympe.points import SYMBOLS
from sympe.points.cif import atoms_of_cif, check_occupancy
from sympe.points.elements import kind_of_atom, without_common_charges
from sympe.points.files import check_counts
from sympe.points.inputs import cloud_of, fields_of, kinds_of_ase
from sympe.points.xyz import frames

_POSCAR = re.compile(r"(poscar|contcar|xdatcar)([._-].*)?|.*\.(vasp|poscar|contcar)(\.gz|\.xz|\.bz2)?", re.I)
_FORMATS = {".cif": "cif", ".xyz": "extxyz", ".extxyz": "extxyz", ".traj": "traj", ".db": "db"}


#: What an extended XYZ says of its periodicity, and the words that ASE understands there.
_PBC = re.compile(r'\bpbc\s*=\s*("[^"]*"|\[[^\]]*\]|\([^)]*\)|\S+)', re.IGNORECASE)
_PROPERTIES = re.compile(r'\bProperties\s*=\s*"?([^\s"]+)', re.IGNORECASE)
_TRUTHS = {"t", "f", "true", "false", "0", "1"}


def as_crystals(x: Any) -> Crystals:
    """A batch of crystals, from crystals, ASE's atoms, structures of pymatgen, a mapping, or a list of these.

    A mapping, or PyG data, holds ``pos`` and ``cell`` (three vectors or three lengths), and if there are any ``batch``,
    ``pbc``, and species, numbers or symbols, as ``z``, ``species``, ``numbers`` or ``atomic_numbers``.

    Raises:
        ValueError: If ``x`` is nothing of this kind, or not valid.
    """
    if isinstance(x, Crystals):
        return x
    if hasattr(x, "get_positions") and hasattr(x, "pbc"):
        return from_ase(x)
    if hasattr(x, "frac_coords") and hasattr(x, "lattice"):
        return from_pymatgen(x)
    if isinstance(x, list | tuple) and x:
        return concatenate([as_crystals(one) for one in x])
    held = fields_of(x)
    sites, cell, pbc = cloud_of(held), held.get("cell"), held.get("pbc")
    if sites is None or cell is None:
        raise ValueError(
            f"expected sympe.crystals.Crystals; got {type(x).__name__}: pass ASE atoms or structures of pymatgen, or "
            f"make a batch with sympe.crystals.from_cells or read"
        )
    sites.check_batch()
    cell = as_numbers(cell, "cell").to(sites.device, sites.dtype)
    pbc = as_numbers(True if pbc is None else pbc, "pbc").to(sites.device).bool()
    crystals = Crystals(sites, *_one_each(cell, pbc, len(sites)))
    crystals.check_finite()
    return crystals


def _one_each(cell: Tensor, pbc: Tensor, count: int) -> tuple[Float[Tensor, "B 3 3"], Bool[Tensor, "B 3"]]:
    """The vectors of each crystal, of which three lengths may stand, and along which of them it repeats."""
    if cell.numel() not in (9 * count, 3 * count):
        raise ValueError(f"expected a cell of 3 vectors or 3 lengths for each of {count} crystals; got {[*cell.shape]}")
    if pbc.numel() not in (1, count, 3 * count):
        raise ValueError(
            f"expected pbc as 1 or 3 booleans for each of {count} crystals, or 1 for all; got {[*pbc.shape]}"
        )
    if count == 3 and cell.shape == (3, 3):
        raise ValueError("expected cells of shape [3, 3, 3] for 3 crystals, or 9 lengths; got [3, 3]")
    is_full = cell.numel() == 9 * count
    cell = cell.reshape(count, 3, 3) if is_full else torch.diag_embed(cell.reshape(count, 3))
    pbc = (pbc.flatten().expand(count) if pbc.numel() == 1 else pbc).reshape(count, -1).expand(count, 3)
    return cell if pbc.all() else torch.stack([*map(completed, cell, pbc)]), pbc


def is_crystal(x: Any) -> bool:
    """Whether an object that :func:`as_crystals` takes is periodic."""
    if hasattr(x, "get_positions") and hasattr(x, "pbc"):
        return bool(np.any(x.pbc))
    if isinstance(x, Crystals) or (hasattr(x, "frac_coords") and hasattr(x, "lattice")):
        return True
    held = fields_of(x)
    has_positions = any(held.get(name) is not None for name in ("pos", "positions"))
    return has_positions and held.get("cell") is not None and bool((as_numbers(held["cell"], "cell") != 0).any())


def from_ase(atoms: Any, moments: bool = False) -> Crystals:
    """One crystal from ASE's ``Atoms``, periodic along the directions of its ``pbc``.

    Args:
        atoms: The atoms.
        moments: Whether their initial magnetic moments are part of the input; single numbers point along z.

    Raises:
        ValueError: If no direction is periodic, a site holds several species or is partly occupied, or a species is
            missing; see also :meth:`Crystals.validate`.
    """
    if not np.any(atoms.pbc):
        raise ValueError("expected a periodic structure; this one is a molecule: pass it to sympe.points, or set pbc")
    check_occupancy(atoms.info.get("occupancy") or {})
    if 0 in atoms.numbers:
        raise ValueError(f"expected an element at every site; got X at site {atoms.numbers.tolist().index(0)}")
    given = None
    if moments:
        values = atoms.get_initial_magnetic_moments()
        given = [values if values.ndim == 2 else np.outer(values, [0.0, 0.0, 1.0])]
    if not (np.isfinite(atoms.cell.array).all() and np.isfinite(atoms.get_positions()).all()):
        raise ValueError("expected crystals with finite cells and positions; got infinity or not a number")
    cell = completed(torch.as_tensor(atoms.cell.array), torch.as_tensor(atoms.pbc)).numpy()
    fractional = atoms.get_positions() @ np.linalg.pinv(cell)  # of a singular cell too, which is refused below
    return from_cells([cell], [fractional], [kinds_of_ase(atoms)], [atoms.pbc.tolist()], given)


def from_pymatgen(structure: Any, moments: bool = False) -> Crystals:
    """One crystal from a ``Structure`` of pymatgen.

    Args:
        structure: The structure.
        moments: Whether the magnetic moments of its sites are part of the input, as pymatgen reads them from ``.mcif``;
            single numbers point along z.

    Raises:
        ValueError: If it is not ordered, or a site has no moment; see also :meth:`Crystals.validate`.
    """
    if not structure.is_ordered:
        raise ValueError(f"expected one atom per site; got partial occupancies or mixed species in {structure.formula}")
    kinds = [site.specie.Z for site in structure]
    if strange := [index for index, z in enumerate(kinds) if not 1 <= z < len(SYMBOLS)]:
        raise ValueError(f"expected an element at every site; got {structure[strange[0]].specie} at site {strange[0]}")
    charges = [getattr(site.specie, "oxi_state", None) or 0 for site in structure]
    isotopes = [{"D": 2, "T": 3}.get(getattr(site.specie, "symbol", ""), 0) for site in structure]
    kinds = without_common_charges([*map(kind_of_atom, kinds, map(round, charges), isotopes)])
    given = [[_moment_of(site) for site in structure]] if moments else None
    pbc = [list(structure.lattice.pbc)]
    return from_cells([structure.lattice.matrix], [structure.frac_coords], [kinds], pbc, given)


def _moment_of(site: Any) -> list[float]:
    """The vector that a site of pymatgen carries: an array, a number, or pymatgen's Magmom, or a spin."""
    held = site.properties.get("magmom")
    held = getattr(site.specie, "spin", None) if held is None else held
    if held is None:
        raise ValueError(
            f"expected a magnetic moment at every site; got none at {site.specie} {list(site.frac_coords)}"
        )
    values = np.asarray(held.get_moment() if hasattr(held, "get_moment") else held, dtype=float)
    return [0.0, 0.0, float(values)] if values.ndim == 0 else values.tolist()


def read_atoms(path: str | os.PathLike[str], which: str = ":") -> list[Any]:
    """The structures of a file, all or a slice of them, as ASE's ``Atoms``.

    Raises:
        ValueError: If the file cannot be read; the message names it.
        ImportError: If ASE is not installed.
    """
    path = Path(path)
    kind = "vasp" if _POSCAR.fullmatch(path.name) else _FORMATS.get(suffix_of(path))
    kind = "vasp-xdatcar" if kind and "xdatcar" in path.name.lower() else kind
    if suffix_of(path) == ".mcif":
        advice = "from_pymatgen(pymatgen.core.Structure.from_file(...), moments=True)"
        raise ValueError(f"{path}: magnetic CIF is not read, as ASE drops its moments: pass sympe.crystals.{advice}")
    if kind is None:
        raise ValueError(f"{path}: expected CIF, POSCAR, extended XYZ, .traj or .db; got {path.suffix or 'no suffix'}")
    if kind == "db" and path.suffix.lower() != ".db":
        raise ValueError(f"{path}: expected a database that is not compressed; got {path.suffix}: unpack it first")
    load = require("ase.io", "crystals", "reading crystals").read
    try:
        if not path.is_file():
            raise ValueError("no such file")
        lines = (line.decode(errors="replace") for line, _ in lines_of(path))
        if kind == "extxyz":
            _check_frames(lines, None if which == ":" else 1)
        elif kind.startswith("vasp"):
            check_counts([*lines], None if kind == "vasp-xdatcar" else 7)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "cif":
                found = atoms_of_cif("\n".join(lines))[: None if which == ":" else 1]
            elif kind == "extxyz":
                with io.TextIOWrapper(opened(path), encoding="utf-8-sig", errors="replace") as file:
                    found = load(file, index=which, format=kind)
            else:
                found = load(path, index=which, format=kind)
    except Exception as error:  # ASE raises whatever its parsers meet
        raise ValueError(f"{path}: cannot be read as {kind}: {reason_of(error) or type(error).__name__}") from error
    if not found:
        raise ValueError(f"{path}: expected at least one structure; the file has none")
    return found


def _check_frames(lines: Iterable[str], count: int | None) -> None:
    """What ASE would not notice in the first ``count`` frames: less than is declared, or an unknown ``pbc``.

    It makes room for all that is declared, and takes spellings such as ``(F, F, T)`` for periodic in all directions.
    """
    # ASE also takes lattice vectors from separate lines.
    for frame in islice(frames(line for line in lines if not line.startswith("VEC")), count):
        if declared := _PROPERTIES.search(frame.comment):
            width = sum(int(number) for number in declared[1].split(":")[2::3] if number.isdecimal())
            if width > len(frame.rows[0].split()):
                raise ValueError(f"expected {width} columns, as Properties declares; got {frame.rows[0][:60]!r}")
        for found in _PBC.finditer(frame.comment):
            words = re.split(r"[\s,]+", found[1].strip('"[] '))
            if len(words) not in (1, 3) or not {word.lower() for word in words} <= _TRUTHS:
                raise ValueError(f'expected pbc as three of T and F, such as pbc="T T F"; got {found[0]}')


def read(path: str | os.PathLike[str], dtype: torch.dtype = torch.float64) -> Crystals:
    """All crystals of a file: CIF, POSCAR, extended XYZ, ``.traj`` or an ASE database.

    Raises:
        ValueError: If the file cannot be read, or a structure is no crystal; the message names the place.
        ImportError: If ASE is not installed.
    """
    parts = []
    for index, atoms in enumerate(read_atoms(path)):
        try:
            parts.append(from_ase(atoms))
        except ValueError as error:
            raise ValueError(f"{path}: {error} (structure {index})") from None
    return concatenate(parts).to(dtype=dtype)
