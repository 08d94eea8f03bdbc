"""Give mutated files to all readers, and record what became of them.

    export PYTHONPATH=experiments/tests
    python -m fuzz.run --seconds 120 --out fuzz.json    # goes on where fuzz.json stops
    python -m fuzz.run --show READER NUMBER             # one input again, with its traceback

The input with a number is a function of seed, reader and number alone. Readers run in forked processes, which may take
10 seconds of processor time for an input and 1 GiB more memory than they begin with. A fault is anything but a result
or a refusal: another exception, a crash, a hang, too much memory, or a file that was left beside the input.
"""

import argparse
import json
import mmap
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from fuzz.corpus import make_corpus
from fuzz.mutations import mutated
from fuzz.readers import READERS, REFUSALS
from sympe.atomic import write_atomically
from sympe.signals import be_a_worker
from sympe_experiments.records import describe_environment

#: Limits for one input: seconds of processor time and without progress, bytes of memory.
SECONDS, STALLED, MEMORY = 10, 600, 2**30

#: Inputs that one process reads, at most, and about how many seconds it takes for them.
AT_ONCE, SLICE = 20_000, 10.0

#: Inputs that every reader is given before the fast ones go on.
LEAST = 10_000

#: Imported once, not in each process.
_LIBRARIES = ("rdkit.Chem", "ase.io", "highspy", "pyarrow.parquet", "torch_geometric.data", "moyopy", "scipy.spatial")

_COUNTERS = struct.Struct("qqqqd")  # next number, read, refused, peak of memory, slowest


class Hang(BaseException):
    """An input took too much processor time."""


@dataclass
class Found:
    """What became of the inputs of one reader."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    slowest_seconds: float = 0.0
    peak_mib: int = 0
    faults: dict[str, list[int]] = field(default_factory=dict)


def input_of(corpus: dict[str, bytes], reader: str, seed: int, number: int) -> tuple[str, bytes]:
    """The name in the corpus, and the content, of an input."""
    rng = random.Random(f"{seed} {reader} {number}")
    name = rng.choice(READERS[reader].files)
    return name, mutated(corpus[name], corpus[rng.choice(READERS[reader].files)], rng)


def fuzz(reader: str, first: int, last: int, seed: int, corpus: dict[str, bytes], folder: Path) -> Found:
    """Read the inputs ``first`` to ``last``, in separate processes."""
    found = Found()
    shared = mmap.mmap(-1, _COUNTERS.size)
    log = folder / "faults"
    log.touch()
    while first < last:
        shared[:] = _COUNTERS.pack(first, 0, 0, 0, 0.0)
        pid = os.fork()
        if pid == 0:
            _child(reader, range(first, last), seed, corpus, folder, shared, log)
        ended = _watch(pid, shared)
        reached, read, refused, peak, slowest = _COUNTERS.unpack(shared[:])
        found.read, found.refused = found.read + read, found.refused + refused
        found.slowest_seconds, found.peak_mib = max(found.slowest_seconds, slowest), max(found.peak_mib, peak >> 20)
        for left in (folder / "in").glob("*"):
            left.unlink()
        if ended is not None and reached < last:
            found.faults.setdefault(ended, []).append(reached)
            reached += 1
        found.inputs += reached - first
        first = reached
    for line in log.read_text().splitlines():
        kind, number = json.loads(line)
        found.faults.setdefault(kind, []).append(number)
    log.unlink()
    return found


def _watch(pid: int, shared: mmap.mmap) -> str | None:
    """Wait for a process; what was wrong with its end."""
    before, since = shared[:], time.monotonic()
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            if code == -signal.SIGXCPU:
                return f"hang: {SECONDS} s of processor time in a library"
            return None if code == 0 else f"crash: {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"
        if shared[:] != before:
            before, since = shared[:], time.monotonic()
        if time.monotonic() - since > STALLED:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return f"hang: no progress in {STALLED} s"
        time.sleep(0.02)


def _child(
    reader: str, numbers: range, seed: int, corpus: dict[str, bytes], folder: Path, shared: mmap.mmap, log: Path
) -> None:
    code = 1
    try:
        be_a_worker()
        _quiet()
        counts: Counter[str] = Counter()
        base, peak, slowest = _peak(), 0, 0.0
        with log.open("a") as faults:
            for number in numbers:
                shared[:] = _COUNTERS.pack(number, counts["read"], counts["refused"], peak, slowest)
                begun, before = time.process_time(), _peak()
                kind = _outcome(reader, *input_of(corpus, reader, seed, number), folder)
                if kind in ("read", "refused") and _peak() - max(before, base) > MEMORY:
                    kind = f"memory: more than {MEMORY >> 20} MiB"
                counts[kind] += 1
                if kind in ("read", "refused"):
                    peak, slowest = _peak() - base, max(slowest, time.process_time() - begun)
                else:
                    faults.write(json.dumps([kind, number]) + "\n")
                    faults.flush()
                if kind.startswith("memory"):
                    break  # the peak would hide others
        shared[:] = _COUNTERS.pack(number + 1, counts["read"], counts["refused"], peak, slowest)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _quiet() -> None:
    """Limit memory, and silence what libraries print from C."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2 * MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    null = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):
        os.dup2(null, number)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGVTALRM, _hang)


