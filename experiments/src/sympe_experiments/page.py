"""The report on one page: tables, verdicts, figures and the list of runs, made from records alone."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sympe.atomic import claimed, write_atomically
from sympe.html import render
from sympe_experiments.catalog import EXPERIMENTS, tables_of
from sympe_experiments.records import Record
from sympe_experiments.report.runs import runs_table
from sympe_experiments.report.statistics import finite
from sympe_experiments.report.table import Table


@dataclass(frozen=True)
class Image:
    """A picture, ready to be embedded."""

    name: str
    alt: str
    content: bytes

    @property
    def source(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.content).decode()


@dataclass(frozen=True)
class Section:
    """Everything about one experiment."""

    title: str
    facts: list[tuple[str, str]]
    tables: list[Table]
    images: list[Image]
    runs: Table


def write_report(records: Iterable[Record], folder: Path) -> Path:
    """Write ``report.html`` (complete in itself), ``table.md``, ``table.json`` and ``figures/*.png``.

    The files depend on the records, not on their order.

    Args:
        records: Runs of any experiments.
        folder: Where to write; created if missing.

    Returns:
        The path of ``report.html``.

    Raises:
        ValueError: If there are no records, or the folder holds what is not ours.
    """
    by_name: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: json.dumps(record.as_dict(), sort_keys=True, default=str)):
        by_name.setdefault(record.experiment, []).append(record)
    if not by_name:
        raise ValueError("expected at least one record of a run; got none")
    sections = [_section(name, by_name[name]) for name in sorted(by_name)]
    tables = [table for section in sections for table in section.tables]
    page = render("sympe_experiments.report", "report.html", sections=sections)
    markdown = "\n".join(table.markdown() for table in tables)
    data = json.dumps({"tables": [table.as_json() for table in tables]}, indent=1, default=str) + "\n"

    with claimed(folder):
        for section in sections:
            for image in section.images:
                _write(folder / "figures" / f"{image.name}.png", image.content)
        _write(folder / "table.md", markdown.encode())
        _write(folder / "table.json", data.encode())
        _write(folder / "report.html", page.encode())
    return folder / "report.html"


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda file: file.write(content))


def _section(name: str, records: list[Record]) -> Section:
    known = EXPERIMENTS.get(name)
    pictures = [] if known is None else known.pictures(records)
    return Section(
        title=name if known is None else known.title,
        facts=_facts(records),
        tables=tables_of(records),
        images=[Image(picture.name, picture.alt, picture.encode()) for picture in pictures],
        runs=runs_table(records, None if known is None else known.headline),
    )


def _facts(records: Sequence[Record]) -> list[tuple[str, str]]:
    """What was run, on what, by which code."""
    environments = [record.environment or {} for record in records]
    seconds = sum(finite(record.seconds) or 0.0 for record in records)
    hours = f" ({seconds / 3600:.1f} hours)" if seconds >= 3600 else ""
    facts = {
        "data": _distinct(record.data for record in records),
        "recipes": _distinct(record.recipe for record in records),
        "methods": _distinct(record.method for record in records),
        "seeds": ", ".join(map(str, sorted({record.seed for record in records}))),
        "runs": f"{len(records)}, {seconds:.0f} seconds together{hours}",
        "commits": _distinct(environment.get("commit") for environment in environments),
        "hardware": _distinct(environment.get("gpu") or environment.get("processor") for environment in environments),
        "versions": _distinct(
            f"{name} {number}"
            for environment in environments
            for name, number in (environment.get("versions") or {}).items()
        ),
    }
    return [(name, value) for name, value in facts.items() if value]


def _distinct(values: Iterable[object]) -> str:
    return ", ".join(sorted({str(value) for value in values if value}))
