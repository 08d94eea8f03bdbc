"""The report on one page: what was found in words and one figure each, then tables, figures and the list of runs."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sympe.atomic import claimed, write_atomically
from sympe.html import render
from sympe_experiments.catalog import EXPERIMENTS, tables_of
from sympe_experiments.records import Record
from sympe_experiments.report.canvas import themed
from sympe_experiments.report.runs import runs_table
from sympe_experiments.report.statistics import finite
from sympe_experiments.report.table import Table


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG.

    Attributes:
        name: Its file, without suffix.
        alt: Text that describes it.
        head: What it says, and what it was made of.
        svg: In its own colors.
    """

    name: str
    alt: str
    head: list[str]
    svg: str

    @property
    def drawn(self) -> str:
        """In the colors of the page."""
        return themed(self.svg)


@dataclass(frozen=True)
class Section:
    """Everything about one experiment."""

    name: str
    title: str
    question: str
    findings: list[str]
    facts: list[tuple[str, str]]
    tables: list[Table]
    pictures: list[Drawing]
    explorer: str
    runs: Table
    num_runs: int

    @property
    def anchor(self) -> str:
        """What links lead to."""
        return "details-" + "".join(c if c.isalnum() else "-" for c in self.name)


def write_report(records: Iterable[Record], folder: Path, tell: Callable[[str], object] = lambda text: None) -> Path:
    """Write ``report.html`` (complete in itself), ``table.md``, ``table.json`` and ``figures/*.svg``.

    The files depend on the records, not on their order.

    Args:
        records: Runs of any experiments.
        folder: Where to write; created if missing.
        tell: Called with a line of text for every experiment, before it is drawn.

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
    sections = []
    for place, name in enumerate(_in_order(by_name), start=1):
        held = by_name[name]
        tell(f"report: {place} of {len(by_name)}, {name}: {len(held)} runs")
        sections.append(_section(name, held))
    tables = [table for section in sections for table in section.tables]
    num_runs = sum(section.num_runs for section in sections)
    page = render("sympe_experiments.report", "report.html", sections=sections, num_runs=num_runs)
    markdown = "\n".join(table.markdown() for table in tables)
    data = json.dumps({"tables": [table.as_json() for table in tables]}, indent=1, default=str) + "\n"

    with claimed(folder):
        for section in sections:
            for drawing in section.pictures:
                _write(folder / "figures" / f"{drawing.name}.svg", drawing.svg)
        _write(folder / "table.md", markdown)
        _write(folder / "table.json", data)
        _write(folder / "report.html", page)
    return folder / "report.html"


def _in_order(names: Iterable[str]) -> list[str]:
    """In the order of the catalog, unknown ones last."""
    places = {name: place for place, name in enumerate(EXPERIMENTS)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def _write(path: Path, content: str) -> None:
    write_atomically(path, lambda file: file.write(content.encode()))


def _section(name: str, records: list[Record]) -> Section:
    known = EXPERIMENTS.get(name)
    explorer = None if known is None else known.explorer(records)
    pictures = [] if known is None else known.pictures(records)
    return Section(
        name=name,
        title=name if known is None else known.title,
        question="" if known is None else known.question,
        findings=[] if known is None else known.findings(records),
        facts=_facts(records),
        tables=tables_of(records),
        pictures=[Drawing(picture.name, picture.alt, picture.head, picture.svg()) for picture in pictures],
        explorer="" if explorer is None else explorer.html(),
        runs=runs_table(records, None if known is None else known.headline),
        num_runs=len(records),
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
