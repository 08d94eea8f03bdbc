"""Losses do not change when a target is shifted, so verdicts may not either; a copy of the input is no finding."""

import pytest
import torch

import sympe
from sympe.graphs import from_edges

RING = from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])])
PATTERN = torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0, 0.5], dtype=torch.float64)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("offset", [0.0, 1.0, -1e3, 1e6, 1e9])
def test_an_offset_changes_nothing(offset: float, loss: str) -> None:
    plain, shifted = (sympe.audit(RING, target=PATTERN + c, loss=loss) for c in (0.0, offset))
    assert plain.needed is shifted.needed is True
    assert plain.summary.irreducible_error == pytest.approx(shifted.summary.irreducible_error, rel=1e-6)


def test_an_offset_in_single_precision() -> None:
    assert sympe.audit(RING, target=(PATTERN + 1e5).float()).needed is True


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e6])
def test_what_numbers_cannot_resolve_is_no_pattern(offset: float) -> None:
    noise = 1e-16 * torch.randn(6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert sympe.audit(RING, target=torch.full((6,), 1 / 3, dtype=torch.float64) + offset + noise).needed is False
    single = torch.full((6,), 1 / 3) * (1 + offset)
    assert sympe.audit(RING, target=single.nextafter(single + noise.sign().float())).needed is False


def test_rounding_beside_a_real_difference() -> None:
    star = from_edges([(4, [(0, 1), (0, 2), (0, 3)])])
    computed = torch.tensor([5.0, 1.0, 1.0 + 1e-7, 1.0 - 1e-7], dtype=torch.float64)
    assert sympe.audit(star, target=computed).needed is False
    assert sympe.audit(star, target=computed + torch.tensor([0, 0, 0, 1e-2])).needed is True


def test_a_target_that_is_part_of_the_input() -> None:
    verdict = sympe.audit(RING, target="adjacency").summary.verdict
    assert verdict == "Not needed: the target is part of the input, and an equivariant network can copy it."
