"""Read files plain or compressed (.gz, .xz, .bz2): the suffix below that of the compression is the format's."""

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from sympe.atomic import require_regular

_OPEN: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}

#: Most bytes that a compressed file may hold, or 100 times its own size if that is more: a few kilobytes unpack to
#: gigabytes of zeros. A single line may never be longer.
MOST_BYTES = 2**28


def open_regular(path: Path) -> io.BufferedReader:
    """A file to read. Pipes and devices are refused, and not waited for.

    Raises:
        OSError: If it cannot be opened.
        ValueError: If it is no regular file.
    """
    file = open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")  # noqa: SIM115
    try:
        require_regular(path, os.fstat(file.fileno()).st_mode)
    except ValueError:
        file.close()
        raise
    return file


def suffix_of(path: Path) -> str:
    """The suffix of the format, in lower case."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in _OPEN:
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""


def lines_of(path: Path) -> Iterator[tuple[bytes, float]]:
    """Each line without its end, and the share of the file read so far; a byte order mark is dropped.

    Raises:
        ValueError: If the file is damaged, holds more than it may, or a line is too long; the message names it.
    """
    with open_regular(path) as packed:
        size = max(os.fstat(packed.fileno()).st_size, 1)
        unpacked: IO[bytes] = _OPEN.get(path.suffix.lower(), lambda file: file)(packed)
        left, number = _most(path), 0
        try:
            while line := _read(unpacked.readline, MOST_BYTES):
                number, left = number + 1, left - len(line)
                if len(line) == MOST_BYTES or (left < 0 and unpacked is not packed):
                    raise _too_large(path)
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                yield line.rstrip(b"\r\n"), packed.tell() / size
        except ValueError as error:
            raise ValueError(f"{path}: after line {number}: {error}") from error


def content_of(path: Path) -> bytes:
    """All that a file holds.

    Raises:
        OSError: If it cannot be opened.
        ValueError: If it is damaged, or holds more than it may.
    """
    with open_regular(path) as packed:
        if path.suffix.lower() not in _OPEN:
            return packed.read()
        content = _read(_OPEN[path.suffix.lower()](packed).read, _most(path) + 1)
    if len(content) > _most(path):
        raise _too_large(path)
    return content


def opened(path: Path) -> io.BytesIO | io.BufferedReader:
    """A binary file to read in any order; close it. Raises as :func:`content_of` does."""
    return io.BytesIO(content_of(path)) if path.suffix.lower() in _OPEN else open_regular(path)


def reason_of(error: Exception) -> str:
    """What went wrong, without the number and the path that an ``OSError`` adds."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _read(read: Callable[[int], bytes], size: int) -> bytes:
    try:
        return read(size)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise ValueError(f"the file cannot be unpacked: {error}") from error


def _most(path: Path) -> int:
    return max(MOST_BYTES, 100 * path.stat().st_size)


def _too_large(path: Path) -> ValueError:
    return ValueError(f"expected a line of at most {MOST_BYTES} bytes, and {_most(path)} in all; unpack it yourself")
