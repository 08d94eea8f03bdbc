"""The report of an audit as one HTML page."""

from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from sympe.atomic import write_atomically
from sympe.auditing.drawing import color_of, layout, orbit_names
from sympe.auditing.report import AuditReport
from sympe.html import render

_MOST_ROWS = 1000


def write_audit(report: AuditReport, title: str, path: Path, command: str = "") -> None:
    """Write a self-contained page, titled by what was audited; ``command`` is what made it.

    Raises:
        ImportError: If Jinja is not installed.
    """
    summary = report.summary
    counts = {"Orders of the stabilizers": summary.orders, "Point groups": summary.point_groups}
    page = render(
        "sympe.auditing",
        "audit.html",
        title=title,
        command=command,
        version=version("sympe"),
        verdict=summary.verdict,
        advice=summary.advice,
        facts=report.facts(),
        drawings=[_drawing(held) for held in report.drawn()],
        charts=[(name, _bars(held)) for name, held in counts.items() if held],
        tables=[table for table in _tables(report) if table[2]],
    )
    write_atomically(path, lambda file: file.write(page.encode()))


def _tables(report: AuditReport) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Title, note and rows: the samples with the largest errors, all samples, and what was skipped."""
    summary = report.summary
    index = "The index counts all samples from 0, over all files, including skipped ones."
    first = f"The first {_MOST_ROWS:,} of {summary.samples:,}; --rows writes all. " * (summary.samples > _MOST_ROWS)
    reasons = f"The first {_MOST_ROWS:,} of {summary.skipped:,}. " * (summary.skipped > _MOST_ROWS)
    samples = islice(report.samples(), _MOST_ROWS)
    skipped = [{"index": f"{k:,}", "reason": reason} for k, reason in islice(report.skipped(), _MOST_ROWS)]
    return [
        ("Samples with the largest errors", index, [_row(row) for row in report.worst()]),
        ("Samples", first + index, [_row(row) for row in samples]),
        ("Skipped", reasons + index, skipped),
    ]


def _row(row: dict[str, Any]) -> dict[str, str]:
    return {name: _shown(value) for name, value in row.items()}


def _drawing(held: dict[str, Any]) -> dict[str, Any]:
    """Lines, dots and a text alternative of a sample."""
    names, corners = orbit_names(held["orbits"]), held.get("corners", [])
    texts = held.get("letters") or [str(name or "") for name in names]
    around = held["places"] + corners if corners else held.get("places")
    spots = layout(len(names) + len(corners), held["edges"], around)
    places, frame = spots[: len(names)].round(3).tolist(), spots[len(names) :].round(3).tolist()
    alike, several = sum(map(bool, names)), max(name or 0 for name in names)
    where = f", in {several} orbit{'' if several == 1 else 's'}" if several else ""
    return {
        "frame": [(frame[a], frame[b]) for a, b in held.get("frame", [])],
        "lines": [(places[a], places[b]) for a, b in held["edges"]],
        "radius": min(0.11, 0.9 / max(len(names), 1) ** 0.5),
        "dots": [(x, y, color_of(name), text) for (x, y), name, text in zip(places, names, texts, strict=True)],
        "has_letters": "letters" in held,
        "alt": f"Sample {held['index']:,}: {alike} of {len(names)} are alike with others{where}",
    }


def _bars(counts: dict[str, int]) -> list[tuple[str, str, float]]:
    """Label, count in words, and length in per cent of the longest bar."""
    total, most = sum(counts.values()), max(counts.values())
    return [(name, f"{n:,} ({100 * n / total:.1f} %)", 100 * n / most) for name, n in counts.items()]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
