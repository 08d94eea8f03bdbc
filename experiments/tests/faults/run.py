"""Strike long jobs with faults, go on, and compare with what they make undisturbed, byte for byte but for times.

    export PYTHONPATH=tests:experiments/tests
    python -m faults.run --faults 40 --out faults.json    # goes on where faults.json stops

Fault number k is a function of k and the jobs: one of them, a kind of fault, and the file at whose writing it strikes.
Each job takes its turns with all kinds, quick ones several, before the next; then all begin anew. Jobs run in forked
processes, so that nothing has to be imported again; their workers are spawned as always.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from faults.jobs import JOBS, Job, outcome
from saboteur import Saboteur
from sympe.auditing import engine
from sympe.cli import all_commands
from sympe.cli import main as sympe
from sympe_experiments.catalog import EXPERIMENTS
from sympe_experiments.records import describe_environment

#: Exit codes that the faults must end with; None where the command must end as if nothing had been.
CODES = {"kill-before": -9, "kill": -9, "term-before": 143, "term": 143, "interrupt": 130}
CODES |= {"full": 2, "read-only": 2, "lost worker": 2, "flipped bit": -9}
KINDS = (*CODES, "two runs")


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code, the lines of complaint, and the files that it wrote."""

    code: int
    complaints: list[str]
    written: list[str]


def call(folder: Path, arguments: tuple[str, ...], fault: str = "none", at: int = 0) -> int:
    """Start a command in a forked process; its number."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # Workers need not import this module.
        sys.modules["__main__"].__spec__ = None
        vars(sys.modules["__main__"]).pop("__file__", None)
        os.setsid()
        os.chdir(folder)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(f"../{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        warnings.simplefilter("ignore")
        engine._SECONDS_ALONE = -1.0  # workers from the beginning
        saboteur = Saboteur(fault, "*", at)
        try:
            sympe(list(arguments))
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        Path("../written").write_text(json.dumps(saboteur.written))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def ended(pid: int, folder: Path) -> Ended:
    """Wait for a command."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    lines = (folder.parent / "stderr").read_text(errors="replace").splitlines()
    written = folder.parent / "written"
    files = json.loads(written.read_text()) if written.exists() else []
    written.unlink(missing_ok=True)
    wrong = [line for line in lines if "Traceback" in line]
    return Ended(code, [line for line in lines if line.startswith("sympe: ")] + wrong, files)


def prepared(job: Job, folder: Path) -> Path:
    """An empty folder with what a job needs."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in job.files().items():
        (folder / name).write_text(text)
    return folder


def import_all() -> None:
    """Import what the jobs would import in each process anew."""
    all_commands()
    for experiment in EXPERIMENTS.values():
        experiment.load("tables")
        experiment.load("training" if experiment.has_command else "run")
    for module in ("molecules.sampling", "report.output", "page", "reproduce"):
        import_module(f"sympe_experiments.{module}")
    for module in ("pyarrow.parquet", "rdkit.Chem", "networkx", "e3nn.o3", "scipy.stats", "sympe.auditing.run"):
        import_module(module)


class Truth:
    """What each job makes undisturbed, and how many files it writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: dict[str, tuple[dict[str, Any], int]] = {}

    def __getitem__(self, name: str) -> tuple[dict[str, Any], int]:
        if name not in self.held:
            folder = prepared(JOBS[name], self.folder / "truth" / "work")
            done = ended(call(folder, JOBS[name].start), folder)
            if done.code != 0:
                raise SystemExit(f"{name} does not run: {done}")
            found = outcome(folder / "out")
            count = len(done.written) if JOBS[name].alone else sum(key.endswith("record.json") for key in found)
            self.held[name] = (found, count)
        return self.held[name]


def turns_of(names: list[str]) -> list[tuple[str, str]]:
    """Jobs and kinds of faults in their order."""
    return [
        (name, kind) for name in names for _ in range(JOBS[name].turns) for kind in KINDS if _fits(kind, JOBS[name])
    ]


def strike(number: int, names: list[str], truth: Truth, folder: Path) -> tuple[str, str, str | None]:
    """Job, kind, and what went wrong, if anything."""
    rng = random.Random(number)
    turns = turns_of(names)
    name, kind = turns[number % len(turns)]
    job = JOBS[name]
    expected, count = truth[name]
    at = rng.randrange(1, count + 1)
    work = prepared(job, folder / "fault" / "work")
    try:
        wrong = _STRIKES.get(kind, _by_file)(job, kind, at, work, rng)
        if wrong is None and (found := outcome(work / "out")) != expected:
            different = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
            wrong = f"other results in {', '.join(different)}"
    except (OSError, ValueError) as error:
        wrong = f"{type(error).__name__}: {error}"
    return name, kind, None if wrong is None else f"{wrong} (fault {number}, file {at} of {count})"


def _fits(kind: str, job: Job) -> bool:
    if kind == "lost worker":
        return job.workers
    if kind == "flipped bit":
        return job.flips
    return job.alone or kind in ("kill", "term", "interrupt")


def _go_on(job: Job, work: Path) -> str | None:
    done = ended(call(work, (*job.start, *job.resume)), work)
    return None if done.code == 0 else f"does not go on: {done.code} {done.complaints}"


