"""QM9 by download: once, verified, and kept in the layout of :mod:`sympe.graphs.npz`.

R. Ramakrishnan, P. Dral, M. Rupp, O. A. von Lilienfeld, *Quantum chemistry structures and properties of 134 kilo
molecules*, Sci. Data 1, 140022 (2014), CC0. Molecules that, as the authors suspect, did not keep their bonds are left
out. Bonds are those of the file, charges are dropped. The split is that of C. Vignac et al., *DiGress*, ICLR
2023: a permutation by numpy's generator with seed 42, 100,000 to train on, a tenth to test on, the rest to validate on.
"""

import hashlib
import io
import os
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sympe.atomic import claimed, write_atomically
from sympe.graphs.datasets import QM9_ELEMENTS, find
from sympe_experiments.molecules.chemistry import rdkit


@dataclass(frozen=True)
class Source:
    """Where the molecules are, and what must be there.

    Attributes:
        archive: Address of a tar archive that holds ``gdb9.sdf``.
        archive_checksum: Its checksum, after the name of the algorithm. (A SHA-256 of it is not published.)
        doubtful: Address of the list of molecules to leave out.
        doubtful_checksum: Its checksum.
        num_molecules: Molecules in the archive.
        num_doubtful: Molecules in the list.
        num_train: Molecules to train on, before any are left out.
    """

    archive: str
    archive_checksum: str
    doubtful: str
    doubtful_checksum: str
    num_molecules: int
    num_doubtful: int
    num_train: int


QM9 = Source(
    archive="https://deepchemdata.s3-us-west-1.amazonaws.com/datasets/gdb9.tar.gz",
    archive_checksum="md5:560f62d8e6c992ca0cf8ed8d013f9131",
    doubtful="https://ndownloader.figshare.com/files/3195404",
    doubtful_checksum="sha256:3aa5115d540b356de94791d4a74c3bf1ed91c469ecf52a4f5d7cc0506fe02e24",
    num_molecules=133_885,
    num_doubtful=3_054,
    num_train=100_000,
)

#: Seconds without a byte after which a download is given up.
_TIMEOUT = 20

#: Most bytes of a download, and how many are read at once.
_MOST, _PART = 2**30, 2**20


def locate_qm9(source: Source = QM9) -> Path:
    """The file of QM9: in the folder that SYMPE_DATA names, or else in the user's cache, downloaded if necessary.

    Raises:
        ValueError: If it is in none of these places and the download fails.
        ImportError: If it must be fetched and RDKit is not installed.
    """
    if os.environ.get("SYMPE_DATA"):
        return find("qm9")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sympe" / "qm9.npz"
    if not cache.exists():
        with claimed(cache.parent, adopt=True):
            content = _to_npz(*_fetch(source, cache.parent), source)
            write_atomically(cache, lambda file: file.write(content))
            for address in (source.archive, source.doubtful):
                _held(address, cache.parent).unlink()
    return cache


def _fetch(source: Source, folder: Path) -> tuple[bytes, set[int]]:
    """The content of ``gdb9.sdf``, and the molecules to leave out, counted from 1."""
    rdkit()
    listed = _download(source.doubtful, source.doubtful_checksum, folder).decode("utf-8", "replace").split("\n")
    # Nine lines of title, and two that end the list.
    numbers = {int(line.split()[0]) for line in listed[9:-2]}
    if len(numbers) != source.num_doubtful:
        raise ValueError(f"{source.doubtful}: expected {source.num_doubtful} molecules; got {len(numbers)}")
    raw = _download(source.archive, source.archive_checksum, folder)
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        member = next((m for m in archive.getmembers() if Path(m.name).name == "gdb9.sdf" and m.isfile()), None)
        file = None if member is None else archive.extractfile(member)
        if file is None:
            raise ValueError(f"{source.archive}: expected gdb9.sdf in the archive; there is none")
        return file.read(), numbers


def _held(address: str, folder: Path) -> Path:
    """Where a download is kept until all of them are there, or what there is of it."""
    return folder / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.download"


def _download(address: str, checksum: str, folder: Path) -> bytes:
    """What is at an address, from where an earlier call has stopped.

    Raises:
        ValueError: If it cannot be fetched, is cut short, or is something else.
    """
    algorithm, _, due = checksum.partition(":")
    path = _held(address, folder)
    if not path.exists() or _digest(path, algorithm) != due:
        try:
            _go_on(address, path)
        except (urllib.error.URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            raise ValueError(
                f"qm9 needs its data: {address} cannot be fetched ({reason}); name the folder of qm9.npz in SYMPE_DATA"
            ) from error
    if (got := _digest(path, algorithm)) != due:
        path.unlink()
        raise ValueError(f"{address}: expected the checksum {due}; got {got}: the answer is not the file")
    return path.read_bytes()


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _go_on(address: str, path: Path) -> None:
    """Append to a file what it lacks of what is at an address, if the server can do that; else fetch all."""
    begun = path.stat().st_size if path.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={begun}-"} if begun else {})
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        goes_on = begun > 0 and answer.headers.get("Content-Range", "").startswith(f"bytes {begun}-")
        due, got = int(answer.headers.get("Content-Length", -1)), 0
        with path.open("ab" if goes_on else "wb") as file:
            while part := answer.read(_PART):
                file.write(part)
                got += len(part)
                if got > _MOST:
                    raise OSError(f"it is larger than {_MOST} bytes")
    if 0 <= got < due:
        raise OSError(f"the answer ended after {got} of {due} bytes; the same command goes on from there")


def _to_npz(sdf: bytes, doubtful: set[int], source: Source) -> bytes:
    chem = rdkit()
    supplier = chem.SDMolSupplier()
    supplier.SetData(sdf.decode(), sanitize=False, removeHs=False)
    if len(supplier) != source.num_molecules:
        raise ValueError(f"{source.archive}: expected {source.num_molecules} molecules; got {len(supplier)}")
    atoms: list[int] = []
    bonds: list[tuple[int, int, int]] = []
    numbers, n_atoms, n_bonds = [], [], []
    for number, molecule in enumerate(supplier, start=1):
        if molecule is None or number in doubtful:
            continue
        atoms += [QM9_ELEMENTS.index(atom.GetSymbol()) for atom in molecule.GetAtoms()]
        bonds += [
            (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), int(bond.GetBondTypeAsDouble()))
            for bond in molecule.GetBonds()
        ]
        numbers.append(number)
        n_atoms.append(molecule.GetNumAtoms())
        n_bonds.append(molecule.GetNumBonds())
    arrays: dict[str, NDArray[Any]] = {
        "n_atoms": np.array(n_atoms, np.uint8),
        "n_bonds": np.array(n_bonds, np.uint8),
        "atom_type": np.array(atoms, np.uint8),
        "bonds": np.array(bonds, np.uint8).reshape(-1, 3),
        "split": _split(source)[np.array(numbers, np.int64) - 1],
        "gdb9_index": np.array(numbers, np.int32),
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _split(source: Source) -> NDArray[np.uint8]:
    """0, 1 or 2 for each molecule of the archive: train, validation, test."""
    order = np.random.RandomState(42).permutation(source.num_molecules)
    split = np.zeros(source.num_molecules, np.uint8)
    split[order[source.num_train :]] = 1
    split[order[source.num_molecules - source.num_molecules // 10 :]] = 2
    return split
