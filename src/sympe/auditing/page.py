"""One page on the symmetries of a data set, made from the numbers of an audit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sympe.atomic import write_atomically
from sympe.html import render


@dataclass(frozen=True)
class Bar:
    """One bar of a chart.

    Attributes:
        label: What it counts.
        text: Its value in words.
        share: Its length, 0 to 100.
    """

    label: str
    text: str
    share: float


def write_audit(
    title: str,
    verdict: str,
    advice: str,
    facts: Sequence[tuple[str, str]],
    counts: Mapping[str, Mapping[str, int]],
    offenders: Sequence[Mapping[str, Any]],
    path: Path,
) -> None:
    """Write a page that is complete in itself.

    Args:
        title: What was audited.
        verdict: The outcome in one sentence.
        advice: What to use instead.
        facts: The numbers in words, by name.
        counts: Charts by title; each how many samples have what.
        offenders: Rows of the samples with the largest errors.
        path: Where to write.
    """
    charts = [(name, _bars(held)) for name, held in counts.items() if held]
    page = render(
        "sympe.auditing",
        "audit.html",
        title=title,
        verdict=verdict,
        advice=advice,
        facts=facts,
        charts=charts,
        offenders=[{name: _shown(value) for name, value in row.items()} for row in offenders],
    )
    write_atomically(path, lambda file: file.write(page.encode()))


def _bars(counts: Mapping[str, int]) -> list[Bar]:
    total, most = max(sum(counts.values()), 1), max(counts.values())
    return [Bar(name, f"{n:,} ({100 * n / total:.1f} %)", 100 * n / most) for name, n in counts.items()]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
