"""Stabilizer chains: the order, and the law of draws."""

from math import factorial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from laws import THRESHOLD, ChiSquare
from sympe.groups.chain import StabilizerChain


def cycle(n: int, *points: int) -> list[int]:
    images = list(range(n))
    for a, b in zip(points, points[1:] + points[:1], strict=True):
        images[a] = b
    return images


#: Generators, the number of points, and the order of the group.
GROUPS: dict[str, tuple[list[list[int]], int, int]] = {
    "trivial": ([], 4, 1),
    "cyclic": ([cycle(5, 0, 1, 2, 3, 4)], 5, 5),
    "symmetric": ([cycle(4, 0, 1), cycle(4, 0, 1, 2, 3)], 4, 24),
    "alternating": ([cycle(5, 0, 1, 2), cycle(5, 0, 1, 2, 3, 4)], 5, 60),
    "dihedral": ([cycle(6, 0, 1, 2, 3, 4, 5), [0, 5, 4, 3, 2, 1]], 6, 12),
    "two blocks": ([[1, 0, 2, 4, 3, 5], [1, 2, 0, 4, 5, 3]], 6, 6),
    "wreath": ([cycle(4, 0, 1), [2, 3, 0, 1]], 4, 8),
}


def chain(name: str) -> StabilizerChain:
    generators, n, order = GROUPS[name]
    return StabilizerChain(np.array(generators, np.int64).reshape(-1, n), order)


def p_value(draws: NDArray[np.int64], order: int) -> float:
    counts = np.unique(draws, axis=0, return_counts=True)[1]
    assert len(counts) <= order
    test = ChiSquare()
    test.fit("", np.concatenate([counts, np.zeros(order - len(counts))]))
    return test.p_value


@pytest.mark.parametrize("name", GROUPS)
def test_draws_are_uniform_on_the_group(name: str, generator: torch.Generator) -> None:
    found, order = chain(name), GROUPS[name][2]
    assert p_value(np.stack([found.draw(generator) for _ in range(40 * order)]), order) > THRESHOLD


def test_the_checker_rejects_products_of_generators(generator: torch.Generator) -> None:
    """Random words in the generators reach every element, but not alike often."""
    generators = [np.array(images) for images in GROUPS["symmetric"][0]]
    draws = []
    for _ in range(960):
        image = np.arange(4)
        for chosen in torch.randint(2, (7,), generator=generator).tolist():
            image = generators[chosen][image] if float(torch.rand((), generator=generator)) < 0.7 else image
        draws.append(image)
    assert p_value(np.stack(draws), 24) < THRESHOLD


def test_large_orders() -> None:
    n = 30
    generators = np.array([cycle(n, k, k + 1) for k in range(n - 1)])
    assert len(StabilizerChain(generators, factorial(n)).points) == n - 1


@pytest.mark.parametrize("order", [5, 48])
def test_a_wrong_order_is_refused(order: int) -> None:
    generators = np.array(GROUPS["symmetric"][0])
    with pytest.raises(ValueError, match=f"a group of order {order}; they generate"):
        StabilizerChain(generators, order)
