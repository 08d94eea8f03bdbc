r"""Chemical elements, and one number for the kind of an atom.

The kind of a neutral atom of no stated isotope is its atomic number Z. A charge q and a mass number A are part of the
kind, because atoms that differ in them are not alike:

.. math:: Z + 2^8 (2 |q| - [q > 0]) + 2^{20} A.

So D (A = 2) and T (A = 3) are not H, and ``Fe2+`` is not ``Fe3+``. Files of points and of molecules share this rule.
"""

import re
from collections.abc import Sequence

_LISTED = (
    "X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu "
    "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr "
    "Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
SYMBOLS = tuple(_LISTED.split())

#: Atomic number of each symbol; 0 is ``X``, a point that is not an atom.
ATOMIC_NUMBER = {symbol: number for number, symbol in enumerate(SYMBOLS)}


def kind_of_atom(number: int, charge: int = 0, isotope: int = 0) -> int:
    """The kind of an atom, as stated at the top; ``isotope`` is a mass number, 0 if none is stated."""
    return number + 256 * (2 * abs(charge) - (charge > 0)) + 2**20 * isotope


def without_common_charges(kinds: Sequence[int]) -> list[int]:
    """The kinds of the atoms of one structure, without a charge that all atoms of an element share.

    Files of crystals often state the charges of all ions. One that all share tells no atoms apart, and without it kinds
    are atomic numbers.

    Example:
        >>> iron_2, iron_3, oxygen = kind_of_atom(26, 2), kind_of_atom(26, 3), kind_of_atom(8, -2)
        >>> without_common_charges([iron_3, iron_3, oxygen])
        [26, 26, 8]
        >>> without_common_charges([iron_2, iron_3, oxygen]) == [iron_2, iron_3, 8]
        True
    """
    charges: dict[int, set[int]] = {}
    for kind in kinds:
        charges.setdefault(kind % 2**8, set()).add(kind % 2**20)
    return [kind - kind % 2**20 + kind % 2**8 if len(charges[kind % 2**8]) == 1 else kind for kind in kinds]


#: Symbols by kind: the elements, deuterium and tritium.
SYMBOL_OF_KIND = dict(enumerate(SYMBOLS)) | {kind_of_atom(1, isotope=2): "D", kind_of_atom(1, isotope=3): "T"}
_KIND = {symbol: kind for kind, symbol in SYMBOL_OF_KIND.items()}


def symbol_of_kind(kind: int) -> str:
    """What stands for a kind in reports, such as ``C``, ``Fe3+``, ``57Fe`` or ``D``; its number if it is no atom's.

    Example:
        >>> [symbol_of_kind(kind_of_atom(*atom)) for atom in ((6,), (26, 3), (8, -1), (1, 0, 2), (26, 0, 57), (200,))]
        ['C', 'Fe3+', 'O-', 'D', '57Fe', '200']
    """
    isotope, rest = divmod(kind, 2**20)
    code, number = divmod(rest, 2**8)
    if kind in SYMBOL_OF_KIND:
        return SYMBOL_OF_KIND[kind]
    if not 0 < number < len(SYMBOLS) or code > 2 * number or isotope > 3 * number:
        return str(kind)
    size, sign = (code + 1) // 2, "-+"[code % 2]
    return f"{isotope or ''}{SYMBOLS[number]}{size if size > 1 else ''}{sign if code else ''}"


_LABEL = re.compile(r"([A-Z][a-z]?)(?:(\d*)([+-])|([+-])(\d+)|_?\d+)")


def kind_of_symbol(text: str) -> int:
    """The kind that a file means by ``text``.

    Accepted are symbols in upper or lower case, atomic numbers, and, if the symbol has its proper case, symbols with a
    charge (``Fe2+``, ``Na+``) or a running number that means nothing (``C1``).

    Raises:
        ValueError: If it is anything else.

    Example:
        >>> kind_of_symbol("cl"), kind_of_symbol("17"), kind_of_symbol("Cl3"), kind_of_symbol("D") == 1
        (17, 17, 17, False)
    """
    kind = _KIND.get(text.capitalize())
    if kind is not None:
        return kind
    if text.isdecimal() and int(text) < len(SYMBOLS):
        return int(text)
    label = _LABEL.fullmatch(text)
    if label is not None and label[1] in _KIND:
        charge = int(f"{label[3] or label[4]}{label[2] or label[5] or 1}") if label[3] or label[4] else 0
        return _KIND[label[1]] + kind_of_atom(0, charge)
    raise ValueError(f"expected the symbol of an element or an atomic number up to {len(SYMBOLS) - 1}; got {text!r}")
