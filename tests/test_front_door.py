"""Whatever happens to a command: one line on stderr, an exit code, and nothing that a terminal would obey."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import call, start, struck
from sympe.cli.audit import AuditCommand

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which ``$sympe`` is the command."""
    return subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        env=os.environ | {"sympe": f"{sys.executable} -m sympe.cli", "OMP_NUM_THREADS": "1"},
    )


def the_line(err: str) -> str:
    """The one line that begins with the name of the command."""
    assert "Traceback" not in err, err
    (line,) = [line for line in err.splitlines() if line.startswith("sympe: ")]
    return line.removeprefix("sympe: ")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("$sympe version >&-", "expected a standard output to print on; it is closed"),
        ("PYTHONUNBUFFERED= $sympe version >/dev/full", "standard output: No space left on device"),
    ],
)
def test_a_result_that_cannot_be_printed(line: str, complaint: str) -> None:
    done = shell(line)
    assert done.returncode == 2
    assert the_line(done.stderr).endswith(complaint)
    assert done.stderr.count("\n") == 1


def test_a_closed_stderr_is_not_the_next_file() -> None:
    done = shell("$sympe audit missing.g6 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize("arguments", [("doctor",), ("audit", "--help"), ("audit", "triangle.g6", "--workers", "1")])
def test_a_reader_who_has_seen_enough(arguments: tuple[str, ...]) -> None:
    Path("triangle.g6").write_text("Bw\n")
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as closed:
        process = start(*arguments, stdout=closed)
        _, err = process.communicate()
    assert process.returncode == 141
    assert not re.search("Traceback|Broken|^sympe:", err), err


def test_a_fault_of_our_own_leaves_its_traceback_in_a_file(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def broken(self: AuditCommand) -> None:
        raise IndexError("list index\x1b[31m out of range")

    monkeypatch.setattr(AuditCommand, "__call__", broken)
    monkeypatch.setattr("tempfile.tempdir", str(Path.cwd()))
    done = call(capsys, "audit", "x")
    assert (done.code, done.out) == (70, "")
    line = the_line(done.err)
    assert line.startswith(r"a fault of sympe itself: IndexError: list index\x1b[31m out of range; please report ")
    path = Path(line.rpartition(" ")[2])
    assert path.parent == Path.cwd()
    assert "in broken\n" in path.read_text()
    assert "IndexError: list index" in path.read_text()

    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    assert "could not be written" in the_line(call(capsys, "audit", "x").err)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 1 bytes")])
def test_too_little_memory(error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def hungry(self: AuditCommand) -> None:
        raise error

    monkeypatch.setattr(AuditCommand, "__call__", hungry)
    assert call(capsys, "audit", "x").complaint == "sympe: there is not enough memory for this"


@pytest.mark.parametrize("name", ["\x1b]0;owned\x07.g6", "\x1b[2J.edges", "a\rb.smi", "\x9b31m.xyz", "\u202egpj.npz"])
def test_names_move_no_cursor_and_set_no_title(name: str, capsys: Capture) -> None:
    for content in (None, b"\x1b[31m"):
        if content is not None:
            Path(name).write_bytes(content)
        done = call(capsys, "audit", name)
        assert done.complaint.isprintable()


@pytest.mark.parametrize("content", ["\x1b[31mC\x1b]0;t\x07\n", "smiles,\x1b[2J\nC,1\n", "1\n\x1b[31m\nX 0 0 0\n"])
@pytest.mark.parametrize("suffix", [".smi", ".csv", ".xyz", ".graphml", ".sdf", ".g6", ".edges"])
def test_contents_move_no_cursor_either(suffix: str, content: str, capsys: Capture) -> None:
    Path(f"data{suffix}").write_text(content)
    done = call(capsys, "audit", f"data{suffix}")
    assert all(line.isprintable() for text in (done.out, done.err) for line in text.splitlines())


def test_what_is_no_regular_file_is_refused_and_not_waited_for(capsys: Capture) -> None:
    for suffix in ("g6", "npz", "xyz", "smi", "graphml", "pt", "csv"):
        os.mkfifo(f"pipe.{suffix}")
        Path(f"endless.{suffix}").symlink_to(f"endless.{suffix}")
        Path(f"device.{suffix}").symlink_to("/dev/zero")
        for name in ("pipe", "endless", "device"):
            assert f"{name}.{suffix}: expected a file" in call(capsys, "audit", f"{name}.{suffix}").complaint
    Path("graphs.g6").write_text("Bw\n")
    assert call(capsys, "audit", ".").code == 0, "what else is in a folder does no harm"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("yield 1 / 0", "ZeroDivisionError: division by zero"),
        ("raise RuntimeError('\\x1b[31m')", r"RuntimeError: \x1b[31m"),
    ],
)
def test_a_function_that_fails_is_named_with_its_line(body: str, complaint: str, capsys: Capture) -> None:
    name = f"f{abs(hash(body))}"
    Path(f"{name}.py").write_text(f"def samples():\n    {body}\n")
    line = call(capsys, "audit", f"{name}:samples").complaint
    assert re.search(rf"{name}:samples: {re.escape(complaint)} \(.*{name}\.py, line 2\)$", line), line


LONG = "import networkx\n\ndef samples():\n    for i in range(2500):\n        yield networkx.cycle_graph(3 + i % 7)\n"


def test_an_audit_that_is_terminated_goes_on(capsys: Capture) -> None:
    Path("long.py").write_text(LONG)
    done = struck("term", "0*.json", 2, "audit", "long:samples", "--workers", 1)
    assert (done.code, done.out) == (143, "")
    assert the_line(done.err) == "ended by SIGTERM; the same command with --resume goes on"
    assert len(list(Path("runs/audit").rglob("0*.json"))) == 2


def test_a_second_audit_of_the_same_is_refused(capsys: Capture) -> None:
    Path("slow.py").write_text(LONG.replace("        yield", "        input() if i == 1500 else None\n        yield"))
    arguments = ("audit", "slow:samples", "--workers", 1)
    process = start(*arguments, stdin=subprocess.PIPE)
    while not list(Path("runs/audit").rglob("0*.json")):
        assert process.poll() is None
    assert f"is in use by process {process.pid} on " in call(capsys, *arguments).complaint
    assert f"is in use by process {process.pid} on " in call(capsys, *arguments, "--resume").complaint
    out, err = process.communicate("\n")
    assert process.returncode == 0, err
    assert "samples" in out


MANY = """
import os, signal, sys
from pathlib import Path
from sympe.auditing import engine

def work(number):
    Path(sys.argv[1], str(os.getpid())).touch()
    if sys.argv[2] == "lost":
        os.kill(os.getpid(), signal.SIGKILL)
    while sys.argv[2] == "orphans":
        pass
    return number

if __name__ == "__main__":
    engine._SECONDS_ALONE = -1.0
    print(sorted(found for _, found in engine.run(work, range(8), workers=2)))
"""


def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    Path("many.py").write_text(MANY)
    Path("seen").mkdir()
    process = subprocess.Popen([sys.executable, "many.py", "seen", "orphans"], stdout=subprocess.PIPE)
    while len(os.listdir("seen")) < 2:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    workers = [int(name) for name in os.listdir("seen")]
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        pass  # an orphan would keep this test from ending


def test_a_worker_that_dies_is_one_sentence(tmp_path: Path) -> None:
    Path("many.py").write_text(MANY)
    Path("seen").mkdir()
    done = subprocess.run([sys.executable, "many.py", "seen", "lost"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ChildProcessError: a worker died (out of memory?); ")
