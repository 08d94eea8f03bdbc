import pytest
import torch
from torch import Tensor

from laws import check_action
from molecules import EXAMPLES
from sympe.actions import Action, PointMotion, PointRotation, PointVectorMotion, TensorRotation
from sympe.groups import SymmetricGroup
from sympe.points import PointClouds, concatenate, from_clouds

CLOUDS = concatenate([EXAMPLES[name].cloud for name in ("methane", "argon", "CHFClBr", "carbon dioxide", "water")])
PLANE = from_clouds([[[0.0, 1.0], [2.0, 0.5]], [[1.0, 1.0]]], dtype=torch.float64)


def same(first: PointClouds | Tensor, second: PointClouds | Tensor) -> bool:
    if isinstance(first, Tensor) or isinstance(second, Tensor):
        return torch.allclose(first, second, atol=1e-12)  # type: ignore[arg-type]
    alike = (first.species is None) == (second.species is None)
    if alike and first.species is not None and second.species is not None:
        alike = torch.equal(first.species, second.species)
    return alike and torch.equal(first.batch, second.batch) and torch.allclose(first.position, second.position)


def copy(x: PointClouds | Tensor) -> PointClouds | Tensor:
    if isinstance(x, Tensor):
        return x.clone()
    return PointClouds(x.position.clone(), x.batch, None if x.species is None else x.species.clone(), x.num_clouds)


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("action", [PointRotation, PointMotion])
def test_laws_of_the_actions_on_clouds(action: type, special: bool, generator: torch.Generator) -> None:
    check_action(action(special=special), CLOUDS, same, copy, generator)
    check_action(action(dimension=2, special=special), PLANE, same, copy, generator)


@pytest.mark.parametrize("special", [False, True])
def test_laws_of_the_action_on_vectors_at_points(special: bool, generator: torch.Generator) -> None:
    """One element moves clouds and vectors: check_action draws it for clouds."""
    for clouds in (CLOUDS, PLANE):
        action = PointVectorMotion(clouds.dimension, special)
        x = torch.randn(clouds.num_points, clouds.dimension, generator=generator, dtype=torch.float64)
        g, h = (action.group.haar(clouds, generator) for _ in range(2))
        assert same(action.act(action.group.compose(g, h), x), action.act(g, action.act(h, x)))
        assert same(action.act(action.group.identity(clouds), x), x)
        # The displacement from one cloud to another moves with both.
        motion = PointMotion(clouds.dimension, special)
        other = PointClouds(clouds.position + x, clouds.batch, clouds.species, len(clouds))
        moved = motion.act(g, other).centered - motion.act(g, clouds).centered
        assert same(moved, action.act(g, other.centered - clouds.centered))


@pytest.mark.parametrize("axial", [False, True])
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_laws_of_the_actions_on_tensors(rank: int, axial: bool, generator: torch.Generator) -> None:
    for d in (2, 3):
        for between in ((), (4,), (2, 3)):
            x = torch.randn(5, *between, *[d] * rank, generator=generator, dtype=torch.float64)
            check_action(TensorRotation(rank, axial, d), x, same, copy, generator)


class RotationAboutTheOrigin(PointRotation):
    """No action: centers, but forgets to go back, so that e x is not x."""

    def act(self, g: Tensor, x: PointClouds) -> PointClouds:
        moved = super().act(g, x)
        return PointClouds(moved.centered, x.batch, x.species, len(x))


class Transposed(TensorRotation):
    """A right action."""

    def act(self, g: Tensor, x: Tensor) -> Tensor:
        return super().act(g.transpose(1, 2), x)


@pytest.mark.parametrize(
    ("wrong", "x", "law"),
    [
        (RotationAboutTheOrigin(), PLANE.select([0]).to(), "e x = x"),
        (Transposed(1), torch.arange(6.0).reshape(2, 3).double(), r"\(g h\) x = g \(h x\)"),
    ],
)
def test_the_checker_rejects(wrong: Action, x: PointClouds, law: str, generator: torch.Generator) -> None:
    wrong = RotationAboutTheOrigin(dimension=2) if isinstance(x, PointClouds) else wrong
    with pytest.raises(AssertionError, match=law):
        check_action(wrong, x, same, copy, generator)


def test_rotation_keeps_the_centroid_and_commutes_with_shifts(generator: torch.Generator) -> None:
    action = PointRotation()
    g = action.group.haar(CLOUDS, generator)
    moved = action.act(g, CLOUDS)
    torch.testing.assert_close(moved.centroid, CLOUDS.centroid)
    shift = torch.tensor([3.0, -1.0, 8.0])
    shifted = PointClouds(CLOUDS.position + shift, CLOUDS.batch, CLOUDS.species, len(CLOUDS))
    torch.testing.assert_close(action.act(g, shifted).position, moved.position + shift)


def test_tensors_turn_as_products_of_vectors_do(generator: torch.Generator) -> None:
    a, b = torch.randn(2, 6, 3, generator=generator)
    g = TensorRotation().group.haar(a, generator)
    vector, matrix = TensorRotation(1), TensorRotation(2)
    moved = vector.act(g, a)[:, :, None] * vector.act(g, b)[:, None]
    torch.testing.assert_close(matrix.act(g, a[:, :, None] * b[:, None]), moved)
    cross = torch.linalg.cross(vector.act(g, a), vector.act(g, b))
    torch.testing.assert_close(TensorRotation(1, axial=True).act(g, torch.linalg.cross(a, b)), cross)


def test_bad_input_ends_with_one_clear_line(generator: torch.Generator) -> None:
    g = PointRotation().group.haar(CLOUDS, generator)
    with pytest.raises(ValueError, match=r"expected matrices of shape \[5, 3, 3\]; got \[4, 3, 3\]"):
        PointRotation().act(g[:4], CLOUDS)
    with pytest.raises(ValueError, match=r"expected matrices of shape \[2, 2, 2\]; got \[2, 3, 3\]"):
        PointRotation().act(g[:2], PLANE)
    s = SymmetricGroup().haar(PLANE, generator)
    with pytest.raises(ValueError, match="expected permutations of 17 points; got 3"):
        PointMotion().act((s, g), CLOUDS)
    with pytest.raises(ValueError, match=r"expected matrices \[B, 3, 3\] and data \[B, ..., 3, 3\]; got"):
        TensorRotation(2).act(g, torch.zeros(5, 3))
    with pytest.raises(ValueError, match="rank must be at least 0; got -1"):
        TensorRotation(-1)
