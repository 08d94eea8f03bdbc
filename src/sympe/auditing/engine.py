"""Many chunks on many cores: in this process, in several of this machine, or on a Ray cluster.

Results come in any order. Only a few chunks per worker are under way at a time, so that memory does not grow with
the data.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from multiprocessing import get_context
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

ENGINES = ("local", "ray")

#: Starting processes takes seconds; data that needs less is done without.
_SECONDS_ALONE = 2.0
_UNDER_WAY = 3


def run(
    work: Callable[[Task], Result], tasks: Iterable[Task], engine: str = "local", workers: int = 1
) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, in the order in which they are done.

    Args:
        work: What to do; must survive pickling, as tasks and results must.
        engine: ``local`` or ``ray``.
        workers: Processes at a time.

    Raises:
        ValueError: If there is no such engine, or fewer than one worker.
        ImportError: If Ray is asked for and not installed.
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
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread) as pool:
        under_way: dict[Future[Result], Task] = {}
        try:
            for task in waiting:
                under_way[pool.submit(work, task)] = task
                if len(under_way) >= _UNDER_WAY * workers:
                    yield from _finished(under_way)
            while under_way:
                yield from _finished(under_way)
        except BrokenProcessPool as error:
            raise ChildProcessError("a worker died (out of memory?); the same command with --resume goes on") from error
        finally:
            for future in under_way:
                future.cancel()


def _finished(under_way: dict[Future[Result], Task]) -> Iterator[tuple[Task, Result]]:
    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
        yield under_way.pop(future), future.result()


def _ray(work: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Result]]:
    try:
        import ray
    except ImportError as error:
        raise ImportError("engine ray needs Ray: pip install sympe[ray]") from error
    own = not ray.is_initialized()
    if own:
        _connect(ray, workers)
    try:
        remote: Any = ray.remote(num_cpus=1)(_alone)
        shared = ray.put(work)
        under_way: dict[Any, Task] = {}

        def finished() -> Iterator[tuple[Task, Result]]:
            done, _ = ray.wait(list(under_way))
            for reference in done:
                try:
                    yield under_way.pop(reference), ray.get(reference)
                except ray.exceptions.WorkerCrashedError as error:
                    raise ChildProcessError("a worker died; the same command with --resume goes on") from error

        for task in tasks:
            under_way[remote.remote(shared, task)] = task
            if len(under_way) >= _UNDER_WAY * workers:
                yield from finished()
        while under_way:
            yield from finished()
    finally:
        if own:
            ray.shutdown()


def _connect(ray: Any, workers: int) -> None:
    """Join the cluster that ``RAY_ADDRESS`` names, or start one on this machine."""
    import logging
    import os

    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
    else:
        ray.init(num_cpus=workers, include_dashboard=False, **quiet)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _alone(work: Callable[[Task], Result], task: Task) -> Result:
    _one_thread()
    return work(task)
