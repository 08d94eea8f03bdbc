"""Finite groups given by matrices or permutations."""

import pytest
import torch

import sympe
from sympe.auditing import FiniteSymmetry, Target
from sympe.groups import cyclic

SHIFT = [[1, 2, 3, 0]]


def test_orders_and_errors_under_cyclic_shifts(generator: torch.Generator) -> None:
    x = torch.tensor([[1, 2, 3, 4], [1, 2, 1, 2], [5, 5, 5, 5]])
    y = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    found = FiniteSymmetry(SHIFT, SHIFT).stabilizers(x)
    assert found.orders == [1, 2, 4]
    mean = torch.stack([y[0], (y[1] + y[1].roll(2)) / 2, y[2].mean().expand(4)])
    assert found.errors(Target(y, "sample"), "squared").total == pytest.approx(((y - mean) ** 2).sum(1).numpy())
    votes = found.errors(Target(torch.tensor([[0, 1, 2, 3], [0, 0, 1, 0], [0, 1, 1, 2]]), "sample"), "zero-one")
    assert votes.total.tolist() == [0, 1, 2]


def test_targets_that_nothing_moves_cost_nothing(generator: torch.Generator) -> None:
    x = torch.ones(2, 4)
    report = sympe.audit(x, group=FiniteSymmetry(SHIFT), target=torch.randn(2, 7, generator=generator))
    assert report.needed is False
    assert report.summary.symmetric == 2


def test_rotations_of_the_plane(generator: torch.Generator) -> None:
    """Only the origin is symmetric, and there a vector must be zero."""
    turn = cyclic(6).matrices[1:2]
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    y = torch.randn(2, 2, generator=generator, dtype=torch.float64)
    found = FiniteSymmetry(turn, turn).stabilizers(x)
    assert found.orders == [6, 1]
    errors = found.errors(Target(y, "sample"), "squared")
    assert errors.total == pytest.approx([float((y[0] ** 2).sum()), 0.0])
    assert errors.violated.tolist() == [True, False]
    with pytest.raises(ValueError, match="compared by the squared loss; got absolute"):
        found.errors(Target(y, "sample"), "absolute")


def test_an_action_on_targets_that_inputs_do_not_show() -> None:
    """A sign that only targets carry: every input has it as a symmetry, and the target must vanish."""
    symmetry = FiniteSymmetry(torch.eye(2)[None], -torch.eye(1)[None])
    found = symmetry.stabilizers(torch.tensor([[1.0, 2.0]]))
    assert found.orders == [2]
    assert found.errors(Target(torch.tensor([[3.0]]), "sample"), "squared").total.tolist() == [9]


def test_nearly_equal_inputs() -> None:
    turn = cyclic(4).matrices[1:2]
    both = torch.block_diag(turn[0], torch.eye(2, dtype=torch.float64))[None]
    x = torch.tensor([[1e-9, 0.0, 1.0, 1.0], [1e-3, 0.0, 1.0, 1.0]])
    assert FiniteSymmetry(both).stabilizers(x).orders == [4, 1]
    assert FiniteSymmetry(both, tolerance=1e-2).stabilizers(x).orders == [4, 4]
    # Permutations only exchange numbers: equal means equal.
    assert FiniteSymmetry([[1, 0]]).stabilizers(torch.tensor([[1.0, 1.0], [1.0, 1.0000001]])).orders == [2, 1]


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 0, 1]],), "expected permutations of 0..2"),
        (([[0.5, 1.0]],), "expected matrices"),
        (([[1, 0]], [[1, 0], [0, 1]]), "as many generators on targets"),
        ((torch.diag(torch.tensor([2.0, 1.0]))[None],), "expected orthogonal matrices"),
    ],
)
def test_groups_that_cannot_be(arguments, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FiniteSymmetry(*arguments)
