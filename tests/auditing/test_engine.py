"""Many processes and killed ones: the same findings, nothing twice and nothing lost."""

import re
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import sympe
from examples import ring
from sympe.auditing import Execution, engine
from sympe.auditing.parts import Folder, Memory, Part
from sympe.graphs import concatenate, from_edges
from sympe.signals import listening

SIZES = [3 + i % 9 for i in range(2500)]


@pytest.fixture(scope="module")
def graphs() -> sympe.Graphs:
    return concatenate([from_edges([(n, ring(n))]) for n in SIZES])


def check(report: sympe.auditing.AuditReport) -> None:
    rows = list(report.samples())
    assert [row["index"] for row in rows] == list(range(len(SIZES)))
    assert [row["stabilizer_order"] for row in rows] == [2 * n for n in SIZES]


def test_two_processes(graphs: sympe.Graphs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_SECONDS_ALONE", 0.0)
    seen: list[tuple[int, float | None]] = []
    check(sympe.audit(graphs, execution=Execution(workers=2, progress=lambda done, share: seen.append((done, share)))))
    assert sorted(done for done, _ in seen) == [1000, 2000, 2500]


def test_a_local_ray_of_two_workers(graphs: sympe.Graphs) -> None:
    pytest.importorskip("ray")
    with listening():
        check(sympe.audit(graphs, execution=Execution(engine="ray", workers=2)))
        if sys.platform == "linux":
            assert is_caught(signal.SIGTERM), "Ray leaves the default behind, which ends a process without a word"


def is_caught(number: int) -> bool:
    """Whether this process has a handler for a signal, as the kernel sees it."""
    found = re.search(r"SigCgt:\s*(\w+)", Path("/proc/self/status").read_text())
    return found is not None and bool(int(found[1], 16) >> (number - 1) & 1)


def test_without_ray(graphs: sympe.Graphs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"engine ray needs ray: pip install 'sympe\[ray\]'"):
        sympe.audit(graphs, execution=Execution(engine="ray"))


def test_a_worker_that_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_SECONDS_ALONE", -1.0)
    with pytest.raises(ChildProcessError, match=r"a worker died .* the same command goes on"):
        # The parent hands over a task that ends whoever unpickles it.
        list(engine.run(str, [_Deadly()], workers=2))


def test_workers_that_are_ended_within_a_result() -> None:
    """The pool ends, although the rest of the result never comes."""

    def interrupt(pool: ProcessPoolExecutor) -> None:
        result = pool.submit(bytes, 3 * 10**8)
        while not (result.done() or pool._result_queue._reader.poll(0.01)):  # type: ignore[attr-defined]
            pass
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), engine.process_pool(1) as pool:
        interrupt(pool)


class _Deadly:
    def __reduce__(self) -> tuple:
        import os

        return os._exit, (1,)


def test_only_a_few_tasks_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless stream of tasks is not read ahead of the results."""
    drawn: list[int] = []

    def endless():
        while True:
            drawn.append(len(drawn))
            yield drawn[-1]

    results = engine.run(str, endless())
    assert [next(results) for _ in range(3)] == [(0, "0"), (1, "1"), (2, "2")]
    assert len(drawn) == 3


def test_a_store_that_has_parts_is_not_asked_again(graphs: sympe.Graphs, tmp_path: Path) -> None:
    stores = Memory(), Folder(tmp_path / "parts")
    for store in stores:
        marked = Part(
            index=[0], n=[7], order=[10**400], log_orbit=[None], point_group=["Ih"], error=[None], entries=[0]
        )
        marked = Part(**vars(marked) | {"violated": [False], "inside_pairs": [0], "inside_edges": [0]})
        store.commit(1, marked)
        report = sympe.audit(graphs, execution=Execution(store=store))
        rows = list(report.samples())
        assert len(rows) == 1501
        assert (rows[1000]["n"], rows[1000]["stabilizer_order"], rows[1000]["point_group"]) == (7, 10**400, "Ih")
    again = Folder(tmp_path / "parts")
    assert [number in again for number in range(4)] == [True, True, True, False]
    assert list(again) == list(stores[0])
    (tmp_path / "parts" / "notes.txt").write_text("not ours")
    again.clear()
    assert [file.name for file in (tmp_path / "parts").iterdir()] == ["notes.txt"]


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.commit(0, Part())
    (tmp_path / "00000000.json").write_text('{"index": [')
    with pytest.raises(ValueError, match=r"00000000.json is not part of an audit"):
        list(folder)
    assert list(Folder(tmp_path)) == [], "a damaged part is made again"
