"""What commands print: records of runs as tables for people, or as one JSON object."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sympe_experiments.records import Record
from sympe_experiments.report.table import Table


def print_records(records: list[Record], tables: Callable[[Sequence[Record]], list[Table]], as_json: bool) -> None:
    """Print one record or several on stdout.

    Args:
        records: What to print.
        tables: Makes tables of them.
        as_json: Whether to print their summaries as JSON instead.
    """
    if as_json:
        summaries: Any = [record.summary() for record in records]
        print(json.dumps(summaries[0] if len(summaries) == 1 else {"runs": summaries}))
        return
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width; the default of 80 columns would cut wide tables.
        console = Console(width=200)
    for table in tables(records):
        table.print(console)
