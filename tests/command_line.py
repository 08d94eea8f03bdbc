"""The command ``sympe``, called inside this process or in one of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from sympe.cli import main


class Outcome(NamedTuple):
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that a failed command owes its user; nothing else but progress may stand beside it."""
        lines = [line for line in self.err.splitlines() if line.startswith("sympe: ")]
        assert self.code == 2, self
        assert self.out == "", self
        assert len(lines) == 1, self
        assert self.err.endswith(f"{lines[0]}\n"), self
        assert "Traceback" not in self.err, self
        return lines[0]


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """Call the command in this process."""
    capsys.readouterr()
    code = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    return Outcome(code, *capsys.readouterr())


def start(
    *arguments: object,
    stdout: int | IO[Any] = subprocess.PIPE,
    stderr: int | IO[Any] = subprocess.PIPE,
    stdin: int = subprocess.DEVNULL,
    program: tuple[str, ...] = ("-m", "sympe.cli"),
) -> subprocess.Popen[str]:
    """Start the command in a process of its own, with one thread, as from a terminal.

    Whoever runs the tests in the background has them ignore interrupts, and processes inherit that.
    """
    return subprocess.Popen(
        [sys.executable, *program, *map(str, arguments)],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def struck(fault: str, pattern: str, number: int, *arguments: object) -> Outcome:
    """Run the command in a process of its own, with a fault at a file that it writes; see ``saboteur.py``."""
    process = start(fault, pattern, number, *arguments, program=_SABOTEUR)
    out, err = process.communicate()
    return Outcome(process.returncode, out, err)


_SABOTEUR = (str(Path(__file__).with_name("saboteur.py")),)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, with its bytes and when it was written."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
