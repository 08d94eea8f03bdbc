"""``sympe audit``."""

import hashlib
import importlib
import json
import os
import shlex
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import tyro

from sympe.atomic import claimed
from sympe.cli.programs import audit_programs, programs_in
from sympe.cli.structures import audit_alignment, audit_features, print_shares
from sympe.compressed import open_regular
from sympe.settings import require_positive
from sympe.signals import Terminated

if TYPE_CHECKING:
    from sympe.auditing.report import AuditReport

ERDOS_RENYI = "erdos-renyi"


@dataclass(frozen=True)
class AuditCommand:
    """Find out whether equivariant networks need symmetry breaking to predict the targets of a data set."""

    paths: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Files or folders (graph6, npz, SMILES, SDF, xyz, extxyz, CIF, POSCAR, GraphML, PyG .pt; integer programs: mps,
    lp), data sets (erdos-renyi, qm9, planar, sbm, tree, community_small), or one module:function that yields inputs x
    or pairs (x, y)."""
    target: str | None = None
    """Target to predict: an array, column, attribute or property, or adjacency. Of integer programs: solution (NAME.sol
    beside NAME.mps), or highs (found by HiGHS within a minute)."""
    per: Literal["sample", "node", "edge", "pair"] | None = None
    """What each entry of the target belongs to; by default inferred from its shape, and named in the report."""
    loss: Literal["squared", "absolute", "zero-one"] | None = None
    """Loss; by default zero-one for integers and squared otherwise."""
    group: Literal["auto", "sn", "torus", "o3", "so3", "e3", "se3"] = "auto"
    """sn for graphs, torus for fields on a lattice, o3 or so3 for points in space, e3 or se3 for crystals."""
    point_group: Literal["C1", "C2", "C4", "D2", "D4"] = "D4"
    """Rotations and reflections of a lattice; C1 means translations only."""
    spin_flip: bool = False
    """Include the flip of all spins among the symmetries of a lattice."""
    fields: Literal["scalar", "bonds", "directions", "regular"] = "scalar"
    """How rotations and reflections act on the channels of inputs on a lattice."""
    target_fields: Literal["scalar", "bonds", "directions", "regular"] = "scalar"
    """How they act on the channels of targets on a lattice."""
    tolerance: float | None = None
    """For points and crystals: distance in angstrom within which they coincide, 0.01 by default. For lattices: values
    are rounded to multiples of it; by default they are compared exactly."""
    bottleneck: Literal["node-codes", "node-differences"] | None = None
    """Predict through one code per node, as an autoencoder does."""
    split: Literal["train", "validation", "test"] | None = None
    """Audit only this split; for erdos-renyi, test by default."""
    heavy_atoms: bool = False
    """Remove hydrogen atoms from molecules."""
    irreps: str | None = None
    """How targets rotate with points in space, e.g. "1x0e+1x2e"; by default 3 numbers are a vector, 9 a matrix."""
    moments: bool = False
    """Initial magnetic moments are part of the input, for crystals."""
    time_reversal: bool = False
    """Flipping all moments is a symmetry too, which the network knows, for crystals; the target magmoms is odd."""
    features: str | None = None
    """Audit an architecture instead: which sites of molecules and crystals look more symmetric than they are to
    features in these irreps, e.g. "128x0e+128x1o"."""
    alignment: bool = False
    """Audit the data instead: whether molecules or crystals are aligned in space, or fields on their lattice."""
    json: bool = False
    """Print one JSON object instead of a table."""
    html: Path | None = None
    """Write a self-contained HTML page."""
    rows: Path | None = None
    """Write one row per sample to a .csv or .parquet file."""
    engine: Literal["local", "ray"] = "local"
    """Run on this machine, or on the Ray cluster at RAY_ADDRESS."""
    workers: int | None = None
    """Number of processes; by default one per core."""
    resume: bool = False
    """Continue an interrupted audit."""
    work: Path = Path("runs/audit")
    """Folder for the findings of unfinished audits."""

    def __call__(self) -> None:
        if not self.paths:
            raise ValueError("expected a file, a folder, a data set or module:function; got nothing")
        sys.set_int_max_str_digits(0)  # group orders are printed in full
        if files := programs_in(self.paths):
            self._refuse_options_of_samples()
            audit_programs(files, self.target, self.json)
        else:
            self._audit_samples()

    def _audit_samples(self) -> None:
        from sympe.auditing.parts import Folder
        from sympe.auditing.run import Execution, Options, audit
        from sympe.auditing.writing import check_rows_path

        if self.rows is not None:
            check_rows_path(self.rows)
        if self.features is not None:
            audit_features(self.paths, self.features, self.json)
            return
        if self.alignment:
            audit_alignment(self.paths, self._group(), self.json)
            return
        data, split = _data(self.paths, self.split)
        files = self._files()
        folder = self.work / self._fingerprint(files)
        with claimed(folder):
            store = Folder(folder)
            if not self.resume:
                store.clear()
            workers = _cores() if self.workers is None else self.workers
            try:
                with _progress(_changes_of(files)) as progress:
                    report = audit(
                        data,
                        target=self.target,
                        group=self._group(),
                        per=self.per,
                        loss=self.loss,
                        options=Options(self.bottleneck, split, self.heavy_atoms, self.irreps, self.moments),
                        execution=Execution(self.engine, workers, store, progress),
                    )
            except ValueError:
                store.clear()  # the audit is impossible: there is nothing to resume
                raise
            self._write(report)
            store.clear()

    def _write(self, report: "AuditReport") -> None:
        from sympe.auditing.writing import write_rows

        title = " ".join(self.paths)
        if self.rows is not None:
            write_rows(report, self.rows)
        if self.html is not None:
            from sympe.auditing.page import write_audit

            write_audit(report, title, self.html, self._command())
        if self.json:
            _print_json(report)
        else:
            _print_table(title, report)
            is_plain = self.irreps is None and self.per is None and not self.moments and not self.time_reversal
            if report.needed and report.summary.group in ("e3", "se3") and self.target and is_plain:
                print_shares(self.paths, self.target, report, 1e-2 if self.tolerance is None else self.tolerance)
        sys.stdout.flush()

    def _command(self) -> str:
        """The command that does this again."""
        asked = [(f.name.replace("_", "-"), getattr(self, f.name)) for f in fields(self) if f.name not in _ELSEWHERE]
        given = [(name, value) for name, value in asked if value not in (None, False) and value != _DEFAULTS[name]]
        options = [word for name, value in given for word in (f"--{name}", str(value))[: 2 - (value is True)]]
        return shlex.join(["sympe", "audit", *self.paths, *options])

    def _refuse_options_of_samples(self) -> None:
        """Programs know only target and json."""
        mine = ("paths", "target", "json", "workers", "work")
        given = [f.name for f in fields(self) if f.name not in mine and getattr(self, f.name) != f.default]
        if given:
            raise ValueError(f"of integer programs the audit knows target and json; got {', '.join(given)}")

    def _group(self) -> Any:
        """The group with its options, or its name."""
        require_positive(tolerance=self.tolerance)
        lattice_options = (self.point_group, self.spin_flip, self.fields, self.target_fields)
        of_lattice = lattice_options != ("D4", False, "scalar", "scalar")
        if of_lattice and self.group not in ("auto", "torus"):
            raise ValueError(f"point-group, spin-flip and fields are for the group torus; got {self.group}")
        if of_lattice or self.group == "torus":
            from sympe.auditing.symmetry.fields import FIELDS, FieldSymmetry
            from sympe.groups import Torus

            group = Torus(self.point_group, self.spin_flip)
            return FieldSymmetry(FIELDS[self.fields](group), FIELDS[self.target_fields](group), self.tolerance)
        if self.time_reversal and self.group not in ("auto", "e3", "se3"):
            raise ValueError(f"time-reversal is for crystals; got the group {self.group}")
        if self.group in ("o3", "so3"):
            from sympe.auditing.symmetry.points import PointSymmetry

            return PointSymmetry(self.group == "so3", 1e-2 if self.tolerance is None else self.tolerance)
        if self.group in ("e3", "se3") or self.time_reversal:
            from sympe.auditing.sources.crystals import MOMENTS
            from sympe.auditing.symmetry.crystals import CrystalSymmetry

            tolerance, is_odd = 1e-2 if self.tolerance is None else self.tolerance, self.target in MOMENTS
            return CrystalSymmetry(self.group == "se3", tolerance, self.time_reversal, self.time_reversal and is_odd)
        if self.tolerance is not None:
            raise ValueError(f"tolerance is for the groups torus, o3, so3, e3 and se3; got {self.group}")
        return self.group

    def _files(self) -> list[Path]:
        """The files that the data comes from; of ``module:function``, the one with its code."""
        from sympe.auditing.sources.files import files_at

        if _is_erdos_renyi(self.paths):
            return []
        if _is_function(self.paths):
            code = sys.modules[self.paths[0].partition(":")[0]].__file__
            return [Path(code)] if code else []
        return [file for path in self.paths for file in files_at(path)]

    def _fingerprint(self, files: list[Path]) -> str:
        """A name for this audit: equal for equal data, options and version, wherever it runs."""
        elsewhere = ("paths", "json", "html", "rows", "engine", "workers", "resume", "work")
        asked: list[Any] = [value for name, value in sorted(vars(self).items()) if name not in elsewhere]
        asked += [version("sympe"), *(Path(path).name for path in self.paths)]
        for file in files:
            with open_regular(file) as opened:
                asked.append((file.name, hashlib.file_digest(opened, "sha256").hexdigest()))
        digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:12]
        stem = "".join(c if c.isalnum() else "-" for c in Path(self.paths[0]).stem)[:30]
        return f"{stem}-{digest}"


#: What does not change what an audit finds.
_ELSEWHERE = ("paths", "json", "engine", "workers", "resume", "work")
_DEFAULTS = {f.name.replace("_", "-"): f.default for f in fields(AuditCommand)}


def _changes_of(files: list[Path]) -> Callable[[], None]:
    """A function that raises a ``ValueError`` once one of the files has changed."""

    def stamps() -> list[tuple[int, int, int]]:
        return [(at.st_ino, at.st_size, at.st_mtime_ns) for at in map(os.stat, files)]

    before = stamps()

    def check() -> None:
        if stamps() != before:
            raise ValueError("the data was changed while it was audited; start again")

    return check


def _is_erdos_renyi(paths: tuple[str, ...]) -> bool:
    return paths == (ERDOS_RENYI,) and not Path(ERDOS_RENYI).exists()


def _is_function(paths: tuple[str, ...]) -> bool:
    return len(paths) == 1 and ":" in paths[0] and not Path(paths[0]).exists()


def _data(paths: tuple[str, ...], split: str | None) -> tuple[Any, str | None]:
    """The data to audit, and the split that remains to be selected."""
    if _is_erdos_renyi(paths):
        from sympe.graphs.datasets import erdos_renyi

        return erdos_renyi(split or "test"), None
    if _is_function(paths):
        if split is not None:
            raise ValueError(f"expected files to take {split!r} from; got {paths[0]}")
        return _called(paths[0]), None
    return list(paths), split


def _called(name: str) -> Any:
    """The samples of ``module:function``."""
    with users_code(name):
        samples = named(name)()
        if not hasattr(samples, "__iter__"):
            raise ValueError(f"expected a function that yields x or (x, y); it returned {type(samples).__name__}")
    return samples if isinstance(samples, Sized) else _guarded(name, samples)


def named(name: str) -> Callable[..., Any]:
    """The function ``module:function``; the search path includes the current folder.

    Raises:
        ValueError: If it cannot be imported, or called.
    """
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"expected module:function that can be imported; {error}") from error
    if not callable(found):
        raise ValueError(f"expected a function; got {type(found).__name__}")
    return cast(Callable[..., Any], found)


def _guarded(name: str, samples: Iterable[Any]) -> Iterator[Any]:
    with users_code(name):
        yield from samples


@contextmanager
def users_code(name: str) -> Iterator[None]:
    """Whatever the user's function raises is a ``ValueError`` that says where."""
    try:
        yield
    except (Terminated, KeyboardInterrupt, GeneratorExit, MemoryError):
        raise
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    except BaseException as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ValueError(f"{name}: {said} ({at.filename}, line {at.lineno})") from error


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _progress(check: Callable[[], None]) -> Iterator[Any]:
    """A progress bar on stderr that appears after five seconds; ``check`` is called after each step."""
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
        check()
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
    """Stream one JSON object, sample by sample: the samples need not fit in memory."""
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
