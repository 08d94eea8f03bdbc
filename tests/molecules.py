"""Point clouds with known symmetries: platonic solids, molecules, prisms, lines and single points.

Coordinates are in angstrom and in float64; each cloud is a batch of one. Bond lengths are rounded textbook ones, the
symmetries are exact to rounding.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sympe.points import ATOMIC_NUMBER, PointClouds, from_clouds

GOLDEN = (1 + 5**0.5) / 2


@dataclass(frozen=True)
class Example:
    """A cloud, its point group in O(3) and in SO(3), and the orders of both."""

    cloud: PointClouds
    name: str
    order: float
    rotations: str
    rotation_order: float


def molecule(*atoms: tuple[str, float, float, float]) -> PointClouds:
    return from_clouds(
        [[[float(c) for c in a[1:]] for a in atoms]], [[ATOMIC_NUMBER[a[0]] for a in atoms]], torch.float64
    )


def solid(corners: Tensor, species: int = 6) -> PointClouds:
    return from_clouds([corners.double()], [[species] * len(corners)])


def ring(symbol: str, count: int, radius: float, height: float = 0.0, turn: float = 0.0) -> list:
    """Atoms on a regular polygon about z; ``turn`` in steps of the polygon."""
    angles = [2 * math.pi * (k + turn) / count for k in range(count)]
    return [(symbol, radius * math.cos(a), radius * math.sin(a), height) for a in angles]


def cyclic(points: list[tuple[float, float, float]]) -> Tensor:
    """Points with all cyclic permutations of their coordinates."""
    p = torch.tensor(points, dtype=torch.float64)
    return torch.cat([p, p.roll(1, 1), p.roll(2, 1)])


def signs(*size: float) -> list[tuple[float, ...]]:
    """A point with all signs of its coordinates that are not zero."""
    found: list[tuple[float, ...]] = [()]
    for s in size:
        found = [(*f, v) for f in found for v in ({s, -s})]
    return found


CUBE = torch.tensor(signs(1.0, 1.0, 1.0), dtype=torch.float64) * 0.785
OCTAHEDRON = cyclic(signs(1.0, 0.0, 0.0)) * 1.56
ICOSAHEDRON = cyclic(signs(0.0, 1.0, GOLDEN)) * 0.9
DODECAHEDRON = torch.cat([torch.tensor(signs(1.0, 1.0, 1.0)).double(), cyclic(signs(0.0, 1 / GOLDEN, GOLDEN))])
TETRAHEDRON = torch.tensor([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64)
CUBOCTAHEDRON = cyclic(signs(1.0, 1.0, 0.0))


def snub_cube() -> Tensor:
    """A chiral polyhedron with all rotations of the cube: even permutations with an even number of minus signs, and
    odd ones with an odd number."""
    t = 1.8392867552141612  # the real root of t^3 = t^2 + t + 1
    size = [1.0, 1 / t, t]
    rows = []
    for permutation, parity in (
        ([0, 1, 2], 0),
        ([1, 2, 0], 0),
        ([2, 0, 1], 0),
        ([1, 0, 2], 1),
        ([0, 2, 1], 1),
        ([2, 1, 0], 1),
    ):
        for sign in signs(1.0, 1.0, 1.0):
            if sum(s < 0 for s in sign) % 2 == parity:
                rows.append([size[p] * s for p, s in zip(permutation, sign, strict=True)])
    return torch.tensor(rows, dtype=torch.float64)


def pseudo_rhombicuboctahedron() -> Tensor:
    """All 24 corners see the same faces, yet they are of two kinds: one cap of the solid is turned by 45 degrees."""
    a = 1 + 2**0.5
    middle = signs(1.0, a, 1.0) + signs(a, 1.0, 1.0)
    top = torch.tensor([(x, y, a) for x, y in signs(1.0, 1.0)], dtype=torch.float64)
    c = 0.5**0.5
    turn = torch.tensor([[c, -c, 0], [c, c, 0], [0, 0, -1]], dtype=torch.float64)
    return torch.cat([torch.tensor(middle, dtype=torch.float64), top, top @ turn.T])


def ethane(twist: float) -> PointClouds:
    """Twist 0.5 is staggered, 0 eclipsed."""
    carbons = [("C", 0.0, 0.0, 0.765), ("C", 0.0, 0.0, -0.765)]
    return molecule(*carbons, *ring("H", 3, 1.02, 1.16), *ring("H", 3, 1.02, -1.16, twist))


def hydrogen_peroxide() -> PointClouds:
    a = math.radians(55.75)
    return molecule(
        ("O", 0.0, 0.0, 0.73),
        ("O", 0.0, 0.0, -0.73),
        ("H", 0.94 * math.cos(a), 0.94 * math.sin(a), 0.9),
        ("H", 0.94 * math.cos(a), -0.94 * math.sin(a), -0.9),
    )


CUBANE = PointClouds(
    torch.cat([CUBE, CUBE * 1.8]), torch.zeros(16, dtype=torch.long), torch.tensor([6] * 8 + [1] * 8), 1
)
METHANE = molecule(("C", 0.0, 0.0, 0.0), *(("H", *(0.63 * v).tolist()) for v in TETRAHEDRON))
SF6 = molecule(("S", 0.0, 0.0, 0.0), *(("F", *v.tolist()) for v in OCTAHEDRON))


def buckminsterfullerene(bond: float = 1.42) -> Tensor:
    """A truncated icosahedron: two corners on each of the 30 edges, at a third of their length, taken twice."""
    apart = torch.cdist(ICOSAHEDRON, ICOSAHEDRON)
    start, end = (apart < 1.01 * apart[apart > 0.1].min()).logical_and(apart > 0.1).nonzero().T
    corners = (2 * ICOSAHEDRON[start] + ICOSAHEDRON[end]) / 3
    return corners * bond / (apart[start[0], end[0]] / 3)


BENZENE = molecule(*ring("C", 6, 1.397), *ring("H", 6, 2.481))
CHIRAL = molecule(
    ("C", 0.0, 0.0, 0.0),
    ("H", 0.63, 0.63, 0.63),
    ("F", 0.78, -0.78, -0.78),
    ("Cl", -1.02, 1.02, -1.02),
    ("Br", -1.12, -1.12, 1.12),
)
INF = math.inf

EXAMPLES: dict[str, Example] = {
    "CHFClBr": Example(CHIRAL, "C1", 1, "C1", 1),
    "bent, four kinds": Example(
        molecule(("H", 0.0, 0.9, 0.5), ("O", 0.0, 0.0, 0.0), ("C", 0.0, -1.2, 0.7), ("F", 0.0, -1.3, 2.0)),
        "Cs",
        2,
        "C1",
        1,
    ),
    "C2H2F2Cl2, anti": Example(
        molecule(
            ("C", 0.0, 0.0, 0.765),
            ("C", 0.0, 0.0, -0.765),
            ("H", 1.02, 0.1, 1.16),
            ("H", -1.02, -0.1, -1.16),
            ("F", -0.5, 1.2, 1.2),
            ("F", 0.5, -1.2, -1.2),
            ("Cl", -0.9, -1.5, 1.3),
            ("Cl", 0.9, 1.5, -1.3),
        ),
        "Ci",
        2,
        "C1",
        1,
    ),
    "hydrogen peroxide": Example(hydrogen_peroxide(), "C2", 2, "C2", 2),
    "water": Example(
        molecule(("O", 0.0, 0.0, 0.12), ("H", 0.0, 0.76, -0.48), ("H", 0.0, -0.76, -0.48)), "C2v", 4, "C2", 2
    ),
    "trans-diazene": Example(
        molecule(("N", 0.6, 0.1, 0.0), ("N", -0.6, -0.1, 0.0), ("H", 1.0, 1.1, 0.0), ("H", -1.0, -1.1, 0.0)),
        "C2h",
        4,
        "C2",
        2,
    ),
    "ammonia": Example(molecule(("N", 0.0, 0.0, 0.07), *ring("H", 3, 0.94, -0.31)), "C3v", 6, "C3", 3),
    "propeller": Example(
        molecule(("B", 0.0, 0.0, 0.0), *ring("O", 3, 1.4), *ring("H", 3, 1.9, 0.0, 0.2)), "C3h", 6, "C3", 3
    ),
    "boron trifluoride": Example(molecule(("B", 0.0, 0.0, 0.0), *ring("F", 3, 1.3)), "D3h", 12, "D3", 6),
    "allene": Example(
        molecule(
            ("C", 0.0, 0.0, 0.0),
            ("C", 0.0, 0.0, 1.31),
            ("C", 0.0, 0.0, -1.31),
            ("H", 0.93, 0.0, 1.87),
            ("H", -0.93, 0.0, 1.87),
            ("H", 0.0, 0.93, -1.87),
            ("H", 0.0, -0.93, -1.87),
        ),
        "D2d",
        8,
        "D2",
        4,
    ),
    "twisted allene": Example(
        molecule(*ring("H", 2, 0.93, 1.87), *ring("H", 2, 0.93, -1.87, 0.2), ("C", 0.0, 0.0, 0.0)), "D2", 4, "D2", 4
    ),
    "ethane": Example(ethane(0.5), "D3d", 12, "D3", 6),
    "eclipsed ethane": Example(ethane(0.0), "D3h", 12, "D3", 6),
    "twisted ethane": Example(ethane(0.15), "D3", 6, "D3", 6),
    "rotary reflections": Example(
        molecule(*ring("C", 4, 1.2), *ring("F", 2, 1.9, 0.5, 0.1), *ring("F", 2, 1.9, -0.5, 0.6)), "S4", 4, "C2", 2
    ),
    "benzene": Example(BENZENE, "D6h", 24, "D6", 12),
    "ferrocene": Example(
        molecule(
            ("Fe", 0.0, 0.0, 0.0),
            *ring("C", 5, 1.22, 1.65),
            *ring("C", 5, 1.22, -1.65, 0.5),
            *ring("H", 5, 2.3, 1.62),
            *ring("H", 5, 2.3, -1.62, 0.5),
        ),
        "D5d",
        20,
        "D5",
        10,
    ),
    "prism of 8": Example(molecule(*ring("C", 8, 1.8, 0.7), *ring("C", 8, 1.8, -0.7)), "D8h", 32, "D8", 16),
    "antiprism of 4": Example(molecule(*ring("S", 4, 1.7, 0.5), *ring("S", 4, 1.7, -0.5, 0.5)), "D4d", 16, "D4", 8),
    "methane": Example(METHANE, "Td", 24, "T", 12),
    "tetrahedron": Example(solid(TETRAHEDRON), "Td", 24, "T", 12),
    "pyritohedral": Example(
        molecule(("C", 0.0, 0.0, 0.0), *(("H", *v.tolist()) for v in cyclic(signs(0.0, 0.8, 1.9)))), "Th", 24, "T", 12
    ),
    "SF6": Example(SF6, "Oh", 48, "O", 24),
    "cubane": Example(CUBANE, "Oh", 48, "O", 24),
    "cube": Example(solid(CUBE), "Oh", 48, "O", 24),
    "cuboctahedron": Example(solid(CUBOCTAHEDRON), "Oh", 48, "O", 24),
    "snub cube": Example(solid(snub_cube()), "O", 24, "O", 24),
    "pseudo-rhombicuboctahedron": Example(solid(pseudo_rhombicuboctahedron()), "D4d", 16, "D4", 8),
    "icosahedron": Example(solid(ICOSAHEDRON), "Ih", 120, "I", 60),
    "dodecahedron": Example(solid(DODECAHEDRON), "Ih", 120, "I", 60),
    "carbon monoxide": Example(molecule(("C", 0.0, 0.0, 0.0), ("O", 0.0, 0.0, 1.13)), "Cinfv", INF, "Cinf", INF),
    "carbon dioxide": Example(
        molecule(("O", 0.0, 0.0, -1.16), ("C", 0.0, 0.0, 0.0), ("O", 0.0, 0.0, 1.16)), "Dinfh", INF, "Dinf", INF
    ),
    "argon": Example(molecule(("Ar", 0.3, 0.1, -2.0)), "Kh", INF, "K", INF),
}

#: Too many points for brute force; their point group has the axes of ``point_group("Ih")``. The onion has 241 atoms.
FULLERENES = {
    "C60": solid(buckminsterfullerene()),
    "onion": solid(torch.cat([torch.zeros(1, 3), *(buckminsterfullerene(bond) for bond in (1.4, 2.1, 2.8, 3.5))])),
}
