import math
from dataclasses import replace
from statistics import stdev

import pytest

from sympe_experiments.report.statistics import (
    OF_CASES,
    Sample,
    Verdict,
    compare,
    group_records,
    sample,
    unusual_config,
)


def test_sample_has_one_value_per_seed(make) -> None:
    records = [make(error=3.0, seed=2), make(error=1.0, seed=1), make(error=2.0, seed=1), make(error=None, seed=3)]
    over_seeds = sample(records, "test_error_percent")
    assert over_seeds.values == (1.5, 3.0)
    assert over_seeds.mean == 2.25
    assert over_seeds.spread == pytest.approx(stdev([1.5, 3.0]))


def test_sample_of_one_has_no_spread_and_of_none_no_mean(make) -> None:
    assert sample([make()], "test_error_percent").spread is None
    assert sample([make(error=math.nan)], "test_error_percent").mean is None


def test_comparison_is_in_units_of_the_pooled_standard_error() -> None:
    # Spreads 1 and 2, three seeds each: the pooled variance is 2.5, the standard error sqrt(2.5 * 2 / 3).
    comparison = compare(Sample((1.0, 2.0, 3.0)), Sample((3.0, 5.0, 7.0)))
    assert comparison is not None
    assert comparison.difference == -3
    assert comparison.standard_error == pytest.approx(math.sqrt(5 / 3))
    assert comparison.ratio == pytest.approx(3 / math.sqrt(5 / 3))
    assert comparison.verdict == Verdict.TIE


def test_comparison_pools_by_degrees_of_freedom() -> None:
    comparison = compare(Sample((0.0, 2.0)), Sample((1.0, 1.0, 1.0, 1.0)))
    assert comparison is not None
    assert comparison.standard_error == pytest.approx(math.sqrt(2 / 4 * (1 / 2 + 1 / 4)))


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [
        (0.0, Verdict.TIE),
        (-2.99, Verdict.TIE),
        (-3.01, Verdict.BEATS),
        (2.99, Verdict.TIE),
        (3.01, Verdict.LOSES),
    ],
)
def test_a_finding_takes_three_standard_errors(shift: float, verdict: Verdict) -> None:
    base = (4.0, 5.0, 6.0)
    error = math.sqrt(2 / 3)
    comparison = compare(Sample(tuple(value + shift * error for value in base)), Sample(base))
    assert comparison is not None
    assert comparison.verdict == verdict


def test_a_finding_takes_three_seeds_on_both_sides() -> None:
    far, near = Sample((9.0, 9.1, 9.2)), Sample((1.0, 1.1))
    for a, b in ((far, near), (near, far), (Sample((1.0,)), Sample((2.0,)))):
        comparison = compare(a, b)
        assert comparison is not None
        assert comparison.verdict == Verdict.UNDECIDED
    assert compare(far, Sample(())) is None


def test_cases_are_averaged_over_seeds_and_compared_in_pairs(make) -> None:
    """Cases differ by more than the methods do: what is left of that in the differences counts, and no more."""
    ours, theirs = (
        [
            replace(
                make(error=error, seed=seed), history={f"test_error_percent{OF_CASES}": [error - 2, error, error + 2]}
            )
            for seed, error in enumerate(errors)
        ]
        for errors in ((1.0, 2.0, 3.0), (3.0, 5.0, 7.0))
    )
    a, b = (sample(runs, "test_error_percent") for runs in (ours, theirs))
    assert a.cases == (0.0, 2.0, 4.0)
    alike = compare(a, b)
    assert alike is not None
    assert alike.standard_error == pytest.approx(math.sqrt(5 / 3)), "the same difference in every case"
    crossed = compare(a, replace(b, cases=b.cases[::-1]))
    assert crossed is not None
    assert crossed.standard_error == pytest.approx(math.hypot(math.sqrt(5 / 3), 4 / math.sqrt(3)))
    # Records of old hold no cases.
    assert sample([*ours, make(error=1.0, seed=5)], "test_error_percent").cases == ()
    assert compare(a, replace(b, cases=())) == alike


def test_no_spread_at_all() -> None:
    same, less = Sample((0.1, 0.1, 0.1)), Sample((0.0, 0.0, 0.0))
    comparison = compare(less, same)
    assert comparison is not None
    assert (comparison.verdict, comparison.ratio) == (Verdict.BEATS, None)
    equal = compare(same, same)
    assert equal is not None
    assert equal.verdict == Verdict.TIE


def test_data_recipes_and_settings_never_share_a_group(make) -> None:
    records = [
        make(),
        make("none", seed=1),
        make(data="qm9"),
        make(recipe="best"),
        make(config={"epochs": 99}),
    ]
    groups = group_records(records)
    assert [group.title for group in groups] == [
        "erdos-renyi, recipe best",
        "erdos-renyi, recipe fast, epochs 8",
        "erdos-renyi, recipe fast, epochs 99",
        "qm9, recipe fast",
    ]
    assert groups[1].methods == ["none", "sympe-sort"]
    assert group_records(reversed(records)) == groups


def test_unusual_values_of_a_configuration(make) -> None:
    records = [
        make(seed=0),
        make(seed=1),
        make(seed=2, config={"epochs": 99}),
        make(recipe="best", config={"epochs": 5}),
    ]
    assert [unusual_config(record, records) for record in records] == [{}, {}, {"epochs": 99}, {}]
