"""Write files whole or not at all, and replace or delete nothing that is not ours.

After a crash or on a full disk the old file remains. Links are followed, permissions kept; devices, pipes and folders
are refused. A folder is ours if it bears our mark, the file :data:`MARK`, which is also the lock of who uses it.
"""

import glob
import json
import os
import platform
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: no locks
    fcntl = None  # type: ignore[assignment]

#: The file in a folder of ours: names the last process that used it, which holds a lock on it while it lives.
MARK = ".sympe"

_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def require_regular(path: Path, mode: int) -> None:
    """Raise a ``ValueError`` if a file of this mode is no regular one: a device, a pipe, a folder."""
    if not stat.S_ISREG(mode):
        raise ValueError(f"{path}: expected a regular file; got {_KINDS.get(stat.S_IFMT(mode), 'a device')}")


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call ``write`` with an open binary file, and replace ``path`` by it only on success.

    Creates missing folders. A new file gets the usual permissions of the process, and one that is replaced keeps its
    own. What a writer that was killed has left beside the file goes.

    Raises:
        OSError: If the disk is full or the folder is not writable.
        ValueError: If ``path`` exists and is no regular file.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o666 & ~_umask()
    with suppress(FileNotFoundError):
        held = path.stat().st_mode
        require_regular(path, held)
        mode = stat.S_IMODE(held)
    _clear(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            _lock(file)
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)  # the error for a full disk names no file
        raise


@contextmanager
def claimed(folder: Path, *, adopt: bool = False) -> Iterator[None]:
    """Hold a folder alone, as long as this process lives.

    Args:
        folder: The folder; created if it is missing, and removed if it is ours and nothing is left in it.
        adopt: Whether a folder without our mark may be used even if it holds something.

    Raises:
        ValueError: If another process holds it, or it is not ours.
    """
    mark = folder / MARK
    is_empty = not folder.exists() or not any(folder.iterdir())
    is_ours = mark.exists() or not folder.exists() or (adopt and not is_empty)
    if not (is_ours or is_empty):
        raise ValueError(f"{folder} holds files that are not of this program; give another folder")
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with open(os.open(mark, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o666), "r+") as file:
        require_regular(mark, os.fstat(file.fileno()).st_mode)
        if not _lock(file) or not mark.exists() or not os.path.samestat(os.fstat(file.fileno()), mark.stat()):
            raise ValueError(f"{folder} is in use by {_owner(file)}; wait until it ends, or give another folder")
        file.truncate(0)
        file.write(json.dumps({"process": os.getpid(), "host": platform.node()}) + "\n")
        file.flush()
        try:
            yield
        finally:
            if [*folder.iterdir()] == [mark]:
                mark.unlink()
                for path in missing if missing else [folder] * is_ours:
                    with suppress(OSError):  # not empty: another process uses it too
                        path.rmdir()


def _owner(file: IO[str]) -> str:
    try:
        held = json.loads(file.read(1000))
        return f"process {int(held['process'])} on {str(held['host'])[:80]}"
    except (ValueError, TypeError, KeyError, RecursionError):
        return "another process"


def _lock(file: IO[bytes] | IO[str]) -> bool:
    """Whether this process now has the lock of a file, which it keeps until it closes the file or ends."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks
    return True


def _clear(path: Path) -> None:
    """Delete what is left of writers of this file that were killed; those that live have locked theirs."""
    for name in glob.iglob(f"{glob.escape(str(path.parent))}/.{glob.escape(path.name)}.*.part"):
        with suppress(OSError), open(name, "rb") as file:
            if _lock(file):
                os.unlink(name)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
