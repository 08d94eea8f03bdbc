"""The permutation test by itself: exact size, power against planted differences, and degenerate samples."""

import itertools

import pytest
import torch
from scipy import stats
from torch import Tensor

from sympe.auditing.equivariance.discrepancy import compare

DRAWS = {
    "gaussian": lambda generator: torch.randn(6, 5, 2, generator=generator),
    "chi-square": lambda generator: torch.randint(3, (6, 5, 1), generator=generator),
    "hamming": lambda generator: torch.randint(3, (6, 5, 6), generator=generator),
    "float atoms": lambda generator: torch.randint(2, (6, 5, 2), generator=generator).float(),
    "shared by a call": lambda generator: (
        torch.randn(1, 5, 2, generator=generator) + torch.randn(6, 5, 2, generator=generator)
    ),
}


@pytest.mark.parametrize("name", DRAWS)
def test_the_size_is_exact(name: str, generator: torch.Generator) -> None:
    """With 19 permutations p is a multiple of 1/20; ties can only make it larger."""
    p = torch.tensor([compare(DRAWS[name](generator)).p_value(19, generator) for _ in range(300)])
    for level in (0.05, 0.2, 0.5):
        rejected = int((p <= level + 1e-6).sum())
        assert stats.binom.sf(rejected - 1, len(p), level) > 1e-4, f"too many p-values below {level}"
        if name not in ("chi-square", "float atoms"):
            assert stats.binom.cdf(rejected, len(p), level) > 1e-4, f"too few p-values below {level}"


def test_the_size_is_exact_by_enumeration(generator: torch.Generator) -> None:
    """Two groups, three calls: of the 8 tables that permutations make, the largest statistic has p = 2/8.

    (A table and the one with its groups exchanged have one statistic.) So P(p <= 1/4) is 1/4 over these tables.
    """
    samples = torch.randn(2, 3, 1, generator=generator)
    p_values = []
    for flips in itertools.product((False, True), repeat=3):
        table = torch.stack([samples[:, c].flip(0) if flip else samples[:, c] for c, flip in enumerate(flips)], dim=1)
        p_values.append(compare(table).p_value(4000, generator))
    assert sorted(round(4 * p) for p in p_values) == [1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize(
    "shift",
    [
        lambda y: y + torch.arange(10)[:, None, None] * 0.3,  # means differ
        lambda y: y * (1 + torch.arange(10)[:, None, None]),  # widths differ
        lambda y: torch.cat(
            [y[..., :1], y[..., :1] * (-1) ** torch.arange(10)[:, None, None]], dim=2
        ),  # correlations do
    ],
)
def test_different_laws_are_found(shift: object, generator: torch.Generator) -> None:
    y = shift(torch.randn(10, 20, 2, generator=generator))  # type: ignore[operator]
    assert compare(y).p_value(999, generator) == 1e-3
    assert compare(y).mmd2 > 0.02


def test_one_group_of_many_is_found(generator: torch.Generator) -> None:
    """The p-value is one for all groups: nine that are right do not hide one that is wrong."""
    y = torch.randint(4, (10, 20, 1), generator=generator)
    y[0] = 0
    assert compare(y).p_value(999, generator) <= 2e-3


def test_the_discrepancy_is_unbiased(generator: torch.Generator) -> None:
    """For values in {0, 1} with equality as kernel, weighted by shares, it is known: one group is all 0, one all 1."""
    y = torch.zeros(2, 10, 1, dtype=torch.long)
    y[1] = 1
    pairs = compare(y)
    assert pairs.name == "chi-square"
    assert pairs.mmd2 == pytest.approx(2 * (2 - 0))
    values = [compare(torch.randint(2, (4, 6, 1), generator=generator)).mmd2 for _ in range(400)]
    mean, error = torch.tensor(values).mean(), torch.tensor(values).std() / 20
    # Shares are those of the sample: of the order of 1 / 24 below zero.
    assert abs(mean) < 4 * error + 2 / 24


@pytest.mark.parametrize(
    "y", [torch.full((5, 4, 3), 0.1), torch.zeros(5, 4, 1, dtype=torch.long), torch.zeros(5, 4, 2)]
)
def test_equal_samples(y: Tensor, generator: torch.Generator) -> None:
    pairs = compare(y)
    assert pairs.distinct == 1
    assert pairs.p_value(99, generator) == 1
    assert pairs.mmd2 == pytest.approx(0)


def test_rounding_that_depends_on_the_group_is_no_difference(generator: torch.Generator) -> None:
    y = torch.full((10, 10, 4), 1 / 3)
    y = y * (1 + 1e-6 * torch.randn(10, 1, 4, generator=generator))
    assert compare(y).p_value(99, generator) == 1
    # In 64 bits the same is no rounding.
    assert compare(y.double()).p_value(99, generator) == 0.01


def test_complex_and_boolean_samples(generator: torch.Generator) -> None:
    phase = torch.exp(1j * torch.arange(10.0))[:, None, None]
    noise = torch.randn(10, 10, 3, dtype=torch.complex64, generator=generator)
    assert compare(noise).p_value(99, generator) > 0.01
    assert compare(phase + 0.1 * noise).p_value(99, generator) == 0.01
    coins = torch.rand(10, 10, 2, generator=generator) < 0.5
    assert compare(coins).name == "chi-square"
    assert compare(coins | (torch.arange(10) % 2 == 0)[:, None, None]).p_value(99, generator) == 0.01


def test_what_is_said_to_be_detectable_is_detected(generator: torch.Generator) -> None:
    """The planted defect, in the share that the report names, with probability 0.9; at a third of it hardly."""
    y = torch.randn(8, 8, 3, generator=generator)
    share = compare(y).detectable_share(199, 0.05, generator)
    assert share is not None
    assert 0.1 < share < 0.6

    def detected(at: float) -> int:
        count = 0
        for _ in range(100):
            fresh, fixed = torch.randn(8, 8, 3, generator=generator), torch.randn(8, 1, 3, generator=generator)
            is_fixed = torch.rand(8, 8, 1, generator=generator) < at
            count += compare(torch.where(is_fixed, fixed, fresh)).p_value(199, generator) <= 0.05
        return count

    assert 80 <= detected(share) <= 98
    assert detected(share / 3) < 50


def test_too_small_a_sample_detects_nothing(generator: torch.Generator) -> None:
    assert compare(torch.randint(2, (2, 2, 1), generator=generator)).detectable_share(1999, 0.001, generator) is None
