r"""Records of runs grouped, averaged over seeds and compared.

Runs share a group if they differ by method and seed alone; only within a group may methods be compared. Runs
with one seed are repeats and count once, by their mean.

The spread is the sample standard deviation :math:`s` over seeds. Two methods are compared in units of the pooled
standard error

.. math:: \sqrt{s_p^2 (1/n_a + 1/n_b)}, \qquad
          s_p^2 = \frac{(n_a - 1) s_a^2 + (n_b - 1) s_b^2}{n_a + n_b - 2}.

Seeds share their test set, so this leaves out that another one would give another difference. Where records hold a
value of every test case, the standard error of the mean difference over cases, each averaged over seeds, is added in
square.

A difference of at least three standard errors, with at least three seeds on both sides, is a finding. With three
seeds each, chance alone gives one as large in 4 % of comparisons (Student's t, 4 degrees of freedom).
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median, stdev, variance
from typing import Any

from sympe_experiments.records import Record

#: Least difference that counts, in pooled standard errors, and least number of seeds on both sides.
LEAST_RATIO = 3.0
LEAST_SEEDS = 3

#: What names of values of every test case end in, in the histories of records; cases come in the order of the data set.
OF_CASES = "_of_cases"


def finite(value: object) -> float | None:
    """A finite number as float; None for anything else (a measurement that is missing or failed)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


