"""One page that holds all: tables, verdicts, figures and the list of runs, made from records alone."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sympe.atomic import write_atomically
from sympe.report.experiments import experiment
from sympe.report.rendering import render
from sympe.report.runs import runs_table
from sympe.report.statistics import finite
from sympe.report.table import Table
from sympe.results import Record


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
    """All there is to say of one task."""

    title: str
    facts: list[tuple[str, str]]
    tables: list[Table]
    images: list[Image]
    runs: Table


def write_report(records: Iterable[Record], folder: Path) -> Path:
    """Write ``report.html`` (complete in itself), ``table.md``, ``table.json`` and ``figures/*.png``.

    The same records give the same files, in whatever order they come.

    Args:
        records: Runs of any tasks.
        folder: Where to write; made if missing.

    Returns:
        The path of ``report.html``.

    Raises:
        ValueError: If there are no records.
    """
    by_task: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: json.dumps(record.as_dict(), sort_keys=True, default=str)):
        by_task.setdefault(record.task, []).append(record)
    if not by_task:
        raise ValueError("expected at least one record of a run; got none")
    sections = [_section(task, by_task[task]) for task in sorted(by_task)]
    tables = [table for section in sections for table in section.tables]
    page = render("report.html", sections=sections)
    markdown = "\n".join(table.markdown() for table in tables)
    data = json.dumps({"tables": [table.as_json() for table in tables]}, indent=1, default=str) + "\n"

    for section in sections:
        for image in section.images:
            _write(folder / "figures" / f"{image.name}.png", image.content)
    _write(folder / "table.md", markdown.encode())
    _write(folder / "table.json", data.encode())
    _write(folder / "report.html", page.encode())
    return folder / "report.html"


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda file: file.write(content))


def _section(task: str, records: list[Record]) -> Section:
    shown = experiment(task)
    return Section(
        title=shown.title,
        facts=_facts(records),
        tables=shown.tables(records),
        images=[Image(picture.name, picture.alt, picture.encode()) for picture in shown.pictures(records)],
        runs=runs_table(records, shown.headline),
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
