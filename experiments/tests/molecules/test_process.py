"""The noise process against matrices, and a reverse chain that knows the truth."""

import numpy as np
import pytest
import torch

from laws import ChiSquare
from sympe_experiments.molecules.process import Process, categorical, cosine_schedule, divergence

LIMIT = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
T = 6
PROCESS = Process(LIMIT, cosine_schedule(T))


def matrices(process: Process) -> list[torch.Tensor]:
    """q(z_t | z_{t-1}) for t = 1 .. T."""
    identity = torch.eye(3, dtype=torch.float64)
    ratios = process.kept[1:] / process.kept[:-1]
    return [a * identity + (1 - a) * process.limit.expand(3, 3) for a in ratios]


def test_the_schedule_falls_from_one_to_nothing() -> None:
    kept = cosine_schedule(100)
    assert len(kept) == 101
    assert kept[0] == 1
    assert (kept.diff() < 0).all()
    assert 0 < kept[-1] < 1e-5
    assert kept[50] == pytest.approx(0.4938, abs=1e-3)


@pytest.mark.parametrize("s", [0, 2, 4])
def test_a_step_back_is_the_mixture_of_posteriors(s: int) -> None:
    """Bayes' rule by products of transition matrices, for every kind at both ends."""
    process, t = PROCESS, 5
    steps = matrices(process)
    eye = torch.eye(3, dtype=torch.float64)
    to_s = torch.linalg.multi_dot([eye, eye, *steps[:s]]) if s else eye
    onward = torch.linalg.multi_dot([eye, *steps[s:t]])
    guess = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    for z in range(3):
        joint = to_s * onward[:, z]  # [x, z_s]
        posterior = joint / joint.sum(1, keepdim=True)
        args = (torch.tensor([[z]]), torch.tensor([s]), torch.tensor([t]))
        mixture = process.step_back(args[0], guess.view(1, 1, 3), *args[1:])[0, 0]
        torch.testing.assert_close(mixture, guess @ posterior)
        plugged = process.plugged_in(args[0], guess.view(1, 1, 3), *args[1:])[0, 0]
        by_hand = onward[:, z] * (guess @ to_s) / (guess @ to_s @ onward)[z]
        torch.testing.assert_close(plugged, by_hand)
        for x in range(3):
            certain = eye[x].view(1, 1, 3)
            for of in (process.step_back, process.plugged_in):
                torch.testing.assert_close(of(args[0], certain, *args[1:])[0, 0], posterior[x])


def test_noise_has_its_law(generator: torch.Generator) -> None:
    process, test = PROCESS, ChiSquare()
    for t in (1, 3, T):
        for x in range(3):
            clean = torch.full((3000, 2), x)
            z = process.noisy(clean, torch.full((3000,), t), generator)
            law = process.kept[t] * torch.eye(3)[x] + (1 - process.kept[t]) * LIMIT
            for entry in range(2):
                counts = np.bincount(z[:, entry], minlength=3)
                if (law * 3000 >= 5).all():
                    test.fit(f"t = {t}, x = {x}", counts, law.numpy())
    drawn = process.prior(torch.zeros(9000, dtype=torch.long), generator)
    test.fit("prior", np.bincount(drawn, minlength=3), LIMIT.numpy())
    law = torch.tensor([0.2, 0.0, 0.5, 0.3])
    drawn = categorical(law.expand(9000, 4), generator)
    assert (drawn != 1).all()
    test.fit("categorical", np.bincount(drawn, minlength=4)[[0, 2, 3]], law[[0, 2, 3]].numpy())
    test.require("noise has its law")


def test_the_prior_divergence_is_small_but_there() -> None:
    process = PROCESS
    law = process.kept[T] * torch.eye(3)[1] + (1 - process.kept[T]) * LIMIT
    expected = divergence(law, LIMIT)
    assert process.prior_divergence(torch.tensor([[1, 1]]))[0].tolist() == pytest.approx([float(expected)] * 2)
    assert 0 < expected < 1e-3


def test_a_limit_of_each_entry_is_as_many_processes(generator: torch.Generator) -> None:
    """Everything that depends on the limit, entry by entry against the process with that limit alone."""
    limits = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=torch.float64)
    joined = Process(limits, PROCESS.kept)
    x, z = (torch.randint(3, (5, 2), generator=generator) for _ in range(2))
    s, t = torch.tensor([0, 1, 2, 3, 4]), torch.tensor([1, 3, 4, 6, 5])
    guess = torch.rand(5, 2, 3, generator=generator, dtype=torch.float64)
    for entry, limit in enumerate(limits):
        alone, at = Process(limit, PROCESS.kept), slice(entry, entry + 1)
        for law in ("step_back", "plugged_in"):
            found, expected = getattr(joined, law)(z, guess, s, t), getattr(alone, law)(z[:, at], guess[:, at], s, t)
            torch.testing.assert_close(found[:, at], expected)
        torch.testing.assert_close(joined.prior_divergence(x)[:, at], alone.prior_divergence(x[:, at]))
    test = ChiSquare()
    draws = {"prior": joined.prior(torch.zeros(4000, 2, dtype=torch.long), generator)}
    draws["noisy"] = joined.noisy(torch.zeros(4000, 2, dtype=torch.long), torch.full((4000,), T), generator)
    for name, drawn in draws.items():
        for entry, limit in enumerate(limits):
            test.fit(f"{name}, {entry}", np.bincount(drawn[:, entry], minlength=3), limit.numpy())
    test.require("each entry goes to its own limit")


def test_refused() -> None:
    with pytest.raises(ValueError, match="steps must be at least 1; got 0"):
        cosine_schedule(0)
