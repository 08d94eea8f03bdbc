"""``sympe report``."""

import json
import sys
import time
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sympe.html import readable


@dataclass(frozen=True)
class Command:
    """Write the report of runs: one page, from their records alone."""

    runs: Annotated[Path, tyro.conf.Positional]
    """Folder that holds the records, at any depth."""
    out: Path = Path("runs/report")
    """Folder to write into."""
    open: bool = False
    """Open the page in a browser."""
    json: bool = False
    """Print one JSON object on stdout instead of the path of the page."""

    def __call__(self) -> None:
        from sympe_experiments.page import write_report
        from sympe_experiments.records import read_records

        records = read_records(self.runs)
        if not records:
            raise ValueError(f"no records of runs below {self.runs}")
        page = write_report(records, self.out, Told())
        print(json.dumps({"report": str(page), "runs": len(records)}) if self.json else readable(str(page)))
        if self.open and not webbrowser.open(page.resolve().as_uri()):
            raise ValueError(f"found no browser to open {page} with")


class Told:
    """Prints lines on stderr, each with the seconds since the first."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, text: str) -> None:
        print(readable(f"[{time.monotonic() - self.started:3.0f} s] {text}"), file=sys.stderr, flush=True)
