"""Rows of samples as a file: CSV or Parquet, row by row, whole or not at all."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sympe.atomic import write_atomically
from sympe.auditing.report import ROW, AuditReport

SUFFIXES = (".csv", ".parquet")

_ROWS_AT_A_TIME = 50_000


def check_rows_path(path: Path) -> None:
    """Raise before an audit what would go wrong after it.

    Raises:
        ValueError: If the suffix is neither ``.csv`` nor ``.parquet``.
        ImportError: If it is ``.parquet`` and pyarrow is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: expected a file ending in {' or '.join(SUFFIXES)}; got {path.suffix or 'no suffix'}")
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def write_rows(report: AuditReport, path: Path) -> None:
    """Write the samples of a report.

    The order of a stabilizer is a 64-bit integer in Parquet, or text in decimal digits if one of them needs more.

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
    pa, parquet = _pyarrow()
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
        for rows in _batched(report.samples()):
            if not fits:
                rows = [row | {"stabilizer_order": _digits(row["stabilizer_order"])} for row in rows]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _batched(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _ROWS_AT_A_TIME)):
        yield batch


def _digits(order: int | None) -> str | None:
    return None if order is None else str(order)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError("writing .parquet needs pyarrow: pip install sympe[molecules], or write a .csv") from error
    return pyarrow, pyarrow.parquet