def _hang(*_: object) -> None:
    raise Hang


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _outcome(reader: str, name: str, content: bytes, folder: Path) -> str:
    """``read``, ``refused``, or the kind of fault."""
    path = READERS[reader].path(folder / "in", name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    # Python hears the alarm when a call into C is over; this ends the process.
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + SECONDS + 2, resource.RLIM_INFINITY))
    try:
        READERS[reader].read(path)
        kind = "read"
    except REFUSALS as error:
        kind = "refused" if str(error).strip() else f"refused without a reason: {_place(error)}"
    except Hang as error:
        kind = f"hang: {_place(error)}"
    except MemoryError as error:
        kind = f"memory: {_place(error)}"
    except BaseException as error:
        kind = f"{type(error).__name__}: {_place(error)}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    left = set(os.listdir(path.parent)) - {path.name}
    for one in left:
        (path.parent / one).unlink()
    path.unlink(missing_ok=True)
    return "left a file behind" if left - {".sympe"} else kind


def _place(error: BaseException) -> str:
    """The last line of ours in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/src/sympe" in frame.filename] or frames
    return f"{own[-1].filename.partition('/src/')[2] or own[-1].filename}:{own[-1].lineno}"


def show(reader: str, number: int, seed: int, corpus: dict[str, bytes]) -> None:
    """Read one input again, and keep it."""
    name, content = input_of(corpus, reader, seed, number)
    path = READERS[reader].path(Path(tempfile.mkdtemp()), name)
    path.write_bytes(content)
    print(f"{name}: {path}, {len(content)} bytes: {content[:300]!r}", file=sys.stderr)
    print(READERS[reader].read(path))


def load(out: Path | None, seed: int) -> dict[str, Any]:
    """The record so far, with what it goes on with."""
    record: dict[str, Any] = {"seed": seed, "seconds": 0.0, "readers": {}, "commits": []}
    if out is not None and out.exists():
        record = json.loads(out.read_text())
    if record["seed"] != seed:
        raise SystemExit(f"{out} was made with seed {record['seed']}")
    record["environment"] = describe_environment()
    record["commits"] = list(dict.fromkeys([*record["commits"], record["environment"]["commit"]]))
    return record


def write(record: dict[str, Any], out: Path | None) -> None:
    """Write the record, if it is to be written."""
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    if out is not None:
        write_atomically(out, lambda file: file.write(text.encode()))


def _merged(record: dict[str, Any], reader: str, found: Found) -> None:
    held = Found(**record["readers"].get(reader, {}))
    held.inputs, held.read, held.refused = (
        held.inputs + found.inputs,
        held.read + found.read,
        held.refused + found.refused,
    )
    held.slowest_seconds = round(max(held.slowest_seconds, found.slowest_seconds), 2)
    held.peak_mib = max(held.peak_mib, found.peak_mib)
    for kind, numbers in found.faults.items():
        held.faults[kind] = (held.faults.get(kind, []) + numbers)[:10_000]
    record["readers"][reader] = vars(held)


def main() -> int:
    """Fuzz until the time is over or the number of inputs is reached; the exit code says whether there were faults."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--inputs", type=int, default=10**12, help="stop when that many were read in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--readers", nargs="*", default=list(READERS))
    parser.add_argument("--again", action="store_true", help="begin anew with readers that had faults")
    parser.add_argument("--show", nargs=2, metavar=("READER", "NUMBER"))
    options = parser.parse_args()
    corpus = make_corpus()
    if options.show:
        show(options.show[0], int(options.show[1]), options.seed, corpus)
        return 0
    for library in _LIBRARIES:
        import_module(library)
    record = load(options.out, options.seed)
    if options.again:
        record["readers"] = {name: held for name, held in record["readers"].items() if not held["faults"]}
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        go_on(record, options, corpus, Path(folder))
    faults = {f"{name}: {kind}": n for name, held in record["readers"].items() for kind, n in held["faults"].items()}
    for kind, numbers in sorted(faults.items()):
        print(f"{len(numbers):6d}  {kind}  e.g. {numbers[:3]}")
    rate = _total(record) / max(record["seconds"], 1)
    print(
        f"{_total(record)} inputs, {sum(map(len, faults.values()))} faults of {len(faults)} kinds; {rate:.0f} a second"
    )
    return 1 if faults else 0


def go_on(record: dict[str, Any], options: argparse.Namespace, corpus: dict[str, bytes], folder: Path) -> None:
    """Read more inputs: first all readers until each has had its least share, then the faster half of them."""
    until, batch = time.monotonic() + options.seconds, dict.fromkeys(options.readers, 50)
    while time.monotonic() < until and _total(record) < options.inputs:
        behind = [reader for reader in options.readers if _inputs(record, reader) < LEAST]
        for reader in behind or [reader for reader in options.readers if batch[reader] >= median(batch.values())]:
            first, started = _inputs(record, reader), time.monotonic()
            _merged(record, reader, fuzz(reader, first, first + batch[reader], options.seed, corpus, folder))
            took = time.monotonic() - started
            # They get as much time; a slow one reads less.
            batch[reader] = max(20, min(4 * batch[reader], AT_ONCE, int(batch[reader] * SLICE / took)))
            record["seconds"] = round(record["seconds"] + took, 2)
            write(record, options.out)
            if time.monotonic() > until:
                break


def _inputs(record: dict[str, Any], reader: str) -> int:
    return int(record["readers"].get(reader, {}).get("inputs", 0))


def _total(record: dict[str, Any]) -> int:
    return sum(_inputs(record, reader) for reader in record["readers"])


if __name__ == "__main__":
    sys.exit(main())
