"""O(3), SO(3), O(2), SO(2): axioms, and Haar measure against exact laws."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from laws import THRESHOLD, check_reproducible
from molecules import EXAMPLES
from sympe.groups import OrthogonalGroup
from sympe.groups.orthogonal import rotation_of_quaternion

KINDS = [(2, False), (2, True), (3, False), (3, True)]


def haar_p_value(g: Tensor, special: bool) -> float:
    """Least p-value of exact laws of Haar measure, times their number (Bonferroni)."""
    d = g.shape[1]
    fixed = torch.Generator().manual_seed(3)
    left, right = torch.randn(2, 4, d, generator=fixed, dtype=torch.float64)
    left, right = (v / v.norm(dim=1, keepdim=True) for v in (left, right))
    found = []
    for u, v in zip(left, right, strict=True):
        cosine = torch.einsum("i,bij,j->b", u, g.double(), v).numpy()
        # The image of a unit vector is uniform on the sphere (Archimedes) or on the circle.
        law = stats.uniform(-1, 2) if d == 3 else stats.arcsine(-1, 2)
        found.append(stats.kstest(cosine, law.cdf).pvalue)
    determinant = torch.linalg.det(g.double())
    proper = g.double()[determinant > 0]
    if d == 3:
        angle = torch.arccos(((proper.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1)).numpy()
        found.append(stats.kstest(angle, lambda a: (a - np.sin(a)) / math.pi).pvalue)
    else:
        angle = torch.atan2(proper[:, 1, 0], proper[:, 0, 0]).numpy()
        found.append(stats.kstest(angle, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue)
    if special:
        assert len(proper) == len(g), "expected rotations only"
    else:
        found.append(stats.binomtest(len(proper), len(g)).pvalue)
    # Neighbors in a batch are independent: the step between them is Haar as well.
    step = (g[::2] @ g[1::2].transpose(1, 2)).double()
    found.append(stats.kstest(step[:, 0, 0].numpy(), (stats.uniform(-1, 2) if d == 3 else stats.arcsine(-1, 2)).cdf)[1])
    return min(found) * len(found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(("dimension", "special"), KINDS)
def test_axioms(dimension: int, special: bool, dtype: torch.dtype, generator: torch.Generator) -> None:
    group = OrthogonalGroup(dimension, special)
    like = torch.zeros(200, 5, dtype=dtype)
    g, h, k = (group.haar(like, generator) for _ in range(3))
    e = group.identity(like)
    close = {"rtol": 0, "atol": 30 * torch.finfo(dtype).eps}
    for left, right in (
        (group.compose(group.compose(g, h), k), group.compose(g, group.compose(h, k))),
        (group.compose(e, g), g),
        (group.compose(g, group.inverse(g)), e),
        (group.compose(group.inverse(g), g), e),
        (group.inverse(group.compose(g, h)), group.compose(group.inverse(h), group.inverse(g))),
    ):
        assert left.dtype == dtype
        torch.testing.assert_close(left, right, **close)
    assert bool((torch.linalg.det(g) > 0).all()) == special
    assert str(group) == f"{'SO' if special else 'O'}({dimension})"


@pytest.mark.parametrize(("dimension", "special"), KINDS)
def test_haar_measure(dimension: int, special: bool, generator: torch.Generator) -> None:
    g = OrthogonalGroup(dimension, special).haar(torch.zeros(20000), generator)
    assert haar_p_value(g, special) > THRESHOLD


def euler_angles(count: int, generator: torch.Generator) -> Tensor:
    """Three uniform angles: too many rotations near the poles."""

    def about(axis: int, angle: Tensor) -> Tensor:
        i, j = (k for k in range(3) if k != axis)
        g = torch.eye(3).repeat(len(angle), 1, 1)
        g[:, i, i] = g[:, j, j] = angle.cos()
        g[:, i, j], g[:, j, i] = -angle.sin(), angle.sin()
        return g

    a, b, c = 2 * math.pi * torch.rand(3, count, generator=generator)
    return about(2, a) @ about(1, b) @ about(2, c)


def qr_without_signs(count: int, generator: torch.Generator) -> Tensor:
    """LAPACK fixes signs of its own."""
    q = torch.linalg.qr(torch.randn(count, 3, 3, generator=generator))[0]
    return q * torch.linalg.det(q).sign()[:, None, None]


def cubic_quaternions(count: int, generator: torch.Generator) -> Tensor:
    """Quaternions uniform in a cube in place of a ball."""
    q = 2 * torch.rand(count, 4, generator=generator) - 1
    return rotation_of_quaternion(q / q.norm(dim=1, keepdim=True))


@pytest.mark.parametrize("wrong", [euler_angles, qr_without_signs, cubic_quaternions])
def test_wrong_laws_are_rejected(wrong: Callable[[int, torch.Generator], Tensor], generator: torch.Generator) -> None:
    assert haar_p_value(wrong(20000, generator), special=True) < THRESHOLD


def test_a_repeated_draw_is_rejected(generator: torch.Generator) -> None:
    g = OrthogonalGroup(special=True).haar(torch.zeros(10000), generator).repeat_interleave(2, dim=0)
    assert haar_p_value(g, special=True) < THRESHOLD


def test_batches_tell_length_and_type(generator: torch.Generator) -> None:
    group = OrthogonalGroup()
    water = EXAMPLES["water"].cloud
    assert group.haar(water, generator).dtype == water.dtype == torch.float64
    assert group.haar(torch.zeros(3, dtype=torch.long), generator).dtype == torch.get_default_dtype()
    assert group.haar(torch.zeros(0, 3), generator).shape == group.identity(torch.zeros(0, 3)).shape == (0, 3, 3)
    check_reproducible(lambda seeded: group.haar(torch.zeros(4), seeded))


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="dimension must be 2 or 3; got 4"):
        OrthogonalGroup(4)


@pytest.mark.parametrize("special", [True, False])
def test_a_single_draw_is_that_of_a_batch(special: bool, generator: torch.Generator) -> None:
    """It is computed in numbers."""
    for seed in range(20):
        gauss = torch.randn(1, 4, dtype=torch.float64, generator=generator.manual_seed(seed))
        expected = rotation_of_quaternion(gauss / gauss.norm())
        if not special:
            expected[..., -1] *= torch.randint(2, (1,), generator=generator) * 2 - 1
        found = OrthogonalGroup(special=special).haar(gauss, generator.manual_seed(seed))
        torch.testing.assert_close(found, expected)
