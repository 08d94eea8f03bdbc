import numpy as np
import pytest
import torch
from scipy import stats

from examples import SMALL
from laws import ChiSquare, check_features_law, check_reproducible, copies
from sympe import Graphs
from sympe.breaking import Noise


class Ramp(Noise):
    """Features that grow with the place in storage."""

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> torch.Tensor:
        return super().forward(x, generator) + (torch.arange(x.num_nodes) - x.start)[:, None]


def test_law_moves_with_the_input(generator: torch.Generator) -> None:
    check_features_law(Noise(2), SMALL, generator)


def test_the_checker_rejects_what_reads_the_storage(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=r"law\(f\(k x\)\) = law\(k f\(x\)\)"):
        check_features_law(Ramp(2), SMALL, generator)


def test_features_are_standard_normal_and_independent(generator: torch.Generator) -> None:
    drawn = Noise(2)(copies(SMALL["triangle"], 2000), generator).double().numpy().reshape(2000, 6)
    level = (stats.norm.cdf(drawn) * 4).astype(int)
    test = ChiSquare()
    for i in range(6):
        test.fit(f"entry {i}", np.bincount(level[:, i], minlength=4))
    test.require("standard normal")
    pairs = ChiSquare()
    for i, j in ((0, 1), (2, 3), (4, 5)):
        pairs.fit(f"entries {i} and {j}", np.bincount(4 * level[:, i] + level[:, j], minlength=16))
    pairs.require("independent")


def test_shape_and_generator() -> None:
    x = copies(SMALL["cycle 4"], 3)
    assert Noise(5)(x).shape == (12, 5)
    assert Noise(5)(x).dtype == torch.float32
    check_reproducible(lambda seeded: Noise(5)(x, seeded))


def test_dim_must_be_positive() -> None:
    with pytest.raises(ValueError, match="dim must be at least 1; got 0"):
        Noise(0)
