"""Archives of numpy arrays (.npz), streamed in lockstep: no array is ever loaded whole."""

import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sympe.graphs.npz import SPLITS


class Column:
    """An array in an archive, read sequentially along its first axis."""

    def __init__(self, name: str, file: Any) -> None:
        self.name, self._file = name, file
        try:
            version = np.lib.format.read_magic(file)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            self.shape, fortran, self.dtype = header(file)
        except (ValueError, KeyError, EOFError) as error:
            raise ValueError(f"array {name} cannot be read: {error}") from error
        if self.dtype.hasobject:
            raise ValueError(f"array {name} must hold numbers; got objects")
        if fortran and len(self.shape) > 1:
            raise ValueError(f"array {name} must be stored row by row; it is stored column by column")

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    def take(self, count: int) -> NDArray[Any]:
        """The next ``count`` rows, or all that remain."""
        width = int(np.prod(self.shape[1:], dtype=np.int64))
        try:
            raw = self._file.read(count * width * self.dtype.itemsize)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise ValueError(f"array {self.name} is damaged: {error}") from error
        row = max(width * self.dtype.itemsize, 1)
        if len(raw) % row:
            raise ValueError(f"array {self.name} is cut short")
        return np.frombuffer(raw, self.dtype).reshape(-1, *self.shape[1:])


class Archive:
    """A context manager that opens an ``.npz`` file for reading.

    Raises:
        ValueError: If the file is not an archive of arrays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stack = ExitStack()

    def __enter__(self) -> "Archive":
        try:
            self._zip = self._stack.enter_context(zipfile.ZipFile(self.path))
        except (OSError, zipfile.BadZipFile) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise ValueError(f"expected an archive of numpy arrays; {reason}") from error
        names = self._zip.namelist()
        self.names = [name.removesuffix(".npy") for name in names if name.endswith(".npy")]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def column(self, name: str) -> Column:
        """Open an array at its first row.

        Raises:
            ValueError: If it is missing or cannot be read.
        """
        if name not in self.names:
            raise ValueError(f"expected an array {name}; got {', '.join(self.names) or 'none'}")
        try:
            return Column(name, self._stack.enter_context(self._zip.open(f"{name}.npy")))
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            raise ValueError(f"array {name} cannot be read: {error}") from error

    def in_split(self, split: str | None) -> NDArray[np.bool_] | None:
        """Which samples are in a split; None for all."""
        return None if split is None else whole(self.column("split")) == SPLITS.index(split)


def whole(column: Column) -> NDArray[np.int64]:
    """All of an array of counts.

    Raises:
        ValueError: If it is not one row of non-negative integers.
    """
    if column.dtype.kind not in "iu" or len(column.shape) != 1:
        raise ValueError(f"{column.name} must hold one row of integers; got {column.dtype} {list(column.shape)}")
    values = column.take(len(column)).astype(np.int64)
    if len(values) < len(column) or (len(values) and values.min() < 0):
        raise ValueError(f"{column.name} must hold {len(column)} non-negative numbers")
    return values


def wide(array: NDArray[Any]) -> type:
    """The type to read an array as: 64-bit integers, or floats of 32 or 64 bits.

    Raises:
        ValueError: If it does not hold numbers.
    """
    if array.dtype.kind in "iub":
        return np.int64
    if array.dtype.kind == "f":
        return np.float32 if array.dtype.itemsize <= 4 else np.float64
    raise ValueError(f"expected numbers; got {array.dtype}")
