"""Process chunks in parallel: in this process, in several local ones, or on a Ray cluster.

Results come in any order. Only a few chunks per worker are in flight, so memory does not grow with the data.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain
from multiprocessing import get_context
from typing import Any, TypeVar

import torch

from sympe.extras import require
from sympe.signals import be_a_worker, listen_again

Task = TypeVar("Task")
Result = TypeVar("Result")

ENGINES = ("local", "ray")

#: Starting processes takes seconds, so small data sets run in this process.
_SECONDS_ALONE = 2.0
#: Tasks in flight per worker.
_IN_FLIGHT = 3

_DIED = "a worker died (out of memory?); the same command goes on, with --resume if it has that option"


def run(
    work: Callable[[Task], Result], tasks: Iterable[Task], engine: str = "local", workers: int = 1
) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, in order of completion.

    Args:
        work: The function to run; it, the tasks and the results must support pickling.
        tasks: Its arguments.
        engine: ``local`` or ``ray``.
        workers: Number of processes.

    Raises:
        ValueError: If the engine is unknown, or there is less than one worker.
        ImportError: If the engine is ``ray`` and Ray is not installed.
        ChildProcessError: If a worker dies.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}; got {engine!r}")
    if workers < 1:
        raise ValueError(f"workers must be at least 1; got {workers}")
    return _ray(work, tasks, workers) if engine == "ray" else _local(work, tasks, workers)


def _local(work: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Result]]:
    waiting = iter(tasks)
    begun = time.monotonic()
    for task in waiting:
        if workers > 1 and time.monotonic() - begun > _SECONDS_ALONE:
            waiting = chain([task], waiting)
            break
        yield task, work(task)
    else:
        return
    with process_pool(workers) as pool:
        in_flight: dict[Future[Result], Task] = {}
        for task in waiting:
            in_flight[pool.submit(work, task)] = task
            if len(in_flight) >= _IN_FLIGHT * workers:
                yield from _finished(in_flight)
        while in_flight:
            yield from _finished(in_flight)


def _finished(in_flight: dict[Future[Result], Task]) -> Iterator[tuple[Task, Result]]:
    for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
        yield in_flight.pop(future), future.result()


def _ray(work: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Result]]:
    ray = require("ray", "ray", "engine ray")
    own = not ray.is_initialized()
    if own:
        _connect(ray, workers)
    try:
        remote: Any = ray.remote(num_cpus=1)(_alone)
        shared = ray.put(work)
        in_flight: dict[Any, Task] = {}

        def finished() -> Iterator[tuple[Task, Result]]:
            done, _ = ray.wait(list(in_flight))
            for reference in done:
                try:
                    yield in_flight.pop(reference), ray.get(reference)
                except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
                    raise ChildProcessError(_DIED) from error

        for task in tasks:
            in_flight[remote.remote(shared, task)] = task
            if len(in_flight) >= _IN_FLIGHT * workers:
                yield from finished()
        while in_flight:
            yield from finished()
    finally:
        if own:
            ray.shutdown()


def _connect(ray: Any, workers: int) -> None:
    """Connect to the cluster at ``RAY_ADDRESS``, or start one on this machine."""
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
    else:
        ray.init(num_cpus=workers, include_dashboard=False, **quiet)
    listen_again()


@contextmanager
def process_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of one thread each, which end with this one; after an error nothing is waited for.

    They are spawned: a forked child inherits thread pools in an unusable state.

    Raises:
        ChildProcessError: If a worker dies.
    """
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin_worker)
    try:
        yield pool
        pool.shutdown()
    except BaseException as error:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise ChildProcessError(_DIED) from error
        raise


def _begin_worker() -> None:
    be_a_worker()
    _one_thread()


def _one_thread() -> None:
    torch.set_num_threads(1)


def _alone(work: Callable[[Task], Result], task: Task) -> Result:
    _one_thread()
    return work(task)