def _by_file(job: Job, kind: str, at: int, work: Path, rng: random.Random) -> str | None:
    """A signal or a broken disk at a file that the command writes."""
    if job.alone:
        done = ended(call(work, job.start, kind, at), work)
    else:
        pid = call(work, job.start)
        _wait_for_records(pid, work, at)
        os.kill(pid, {"kill": signal.SIGKILL, "term": signal.SIGTERM, "interrupt": signal.SIGINT}[kind])
        done = ended(pid, work)
        if done.code == 0:
            return None  # it was over before
    return _wrong_end(kind, done) or _go_on(job, work)


def _wrong_end(kind: str, done: Ended) -> str | None:
    said = len(done.complaints) == (0 if CODES[kind] == -9 else 1)
    return None if done.code == CODES[kind] and said else f"ends with {done.code} and {done.complaints}"


def _wait_for_records(pid: int, work: Path, at: int) -> None:
    while len([*work.glob("out/**/record.json")]) < at and not _is_over(pid):
        time.sleep(0.005)


def _lost_worker(job: Job, kind: str, at: int, work: Path, rng: random.Random) -> str | None:
    pid = call(work, job.start)
    while not (workers := _workers(pid)):
        if _is_over(pid):
            break
        time.sleep(0.005)
    for worker in workers[:1]:
        os.kill(worker, signal.SIGKILL)
    return _wrong_end(kind, ended(pid, work)) or _go_on(job, work)


def _flipped_bit(job: Job, kind: str, at: int, work: Path, rng: random.Random) -> str | None:
    """Kill, damage what was left, and go on; what is refused is removed, as the message says."""
    done = ended(call(work, job.start, "kill", at), work)
    if (wrong := _wrong_end("kill", done)) is not None:
        return wrong
    files = [path for path in sorted(work.rglob("*")) if path.is_file() and path.stat().st_size and _is_state(path)]
    if not files:
        return _go_on(job, work)
    path = rng.choice(files)
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    done = ended(call(work, (*job.start, *job.resume)), work)
    if done.code == 0:
        return None
    if done.code != 2 or len(done.complaints) != 1:
        return f"a flipped bit in {path.name} ends with {done.code} and {done.complaints}"
    path.unlink()
    return _go_on(job, work)


def _is_state(path: Path) -> bool:
    return path.suffix in (".ckpt", ".json", ".safetensors", ".npz", ".parquet") and "logs" not in path.parts


def _two_runs(job: Job, kind: str, at: int, work: Path, rng: random.Random) -> str | None:
    """A second run meets the first, which stands still."""
    pid = call(work, job.start, "stop", at)
    os.waitpid(pid, os.WUNTRACED)
    second = ended(call(work, (*job.start, *job.resume)), work)
    os.kill(pid, signal.SIGCONT)
    first = ended(pid, work)
    if first.code != 0:
        return f"the first run ends with {first.code} and {first.complaints}"
    if second.code == 0:
        return None  # all was there
    is_told = second.code == 2 and len(second.complaints) == 1 and "is in use by process" in second.complaints[0]
    return None if is_told else f"the second run ends with {second.code} and {second.complaints}"


_STRIKES: dict[str, Callable[[Job, str, int, Path, random.Random], str | None]] = {
    "lost worker": _lost_worker,
    "flipped bit": _flipped_bit,
    "two runs": _two_runs,
}


def _workers(pid: int) -> list[int]:
    """Spawned workers of a process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"spawn_main" in entry.with_name("cmdline").read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def _is_over(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def main() -> int:
    """Strike until the number of faults is reached or the time is over; the exit code says whether any did harm."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--faults", type=int, default=60, help="how many in all")
    parser.add_argument("--seconds", type=float, default=10.0**9)
    parser.add_argument("--jobs", nargs="*", default=list(JOBS))
    parser.add_argument("--first", type=int, help="begin with this number")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    record: dict[str, Any] = {"next": 0, "seconds": 0.0, "jobs": {}, "commits": []}
    if options.out is not None and options.out.exists():
        record = json.loads(options.out.read_text())
    record["environment"] = describe_environment()
    record["commits"] = list(dict.fromkeys([*record["commits"], record["environment"]["commit"]]))
    if options.first is not None:
        record["next"] = options.first
    import_all()
    begun, failed = time.monotonic(), 0
    step = max(1, len(turns_of(options.jobs)) // options.faults)  # a few faults are spread over all turns
    with tempfile.TemporaryDirectory() as folder:
        truth = Truth(Path(folder))
        while record["next"] < options.faults and time.monotonic() - begun < options.seconds:
            started = time.monotonic()
            name, kind, wrong = strike(step * record["next"], options.jobs, truth, Path(folder))
            held = record["jobs"].setdefault(name, {}).setdefault(kind, {"struck": 0, "wrong": []})
            held["struck"] += 1
            if wrong is not None:
                failed += 1
                held["wrong"].append(wrong)
                print(f"{name}: {kind}: {wrong}", flush=True)
            record["next"] += 1
            record["seconds"] = round(record["seconds"] + time.monotonic() - started, 1)
            if options.out is not None:
                options.out.parent.mkdir(parents=True, exist_ok=True)
                options.out.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    total = sum(held["struck"] for kinds in record["jobs"].values() for held in kinds.values())
    print(f"{total} faults in {record['seconds']:.0f} s, {failed} with harm in this call")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
