"""The report of an audit as one HTML page."""

from pathlib import Path
from typing import Any

from sympe.atomic import write_atomically
from sympe.auditing.report import AuditReport
from sympe.html import render


def write_audit(report: AuditReport, title: str, path: Path) -> None:
    """Write a self-contained page, titled by what was audited.

    Raises:
        ImportError: If Jinja is not installed.
    """
    summary = report.summary
    counts = {"Orders of the stabilizers": summary.orders, "Point groups": summary.point_groups}
    page = render(
        "sympe.auditing",
        "audit.html",
        title=title,
        verdict=summary.verdict,
        advice=summary.advice,
        facts=report.facts(),
        charts=[(name, _bars(held)) for name, held in counts.items() if held],
        offenders=[{name: _shown(value) for name, value in row.items()} for row in report.worst()],
    )
    write_atomically(path, lambda file: file.write(page.encode()))


def _bars(counts: dict[str, int]) -> list[tuple[str, str, float]]:
    """Label, count in words, and length in per cent of the longest bar."""
    total, most = sum(counts.values()), max(counts.values())
    return [(name, f"{n:,} ({100 * n / total:.1f} %)", 100 * n / most) for name, n in counts.items()]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
