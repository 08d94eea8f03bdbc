"""QM9 from an archive, here a small one of our own; and what is said where there is none."""

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

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
    digest = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    return Source(archive.as_uri(), digest, listed.as_uri(), len(SMILES), 2, 6)


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
        ({"md5": "0" * 32}, f"expected the checksum {'0' * 32}; got"),
        ({"num_doubtful": 3}, "expected 3 molecules; got 2"),
        ({"num_molecules": 11}, "expected 11 molecules; got 10"),
    ],
)
def test_what_is_not_as_it_should_be(change: dict, message: str, source: Source, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        locate_qm9(replace(source, **change))
    assert not (tmp_path / "cache").exists()


def test_the_folder_of_the_user_comes_first(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPE_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"expected qm9\.npz in the folder"):
        locate_qm9(source)
