"""Open a path as a source; the suffix determines the format."""

import os
from pathlib import Path

from sympe import points
from sympe.auditing.sources.base import Kind, Source, naming
from sympe.auditing.sources.crystals import CRYSTALS_ALONE, SUFFIXES, CrystalFile, is_periodic
from sympe.auditing.sources.field_arrays import BOTH_COUPLINGS, COUPLINGS, FIELD_ARRAYS, FieldFile, couplings
from sympe.auditing.sources.graph_arrays import GraphFile
from sympe.auditing.sources.lines import Graph6Reader, Lines
from sympe.auditing.sources.memory import InMemory
from sympe.auditing.sources.molecules import MoleculeFile
from sympe.auditing.sources.pairs import Pairs
from sympe.auditing.sources.xyz import XyzFile
from sympe.auditing.targets import Per
from sympe.compressed import content_of, suffix_of
from sympe.graphs import files
from sympe.graphs.archive import Archive
from sympe.graphs.datasets import GRAPH_SETS, find
from sympe.graphs.graphml import parse_graphml
from sympe.graphs.molecules import holds_molecules
from sympe.graphs.pyg import read_pyg
from sympe.points.files import XYZ, is_of_crystals

#: Data sets of graphs in the folder ``SYMPE_DATA`` (an environment variable).
DATA_SETS = ("qm9", *GRAPH_SETS)

READABLE = (*files.READABLE, *XYZ, *SUFFIXES)


def open_path(
    path: str | os.PathLike[str],
    *,
    target: str | None = None,
    per: Per | None = None,
    kind: Kind | None = None,
    split: str | None = None,
    moments: bool = False,
) -> list[Source]:
    """The source for a file, or one for each readable file in a folder, sorted by name.

    Args:
        path: A file, a folder, or the name of a data set.
        target: The target: an array, column, attribute, key or property, depending on the format.
        per: What each entry of the target belongs to; by default inferred.
        kind: Kind of the inputs, for formats that hold several (an SDF holds graphs and points).
        split: Take only this split of an ``.npz``.
        moments: Whether the magnetic moments of crystals are part of the input.

    Raises:
        ValueError: If there is nothing to read, the format is unknown, or the target is missing.
        ImportError: If the format needs an extra that is not installed.
    """
    return [_open(file, target, per, kind, split, moments) for file in files_at(path)]


def files_at(path: str | os.PathLike[str]) -> list[Path]:
    """The file at a path or of a data set, or the readable files in a folder, sorted by name.

    Raises:
        ValueError: If there is none.
    """
    file = Path(path)
    if not file.exists() and str(path) in DATA_SETS:
        file = find(str(path))
    if file.is_dir():
        inside = [one for one in sorted(file.iterdir()) if one.is_file() and suffix_of(one) in READABLE]
        if not inside:
            raise ValueError(f"{file}: expected a folder of files ending in {' '.join(sorted(READABLE))}; got none")
        return inside
    if not file.is_file():
        got = "no such path" if not file.exists() else "got a pipe or a device"
        raise ValueError(f"{file}: expected a file, a folder or one of {', '.join(DATA_SETS)}; {got}")
    if not file.stat().st_size:
        raise ValueError(f"{file}: expected samples; the file is empty")
    return [file]


def _open(
    file: Path, target: str | None, per: Per | None, kind: Kind | None, split: str | None, moments: bool
) -> Source:
    suffix = suffix_of(file)
    if suffix == ".npz":
        return _open_archive(file, target, per, kind, split)
    if split is not None:
        raise ValueError(f"{file}: expected an .npz file with an array split to take {split!r} from")
    with naming(file):
        if holds_molecules(file):
            return MoleculeFile(file, target, kind or "graphs")
    if kind in (None, "crystals") and is_periodic(file):
        return CrystalFile(file, target, moments)
    if suffix in CRYSTALS_ALONE:
        raise ValueError(f"{file}: {suffix} is read for crystals, groups e3 and se3; write molecules as .extxyz")
    if moments:
        raise ValueError(f"{file}: expected crystals with magnetic moments; got something else")
    if suffix in XYZ:
        return XyzFile(file, target)
    if suffix in files.PYG:
        data = read_pyg(file)
        inputs = [_without(one, target, file) for one in data] if target is not None else data
        return Pairs(inputs, kind, per, total=len(data))
    if suffix == ".graphml":
        with naming(file):
            pairs = parse_graphml(content_of(file), target)
        return Pairs(pairs, "graphs", per, total=len(pairs))
    if suffix not in READABLE and not is_of_crystals(file):
        raise ValueError(f"{file}: expected a file ending in {' '.join(sorted(READABLE))}; got {suffix or 'no suffix'}")
    if target is not None:
        raise ValueError(f"{file}: the format has no targets; expected adjacency or none, got {target}")
    if suffix in files.GRAPH6:
        return Lines(file, Graph6Reader())
    return InMemory(points.read(file) if is_of_crystals(file) else files.read(file))


def _open_archive(file: Path, target: str | None, per: Per | None, kind: Kind | None, split: str | None) -> Source:
    with naming(file):
        with Archive(file) as archive:
            held = set(archive.names)
            is_graphs = "edges" in held or ("bonds" in held and bool({"n_atoms", "n_bonds", "atom_type"} & held))
            is_couplings = not {*FIELD_ARRAYS} & held and ({*COUPLINGS} <= held or bool({*BOTH_COUPLINGS} & held))
        if is_graphs and kind in (None, "graphs"):
            return GraphFile(file, target, per, split)
        if is_couplings and split is None:
            return couplings(file, target)
        return FieldFile(file, target, split)


def _without(data: object, target: str, file: Path) -> tuple[object, object]:
    """A PyG ``Data`` without an attribute, and this attribute."""
    value = getattr(data, target, None)
    if value is None:
        raise ValueError(f"{file}: expected every Data to have {target}; one has only {', '.join(data.keys())}")  # type: ignore[attr-defined]
    rest = data.clone()  # type: ignore[attr-defined]
    rest.num_nodes = data.num_nodes  # type: ignore[attr-defined]
    del rest[target]
    return rest, value
