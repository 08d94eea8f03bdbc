"""Whatever happens to a command ends in one line on stderr and an exit code.

2 for bad input, full disks and other refusals; 130 and 143 for interrupts; 70 for a fault of our own, whose traceback
goes into a file. Names and headers of files are shown without their control characters. A reader who closes the pipe
early, such as ``sympe doctor | head -1``, has seen enough: 141, as shells give it, and no line.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import NoReturn

from sympe.html import readable
from sympe.signals import Terminated, listening

_PIPE_CLOSED = 128 + 13  # 13: SIGPIPE, which some systems lack
_RESUME = "the same command with --resume goes on"


def guarded(command: Callable[[], object]) -> None:
    """Call a command; anything that it raises ends the process as described above."""
    _open_standard_files()
    if sys.stdout is None:
        end(2, "expected a standard output to print on; it is closed")
    try:
        with listening():
            try:
                command()
            finally:
                _flush()
    except Terminated:
        end(143, f"ended by SIGTERM; {_RESUME}")
    except BrokenPipeError:
        sys.exit(_PIPE_CLOSED)
    except (KeyboardInterrupt, SystemExit) as error:
        if isinstance(error.__context__, BrokenPipeError):  # rich makes a SystemExit of it
            sys.exit(_PIPE_CLOSED)
        # Lightning turns a KeyboardInterrupt into a SystemExit.
        if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__context__, KeyboardInterrupt):
            raise
        end(130, f"interrupted; {_RESUME}")
    except MemoryError:
        end(2, "there is not enough memory for this")
    except OSError as error:
        end(2, _worded(error))
    except (ValueError, ImportError) as error:
        end(2, str(error) or type(error).__name__)
    except Exception as error:
        if isinstance(error, RuntimeError) and "allocate memory" in str(error):  # PyTorch's MemoryError
            end(2, "there is not enough memory for this")
        end(70, f"a fault of sympe itself: {type(error).__name__}: {str(error)[:200]}; please report {_noted()}")


def end(code: int, text: str) -> NoReturn:
    """End the process with one line on stderr."""
    with suppress(OSError):
        print(f"sympe: {readable(' '.join(text.split()))}", file=sys.stderr, flush=True)
    sys.exit(code)


def _open_standard_files() -> None:
    """Put nothing in the place of standard files that are closed: the next file to open would take it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        # What could not be printed is kept, and would be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise OSError(error.errno, error.strerror, "standard output") from error


def _worded(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _noted() -> str:
    """The file with the traceback of what is being handled."""
    text = f"sympe {version('sympe')}, Python {sys.version}\n{sys.argv}\n\n{traceback.format_exc()}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="sympe-fault-", suffix=".txt", delete=False, errors="backslashreplace"
        ) as file:
            file.write(text)
    except OSError as error:
        return f"it (its traceback could not be written: {error.strerror})"
    return file.name
