"""The command line: parse, dispatch, exit code.

Results go to stdout, progress and complaints to stderr. Bad input ends with one line and exit code 2.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from sympe.results import Record


@dataclass(frozen=True)
class GraphAutoencoderCommand:
    """Train and test one graph autoencoder."""

    method: str = "sympe"
    """What breaks the symmetry: none, noise, permutation, laplacian, sympe, ... (an unknown name lists all)."""
    recipe: str = "fast"
    """smoke, fast, best or poster."""
    seed: int = 0
    """Everything random comes from this number."""
    data: str = "erdos-renyi"
    """erdos-renyi, qm9, or a file of graphs (graph6, GraphML, edge list, npz)."""
    draws: int | None = None
    """Draws of g~ per graph in the test, the K of best-of-K. The recipe's if left out, as all that follow."""
    epochs: int | None = None
    """Passes over the training graphs."""
    batch_size: int | None = None
    """Graphs per step and process."""
    learning_rate: float | None = None
    """Adam's learning rate."""
    num_train: int | None = None
    """Graphs to train on, at most."""
    hidden: int | None = None
    """Width of the network."""
    out: Path | None = None
    """Folder of the run; runs/graph-autoencoder/DATA/RECIPE/METHOD/seedN if left out."""
    resume: bool = False
    """Go on with an interrupted run, or read a finished one."""
    devices: int = 1
    """Processes to train with (DDP)."""
    accelerator: str = "auto"
    """auto, cpu or gpu."""
    json: bool = False
    """Print one JSON object on stdout instead of a table."""

    def __call__(self) -> None:
        from sympe.reproduce import run_folder
        from sympe.tasks import graph_autoencoder

        names = ("seed", "data", "draws", "epochs", "batch_size", "learning_rate", "num_train", "hidden")
        config = graph_autoencoder.make_config(
            self.method, self.recipe, **{name: getattr(self, name) for name in names}
        )
        if self.devices < 1:
            raise ValueError(f"devices must be at least 1; got {self.devices}")
        folder = self.out if self.out is not None else Path("runs") / run_folder(config)
        record = graph_autoencoder.run(
            config, folder, resume=self.resume, devices=self.devices, accelerator=self.accelerator
        )
        if record is not None:
            _print_records([record], self.json)


@dataclass(frozen=True)
class ReproduceCommand:
    """Run the experiments and write the report: the poster's tables beside ours."""

    preset: str = "quick"
    """smoke (a minute; the figures mean nothing), quick (one seed) or full (three seeds, hours)."""
    task: str | None = None
    """Only this task; all that exist if left out."""
    out: Path = Path("runs/reproduce")
    """Folder of all runs; what is finished there is not run again."""
    workers: int | None = None
    """Runs side by side, one thread each; as many as there are cores if left out."""
    json: bool = False
    """Print one JSON object on stdout instead of the table."""

    def __call__(self) -> None:
        from sympe.report import write_report
        from sympe.reproduce import reproduce

        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers must be at least 1; got {self.workers}")
        records = reproduce(self.preset, self.out, None if self.task is None else [self.task], self.workers)
        page = write_report(records, self.out / f"report-{self.preset}")
        if self.json:
            print(json.dumps({"preset": self.preset, "report": str(page), "runs": [r.summary() for r in records]}))
        else:
            _print_records(records, False)
            print(f"Report: {page}")


@dataclass(frozen=True)
class TableCommand:
    """Rebuild the table from the records of runs."""

    runs: Annotated[Path, tyro.conf.Positional]
    """Folder below which the records are."""
    json: bool = False
    """Print one JSON object on stdout instead of the table."""
    markdown: bool = False
    """Print the tables as Markdown."""

    def __call__(self) -> None:
        from sympe.results import read_records

        records = read_records(self.runs)
        if not records:
            raise ValueError(f"no records of runs below {self.runs}")
        if self.markdown and not self.json:
            from sympe.report import tables_of

            print("\n".join(table.markdown() for table in tables_of(records)), end="")
            return
        _print_records(records, self.json)


def _print_records(records: list[Record], as_json: bool) -> None:
    if as_json:
        summaries: Any = [record.summary() for record in records]
        print(json.dumps(summaries[0] if len(summaries) == 1 else {"runs": summaries}))
        return
    from rich.console import Console

    from sympe.report import tables_of

    for table in tables_of(records):
        table.print(Console())


Command = (
    Annotated[GraphAutoencoderCommand, tyro.conf.subcommand("graph-autoencoder")]
    | Annotated[ReproduceCommand, tyro.conf.subcommand("reproduce")]
    | Annotated[TableCommand, tyro.conf.subcommand("table")]
)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command ``sympe``."""
    command: Any = tyro.cli(
        Command,
        prog="sympe",
        description="Break the symmetry of equivariant networks.",
        args=arguments,
        config=(tyro.conf.OmitSubcommandPrefixes,),
    )
    try:
        command()
    except (ValueError, OSError, ImportError) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        print(f"sympe: {line}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, SystemExit) as error:
        # Lightning turns the interruption of a training into an exit of its own.
        if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__context__, KeyboardInterrupt):
            raise
        print("sympe: interrupted; the same command with --resume goes on", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