@dataclass(frozen=True)
class Sample:
    """A measurement over seeds.

    Attributes:
        values: One value per seed, in the order of the seeds.
        cases: One value per test case, averaged over seeds; empty if a run does not hold them.
    """

    values: tuple[float, ...]
    cases: tuple[float, ...] = ()

    @property
    def mean(self) -> float | None:
        return fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Sample standard deviation over seeds; None for fewer than two."""
        return stdev(self.values) if len(self.values) > 1 else None


def sample(records: Iterable[Record], metric: str) -> Sample:
    """A metric of runs of one method, one value per seed; runs without it do not count."""
    by_seed: dict[int, list[float]] = {}
    cases = []
    for record in records:
        value = finite(record.metrics.get(metric))
        if value is not None:
            by_seed.setdefault(record.seed, []).append(value)
            cases.append((record.history or {}).get(f"{metric}{OF_CASES}") or [])
    alike = len({len(of_run) for of_run in cases}) == 1
    means = tuple(fmean(of_case) for of_case in zip(*cases, strict=True)) if alike else ()
    return Sample(tuple(fmean(by_seed[seed]) for seed in sorted(by_seed)), means)


def median_seconds(records: Iterable[Record]) -> float | None:
    """Median wall time; None if no run has one."""
    known = [seconds for record in records if (seconds := finite(record.seconds)) is not None]
    return median(known) if known else None


@dataclass(frozen=True)
class Group:
    """Runs that differ by method and seed alone.

    Attributes:
        data: Data set.
        recipe: Recipe.
        setting: Values of the configuration that set this group apart from others of the same data and recipe.
        records: The runs, ordered by method and seed.
    """

    data: str
    recipe: str
    setting: dict[str, Any]
    records: tuple[Record, ...]

    @property
    def title(self) -> str:
        changes = "".join(f", {name} {value}" for name, value in self.setting.items() if value is not None)
        return f"{self.data}, recipe {self.recipe}{changes}"

    @property
    def methods(self) -> list[str]:
        """Names of the methods, in alphabetical order."""
        return sorted({record.method for record in self.records})

    def as_row(self) -> dict[str, Any]:
        """What rows of tables say about the group."""
        return {"data": self.data, "recipe": self.recipe, "setting": self.setting}

    def runs(self, method: str) -> list[Record]:
        return [record for record in self.records if record.method == method]


def group_records(records: Iterable[Record]) -> list[Group]:
    """Groups of runs, ordered by data and recipe, whatever the order of the records."""
    by_recipe: dict[tuple[str, str], dict[str, list[Record]]] = {}
    for record in records:
        settings = by_recipe.setdefault((record.data, record.recipe), {})
        settings.setdefault(_code(_shared_config(record)), []).append(record)
    groups = []
    for (data, recipe), settings in sorted(by_recipe.items(), key=lambda item: item[0]):
        configs = {code: _shared_config(members[0]) for code, members in settings.items()}
        names = sorted({name for config in configs.values() for name in config})
        telling = [name for name in names if len({_code(config.get(name)) for config in configs.values()}) > 1]
        for code in sorted(settings):
            members = sorted(settings[code], key=lambda record: (record.method, record.seed, _code(record.metrics)))
            setting = {name: configs[code].get(name) for name in telling}
            groups.append(Group(data, recipe, setting, tuple(members)))
    return groups


def by_weight(groups: Sequence[Group]) -> list[Group]:
    """Groups by the time that their runs took together, longest first; smoke tests come last."""

    def weight(group: Group) -> tuple[bool, float]:
        return group.recipe != "smoke", sum(finite(record.seconds) or 0.0 for record in group.records)

    return sorted(groups, key=weight, reverse=True)


def unusual_config(record: Record, others: Iterable[Record]) -> dict[str, Any]:
    """Settings of a run that differ from those of most runs of the same data and recipe."""
    peers = [_shared_config(r) for r in others if (r.data, r.recipe) == (record.data, record.recipe)]
    unusual = {}
    for name, value in sorted(_shared_config(record).items()):
        counts = Counter(_code(config.get(name)) for config in peers)
        if counts[_code(value)] < max(counts.values(), default=0):
            unusual[name] = value
    return unusual


def _shared_config(record: Record) -> dict[str, Any]:
    # A value of None is one that was not set: the same as none at all.
    config = record.config or {}
    return {name: value for name, value in config.items() if name not in ("method", "seed") and value is not None}


def _code(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


class Verdict(StrEnum):
    """What a comparison says about the first method; the name of the second follows."""

    BEATS = "beats"
    TIE = "ties with"
    LOSES = "loses to"
    UNDECIDED = "not decided against"


@dataclass(frozen=True)
class Comparison:
    """Two methods on one measurement of which less is better.

    Attributes:
        difference: Mean of the first minus mean of the second.
        standard_error: Of the difference, pooled over seeds and paired over test cases; None if no side has two seeds.
        verdict: What follows from them.
    """

    difference: float
    standard_error: float | None
    verdict: Verdict

    @property
    def ratio(self) -> float | None:
        """Size of the difference in standard errors; None if there is no spread to measure it by."""
        return abs(self.difference) / self.standard_error if self.standard_error else None


def compare(a: Sample, b: Sample) -> Comparison | None:
    """Compare two methods by an error; None if one of them has no values."""
    if a.mean is None or b.mean is None:
        return None
    difference, error = a.mean - b.mean, _pooled_standard_error(a.values, b.values)
    if error is not None:
        error = math.hypot(error, _paired_standard_error(a.cases, b.cases))
    if error is None or min(len(a.values), len(b.values)) < LEAST_SEEDS:
        verdict = Verdict.UNDECIDED
    elif difference == 0 or abs(difference) < LEAST_RATIO * error:
        verdict = Verdict.TIE
    else:
        verdict = Verdict.BEATS if difference < 0 else Verdict.LOSES
    return Comparison(difference, error, verdict)


def _paired_standard_error(a: Sequence[float], b: Sequence[float]) -> float:
    """Of the mean difference over test cases; 0 where it is not known."""
    if len(a) != len(b) or len(a) < 2:
        return 0.0
    return stdev(x - y for x, y in zip(a, b, strict=True)) / math.sqrt(len(a))


def _pooled_standard_error(a: Sequence[float], b: Sequence[float]) -> float | None:
    freedom = len(a) + len(b) - 2
    if freedom < 1:
        return None
    squares = sum((len(side) - 1) * variance(side) for side in (a, b) if len(side) > 1)
    return math.sqrt(squares / freedom * (1 / len(a) + 1 / len(b)))
