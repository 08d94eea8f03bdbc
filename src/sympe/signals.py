"""Signals and processes: SIGTERM becomes an exception, and no worker outlives the process that started it."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from types import FrameType

# Option of prctl, by linux/prctl.h.
_PR_SET_PDEATHSIG = 1


class Terminated(SystemExit):
    """SIGTERM came; the exit code is the one that shells give for it."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


class _Listener:
    """What the handler of this process knows."""

    listening = False
    held = 0
    came = False


def _handle(number: int, frame: FrameType | None) -> None:
    if _Listener.held:
        _Listener.came = True
    else:
        raise Terminated


@contextmanager
def listening() -> Iterator[None]:
    """Have SIGTERM raise :class:`Terminated` in the main thread; elsewhere this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _handle)
    _Listener.listening = True
    try:
        yield
    finally:
        _Listener.listening = False
        signal.signal(signal.SIGTERM, before)


def listen_again() -> None:
    """Take SIGTERM back from a library that has taken it; nothing outside of :func:`listening`."""
    if _Listener.listening and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _handle)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let what is under way end before SIGTERM is heard."""
    _Listener.held += 1
    try:
        yield
    finally:
        _Listener.held -= 1
    if _Listener.came and not _Listener.held:
        _Listener.came = False
        raise Terminated


def be_a_worker() -> None:
    """End with the process that started this one, however it ends, and leave interrupts to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":  # at once, even inside a call that keeps Python from running
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
