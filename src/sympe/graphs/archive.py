"""Archives of numpy arrays (.npz), streamed in lockstep: no array is ever loaded whole, unless stored by columns."""

import io
import math
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from sympe.compressed import MOST_BYTES, opened, reason_of

SPLITS = ("train", "validation", "test")

_SIZES = ("compress_size", "file_size")


class Column:
    """An array in an archive, read sequentially along its first axis."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name, self._file = name, file
        try:
            version = np.lib.format.read_magic(file)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            self.shape, fortran, self.dtype = header(file)
        except Exception as error:  # numpy's parser may raise anything on a damaged header
            raise ValueError(f"array {name} cannot be read: {' '.join(str(error).split())}") from error
        if self.dtype.hasobject:
            raise ValueError(f"array {name} must hold numbers; got objects")
        if any(type(size) is not int or not 0 <= size < 2**48 for size in self.shape):
            raise ValueError(f"array {name} cannot be read: its shape is {list(self.shape)}")
        self._left = len(self)
        self._rows = self._load(self.shape[::-1]).T if fortran and len(self.shape) > 1 else None

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    def take(self, count: int) -> NDArray[np.generic]:
        """The next ``count`` rows, or all that remain."""
        first, count = len(self) - self._left, min(count, self._left)
        self._left -= count
        if self._rows is not None:
            return self._rows[first : first + count]
        return self._load((count, *self.shape[1:]))

    def whole(self) -> NDArray[np.generic]:
        """All of the array."""
        return self.take(len(self)).reshape(self.shape)

    def _load(self, shape: tuple[int, ...]) -> NDArray[np.generic]:
        wanted = math.prod(shape) * self.dtype.itemsize
        try:
            raw = self._file.read(wanted)
        except (OSError, EOFError, OverflowError, zlib.error, zipfile.BadZipFile) as error:
            raise ValueError(f"array {self.name} is damaged: {error}") from error
        if len(raw) < wanted:
            raise ValueError(f"array {self.name} is cut short")
        return np.frombuffer(raw, self.dtype, math.prod(shape)).reshape(shape)


class Archive:
    """A context manager that opens an ``.npz`` file for reading.

    Raises:
        ValueError: If the file is not an archive of arrays.
    """

    def __init__(self, path: Path | io.BytesIO) -> None:
        self.path = path
        self._stack = ExitStack()

    def __enter__(self) -> "Archive":
        try:
            file = self._stack.enter_context(opened(self.path) if isinstance(self.path, Path) else self.path)
            if file.read(6) == b"\x93NUMPY":
                raise zipfile.BadZipFile("got a single array: save it with numpy.savez")
            self._zip = self._stack.enter_context(zipfile.ZipFile(file))
            packed, unpacked = (sum(getattr(info, size) for info in self._zip.infolist()) for size in _SIZES)
            if unpacked > max(MOST_BYTES, 100 * packed):
                raise zipfile.BadZipFile(f"it would unpack to {unpacked} bytes")
        except (OSError, NotImplementedError, zipfile.BadZipFile) as error:
            raise ValueError(f"expected an archive of numpy arrays; {reason_of(error)}") from error
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


def members(part: NDArray[np.int64], split: str, count: int) -> NDArray[np.bool_]:
    """Which of ``count`` samples are in a split, by the numbers of their splits.

    Raises:
        ValueError: If there is not one number for each, or a number is unknown.
    """
    if len(part) != count or not np.isin(part, range(len(SPLITS))).all():
        raise ValueError(f"split must hold 0, 1 or 2 for each of {count} samples; got {len(part)} numbers")
    return np.asarray(part == SPLITS.index(split))


def whole(column: Column) -> NDArray[np.int64]:
    """All of an array of counts.

    Raises:
        ValueError: If it is not one row of non-negative integers.
    """
    if column.dtype.kind not in "iu" or len(column.shape) != 1:
        raise ValueError(f"{column.name} must hold one row of integers; got {column.dtype} {list(column.shape)}")
    values = column.whole().astype(np.int64)
    if len(values) and values.min() < 0:
        raise ValueError(f"{column.name} must hold {len(column)} non-negative numbers")
    return values


def wide(array: NDArray[np.generic]) -> type:
    """The type to read an array as: 64-bit integers, or floats of 32 or 64 bits.

    Raises:
        ValueError: If it does not hold real numbers, or they do not fit.
    """
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind in "ib" or (kind == "u" and not (size == 8 and (array > np.uint64(2**63 - 1)).any())):
        return np.int64
    if kind == "f" and size <= 8:
        return np.float32 if size <= 4 else np.float64
    hint = ": store real and imaginary parts as two features" if kind == "c" else ""
    raise ValueError(f"expected real numbers or integers of at most 64 bits; got {array.dtype}{hint}")
