r"""What an architecture cannot see: features in irreps that look more symmetric than the site that carries them.

The features at a site with symmetries H are invariant under H: they lie in :math:`V^H`, the invariant vectors of the
irreps V. All of O(3) that fixes every vector of :math:`V^H` is a group :math:`K \supseteq H`, the symmetry that the
features *look like*. If K is larger, no function of the features at the site, however deep, tells H from K, and no
output that only K forbids can be read off them. With 0e and 1o, for instance, every site of cubic symmetry looks like
a sphere: its vectors vanish.

K is found by counting. A group K that contains H has :math:`V^K \subseteq V^H`, and fixes :math:`V^H` if and only if
:math:`\dim V^K = \dim V^H`, irrep by irrep, where the dimension is the mean of the character. Of all such K, axial
groups up to an order where they look like their limits, the cubic and icosahedral groups, and the seven infinite ones,
the largest is the answer. The Frobenius reciprocity behind it: M. Tinkham, *Group Theory and Quantum Mechanics*, 1964.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from sympe.actions.irreps import Irreps
from sympe.crystals.symmetry import name_of
from sympe.groups import point_group
from sympe.points.symmetry import Stabilizer

#: The crystallographic point groups.
_NAMES = "C1 Ci C2 Cs C2h D2 C2v D2h C4 S4 C4h D4 C4v D2d D4h C3 S6 D3 C3v D3d C6 C3h C6h D6 C6v D3h D6h T Th O Td Oh"
POINT_GROUPS = tuple(_NAMES.split(" "))
_group = cache(point_group)
#: The icosahedral group needs 15: its handedness appears in no spherical harmonic below.
_MOST_DEGREE = 16
_POLYHEDRAL = ("T", "Td", "Th", "O", "Oh", "I", "Ih")
#: The infinite groups: dimension, number of components, and number of invariant vectors of degree l and parity p.
_LIMITS: dict[str, tuple[int, int, Callable[[int, int], int]]] = {
    "Cinf": (1, 1, lambda l, p: 1),
    "Cinfv": (1, 2, lambda l, p: int(p == (-1) ** l)),
    "Cinfh": (1, 2, lambda l, p: int(p == 1)),
    "Dinf": (1, 2, lambda l, p: int(l % 2 == 0)),
    "Dinfh": (1, 4, lambda l, p: int(l % 2 == 0 and p == 1)),
    "K": (3, 1, lambda l, p: int(l == 0)),
    "Kh": (3, 2, lambda l, p: int(l == 0 and p == 1)),
}


@dataclass(frozen=True)
class View:
    """How features in irreps see a site.

    Attributes:
        site: Schoenflies symbol of the site's symmetries.
        looks_like: That of all symmetries of its features.
        least_degree: The least degree with which features of all degrees up to it tell the site from any other; None
            if none up to 16 does.
    """

    site: str
    looks_like: str
    least_degree: int | None

    @property
    def is_faithful(self) -> bool:
        return self.site == self.looks_like


def view(site: str, irreps: Irreps | str, special: bool = False) -> View:
    """How a site of a given symmetry looks to features in given irreps.

    Args:
        site: Schoenflies symbol of a finite point group.
        irreps: Irreps of the features; multiplicities above 0 do not matter.
        special: The network is equivariant under rotations only, and does not know parity.

    Raises:
        ValueError: If there is no such point group, or the irreps cannot be read.

    Example:
        >>> view("Td", "128x0e+128x1o").looks_like
        'Kh'
        >>> view("Td", "8x0e+8x1o+8x2e+8x3o")
        View(site='Td', looks_like='Td', least_degree=3)
    """
    parsed = Irreps.parse(irreps)
    kinds = {(degree, parity) for count, degree, parity in parsed.terms if count}
    site = _proper(site) if special else _own_name(site)
    both = special or any(parity != (-1) ** degree for degree, parity in kinds)
    return View(site, _looks_like(site, frozenset(kinds), special), _least_degree(site, both, special))


def views_of_sites(group: Stabilizer, irreps: Irreps | str, special: bool = False) -> list[View]:
    """How the sites of one molecule or crystal look, given its symmetries.

    Raises:
        ValueError: If the group is infinite: its axial limit looks as :func:`view` says of a large group.
    """
    if group.axis is not None or group.is_isotropic:
        raise ValueError(f"expected finite symmetries; got {group.name}")
    n = group.permutations.shape[1]
    return [view(name_of(group.matrices[group.permutations[:, i] == i]), irreps, special) for i in range(n)]


@cache
def _least_degree(site: str, both: bool, special: bool) -> int | None:
    """With which all degrees up to it, of natural parity or of both, tell the site from any other."""
    for top in range(_MOST_DEGREE + 1):
        kinds = frozenset((l, p) for l in range(top + 1) for p in (1, -1) if both or p == (-1) ** l)
        if _looks_like(site, kinds, special) == site:
            return top
    return None


@cache
def _looks_like(site: str, kinds: frozenset[tuple[int, int]], special: bool) -> str:
    """The largest group that contains the site's and has as many invariant vectors."""
    wanted = {kind: invariants(site, *kind) for kind in kinds}
    top = max((degree for degree, _ in kinds), default=0)
    size_of_site = _group(site).order
    best, size = site, (0, size_of_site)
    for other in _candidates(top + 1, special):
        measure = _LIMITS[other][:2] if other in _LIMITS else (0, _group(other).order)
        if measure <= size or (other not in _LIMITS and measure[1] % size_of_site):
            continue
        if all(invariants(other, *kind) == wanted[kind] for kind in kinds) and _contains(other, site):
            best, size = other, measure
    return best


