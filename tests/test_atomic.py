"""Files are written whole or not at all; nothing of others is replaced; a folder has one owner at a time."""

import errno
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from sympe.atomic import MARK, claimed, write_atomically


def test_folders_are_made_and_old_content_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    for content in (b"first, and longer", b"second"):
        write_atomically(path, lambda file, content=content: file.write(content))
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("no"), KeyboardInterrupt()]
)
def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(file: IO[bytes]) -> None:
        file.write(b"half of the ne")
        raise error

    for target in (path, tmp_path / "other"):
        with pytest.raises(type(error)):
            write_atomically(target, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_only_when_synced_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_atomically(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_target_that_cannot_be_replaced_leaves_no_file_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="expected a regular file; got a folder"):
        write_atomically(tmp_path / "folder", lambda file: file.write(b"new"))
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_any_file(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "file", lambda file: file.write(b"new"))
        assert os.umask(umask) == umask, "the mask of the process must stay as it was"
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_links_are_followed_and_permissions_kept(tmp_path: Path) -> None:
    path, link, dangling = tmp_path / "file", tmp_path / "link", tmp_path / "dangling"
    path.write_bytes(b"old")
    path.chmod(0o600)
    link.symlink_to("file")
    dangling.symlink_to("other")
    for target in (link, dangling):
        write_atomically(target, lambda file: file.write(b"new"))
        assert target.is_symlink()
    assert path.read_bytes() == (tmp_path / "other").read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_pipes_devices_and_endless_links_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "endless").symlink_to("endless")
    for name, complaint in {"pipe": "got a pipe", "device": "got a device", "endless": "symbolic links"}.items():
        with pytest.raises((ValueError, OSError), match=complaint):
            write_atomically(tmp_path / name, lambda file: file.write(b"new"))
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device", "endless", "pipe"]


def test_what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "[file]"
    left, foreign = tmp_path / ".[file].abc.part", tmp_path / ".f.abc.part"
    left.touch()
    foreign.touch()

    def write_both(file: IO[bytes]) -> None:
        file.write(b"outer")
        write_atomically(path, lambda other: other.write(b"inner"))

    write_atomically(path, write_both)
    assert path.read_bytes() == b"outer"
    assert sorted(tmp_path.iterdir()) == [foreign, path]


# ------------------------------------------------------------------------------------------- folders with an owner


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    owner = f"in use by process {os.getpid()} on {platform.node()}"
    with claimed(folder):
        (folder / "file").touch()
        with pytest.raises(ValueError, match=owner), claimed(folder):
            pass
    with claimed(folder):
        assert json.loads((folder / MARK).read_text())["process"] == os.getpid()
    assert (folder / "file").exists()


def test_a_folder_in_which_nothing_was_made_is_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for name in ("mine", "new"):
        with pytest.raises(KeyError), claimed(tmp_path / name):
            raise KeyError
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def test_a_folder_of_others_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with (
        pytest.raises(ValueError, match="holds files that are not of this program; give another folder"),
        claimed(tmp_path),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with claimed(tmp_path, adopt=True):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [MARK, "thesis.tex"]


HOLD = "import sys, time; from pathlib import Path; from sympe.atomic import claimed\n"
HOLD += "with claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=f"in use by process {process.pid} on "), claimed(folder):
            pass
        process.send_signal(signal.SIGKILL)
    with claimed(folder):
        pass
    assert not folder.exists()
