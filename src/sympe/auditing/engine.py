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
from itertools import chain, islice
from multiprocessing import get_context
from typing import Any, TypeVar

import torch

from sympe.extras import require
from sympe.signals import be_a_worker, listen_again

Task = TypeVar("Task")
Result = TypeVar("Result")

ENGINES = ("local", "ray")

_SECONDS_ALONE = 2.0  # starting processes takes seconds, so small data sets run in this process
_IN_FLIGHT = 3  # tasks per worker
_DIED = "a worker died (out of memory?); the same command goes on, with --resume if it has that option"


def run(
    work: Callable[[Task], Result], tasks: Iterable[Task], engine: str = "local", workers: int = 1
) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, in order of completion; ``work``, tasks and results must support pickling.

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
        yield from _as_finished(lambda task: pool.submit(work, task), waiting, workers)


def _ray(work: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Result]]:
    ray = require("ray", "ray", "engine ray")
    own = not ray.is_initialized()
    if own:
        # The cluster at RAY_ADDRESS, or else one on this machine.
        started = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": workers, "include_dashboard": False}
        ray.init(logging_level=logging.ERROR, log_to_driver=False, **started)
        listen_again()
    try:
        remote: Any = ray.remote(num_cpus=1)(_alone)
        shared = ray.put(work)
        yield from _as_finished(lambda task: remote.remote(shared, task).future(), tasks, workers)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
        raise ChildProcessError(_DIED) from error
    finally:
        if own:
            ray.shutdown()
            listen_again()  # its shutdown resets the signal, unseen by Python


def _as_finished(
    submit: Callable[[Task], Future[Result]], tasks: Iterable[Task], workers: int
) -> Iterator[tuple[Task, Result]]:
    in_flight: dict[Future[Result], Task] = {}
    waiting = iter(tasks)
    while True:
        in_flight.update((submit(task), task) for task in islice(waiting, _IN_FLIGHT * workers - len(in_flight)))
        if not in_flight:
            return
        for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
            yield in_flight.pop(future), future.result()


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
        # One that died within a result: its reader would wait for the rest while this process could still write it.
        pool._result_queue._writer.close()  # type: ignore[attr-defined]
        pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise ChildProcessError(_DIED) from error
        raise


def _begin_worker() -> None:
    be_a_worker()
    torch.set_num_threads(1)


def _alone(work: Callable[[Task], Result], task: Task) -> Result:
    torch.set_num_threads(1)
    return work(task)
