"""QM9 from an archive, here a small one of our own; and what is said where there is none."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from sympe.graphs import read
from sympe_experiments.molecules.fetch import QM9, Source, _split, locate_qm9

Chem = pytest.importorskip("rdkit.Chem", reason="needs RDKit")

SMILES = ["C", "N", "CCO", "C=O", "C#N", "c1ccoc1", "CC(=O)[O-]", "CF", "CCN", "CO"]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """Ten molecules, of which the second and the ninth are doubtful, behind addresses of files."""
    monkeypatch.delenv("SYMPE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = io.StringIO()
    with Chem.SDWriter(text) as writer:
        for smiles in SMILES:
            writer.write(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    content = text.getvalue().encode()
    archive = tmp_path / "gdb9.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        info = tarfile.TarInfo("gdb9.sdf")
        info.size = len(content)
        file.addfile(info, io.BytesIO(content))
    listed = tmp_path / "uncharacterized.txt"
    listed.write_text("title\n" * 9 + "   2 a b\n   9 c d\n" + "2 molecules\n")
    digests = [f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in (archive, listed)]
    return Source(archive.as_uri(), digests[0], listed.as_uri(), digests[1], len(SMILES), 2, 6)


def test_fetched_once_and_read_as_any_other(source: Source) -> None:
    path = locate_qm9(source)
    graphs = read(path)
    assert len(graphs) == 8
    assert graphs.sizes.tolist() == [5, 9, 4, 3, 9, 7, 5, 6]
    assert graphs.node_label is not None
    assert graphs.node_label[:5].tolist() == [1, 0, 0, 0, 0]
    assert graphs.edge_label is not None
    assert sorted(set(graphs.edge_label.tolist())) == [1, 2, 3], "aromatic rings have alternating bonds"
    with np.load(path) as file:
        assert file["gdb9_index"].tolist() == [1, 3, 4, 5, 6, 7, 8, 10]
    when = path.stat().st_mtime_ns
    assert locate_qm9(replace(source, archive="file:///none")) == path
    assert path.stat().st_mtime_ns == when


def test_the_split_is_the_published_one() -> None:
    """Molecules of known place in it, from the data set that DiGress made."""
    split = _split(QM9)
    assert np.bincount(split).tolist() == [100_000, 20_497, 13_388]
    assert [int(split[number - 1]) for number in (1, 2, 4, 5, 7, 8, 9, 10, 11, 12)] == [0] * 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"archive": "file:///none.tar.gz"}, "qm9 needs its data: file:///none.tar.gz cannot be fetched"),
        ({"archive_checksum": f"md5:{'0' * 32}"}, f"expected the checksum {'0' * 32}; got"),
        ({"doubtful_checksum": f"sha256:{'0' * 64}"}, f"expected the checksum {'0' * 64}; got"),
        ({"num_doubtful": 3}, "expected 3 molecules; got 2"),
        ({"num_molecules": 11}, "expected 11 molecules; got 10"),
    ],
)
def test_what_is_not_as_it_should_be(change: dict, message: str, source: Source, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        locate_qm9(replace(source, **change))
    assert not list((tmp_path / "cache").rglob("*.npz"))


class Cut(BaseHTTPRequestHandler):
    """A server that hangs up after some bytes, and can go on from any byte."""

    content = b""
    most = 1000
    ranges: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.ranges.append(asked)
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        rest = self.content[begin:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(rest)))
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}")
        self.end_headers()
        self.wfile.write(rest[: self.most])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Cut) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/gdb9.tar.gz"
        server.shutdown()
        thread.join()


def test_a_download_that_was_cut_short_goes_on(
    source: Source, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (tmp_path / "gdb9.tar.gz").read_bytes()
    monkeypatch.setattr(Cut, "content", content)
    monkeypatch.setattr(Cut, "ranges", [])
    monkeypatch.setattr(Cut, "most", len(content) // 2 + 1)
    remote = replace(source, archive=server)
    with pytest.raises(ValueError, match=f"the answer ended after {len(content) // 2 + 1} of {len(content)} bytes"):
        locate_qm9(remote)
    assert len(read(locate_qm9(remote))) == 8
    assert Cut.ranges == [None, f"bytes={len(content) // 2 + 1}-"]
    assert sorted(path.name for path in (tmp_path / "cache" / "sympe").iterdir()) == [".sympe", "qm9.npz"]


def test_an_answer_that_is_not_the_file(
    source: Source, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cut, "content", b"<html>try again later</html>")
    with pytest.raises(ValueError, match="the answer is not the file"):
        locate_qm9(replace(source, archive=server))
    monkeypatch.setattr(Cut, "content", (tmp_path / "gdb9.tar.gz").read_bytes())
    monkeypatch.setattr(Cut, "most", 2**20)
    assert len(read(locate_qm9(replace(source, archive=server)))) == 8


def test_the_folder_of_the_user_comes_first(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPE_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"expected qm9\.npz in the folder"):
        locate_qm9(source)
