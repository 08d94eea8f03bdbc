"""Files made to do harm: to run code, to read or write elsewhere, to fill memory, to act in a table or on a page.

Names that a terminal would obey are in ``tests/test_front_door.py``, giants in ``test_nothing_lost.py``.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import pickle
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from command_line import call
from sympe_experiments.molecules.fetch import Source, locate_qm9

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Touch:
    """Makes the file ``touched`` if somebody unpickles it."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch touched",)


def saved(held: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(held, buffer)
    return buffer.getvalue()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def objects() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Touch()]), allow_pickle=True)
    return buffer.getvalue()


def objects_for(*names: str) -> bytes:
    return archive(**{f"{name}.npy": objects() for name in names})


AUTOENCODER = ("graph-autoencoder", "--recipe", "smoke", "--accelerator", "cpu")


@pytest.mark.parametrize(
    ("name", "content", "command"),
    [
        ("x.pt", saved(Touch()), ("audit", "x.pt")),
        ("x.pt", saved([Touch()]), ("audit", "x.pt")),
        ("x.pt", pickle.dumps(Touch()), ("audit", "x.pt")),
        ("x.pt.gz", gzip.compress(saved(Touch())), ("audit", "x.pt.gz")),
        ("x.pt", saved(Touch()), (*AUTOENCODER, "--data", "x.pt")),
        ("x.npz", objects_for("fields"), ("audit", "x.npz")),
        ("x.npz", objects_for("n_nodes", "n_edges", "edges"), ("audit", "x.npz")),
        ("x.npz", objects_for("n_nodes", "n_edges", "edges"), (*AUTOENCODER, "--data", "x.npz")),
        ("x.npz", objects_for("Jx", "Jy"), ("ising", "predict", "--couplings", "x.npz")),
        ("x.npy", objects(), ("ising", "predict", "--couplings", "x.npy")),
        ("x.pkl", pickle.dumps(Touch()), ("audit", "x.pkl")),
        ("x.traj", pickle.dumps(Touch()), ("audit", "x.traj")),
        ("run/last.ckpt", saved({"state_dict": Touch()}), (*AUTOENCODER, "--out", "run", "--resume")),
        ("w.safetensors", pickle.dumps(Touch()), ("molecules", "sample", "--weights", "w.safetensors")),
        ("w.ckpt", saved(Touch()), ("ising", "predict", "--weights", "w.ckpt")),
    ],
)
def test_no_file_runs_code(name: str, content: bytes, command: tuple[str, ...], capsys: Capture) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(content)
    assert call(capsys, *command).code == 2
    assert not Path("touched").exists()


def test_arrays_beside_a_record_run_no_code(capsys: Capture) -> None:
    from sympe_experiments.ising.config import make_config
    from sympe_experiments.records import Record, read_record

    config = make_config("gcnn", "smoke")
    path = Record.of("ising", config, {}, 1.0).write(Path("run"))
    Path("run/arrays.npz").write_bytes(objects_for("gap"))
    with pytest.raises(ValueError, match="does not hold the arrays of a run"):
        read_record(path).arrays()
    assert not Path("touched").exists()


LAUGHS = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10 if k else "ha"}">' for k in range(10))


@pytest.mark.parametrize(
    "doctype",
    [
        f"<!DOCTYPE g [{LAUGHS}]>",
        "<!DOCTYPE g [<!ENTITY a9 SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE g [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/x.dtd'> %p; <!ENTITY a9 'x'>]>",
    ],
)
def test_no_entity_is_expanded(doctype: str, capsys: Capture) -> None:
    Path("x.graphml").write_text(f"{doctype}<graphml><graph><node id='&a9;'/></graph></graphml>")
    assert "expected no entities" in call(capsys, "audit", "x.graphml").complaint


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    zeros = bytes(2**25)
    for module in ("sympe.compressed", "sympe.graphs.archive"):
        monkeypatch.setattr(f"{module}.MOST_BYTES", 2**20)
    Path("x.npz").write_bytes(archive(**{"fields.npy": zeros}))
    Path("x.g6.gz").write_bytes(gzip.compress(zeros, 1))
    Path("x.xyz.gz").write_bytes(gzip.compress(b"1\n\n" + zeros, 1))
    assert "it would unpack to 33554432 bytes" in call(capsys, "audit", "x.npz").complaint
    assert "unpack it yourself" in call(capsys, "audit", "x.g6.gz").complaint
    assert "unpack it yourself" in call(capsys, "audit", "x.xyz.gz").complaint