@cache
def _candidates(top: int, special: bool) -> tuple[str, ...]:
    found = [*_LIMITS, *_POLYHEDRAL, "C1", "Cs", "Ci"]
    for n in range(2, top + 1):
        found += [f"C{n}", f"C{n}v", f"C{n}h", f"D{n}", f"D{n}h", f"D{n}d", f"S{2 * n}"]
    return tuple(name for name in found if not special or name == _proper(name))


@cache
def invariants(name: str, degree: int, parity: int) -> int:
    """The dimension of the invariant vectors of one irrep under a finite point group, or the limit of such groups."""
    if name in _LIMITS:
        return _LIMITS[name][2](degree, parity)
    matrices = _group(name).matrices
    assert matrices is not None
    sign = torch.linalg.det(matrices).round()
    angle = ((((sign[:, None, None] * matrices).diagonal(dim1=1, dim2=2).sum(1)) - 1) / 2).clamp(-1, 1).acos()
    turns = 1 + 2 * sum((k * angle).cos() for k in range(1, degree + 1))
    # A reflection is a rotation times the inversion, which multiplies by the parity.
    factor = torch.where(sign > 0, 1.0, float(parity))
    return round(float((torch.as_tensor(turns) * factor).mean()))


def _contains(other: str, site: str) -> bool:
    """Whether a group of the first type has a subgroup of the second."""
    if other in ("K", "Kh"):
        return other == "Kh" or site == _proper(site)
    if other not in _LIMITS:
        return site in _subgroups(other)
    if site in _POLYHEDRAL:
        return False
    n = _highest(site)
    return site in _subgroups(other.replace("inf", str(2 * n * (2 if n % 2 else 1))))


def _highest(site: str) -> int:
    digits = "".join(c for c in site if c.isdigit())
    return int(digits) if digits else 2


@cache
def _subgroups(name: str) -> frozenset[str]:
    """The types of all subgroups of a finite point group: joins of cyclic ones."""
    group = _group(name)
    table, matrices = group.table.numpy(), group.matrices
    assert matrices is not None

    def closed(elements: frozenset[int]) -> frozenset[int]:
        while True:
            here = np.fromiter(elements, int)
            more = np.unique(table[here[:, None], here])  # the identity is among the elements
            if len(more) == len(elements):
                return elements
            elements = frozenset(more.tolist())

    cyclic = {closed(frozenset({group.neutral, g})) for g in range(len(table))}
    known, waiting = set(cyclic), list(cyclic)
    while waiting:
        subgroup = waiting.pop()
        for one in cyclic:
            if not one <= subgroup and (joined := closed(subgroup | one)) not in known:
                known.add(joined)
                waiting.append(joined)
    return frozenset(name_of(matrices[sorted(subgroup)]) for subgroup in known)


@cache
def _own_name(site: str) -> str:
    """The name that the library gives a group: C1v and C1h are Cs, S2 is Ci."""
    matrices = _group(site).matrices
    assert matrices is not None
    return name_of(matrices)


@cache
def _proper(site: str) -> str:
    """The rotations of a group."""
    if site in _LIMITS:
        return {"K": "K", "Kh": "K", "Cinf": "Cinf", "Cinfv": "Cinf", "Cinfh": "Cinf"}.get(site, "Dinf")
    matrices = _group(site).matrices
    assert matrices is not None
    return name_of(matrices[torch.linalg.det(matrices) > 0])
