"""Ground states on request: couplings of any scale, and an honest word where the answer is poor."""

import pytest
import torch

from sympe_experiments.ising.predict import Prediction, predict


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1.0, 1e4, 1e300])
def test_the_scale_of_couplings_does_not_matter(scale: float) -> None:
    found = predict(None, {"Jx": -0.6 * scale, "Jy": 0.4 * scale}, 8, samples=2)
    assert found.ground_energy is not None
    assert found.ground_energy / scale == pytest.approx(-1.0)
    assert (found.energy / scale).tolist() == pytest.approx([-1.0, -1.0])
    assert found.trivial_energy / scale == pytest.approx(-1.0)
    assert "worse" not in found.comment(0)


def test_a_poor_answer_is_called_so() -> None:
    found = Prediction(torch.ones(2, 2, 2, dtype=torch.int8), torch.tensor([0.5, -1.0]), -1.0, -1.0)
    assert found.comment(0) == (
        ", ground state -1.000000; worse than a trivial configuration (uniform, alternating, striped), -1.000000"
    )
    assert found.comment(1) == ", ground state -1.000000"
    small = Prediction(torch.ones(1, 2, 2, dtype=torch.int8), torch.tensor([0.5e-20]), -1e-20, -1e-20, 1e-20)
    assert small.comment(0).endswith("(uniform, alternating, striped), -1e-20")
