"""A table of plain values that can be printed, or written as Markdown, HTML or JSON.

A column makes the text of a cell from the values of the row, so that all formats show the same figures.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from sympe.html import readable, render

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        header: What stands above it.
        text: Makes a cell's text from the values of a row.
        is_number: Whether to align it at the right.
    """

    header: str
    text: Callable[[Row], str]
    is_number: bool = False


@dataclass(frozen=True)
class Block:
    """Rows that may be compared with each other.

    Attributes:
        title: What the rows have in common.
        rows: Values by name; JSON holds all of them, the other formats what the columns show.
        notes: Sentences about these rows.
    """

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Blocks of rows under the same columns.

    Attributes:
        title: What the table shows.
        columns: From left to right.
        blocks: From top to bottom.
        caption: How to read the table.
    """

    title: str
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    caption: tuple[str, ...] = ()

    def cells(self, row: Row) -> list[str]:
        """The texts of one row."""
        return [readable(column.text(row)) for column in self.columns]

    def print(self, console: Console) -> None:
        """Print it to a terminal."""
        console.print(Text(readable(self.title), style="bold"))
        for block in self.blocks:
            # Names go in as Text: Rich would read "[...]" in a string as markup.
            console.print(Text(readable(block.title), style="italic"))
            table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
            for column in self.columns:
                table.add_column(Text(column.header), justify="right" if column.is_number else "left")
            for row in block.rows:
                table.add_row(*map(Text, self.cells(row)))
            if block.rows:
                console.print(table)
            for note in block.notes:
                console.print(Text(readable(note)))
        for sentence in self.caption:
            console.print(Text(readable(sentence), style="dim"))
        console.print()

    def markdown(self) -> str:
        """GitHub-flavored Markdown."""
        lines = [f"## {_escape_markdown(self.title)}", ""]
        rule = "|" + "|".join("---:" if column.is_number else "---" for column in self.columns) + "|"
        header = "| " + " | ".join(_escape_markdown(column.header) for column in self.columns) + " |"
        for block in self.blocks:
            lines += [f"**{_escape_markdown(block.title)}**", ""]
            lines += [header, rule] if block.rows else []
            lines += ["| " + " | ".join(map(_escape_markdown, self.cells(row))) + " |" for row in block.rows]
            lines += ["", *(f"{_escape_markdown(note)}  " for note in block.notes), ""]
        lines += [f"{_escape_markdown(sentence)}  " for sentence in self.caption]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"

    def html(self) -> str:
        """A fragment of HTML, without styles."""
        return render("sympe_experiments.report", "table.html", table=self)

    def as_json(self) -> dict[str, Any]:
        """Title, caption and one object of plain values per row."""
        blocks = [{"title": b.title, "notes": list(b.notes), "rows": list(b.rows)} for b in self.blocks]
        return {"title": self.title, "caption": list(self.caption), "blocks": blocks}


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", readable(text))


def number(value: float | None, digits: int = 3) -> str:
    """A number with fixed precision; exactly zero is "0", a missing number "-"."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    least = 10.0**-digits
    return f"<{least:.{digits}f}" if 0 < value < least / 2 else f"{value:.{digits}f}"


def mean_and_spread(mean: float | None, spread: float | None, digits: int = 3) -> str:
    """``mean ± spread``, or the mean alone where the spread is unknown."""
    if mean is None or spread is None:
        return number(mean, digits)
    return f"{number(mean, digits)} ± {spread:.{digits if spread else 0}f}"
