"""``sympe audit``."""

import hashlib
import importlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from sympe.auditing.parts import Folder
    from sympe.auditing.report import AuditReport

ERDOS_RENYI = "erdos-renyi"


@dataclass(frozen=True)
class AuditCommand:
    """Ask of a data set whether equivariant networks need symmetry breaking to predict its targets."""

    paths: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Files or folders (graph6, npz, SMILES, SDF, xyz, extxyz, GraphML, PyG .pt), names of data sets (erdos-renyi, qm9,
    planar, sbm, tree, community_small), or one module:function that yields inputs x or pairs (x, y)."""
    target: str | None = None
    """What is to be predicted: an array, column, attribute or property, or adjacency."""
    per: Literal["sample", "node", "edge", "pair"] | None = None
    """What an entry of the target belongs to, if its shape does not tell."""
    loss: Literal["squared", "absolute", "zero-one"] | None = None
    """How answers are compared; zero-one for integers and squared for all else if left out."""
    group: Literal["auto", "sn", "torus", "o3", "so3"] = "auto"
    """sn for graphs, torus for fields on a lattice, o3 and so3 for points in space."""
    point_group: Literal["C1", "C2", "C4", "D2", "D4"] = "D4"
    """Turns and reflections of a lattice; C1 leaves the translations."""
    spin_flip: bool = False
    """Whether the flip of all spins is a symmetry of a lattice too."""
    fields: Literal["scalar", "bonds", "directions", "regular"] = "scalar"
    """What turns and reflections do to the channels of the inputs on a lattice."""
    target_fields: Literal["scalar", "bonds", "directions", "regular"] = "scalar"
    """The same for targets on a lattice."""
    tolerance: float | None = None
    """Points: angstrom within which they coincide, 0.01 if left out. Lattice: values are rounded to multiples of it."""
    bottleneck: Literal["node-codes", "node-differences"] | None = None
    """Let the prediction pass through one code per node, as in an autoencoder."""
    split: Literal["train", "validation", "test"] | None = None
    """Take only this split; erdos-renyi is its test split if left out."""
    heavy_atoms: bool = False
    """Take hydrogen atoms out of molecules."""
    irreps: str | None = None
    """How targets turn with points in space, "1x0e+1x2e" say; three numbers are a vector, nine a matrix if left out."""
    json: bool = False
    """Print one JSON object on stdout instead of a table."""
    html: Path | None = None
    """Write a page that is complete in itself."""
    rows: Path | None = None
    """Write one row per sample, to a .csv or a .parquet file."""
    engine: Literal["local", "ray"] = "local"
    """Where the work is done: on this machine, or on a Ray cluster (that of RAY_ADDRESS)."""
    workers: int | None = None
    """Processes at a time; as many as there are cores if left out."""
    resume: bool = False
    """Go on with the same audit, if it was interrupted."""
    work: Path = Path("runs/audit")
    """Folder for what an unfinished audit has found so far."""

    def __call__(self) -> None:
        from sympe.auditing.parts import Folder
        from sympe.auditing.run import Execution, Options, audit
        from sympe.auditing.writing import check_rows_path, write_rows

        if not self.paths:
            raise ValueError("expected a file, a folder, the name of a data set or module:function; got nothing")
        if self.rows is not None:
            check_rows_path(self.rows)
        sys.set_int_max_str_digits(0)  # orders of groups are written out in full
        data, split = _data(self.paths, self.split)
        store = Folder(self.work / self._fingerprint())
        if not self.resume:
            store.clear()
        with _cleared(store), _progress() as progress:
            report = audit(
                data,
                target=self.target,
                group=self._group(),
                per=self.per,
                loss=self.loss,
                options=Options(self.bottleneck, split, self.heavy_atoms, self.irreps),
                execution=Execution(self.engine, _cores() if self.workers is None else self.workers, store, progress),
            )
        if self.rows is not None:
            write_rows(report, self.rows)
        if self.html is not None:
            from sympe.auditing.page import write_audit

            summary = report.summary
            charts = {"Orders of the stabilizers": summary.orders, "Point groups": summary.point_groups}
            write_audit(
                self._title(), summary.verdict, summary.advice, report.facts(), charts, report.worst(), self.html
            )
        if self.json:
            _print_json(report)
        else:
            _print_table(self._title(), report)
        store.clear()

    def _group(self) -> Any:
        """The group, made from the options that shape it, or its name."""
        of_lattice = (self.point_group, self.spin_flip, self.fields, self.target_fields) != (
            "D4",
            False,
            "scalar",
            "scalar",
        )
        if of_lattice and self.group not in ("auto", "torus"):
            raise ValueError(f"point-group, spin-flip and fields are for the group torus; got {self.group}")
        if of_lattice or self.group == "torus":
            from sympe.auditing.symmetry.fields import FIELDS, FieldSymmetry
            from sympe.groups import Torus

            group = Torus(self.point_group, self.spin_flip)
            return FieldSymmetry(FIELDS[self.fields](group), FIELDS[self.target_fields](group), self.tolerance)
        if self.group in ("o3", "so3"):
            from sympe.auditing.symmetry.points import PointSymmetry

            return PointSymmetry(self.group == "so3", 1e-2 if self.tolerance is None else self.tolerance)
        if self.tolerance is not None:
            raise ValueError(f"tolerance is for the groups torus, o3 and so3; got {self.group}")
        return self.group

    def _title(self) -> str:
        return " ".join(self.paths)

    def _fingerprint(self) -> str:
        """A name for this audit: the same for the same data and questions, whatever it runs on."""
        elsewhere = ("paths", "json", "html", "rows", "engine", "workers", "resume", "work")
        asked: list[Any] = [value for name, value in sorted(vars(self).items()) if name not in elsewhere]
        for name in self.paths:
            path = Path(name)
            asked.append(os.path.abspath(path) if path.exists() else name)
            files = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
            asked += [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:12]
        stem = "".join(c if c.isalnum() else "-" for c in Path(self.paths[0]).stem)[:30]
        return f"{stem}-{digest}"


def _data(paths: tuple[str, ...], split: str | None) -> tuple[Any, str | None]:
    """The data to audit, and the split that is still to be taken of it."""
    if len(paths) == 1 and paths[0] == ERDOS_RENYI and not Path(ERDOS_RENYI).exists():
        from sympe.graphs.datasets import erdos_renyi

        return erdos_renyi(split or "test"), None
    if len(paths) == 1 and ":" in paths[0] and not Path(paths[0]).exists():
        if split is not None:
            raise ValueError(f"expected files to take {split!r} from; got {paths[0]}")
        return _called(paths[0]), None
    return list(paths), split


def _called(name: str) -> Any:
    """What ``module:function`` yields; modules are also looked for in the current folder."""
    module_name, _, function_name = name.partition(":")
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{name}: expected module:function that can be imported; {error}") from error
    if not callable(function):
        raise ValueError(f"{name}: expected a function that yields x or (x, y); got {type(function).__name__}")
    samples = function()
    if not hasattr(samples, "__iter__"):
        raise ValueError(f"{name}: expected a function that yields x or (x, y); it gave {type(samples).__name__}")
    return samples


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _cleared(store: "Folder") -> Iterator[None]:
    """Keep what was found if the audit is interrupted, and not if it cannot be made."""
    try:
        yield
    except ValueError:
        store.clear()
        raise


@contextmanager
def _progress() -> Iterator[Any]:
    """A bar on stderr that comes only after five seconds."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.completed:,.0f} % of the data"),
        BarColumn(),
        TextColumn("{task.fields[samples]:,} samples"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    task = bar.add_task("", total=100.0, samples=0)
    begun = time.monotonic()

    def update(samples: int, share: float | None) -> None:
        if not bar.live.is_started and time.monotonic() - begun > 5:
            bar.start()
        done = 0.0 if share is None else 100 * share
        most = max(samples, bar.tasks[0].fields["samples"])
        bar.update(task, completed=done, samples=most)

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()


def _print_json(report: "AuditReport") -> None:
    """One object, its samples written one by one: they need not fit into memory."""
    from dataclasses import asdict

    sys.stdout.write('{"summary": ' + json.dumps(asdict(report.summary)) + ', "samples": [')
    for place, row in enumerate(report.samples()):
        sys.stdout.write((", " if place else "") + json.dumps(row))
    sys.stdout.write("]}\n")


def _print_table(title: str, report: "AuditReport") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sympe.html import readable

    console = Console()
    table = Table(box=None, show_header=False, pad_edge=False, title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in report.facts():
        table.add_row(Text(name), Text(readable(text)))
    console.print(Text(readable(title), style="bold"))
    console.print(table)
    console.print()
    console.print(Text(readable(report.summary.verdict), style="bold"))
    if report.summary.advice:
        console.print(Text(readable(report.summary.advice)))
