from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from examples import LARGE, SMALL, batch_of, single
from sympe import Graphs
from sympe.canonicalize import Sort, sort_nodes
from sympe.canonicalize.sort import softsort, standardize
from sympe.graphs import concatenate
from sympe.groups import Permutation

SIZES = (1, 4, 3, 6)
BATCH = concatenate([single(n, [(i, i + 1) for i in range(n - 1)]) for n in SIZES])


class Fixed(nn.Module):
    """Scores that are given, as parameters."""

    def __init__(self, score: Tensor) -> None:
        super().__init__()
        self.score = nn.Parameter(score)

    def forward(self, x: Graphs) -> Tensor:
        return self.score


def dense_softsort(score: Tensor, temperature: float) -> Tensor:
    """SoftSort of one graph as its paper writes it, transposed: entry (i, r)."""
    ordered = score.sort().values
    return torch.softmax(-(ordered[:, None] - score[None, :]).abs() / temperature, dim=1).T


def dense_standardize(score: Tensor) -> Tensor:
    return (score - score.mean()) / (score.var(correction=0) + 1e-4).sqrt()


def scores(generator: torch.Generator) -> Tensor:
    return torch.randn(BATCH.num_nodes, generator=generator, dtype=torch.float64)


def test_ranks_are_those_of_a_sort_in_each_graph(generator: torch.Generator) -> None:
    score = scores(generator)
    rank = Sort(Fixed(score))(BATCH).rank
    for part, ranks in zip(score.split(SIZES), rank.split(SIZES), strict=True):
        assert ranks.tolist() == part.argsort().argsort().tolist()


def test_later_keys_break_ties_of_earlier_ones() -> None:
    x = SMALL["cycle 4"]
    g = sort_nodes(x, torch.tensor([1.0, 0.0, 1.0, 0.0]), torch.tensor([1, 3, 0, 2]))
    assert g.rank.tolist() == [3, 1, 2, 0]


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_relaxed_ranks_are_those_of_a_dense_implementation(temperature: float, generator: torch.Generator) -> None:
    score = scores(generator)
    g = Sort(Fixed(score))(BATCH)
    soft = softsort(score, g, BATCH, temperature)
    for n, part, rows in zip(SIZES, score.split(SIZES), soft.split(SIZES), strict=True):
        assert torch.allclose(rows[:, :n], dense_softsort(part, temperature), atol=1e-12)
        assert torch.allclose(rows[:, :n].sum(0), torch.ones(n, dtype=torch.double), atol=1e-12)
        assert (rows[:, n:] == 0).all()


def test_the_gradient_is_that_of_a_dense_implementation(generator: torch.Generator) -> None:
    score, weight = scores(generator), torch.randn(BATCH.num_nodes, 6, generator=generator, dtype=torch.float64)
    sort = Sort(Fixed(score.clone()), temperature=0.3)
    relaxed = sort(BATCH).relaxed
    assert relaxed is not None
    (relaxed * weight).sum().backward()
    dense = score.clone().requires_grad_()
    total = sum(
        (dense_softsort(dense_standardize(part), 0.3) * rows[:, :n]).sum()
        for n, part, rows in zip(SIZES, dense.split(SIZES), weight.split(SIZES), strict=True)
    )
    (expected,) = torch.autograd.grad(total, dense)
    assert torch.allclose(sort.score.score.grad, expected, atol=1e-10)
    assert expected.abs().max() > 0.1


def test_the_relaxation_agrees_with_finite_differences(generator: torch.Generator) -> None:
    score = scores(generator).requires_grad_()
    g = sort_nodes(BATCH, score.detach())
    assert torch.autograd.gradcheck(lambda s: softsort(standardize(s, BATCH), g, BATCH, 0.5), score, eps=1e-7)


def test_relaxed_ranks_have_the_value_of_hard_ones(generator: torch.Generator) -> None:
    g = Sort(Fixed(scores(generator)))(BATCH)
    assert g.relaxed is not None
    assert g.relaxed.shape == (BATCH.num_nodes, max(SIZES))
    assert torch.allclose(g.relaxed.detach(), nn.functional.one_hot(g.rank, max(SIZES)).double(), atol=1e-12)


@pytest.mark.parametrize("make", [torch.zeros, torch.ones, lambda n: torch.full((n,), 1e6)])
def test_equal_scores_have_a_finite_gradient(make: Callable[[int], Tensor], generator: torch.Generator) -> None:
    sort = Sort(Fixed(make(BATCH.num_nodes)))
    relaxed = sort(BATCH).relaxed
    assert relaxed is not None
    assert relaxed.isfinite().all()
    (relaxed * torch.randn(relaxed.shape, generator=generator)).sum().backward()
    assert sort.score.score.grad.isfinite().all()


def test_empty_graphs_do_not_spoil_the_gradient(generator: torch.Generator) -> None:
    x = Graphs(torch.zeros(2, 0, dtype=torch.long), torch.tensor([1, 1, 1, 3]), num_graphs=6)
    sort = Sort(Fixed(torch.randn(4, generator=generator)))
    relaxed = sort(x).relaxed
    assert relaxed is not None
    (relaxed * torch.randn(4, 3, generator=generator)).sum().backward()
    assert sort.score.score.grad.isfinite().all()
    assert sort.score.score.grad[:3].abs().sum() > 0
    assert sort.score.score.grad[3] == 0


def test_scores_are_standardized_in_each_graph(generator: torch.Generator) -> None:
    score = 100 + 5 * scores(generator)
    for n, part in zip(SIZES, standardize(score, BATCH).split(SIZES), strict=True):
        assert abs(float(part.mean())) < 1e-9
        assert float(part.var(correction=0)) == pytest.approx(1.0 if n > 1 else 0.0, abs=1e-4)


def test_no_relaxation_without_temperature_or_gradient(generator: torch.Generator) -> None:
    score = Fixed(scores(generator))
    assert Sort(score, temperature=None)(BATCH).relaxed is None
    with torch.no_grad():
        assert Sort(score)(BATCH).relaxed is None


def test_scores_may_be_a_column(generator: torch.Generator) -> None:
    score = scores(generator)
    assert torch.equal(Sort(Fixed(score[:, None]))(BATCH).rank, Sort(Fixed(score))(BATCH).rank)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (torch.zeros(13), r"expected one score per node, shape \[14\]; got \[13\]"),
        (torch.zeros(14, 2), r"expected one score per node, shape \[14\]; got \[14, 2\]"),
        (torch.tensor([0.0] * 5 + [torch.nan] + [0.0] * 8), "scores must be finite; got nan at node 5"),
        (torch.tensor([0.0] * 5 + [-torch.inf] + [0.0] * 8), "scores must be finite; got -inf at node 5"),
    ],
)
def test_bad_scores(score: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sort(Fixed(score))(BATCH)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature must be positive or None"):
        Sort(nn.Identity(), temperature)


def test_a_sort_can_be_learned(generator: torch.Generator) -> None:
    """Descent on the scores alone brings them into a wished order."""
    x = batch_of({"cycle 8": LARGE["cycle 8"][0]})
    wished = torch.randperm(8, generator=generator)
    sort = Sort(Fixed(torch.randn(8, generator=generator)))
    optimizer = torch.optim.Adam(sort.parameters(), lr=0.1)
    places = torch.arange(8.0)
    for _ in range(300):
        g: Permutation = sort(x)
        assert g.relaxed is not None
        loss = (g.relaxed @ places - wished).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert sort(x).rank.tolist() == wished.tolist()
