"""From a path to the source that reads it; the suffix says the format."""

import os
from pathlib import Path

from sympe.auditing.sources.archive import Archive
from sympe.auditing.sources.base import Kind, Source
from sympe.auditing.sources.field_arrays import FieldFile
from sympe.auditing.sources.graph_arrays import GraphFile
from sympe.auditing.sources.graphml import read_graphml
from sympe.auditing.sources.lines import Graph6Reader, Lines, lines_of, suffix_of
from sympe.auditing.sources.memory import InMemory
from sympe.auditing.sources.molecules import SdfFile, SmilesFile
from sympe.auditing.sources.pairs import Pairs
from sympe.auditing.sources.pyg import read_pyg
from sympe.auditing.sources.xyz import XyzFile
from sympe.auditing.targets import Per
from sympe.graphs import files
from sympe.graphs.datasets import GRAPH_SETS, find

#: Names that stand for data sets of graphs in the folder of the environment variable ``SYMPE_DATA``.
DATA_SETS = ("qm9", *GRAPH_SETS)

_GRAPH6 = (".g6", ".graph6", ".s6", ".sparse6")
_SMILES = (".smi", ".smiles", ".tsv")
_SDF = (".sdf", ".sd", ".mol")
_XYZ = (".xyz", ".extxyz")
_PYG = (".pt", ".pth")
_EDGES = (".edges", ".edgelist", ".txt")
READABLE = (*_GRAPH6, *_SMILES, *_SDF, *_XYZ, *_PYG, *_EDGES, ".csv", ".graphml", ".npz")


def open_path(
    path: str | os.PathLike[str],
    *,
    target: str | None = None,
    per: Per | None = None,
    kind: Kind | None = None,
    split: str | None = None,
) -> list[Source]:
    """What is behind a path: one source, or one for each readable file of a folder, in the order of their names.

    Args:
        path: A file, a folder, or the name of a data set.
        target: What is to be predicted: an array, column, attribute, key or property, as the format has it.
        per: What an entry of the target belongs to, where the file does not say.
        kind: What the inputs are to be, where a file holds both (the coordinates of an SDF).
        split: Take only this split, of an ``.npz``.

    Raises:
        ValueError: If there is nothing to read, the format is unknown, or the target is not there.
        ImportError: If the format needs an extra that is not installed.
    """
    file = Path(path)
    if not file.exists() and str(path) in DATA_SETS:
        file = find(str(path))
    if file.is_dir():
        inside = [one for one in sorted(file.iterdir()) if one.is_file() and suffix_of(one) in READABLE]
        if not inside:
            raise ValueError(
                f"{file}: expected a folder of files ending in {' '.join(sorted(READABLE))}; it holds none"
            )
        return [_open(one, target, per, kind, split) for one in inside]
    if not file.is_file():
        raise ValueError(
            f"{file}: expected a file, a folder or one of {', '.join(DATA_SETS)}; there is none of that name"
        )
    if not file.stat().st_size:
        raise ValueError(f"{file}: expected samples; the file is empty")
    return [_open(file, target, per, kind, split)]


def _open(file: Path, target: str | None, per: Per | None, kind: Kind | None, split: str | None) -> Source:
    suffix = suffix_of(file)
    if suffix == ".npz":
        return _open_archive(file, target, per, kind, split)
    if split is not None:
        raise ValueError(f"{file}: expected an .npz file with an array split to take {split!r} from")
    if suffix in _SDF:
        return SdfFile(file, target, kind or "graphs")
    if suffix in _XYZ:
        return XyzFile(file, target)
    if suffix in _SMILES or (suffix == ".csv" and _has_smiles(file)):
        return SmilesFile(file, target)
    if suffix in _PYG:
        data = read_pyg(file)
        inputs = [_without(one, target, file) for one in data] if target is not None else data
        return Pairs(inputs, kind, per, str(file), total=len(data))
    if suffix == ".graphml":
        pairs = read_graphml(file, target)
        return Pairs(pairs, "graphs", per, str(file), total=len(pairs))
    if suffix not in READABLE:
        raise ValueError(f"{file}: expected a file ending in {' '.join(sorted(READABLE))}; got {suffix or 'no suffix'}")
    if target is not None:
        raise ValueError(f"{file}: the format has no targets; expected none but adjacency, got {target}")
    if suffix in _GRAPH6:
        return Lines(file, Graph6Reader())
    return InMemory(files.read(file), name=str(file))


def _open_archive(file: Path, target: str | None, per: Per | None, kind: Kind | None, split: str | None) -> Source:
    try:
        with Archive(file) as archive:
            is_graphs = bool({"edges", "bonds"} & set(archive.names))
        if is_graphs and kind in (None, "graphs"):
            return GraphFile(file, target, per, split)
        return FieldFile(file, target, split)
    except ValueError as error:
        raise ValueError(str(error) if str(error).startswith(str(file)) else f"{file}: {error}") from error


def _has_smiles(file: Path) -> bool:
    first = next(lines_of(file), (b"", 0.0))[0]
    return b"smiles" in first.lower()


def _without(data: object, target: str, file: Path) -> tuple[object, object]:
    """A PyG ``Data`` without one of its attributes, and this attribute."""
    value = getattr(data, target, None)
    if value is None:
        raise ValueError(f"{file}: expected every Data to have {target}; one has {', '.join(data.keys())}")  # type: ignore[attr-defined]
    rest = data.clone()  # type: ignore[attr-defined]
    rest.num_nodes = data.num_nodes  # type: ignore[attr-defined]
    del rest[target]
    return rest, value
