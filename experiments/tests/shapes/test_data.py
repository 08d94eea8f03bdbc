"""Shapes: their symmetries, their targets, and the floor that no equivariant network passes."""

import pytest
import torch

from sympe_experiments.shapes.data import DATA, load_shapes, make_shape
from sympe_experiments.shapes.run import nearest_target

#: Order and name of the symmetry of the start, number of targets.
KNOWN = {
    "rectangle": ("D4h", 16, 2),
    "tilted octahedron": ("Oh", 48, 6),
    "ammonia": ("D3h", 12, 2),
    "hydrogen peroxide": ("C2h", 4, 2),
    "cyclobutane": ("D4h", 16, 2),
    "cyclohexane": ("D6h", 24, 2),
    "cyclooctatetraene": ("D8h", 32, 4),
}
SHAPES = {shape.name: shape for data in DATA for shape in load_shapes(data)}


def test_symmetries_and_targets() -> None:
    found = {name: (s.symmetry.name, s.symmetry.order, len(s.targets)) for name, s in SHAPES.items()}
    assert found == KNOWN
    for shape in SHAPES.values():
        assert len(shape.kept) * len(shape.targets) == shape.symmetry.order


@pytest.mark.parametrize("name", SHAPES)
def test_targets_are_one_orbit(name: str) -> None:
    """Every symmetry of the start permutes the targets; those that are kept fix the first."""
    shape = SHAPES[name]
    fixed = 0
    for matrix, image in zip(shape.symmetry.matrices.double(), shape.symmetry.permutations, strict=True):
        moved = torch.empty_like(shape.targets)
        moved[:, image] = shape.targets @ matrix.T
        distance = (moved[:, None] - shape.targets).abs().amax((2, 3))
        assert sorted(distance.argmin(1).tolist()) == list(range(len(shape.targets)))
        assert distance.min(1).values.max() < 1e-4
        fixed += int(distance[0].argmin() == 0)
    assert fixed == len(shape.kept)


@pytest.mark.parametrize("name", SHAPES)
def test_the_floor_is_the_best_symmetric_answer(name: str) -> None:
    """The mean of the targets is the symmetric answer, all targets are as far from it, and it costs the floor."""
    shape = SHAPES[name]
    mean = shape.targets.mean(0)
    distances = (shape.targets - mean).square().sum(2).mean(1)
    assert torch.allclose(distances, torch.full_like(distances, shape.floor), atol=1e-9)
    assert float(nearest_target(mean[None], shape.targets)[0]) == pytest.approx(shape.floor)
    assert shape.floor > 0.01


def test_floor_of_a_rectangle() -> None:
    assert SHAPES["rectangle"].floor == pytest.approx(2 * 0.3**2)


def test_geometry() -> None:
    """Bond lengths after the deformation, in angstrom."""

    def lengths(name: str, pairs: list[tuple[int, int]]) -> list[float]:
        end = SHAPES[name].start.position + SHAPES[name].targets[0]
        return [float((end[i] - end[j]).norm()) for i, j in pairs]

    assert lengths("ammonia", [(0, 1), (0, 2), (0, 3)]) == pytest.approx([1.012] * 3, abs=1e-3)
    assert lengths("cyclohexane", [(i, (i + 1) % 6) for i in range(6)]) == pytest.approx([1.53] * 6)
    assert lengths("cyclobutane", [(i, (i + 1) % 4) for i in range(4)]) == pytest.approx([1.55] * 4)
    assert lengths("hydrogen peroxide", [(0, 1), (0, 2), (1, 3)]) == pytest.approx([1.475, 0.95, 0.95])
    turned = SHAPES["tilted octahedron"]
    end = turned.start.position + turned.targets[0]
    assert torch.allclose(end.norm(dim=1), turned.start.position.norm(dim=1), atol=1e-6)


def test_what_can_not_be_a_shape() -> None:
    with pytest.raises(ValueError, match="unknown data 'cube'; choose one of square, octahedron, fragments"):
        load_shapes("cube")
    line = [(0.0, 0.0, 0.0), (0.0, 0.0, 1.16), (0.0, 0.0, -1.16)]
    with pytest.raises(
        ValueError, match="carbon dioxide: expected finitely many symmetries; Dinfh has infinitely many"
    ):
        make_shape("carbon dioxide", "C O O", line, line)
