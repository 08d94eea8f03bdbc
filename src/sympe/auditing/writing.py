"""Write the samples of a report to CSV or Parquet, row by row."""

import csv
import io
from itertools import islice
from pathlib import Path
from typing import IO

from sympe.atomic import write_atomically
from sympe.auditing.report import ROW, AuditReport
from sympe.extras import require

_ROWS_AT_A_TIME = 50_000


def check_rows_path(path: Path) -> None:
    """Check before an audit that its rows can be written.

    Raises:
        ValueError: If the suffix is neither ``.csv`` nor ``.parquet``.
        ImportError: If it is ``.parquet`` and pyarrow is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ValueError(f"{path}: expected a file ending in .csv or .parquet; got {path.suffix or 'no suffix'}")
    if suffix == ".parquet":
        require("pyarrow", "parquet", "Parquet files")


def write_rows(report: AuditReport, path: Path) -> None:
    """Write the samples of a report to a path that passes :func:`check_rows_path`.

    In Parquet, orders of stabilizers are 64-bit integers, or decimal strings if one does not fit.
    """
    check_rows_path(path)
    write = _write_csv if path.suffix.lower() == ".csv" else _write_parquet
    write_atomically(path, lambda file: write(report, file))


def _write_csv(report: AuditReport, file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, ROW, lineterminator="\n")
    writer.writeheader()
    writer.writerows(report.samples())
    text.detach()


def _write_parquet(report: AuditReport, file: IO[bytes]) -> None:
    pa, parquet = (require(module, "parquet", "Parquet files") for module in ("pyarrow", "pyarrow.parquet"))
    fits = (report.summary.log_stabilizer["q100"] or 0.0) < 43.0  # log 2^63 is 43.7
    order = pa.int64() if fits else pa.string()
    types = (pa.int64(), pa.int64(), order, pa.float64(), pa.string(), pa.float64())
    schema = pa.schema(list(zip(ROW, types, strict=True)))
    with parquet.ParquetWriter(file, schema) as writer:
        samples = report.samples()
        while rows := list(islice(samples, _ROWS_AT_A_TIME)):
            for row in rows:
                if not fits and row["stabilizer_order"] is not None:
                    row["stabilizer_order"] = str(row["stabilizer_order"])
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
