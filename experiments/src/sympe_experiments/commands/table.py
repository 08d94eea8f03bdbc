"""``sympe table``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sympe_experiments.catalog import tables_of
from sympe_experiments.report.output import print_records


@dataclass(frozen=True)
class Command:
    """Rebuild the table from the records of runs."""

    runs: Annotated[Path, tyro.conf.Positional]
    """Folder that holds the records, at any depth."""
    json: bool = False
    """Print one JSON object on stdout instead of the table."""
    markdown: bool = False
    """Print the tables as Markdown."""

    def __call__(self) -> None:
        from sympe_experiments.records import read_records

        records = read_records(self.runs)
        if not records:
            raise ValueError(f"no records of runs below {self.runs}")
        if self.markdown and not self.json:
            print("\n".join(table.markdown() for table in tables_of(records)), end="")
            return
        print_records(records, tables_of, self.json)
