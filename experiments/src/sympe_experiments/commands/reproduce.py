"""``sympe reproduce``."""

import json
from dataclasses import dataclass
from pathlib import Path

from sympe.html import readable
from sympe_experiments.catalog import tables_of
from sympe_experiments.commands.report import Told
from sympe_experiments.report.output import print_records


@dataclass(frozen=True)
class Command:
    """Run the experiments and write the report: the poster's tables beside ours."""

    preset: str = "quick"
    """smoke (a minute; the figures mean nothing), quick (one seed; a quarter of an hour on two cores) or full (three
    seeds, hours)."""
    experiment: str | None = None
    """Only this experiment; all by default."""
    out: Path = Path("runs/reproduce")
    """Folder of all runs; finished ones do not run again."""
    workers: int | None = None
    """Runs in parallel, one thread each; by default as many as there are cores."""
    json: bool = False
    """Print one JSON object on stdout instead of the table."""

    def __call__(self) -> None:
        from sympe_experiments.page import write_report
        from sympe_experiments.reproduce import reproduce

        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers must be at least 1; got {self.workers}")
        records = reproduce(self.preset, self.out, None if self.experiment is None else [self.experiment], self.workers)
        page = write_report(records, self.out / f"report-{self.preset}", Told())
        if self.json:
            print(json.dumps({"preset": self.preset, "report": str(page), "runs": [r.summary() for r in records]}))
        else:
            print_records(records, tables_of, False)
            print(readable(f"Report: {page}"))