@pytest.mark.parametrize(
    "content",
    [
        "[" * 10**5,
        '{"seed":' * 10**4,
        '{"seed": ' + "9" * 10**5 + "}",
        '{"experiment": "e", "metrics": {"error": NaN}}',
    ],
)
def test_json_has_limits(content: str, capsys: Capture) -> None:
    Path("run").mkdir()
    Path("run/record.json").write_text(content)
    assert "is not a record of a run" in call(capsys, "table", "run").complaint


def test_nothing_is_unpacked_to_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    header = io.BytesIO()
    np.save(header, np.zeros((1, 2, 2)))
    members = {name: header.getvalue() for name in ("../up.npy", "/tmp/sympe-attack.npy", "fields.npy")}
    Path("x.npz").write_bytes(archive(**members))
    call(capsys, "audit", "x.npz")
    assert not (tmp_path / "up.npy").exists()
    assert not Path("/tmp/sympe-attack.npy").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_an_archive_cannot_lend_a_file_from_elsewhere(
    kind: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    monkeypatch.delenv("SYMPE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with tarfile.open("qm9.tar", "w") as file:
        member = tarfile.TarInfo("../../gdb9.sdf")
        member.type, member.linkname = kind, "/etc/passwd"
        file.addfile(member)
    Path("list.txt").write_text("title\n" * 9 + " 1 a\n" + "\n")
    sums = [f"sha256:{hashlib.sha256(Path(name).read_bytes()).hexdigest()}" for name in ("qm9.tar", "list.txt")]
    uris = [Path(name).absolute().as_uri() for name in ("qm9.tar", "list.txt")]
    with pytest.raises(ValueError, match=r"expected gdb9\.sdf in the archive; there is none"):
        locate_qm9(Source(uris[0], sums[0], uris[1], sums[1], 1, 1, 1))
    assert not (tmp_path.parent / "gdb9.sdf").exists()


EVIL = ("=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "<script>alert(1)</script>", "a|b`c`")


def test_names_are_no_formulas_and_no_tags(capsys: Capture) -> None:
    """Rows hold numbers and names of groups alone; pages and tables show what was given as text."""
    lines = "".join(f'"{name.replace(chr(34), chr(34) * 2)}",CCO,{k}\n' for k, name in enumerate(EVIL))
    for name in ("=1+1.csv", "<img src=x onerror=alert(1)>.csv"):
        Path(name).write_text(f"name,smiles,y\n{lines}")
        done = call(capsys, "audit", name, "--target", "y", "--rows", "rows.csv", "--html", "page.html")
        assert done.code == 0, done
        with open("rows.csv", newline="") as file:
            cells = [cell for row in list(csv.reader(file))[1:] for cell in row]
        assert not any(cell[:1] in tuple("=+@-\t\r") for cell in cells)
        page = Path("page.html").read_text()
        assert "<img" not in page
        assert page.count("<script") == 1  # our own


def test_records_are_shown_as_text(capsys: Capture) -> None:
    from sympe_experiments.ising.config import make_config
    from sympe_experiments.records import Record

    record = Record.of("ising", make_config("gcnn", "smoke"), {"error": 1.0}, 1.0).as_dict()
    for k, name in enumerate(EVIL):
        Path(f"run/{k}").mkdir(parents=True)
        Path(f"run/{k}/record.json").write_text(json.dumps(record | {"experiment": name, "method": name, "data": name}))
    shown = call(capsys, "table", "run", "--markdown")
    assert shown.code == 0, shown
    assert re.search(r"(?<!\\)<script", shown.out) is None
    assert r"\<script\>" in shown.out
    assert r"a\|b\`c\`" in shown.out
