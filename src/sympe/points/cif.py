"""CIF by ASE's parser, with what ASE drops: charges, atoms in one place, and rows that are not those of the header.

Charges and deuterium are those of ``_atom_site_type_symbol`` (``Fe3+``, ``D``), or of ``_atom_site_label`` without it.
A charge counts where atoms of one element differ in it (:func:`~sympe.points.elements.without_common_charges`).
"""

import re
import warnings
from collections.abc import Mapping
from io import StringIO
from typing import Any

import numpy as np

from sympe.extras import require
from sympe.points.elements import kind_of_symbol, without_common_charges

#: The array of ASE's ``Atoms`` that holds their kinds, if a CIF tells more of them than elements.
KINDS = "cif_kinds"
#: Within this much of each fractional coordinate ASE takes two places for one.
_SAME = 1e-3
#: What ASE says of a row that it leaves out.
_LOST = re.compile(r"Wrong number (\d+) of tokens, expected (\d+): (.{,60})")


def atoms_of_cif(text: str) -> list[Any]:
    """The structures of a CIF, as ASE's ``Atoms``.

    Rows that are symmetric copies of an atom are no loss; any other atom in the place of another is refused.

    Raises:
        ValueError: If two atoms are in one place, or one is in none, or a row has more words or fewer than its header;
            and whatever ASE raises on a damaged file.
        ImportError: If ASE is not installed.
    """
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "data_")
    if not first.lower().startswith("data_"):
        raise ValueError(f"expected a CIF to begin with data_ and a name; got {first[:40]!r}")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        blocks = [*require("ase.io.cif", "crystals", "reading CIF").parse_cif(StringIO(text))]
    lost = [found for found in (_LOST.match(str(one.message)) for one in said) if found]
    found = []
    for block in blocks:
        if block.has_structure():
            _check_length(block, lost)
            _check_places(block)
            atoms, stated = block.get_atoms(), _kinds(block)
            _check_rows(block, atoms, stated)
            rows = atoms.arrays.get("spacegroup_kinds", range(len(atoms)))
            kinds = without_common_charges([stated[row] for row in rows])
            if kinds != atoms.numbers.tolist():
                atoms.set_array(KINDS, np.array(kinds))
            found.append(atoms)
    return found


def _check_length(block: Any, lost: list[re.Match[str]]) -> None:
    width = sum(name.startswith("_atom_site_") and not name.startswith("_atom_site_aniso") for name in block)
    if rows := [row for row in lost if int(row[2]) == width]:
        raise ValueError(f"expected {width} words in a row of atoms, one row to a line; got {rows[0][3]}")


def _check_places(block: Any) -> None:
    places = [f"_atom_site_{kind}_{axis}" for kind in ("fract", "cartn") for axis in "xyz"]
    for name in (*places, "_atom_site_occupancy"):
        if words := [value for value in block.get(name, ()) if isinstance(value, str)]:
            raise ValueError(f"expected numbers in {name}; got {words[0]!r}")


def _check_rows(block: Any, atoms: Any, kinds: list[int]) -> None:
    kept, rows = atoms.arrays.get("spacegroup_kinds"), block.get_unsymmetrized_structure()
    if kept is None or not (dropped := sorted(set(range(len(rows))) - set(kept.tolist()))):
        return
    check_occupancy(atoms.info.get("occupancy") or {})
    names, places = block.get("_atom_site_label") or _names(block), rows.get_scaled_positions(wrap=False)
    for row in dropped:
        (twins,) = np.nonzero(np.abs(places - places[row]).max(1) < _SAME)
        at = kept[_distance(atoms.get_scaled_positions(), places[row]).argmin()]
        if len(twins) > 1 or kinds[at] != kinds[row]:
            other = at if kinds[at] != kinds[row] else next(twin for twin in twins if twin != row)
            raise ValueError(f"expected one atom per site; {names[row]} is where {names[other]} is: remove one of them")


def _distance(places: Any, place: Any) -> Any:
    step = places - place
    return np.abs(step - np.rint(step)).max(1)


def _names(block: Any) -> list[str]:
    return block.get("_atom_site_type_symbol") or block.get("_atom_site_label")  # type: ignore[no-any-return]


def _kinds(block: Any) -> list[int]:
    """Element, charge and isotope of each row; the element alone if its name says something else."""
    kinds = []
    for name, number in zip(_names(block), block.get_unsymmetrized_structure().numbers.tolist(), strict=True):
        try:
            kind = kind_of_symbol(str(name))
        except ValueError:
            kind = number
        kinds.append(kind if kind % 256 == number else number)  # CA may be an atom of carbon
    return kinds


def check_occupancy(occupancy: Mapping[Any, Mapping[str, float]]) -> None:
    """Refuse what ASE notes of a CIF, the share of each species at each kind of site, unless each is whole.

    Raises:
        ValueError: If a site holds several species or is partly occupied.
    """
    try:
        shared = [held for held in occupancy.values() if len(held) > 1 or abs(sum(held.values()) - 1) > 1e-3]
        shares = ", ".join(f"{symbol} {share:g}" for symbol, share in shared[0].items()) if shared else ""
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"expected occupancies of sites as numbers; {error}") from error
    if shared:
        raise ValueError(f"expected one atom per site; got a site with {shares}: order the structure first")
