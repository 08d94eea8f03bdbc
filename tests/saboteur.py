"""Run the command ``sympe`` and have a fault strike it at a file that it writes, so that no test waits for a clock.

    python saboteur.py FAULT PATTERN NUMBER arguments...

The fault strikes when the command writes a file whose name matches ``PATTERN`` for the ``NUMBER``-th time:

- ``kill-before``, ``kill``: SIGKILL between the end of the writing and the renaming, or after it.
- ``term-before``, ``term``, ``interrupt``: likewise SIGTERM; SIGINT after it.
- ``stop``: SIGSTOP after it; somebody has to wake the command.
- ``full``: no space is left, from then on, after half of the file.
- ``read-only``: no file can be made, from then on.
- ``none``: nothing; the command ends as it should.

Files are counted where they are renamed (``os.replace``), in all processes of the command that are not spawned.
"""

import errno
import fnmatch
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

_SIGNALS = {
    "kill-before": signal.SIGKILL,
    "kill": signal.SIGKILL,
    "term-before": signal.SIGTERM,
    "term": signal.SIGTERM,
    "interrupt": signal.SIGINT,
    "stop": signal.SIGSTOP,
}

FAULTS = (*_SIGNALS, "full", "read-only", "none")


class Saboteur:
    """Stands in for the functions of ``os`` and ``tempfile`` that writing needs."""

    def __init__(self, fault: str, pattern: str, number: int) -> None:
        self.fault, self.pattern, self.left = fault, pattern, number
        self.replace, self.mkstemp, self.fsync = os.replace, tempfile.mkstemp, os.fsync
        self.is_broken = False
        self.written: list[str] = []
        os.replace, tempfile.mkstemp, os.fsync = self.replaced, self.made, self.synced  # type: ignore[assignment]

    def replaced(self, source: Any, target: Any, **options: Any) -> None:
        """``os.replace``, with a signal before or after it."""
        is_due = self.fault in _SIGNALS and self._is_due(target)
        if is_due and self.fault.endswith("-before"):
            os.kill(os.getpid(), _SIGNALS[self.fault])
        self.replace(source, target, **options)
        self.written.append(Path(target).name)
        if is_due and not self.fault.endswith("-before"):
            os.kill(os.getpid(), _SIGNALS[self.fault])

    def made(self, *arguments: Any, **options: Any) -> tuple[int, str]:
        """``tempfile.mkstemp``, where the folder may be read-only or the disk full."""
        name = str(options.get("prefix", "")).strip(".")
        if self.fault in ("full", "read-only") and (self.is_broken or self._is_due(name)):
            self.is_broken = True
        if self.is_broken and self.fault == "read-only":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(options.get("dir")))
        return self.mkstemp(*arguments, **options)

    def synced(self, handle: int) -> None:
        """``os.fsync``, where the disk may be full."""
        if self.is_broken and self.fault == "full":
            os.truncate(handle, os.fstat(handle).st_size // 2)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.fsync(handle)

    def _is_due(self, target: Any) -> bool:
        if not fnmatch.fnmatch(Path(target).name, self.pattern):
            return False
        self.left -= 1
        return self.left == 0


if __name__ == "__main__":
    if sys.argv[1] in FAULTS:  # not so where Lightning starts the second process of a training
        Saboteur(sys.argv[1], sys.argv[2], int(sys.argv[3]))
        del sys.argv[1:4]
    from sympe.cli import main

    main()
