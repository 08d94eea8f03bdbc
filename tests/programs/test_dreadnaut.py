"""Orders of the groups of random programs, against dreadnaut on a graph that is made in another way."""

import math
import shutil

import numpy as np
import pytest

from dreadnaut import TOLERANCE, log_order
from sympe.programs import Program, symmetry_of

pytestmark = pytest.mark.skipif(shutil.which("dreadnaut") is None, reason="needs dreadnaut (Debian's nauty)")

INF = np.inf


def copies_of_bins(rng: np.random.Generator) -> Program:
    """Items into alike bins, some items alike; a row that binds nothing, one that comes twice; columns shuffled."""
    items, bins = (int(n) for n in rng.integers(2, 7, size=2))
    sizes = rng.integers(1, 4, size=items)
    x = np.eye(items * bins).reshape(items, bins, -1)
    rows = [*x.sum(1), *np.einsum("i,ijk->jk", sizes, x), x[0].sum(0), rng.normal(size=items * bins)]
    low = np.array([1.0] * items + [-INF] * bins + [1.0, -INF])
    high = np.array([1.0] * items + [float(sizes.sum())] * bins + [1.0, INF])
    order = rng.permutation(items * bins)
    ones = np.ones(items * bins)
    return Program(ones, 0 * ones, ones, ones.astype(np.int64), np.array(rows)[:, order], low, high)


def test_orders_of_random_programs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        program = copies_of_bins(rng)
        expected = log_order(program)
        assert expected > 0
        assert abs(math.log(symmetry_of(program).order) - expected) < TOLERANCE


def test_a_symmetry_that_is_lost_is_seen() -> None:
    program = copies_of_bins(np.random.default_rng(1))
    cost = program.cost.copy()
    cost[0] = 2
    changed = Program(
        cost, program.lower, program.upper, program.kind, program.matrix, program.row_lower, program.row_upper
    )
    assert log_order(program) - math.log(symmetry_of(changed).order) > TOLERANCE
