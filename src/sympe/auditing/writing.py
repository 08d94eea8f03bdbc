"""Write the samples of a report to CSV or Parquet, row by row."""

import csv
import io
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sympe.atomic import write_atomically
from sympe.auditing.report import ROW, AuditReport
from sympe.extras import require

SUFFIXES = (".csv", ".parquet")

_ROWS_AT_A_TIME = 50_000


def check_rows_path(path: Path) -> None:
    """Check before an audit that its rows can be written.

    Raises:
        ValueError: If the suffix is neither ``.csv`` nor ``.parquet``.
        ImportError: If it is ``.parquet`` and pyarrow is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: expected a file ending in {' or '.join(SUFFIXES)}; got {path.suffix or 'no suffix'}")
    if path.suffix.lower() == ".parquet":
        require("pyarrow", "parquet", "Parquet files")


def write_rows(report: AuditReport, path: Path) -> None:
    """Write the samples of a report.

    In Parquet, orders of stabilizers are 64-bit integers, or decimal strings if one does not fit.

    Raises:
        ValueError: If the suffix is neither ``.csv`` nor ``.parquet``.
        ImportError: If it is ``.parquet`` and pyarrow is not installed.
    """
    check_rows_path(path)
    if path.suffix.lower() == ".csv":
        write_atomically(path, lambda file: _write_csv(report.samples(), file))
    else:
        write_atomically(path, lambda file: _write_parquet(report, file))


def _write_csv(rows: Iterable[dict[str, Any]], file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, ROW, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    text.detach()


def _write_parquet(report: AuditReport, file: IO[bytes]) -> None:
    pa, parquet = (require(module, "parquet", "Parquet files") for module in ("pyarrow", "pyarrow.parquet"))
    largest = report.summary.log_stabilizer["q100"] or 0.0
    fits = largest < 43.0  # log 2^63 is 43.7
    types = {
        "index": pa.int64(),
        "n": pa.int64(),
        "stabilizer_order": pa.int64() if fits else pa.string(),
        "log_stabilizer": pa.float64(),
        "point_group": pa.string(),
        "irreducible_error": pa.float64(),
    }
    schema = pa.schema(list(types.items()))
    with parquet.ParquetWriter(file, schema) as writer:
        samples = report.samples()
        while rows := list(islice(samples, _ROWS_AT_A_TIME)):
            for row in rows:
                if not fits and row["stabilizer_order"] is not None:
                    row["stabilizer_order"] = str(row["stabilizer_order"])
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
