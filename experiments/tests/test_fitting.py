import pytest
import torch
from torch import nn

from sympe.seeding import sequence_generator
from sympe_experiments.fitting import fit
from sympe_experiments.seeding import numpy_generator


class Line(nn.Module):
    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(value))


def quadratic(model: Line):
    return lambda generator: (model.slope - 2) ** 2 + 0.01 * torch.rand((), generator=generator)


def test_a_minimum_is_found_and_the_same_every_time() -> None:
    first, again = Line(), Line()
    a, b = (fit(m, quadratic(m), steps=200, learning_rate=0.1, seed=3) for m in (first, again))
    assert abs(float(first.slope.detach()) - 2) < 0.05
    assert torch.equal(first.slope, again.slope)
    assert a.losses == b.losses
    assert len(a.losses) == 10
    assert a.losses[-1] < a.losses[0]
    assert a.seconds > 0
    other = Line()
    assert fit(other, quadratic(other), steps=200, learning_rate=0.1, seed=4).losses != a.losses


def test_one_step_is_enough_to_count() -> None:
    model = Line()
    assert len(fit(model, quadratic(model), steps=1, learning_rate=0.1, seed=0).losses) == 1


def test_a_loss_that_is_lost() -> None:
    model = Line()
    with pytest.raises(ValueError, match="the training loss became nan in step 0; a lower learning rate may help"):
        fit(model, lambda generator: model.slope * float("nan"), steps=3, learning_rate=0.1, seed=0)


def test_nothing_to_train() -> None:
    model = Line()
    with pytest.raises(ValueError, match="expected parameters and at least one step; got 1 and 0"):
        fit(model, quadratic(model), steps=0, learning_rate=0.1, seed=0)
    model.slope.requires_grad_(False)
    with pytest.raises(ValueError, match="expected parameters and at least one step; got 0 and 5"):
        fit(model, quadratic(model), steps=5, learning_rate=0.1, seed=0)


def test_generators_depend_on_all_numbers() -> None:
    draws = {float(torch.rand((), generator=sequence_generator(*n))) for n in ((0,), (1,), (0, 0), (0, 1), (1, 0))}
    assert len(draws) == 5
    assert torch.equal(
        torch.rand(3, generator=sequence_generator(4, 2)), torch.rand(3, generator=sequence_generator(4, 2))
    )
    assert numpy_generator(4, 2).random() == numpy_generator(4, 2).random() != numpy_generator(2, 4).random()
