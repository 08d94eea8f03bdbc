"""The estimator of entropy: bias and coverage on laws of known entropy, and what it says of small samples."""

import math

import numpy as np
import pytest

from sympe.auditing.entropy import _unseen, entropy

Z = 1.96


def uniform(k: int) -> np.ndarray:
    return np.full(k, 1 / k)


def harmonic(k: int) -> np.ndarray:
    weight = 1 / np.arange(1, k + 1)
    return weight / weight.sum()


def repeat(law: np.ndarray, n: int, times: int = 100) -> np.ndarray:
    rng = np.random.default_rng(7)
    return np.array([entropy(counts[counts > 0], Z) for counts in rng.multinomial(n, law, size=times)])


@pytest.mark.parametrize(
    "law", [uniform(5), uniform(60), uniform(500), harmonic(60), harmonic(500), np.array([0.999, 1e-3])]
)
def test_it_is_nearly_unbiased_and_its_intervals_cover(law: np.ndarray) -> None:
    truth = -(law * np.log(law)).sum()
    estimate, low, high = repeat(law, 2000).T
    plugged_in_bias = (len(law) - 1) / 4000
    error = estimate.std() / 10
    assert abs(estimate.mean() - truth) < 4 * error + 0.1 * plugged_in_bias + 1e-4
    assert ((low <= truth) & (truth <= high)).mean() >= 0.88


@pytest.mark.parametrize("law", [uniform(20_000), harmonic(20_000), uniform(100_000)])
def test_a_sample_that_is_too_small_says_so(law: np.ndarray) -> None:
    """Most of the law was never seen: the interval is wide, and covers."""
    truth = -(law * np.log(law)).sum()
    _, low, high = repeat(law, 2000).T
    assert ((low <= truth) & (truth <= high)).mean() >= 0.9
    assert (high - low).min() > 0.5


def test_all_values_different_give_a_lower_bound() -> None:
    estimate, low, high = entropy(np.ones(1000, int), Z)
    assert high == math.inf
    assert low < estimate < math.log(1000) + 0.6
    assert low > math.log(1000) - 0.1


def test_one_value() -> None:
    estimate, low, high = entropy(np.array([1000]), Z)
    assert (estimate, low) == (0, 0)
    # Three draws in a thousand may have been of another value without being seen.
    assert 0 < high < 0.03


@pytest.mark.parametrize(
    ("n", "once", "twice"), [(4000, 100, 30), (4000, 2, 0), (100, 99, 0), (4000, 3900, 50), (50, 1, 3)]
)
def test_the_correction_is_the_published_series(n: int, once: int, twice: int) -> None:
    """Chao, Wang, Jost, eq. 6, as it stands there."""
    a = 2 * twice / ((n - 1) * once + 2 * twice) if twice else 2 / ((n - 1) * (once - 1) + 2)
    series = -math.log(a) - sum((1 - a) ** r / r for r in range(1, n))
    assert _unseen(n, once, twice) == pytest.approx(once / n * (1 - a) ** (1 - n) * series, rel=1e-6)


def test_nothing_is_added_where_all_came_often() -> None:
    assert _unseen(100, 0, 0) == 0
    assert _unseen(2, 1, 0) == 0
