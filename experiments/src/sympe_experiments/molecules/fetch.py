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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sympe.atomic import write_atomically
from sympe.graphs.datasets import QM9_ELEMENTS, find
from sympe_experiments.molecules.chemistry import rdkit


@dataclass(frozen=True)
class Source:
    """Where the molecules are, and what must be there.

    Attributes:
        archive: Address of a tar archive that holds ``gdb9.sdf``.
        md5: Its checksum.
        doubtful: Address of the list of molecules to leave out.
        num_molecules: Molecules in the archive.
        num_doubtful: Molecules in the list.
        num_train: Molecules to train on, before any are left out.
    """

    archive: str
    md5: str
    doubtful: str
    num_molecules: int
    num_doubtful: int
    num_train: int


QM9 = Source(
    archive="https://deepchemdata.s3-us-west-1.amazonaws.com/datasets/gdb9.tar.gz",
    md5="560f62d8e6c992ca0cf8ed8d013f9131",
    doubtful="https://ndownloader.figshare.com/files/3195404",
    num_molecules=133_885,
    num_doubtful=3_054,
    num_train=100_000,
)

#: Seconds without a byte after which a download is given up.
_TIMEOUT = 20


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
        content = _to_npz(*_fetch(source), source)
        write_atomically(cache, lambda file: file.write(content))
    return cache


def _fetch(source: Source) -> tuple[bytes, set[int]]:
    """The content of ``gdb9.sdf``, and the molecules to leave out, counted from 1."""
    rdkit()
    listed = _download(source.doubtful).decode("utf-8", "replace").split("\n")
    # Nine lines of title, and two that end the list.
    numbers = {int(line.split()[0]) for line in listed[9:-2]}
    if len(numbers) != source.num_doubtful:
        raise ValueError(f"{source.doubtful}: expected {source.num_doubtful} molecules; got {len(numbers)}")
    raw = _download(source.archive)
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    if digest != source.md5:
        raise ValueError(f"{source.archive}: expected the checksum {source.md5}; got {digest}")
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        member = next((m for m in archive.getmembers() if Path(m.name).name == "gdb9.sdf" and m.isfile()), None)
        file = None if member is None else archive.extractfile(member)
        if file is None:
            raise ValueError(f"{source.archive}: expected gdb9.sdf in the archive; there is none")
        return file.read(), numbers


def _download(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as response:
            return response.read()
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise ValueError(
            f"qm9 needs its data: {address} cannot be fetched ({reason}); name the folder of qm9.npz in SYMPE_DATA"
        ) from error


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
