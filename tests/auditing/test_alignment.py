"""The test of alignment: its size, what it finds, and what it promises to find."""

import numpy as np
import pytest
import torch
from scipy import stats

from sympe.actions import PointMotion, ScalarFields
from sympe.auditing import check_alignment
from sympe.auditing.alignment import _tested
from sympe.crystals import from_cells
from sympe.groups import Torus
from sympe.points import PointClouds, from_clouds

SHAPE = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.6, 0.0, 0.0], [0.0, 0.3, 0.0]])


def clouds(count: int, generator: torch.Generator, turned: bool = False) -> PointClouds:
    x = from_clouds(SHAPE + 0.2 * torch.randn(count, 4, 3, generator=generator))
    action = PointMotion()
    return action.act(action.group.haar(x, generator), x) if turned else x


def test_size(generator: torch.Generator) -> None:
    """P-values are uniform, though half of the features are constant; 400 data sets, by Kolmogorov and Smirnov."""
    p_values = []
    for _ in range(400):
        rows = torch.randn(2, 60, 3, generator=generator, dtype=torch.float64)
        still, moved = (torch.cat([r, torch.ones(60, 2)], dim=1) for r in rows)
        p_values.append(_tested(still, moved, generator)[1])
    assert stats.kstest(p_values, "uniform").pvalue > 1e-4


def test_points_crystals_and_fields(generator: torch.Generator) -> None:
    aligned = check_alignment(clouds(120, generator), generator=generator)
    assert aligned.is_aligned
    assert aligned.accuracy > 0.8
    assert aligned.detectable is not None
    assert "aligned: a classifier tells" in str(aligned)
    assert not check_alignment(clouds(120, generator, turned=True), generator=generator).is_aligned
    place = torch.rand(60, 2, 3, generator=generator) * 0.1 + torch.tensor([[0.0, 0, 0], [0.4, 0.5, 0.5]])
    crystals = from_cells([torch.diag(torch.tensor([3.0, 4, 5]))] * 60, list(place), [["Na", "Cl"]] * 60)
    assert check_alignment(crystals, generator=generator).is_aligned
    fields = torch.randn(200, 4, 4, generator=generator)
    action = ScalarFields(Torus("D4"))
    assert not check_alignment(fields, action, generator=generator).is_aligned
    ramp = torch.arange(4.0).expand(4, 4)
    assert check_alignment(fields + ramp, action, generator=generator).is_aligned


def test_promised_power_is_kept(generator: torch.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of samples left in place, as large as promised, is found in most data sets."""
    promised = check_alignment(clouds(200, generator), generator=generator).detectable
    assert promised is not None
    assert promised < 1
    monkeypatch.setattr("sympe.auditing.alignment._SHARES", ())
    found = 0
    for _ in range(20):
        x, y = clouds(200, generator), clouds(200, generator, turned=True)
        stays = (torch.rand(200, generator=generator) < promised)[x.batch, None]
        mixed = PointClouds(torch.where(stays, x.position, y.position), x.batch)
        found += check_alignment(mixed, generator=generator).is_aligned
    assert found >= stats.binom.ppf(1e-4, 20, 0.9)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="expected 40 samples or more; got 3"):
        check_alignment(from_clouds(SHAPE.expand(3, 4, 3)))
    with pytest.raises(ValueError, match="expected an action for fields"):
        check_alignment(torch.zeros(50, 4, 4))
    with pytest.raises(ValueError, match="expected finite samples; sample 7 is not"):
        check_alignment(torch.zeros(50, 4, 4).index_fill(0, torch.tensor([7]), torch.nan), ScalarFields(Torus("C4")))
    same = from_clouds(SHAPE.expand(40, 4, 3))
    assert np.isfinite(check_alignment(same, generator=torch.Generator().manual_seed(0)).p_value)
