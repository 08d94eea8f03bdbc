"""Write files whole or not at all: after a crash or on a full disk the old file remains."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call ``write`` with an open binary file, and replace ``path`` by it only on success.

    Creates missing folders. The file gets the usual permissions of the process.

    Raises:
        OSError: If the disk is full or the folder is not writable.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)  # the error for a full disk names no file
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
