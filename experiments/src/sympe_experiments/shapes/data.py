r"""Shapes that deform into less symmetric ones, and the least error of a network that cannot break the symmetry.

A start :math:`x` is a cloud of points, a target :math:`y` a displacement of each point. With a symmetry :math:`s` of
the start, :math:`sy` is as good a target: turned, and given to the points that :math:`s` takes the old ones to.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.points import ATOMIC_NUMBER, PointClouds, from_clouds
from sympe.points.symmetry import Stabilizer, stabilizers
from sympe_experiments.shapes.config import DATA

Points = Sequence[Sequence[float]]


@dataclass(frozen=True, eq=False)
class Shape:
    """One start and the targets that its symmetry makes equivalent.

    Attributes:
        name: Name of the shape.
        start: A batch of one cloud, its centroid at the origin.
        targets: All distinct targets, displacements in angstrom.
        kept: The symmetries that the first target shares with the start.
        symmetry: All symmetries of the start.
        floor: Least mean squared error, in square angstrom per point, of every deterministic equivariant network:
            :math:`|y - P y|^2 / n`, P the average over the symmetries of the start.
    """

    name: str
    start: PointClouds
    targets: Float[Tensor, "m n 3"]
    kept: Float[Tensor, "k 3 3"]
    symmetry: Stabilizer
    floor: float


def load_shapes(data: str) -> list[Shape]:
    """The shapes of a data set.

    Raises:
        ValueError: If there is no such data set.
    """
    builders = {"square": [_square], "octahedron": [_octahedron], "fragments": list(_FRAGMENTS)}
    if data not in builders:
        raise ValueError(f"unknown data {data!r}; choose one of {', '.join(DATA)}")
    return [make_shape(*build()) for build in builders[data]]


def make_shape(name: str, symbols: str, start: Points, end: Points) -> Shape:
    """A shape from where its points start and end.

    Raises:
        ValueError: If the start has infinitely many symmetries.
    """
    species = [ATOMIC_NUMBER[symbol] for symbol in symbols.split()]
    clouds = from_clouds([torch.tensor(start, dtype=torch.float64)], [species])
    position, target = clouds.centered, torch.tensor(end, dtype=torch.float64)
    displacement = target - target.mean(0) - position
    [symmetry] = stabilizers(clouds)
    if math.isinf(symmetry.order):
        raise ValueError(f"{name}: expected finitely many symmetries; {symmetry.name} has infinitely many")
    turned = torch.einsum("kab,nb->kna", symmetry.matrices.double(), displacement)
    images = torch.empty_like(turned)
    images.scatter_(1, symmetry.permutations[:, :, None].expand_as(turned), turned)
    same = (images[:, None] - images).abs().amax((2, 3)) < 1e-4
    first = same.int().argmax(1) == torch.arange(len(images))
    return Shape(
        name=name,
        start=PointClouds(position, clouds.batch, clouds.species, 1),
        targets=images[first],
        kept=symmetry.matrices[same[0]].double(),
        symmetry=symmetry,
        floor=float((displacement - images.mean(0)).square().sum(1).mean()),
    )


def _square() -> tuple[str, str, Points, Points]:
    corners = [(1, 1), (1, -1), (-1, -1), (-1, 1)]
    start = [(float(x), float(y), 0.0) for x, y in corners]
    return "rectangle", "X X X X", start, [(1.3 * x, 0.7 * y, z) for x, y, z in start]


def _octahedron() -> tuple[str, str, Points, Points]:
    """Turned by 15 degrees about one axis, as the octahedra of a perovskite are."""
    angle = math.radians(15)
    start = [
        (2.0 * sign * (i == 0), 2.0 * sign * (i == 1), 2.0 * sign * (i == 2)) for i in range(3) for sign in (1, -1)
    ]
    turn = [
        (math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y, z) for x, y, z in start
    ]
    return "tilted octahedron", "O O O O O O", start, turn


def _ring(count: int, radius: float, heights: Sequence[float]) -> Points:
    angles = [2 * math.pi * j / count for j in range(count)]
    return [(radius * math.cos(a), radius * math.sin(a), h) for a, h in zip(angles, heights, strict=True)]


def _ammonia() -> tuple[str, str, Points, Points]:
    """Planar and pyramidal; N-H 0.998 and 1.012 angstrom, HNH 106.7 degrees."""
    flat, bent = _ring(3, 0.998, [0.0] * 3), _ring(3, 0.9375, [-0.381] * 3)
    return "ammonia", "N H H H", [(0.0, 0.0, 0.0), *flat], [(0.0, 0.0, 0.0), *bent]


def _peroxide() -> tuple[str, str, Points, Points]:
    """H2O2, planar and trans, turned to the dihedral angle of 111.5 degrees; two mirror images."""
    along, out = 0.95 * math.cos(math.radians(94.8)), 0.95 * math.sin(math.radians(94.8))

    def atoms(dihedral: float) -> Points:
        half = math.radians(dihedral) / 2
        y, z = out * math.cos(half), out * math.sin(half)
        return [(0.7375, 0.0, 0.0), (-0.7375, 0.0, 0.0), (0.7375 - along, y, z), (-0.7375 + along, y, -z)]

    return "hydrogen peroxide", "O O H H", atoms(180.0), atoms(111.5)


def _cyclobutane() -> tuple[str, str, Points, Points]:
    """The ring of four, puckered by 28 degrees; C-C 1.55 angstrom."""
    height = 0.133
    radius = math.sqrt((1.55**2 - 4 * height**2) / 2)
    return "cyclobutane", "C C C C", _ring(4, 1.55 / math.sqrt(2), [0.0] * 4), _ring(4, radius, [height, -height] * 2)


def _cyclohexane() -> tuple[str, str, Points, Points]:
    """The ring of six and its chair; C-C 1.53 angstrom, puckering amplitude 0.56 angstrom (Cremer and Pople)."""
    height = 0.56 / math.sqrt(6)
    radius = math.sqrt(1.53**2 - 4 * height**2)
    return "cyclohexane", "C C C C C C", _ring(6, 1.53, [0.0] * 6), _ring(6, radius, [height, -height] * 3)


def _cyclooctatetraene() -> tuple[str, str, Points, Points]:
    """The ring of eight and its tub, double bonds on the sides of the tub: four ways to fold it."""
    start = _ring(8, 1.40 / (2 * math.sin(math.pi / 8)), [0.0] * 8)
    heights = [0.38 if j % 4 < 2 else -0.38 for j in range(8)]
    return (
        "cyclooctatetraene",
        " ".join("C" * 8),
        start,
        [(0.97 * x, 0.97 * y, h) for (x, y, _), h in zip(start, heights, strict=True)],
    )


_FRAGMENTS = (_ammonia, _peroxide, _cyclobutane, _cyclohexane, _cyclooctatetraene)
