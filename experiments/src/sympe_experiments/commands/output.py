"""What commands print: records of runs as a table for people, or as one JSON object."""

import json
from typing import Any

from sympe_experiments.records import Record


def print_records(records: list[Record], as_json: bool) -> None:
    """Print one record or several on stdout."""
    if as_json:
        summaries: Any = [record.summary() for record in records]
        print(json.dumps(summaries[0] if len(summaries) == 1 else {"runs": summaries}))
        return
    from rich.console import Console

    from sympe_experiments.catalog import tables_of

    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width of its own; 80 columns would cut wide tables.
        console = Console(width=200)
    for table in tables_of(records):
        table.print(console)
