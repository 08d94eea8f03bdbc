"""``sympe doctor`` tells what it is asked in an error report, and the shells complete commands."""

import json
import os
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from command_line import call
from sympe.cli import doctor

Capture = pytest.CaptureFixture[str]


def test_it_says_what_is_here_and_how_to_get_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def versions(name: str) -> str:
        if name in ("moyopy", "sympe-experiments"):
            raise PackageNotFoundError(name)
        return version(name)

    (tmp_path / "qm9.npz").touch()
    monkeypatch.setenv("SYMPE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(doctor, "version", versions)
    done = call(capsys, "doctor", "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["versions"]["torch"] == version("torch")
    assert found["versions"]["sympe-experiments"] == "not installed"
    assert found["extras"]["crystals"] == f"ase {version('ase')}; missing moyopy: pip install '.[crystals]'"
    assert found["extras"]["html"] == f"jinja2 {version('jinja2')}"
    assert "threads" in found["device"]["processor"]
    assert found["places"]["SYMPE_DATA"] == f"{tmp_path}: 1 entries (qm9.npz), writable"
    assert found["places"]["cache"].endswith("none/sympe: No such file or directory")

    done = call(capsys, "doctor")
    assert done.code == 0
    assert "pip install '.[crystals]'" in done.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert doctor._state(tmp_path / "runs") == "NOT writable"


def test_a_file_is_no_folder_to_write_in(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    assert doctor._state(tmp_path / "runs") == "NOT writable"
    assert doctor._state(tmp_path / "new" / "runs") == "writable"


#: Lines that print how a shell completes ``sympe aud`` and ``sympe audit --tar``, with the script in $1.
SHELLS = {
    "bash": """source $1
for line in "sympe aud" "sympe audit --tar"; do
    COMP_WORDS=($line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE=$line; COMP_POINT=${#line}
    $(complete -p sympe | sed 's/.*-F \\([^ ]*\\).*/\\1/'); echo ${COMPREPLY[@]}
done""",
    "fish": "source $argv[1]; complete -C 'sympe aud'; complete -C 'sympe audit --tar'",
    "zsh": "zsh -n $1 && grep -oE '(audit|--target)' $1 | sort -u",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_completes_commands_and_options(shell: str, tmp_path: Path, capsys: Capture) -> None:
    done = call(capsys, "--tyro-print-completion", shell)
    assert done.code == 0
    assert "sympe" in done.out
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here; its script has {len(done.out.splitlines())} lines")
    script = tmp_path / "completion"
    script.write_text(done.out)
    asked = [shell, "-c", SHELLS[shell], *([] if shell == "fish" else [shell]), str(script)]
    told = subprocess.run(asked, capture_output=True, text=True)
    assert "audit" in told.stdout, told.stderr
    assert "--target" in told.stdout, told.stderr
