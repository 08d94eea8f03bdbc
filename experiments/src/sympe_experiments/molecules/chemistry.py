"""Molecules from and to RDKit: the files of users, the SMILES of samples.

Atoms are told apart by element, bonds by order (1, 2, 3; aromatic rings are written with alternating bonds). There are
no charges, isotopes, radicals or stereochemistry: a molecule that has one of the first three, or an atom or bond of
another kind, is skipped and counted; stereochemistry is dropped.

RDKit is an optional dependency: ``pip install 'sympe-experiments[molecules]'``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sympe.compressed import content_of, reason_of, suffix_of
from sympe.extras import require
from sympe.graphs import Graphs, from_edges
from sympe_experiments.molecules.features import VALENCE

MOLECULE_FILES = frozenset({".smi", ".smiles", ".sdf"})


def rdkit() -> Any:
    """RDKit's module ``Chem``, silenced: we say ourselves what is wrong with a molecule.

    Raises:
        ImportError: If it is not installed.
    """
    require("rdkit", "molecules", "molecules", "sympe-experiments")
    from rdkit import Chem, rdBase

    rdBase.DisableLog("rdApp.*")
    return Chem


@dataclass(frozen=True)
class Molecules:
    """The molecules of a file, and why others were skipped.

    Attributes:
        graphs: Elements and orders of bonds as labels; elements by their place in ``elements``.
        elements: Names of the elements.
        skipped: Number of molecules skipped, by reason.
    """

    graphs: Graphs
    elements: tuple[str, ...]
    skipped: Counter[str]


def read_molecules(
    path: Path, *, hydrogens: bool = False, elements: Sequence[str] | None = None, max_nodes: int | None = None
) -> Molecules:
    """All molecules of a file of SMILES or of an SDF.

    Each line holds one SMILES; what follows a space or a comma is ignored, and so is a first line with "smiles" in its
    first field. Stereochemistry is dropped, and several fragments (``CCO.O``) make one graph that is not
    connected.

    Args:
        path: File ending in .smi, .smiles or .sdf.
        hydrogens: Whether hydrogen atoms are nodes.
        elements: The elements that may occur; by default those of the file that have a known valence.
        max_nodes: Largest number of nodes.

    Raises:
        ValueError: If the file is unreadable, or holds no usable molecule.
        ImportError: If RDKit is not installed.
    """
    skipped: Counter[str] = Counter()
    parsed: list[tuple[list[str], list[tuple[int, int]], list[int]]] = []
    for molecule in _parse(path):
        found = _describe(molecule, hydrogens, max_nodes)
        if isinstance(found, str):
            skipped[found] += 1
            continue
        unknown = sorted(set(found[0]) - set(VALENCE if elements is None else elements))
        if unknown:
            skipped[f"unsupported element {unknown[0]}"] += 1
        else:
            parsed.append(found)
    if not parsed:
        raise ValueError(f"{path}: expected molecules; none can be used ({describe_skipped(skipped) or 'it is empty'})")
    names = tuple(elements or sorted({name for atoms, _, _ in parsed for name in atoms}))
    graphs = from_edges(
        [(len(atoms), bonds) for atoms, bonds, _ in parsed],
        node_label=[names.index(name) for atoms, _, _ in parsed for name in atoms],
        edge_label=[order for _, _, orders in parsed for order in orders],
    )
    return Molecules(graphs, names, skipped)


def describe_skipped(skipped: Counter[str]) -> str:
    """How many molecules were skipped, and why, in one line."""
    return ", ".join(f"{count} {reason}" for reason, count in skipped.most_common())


def _parse(path: Path) -> Iterator[Any]:
    """RDKit's molecules; None where it fails to parse one."""
    chem = rdkit()
    try:
        text = content_of(path).decode("utf-8-sig", "replace")
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {reason_of(error)}") from error
    if suffix_of(path) == ".sdf":
        supplier = chem.SDMolSupplier()
        supplier.SetData(text, removeHs=False)
        # RDKit finds one molecule in an empty file, which it cannot parse.
        yield from supplier if text.strip() else ()
        return
    fields = [re.split(r"[\s,]", line.strip(), maxsplit=1)[0] for line in text.splitlines() if line.strip()]
    has_header = bool(fields) and "smiles" in fields[0].lower()
    yield from map(chem.MolFromSmiles, fields[has_header:])


def _describe(
    molecule: Any, hydrogens: bool, max_nodes: int | None
) -> tuple[list[str], list[tuple[int, int]], list[int]] | str:
    """Elements, bonds and their orders; or why the molecule is skipped."""
    chem = rdkit()
    if molecule is None or not molecule.GetNumAtoms():
        return "unparsable"
    # Before all walks over atoms and bonds in Python, which are slow in a molecule that is too large by far.
    num_nodes = molecule.GetNumAtoms(onlyExplicit=False) if hydrogens else molecule.GetNumHeavyAtoms()
    if max_nodes is not None and num_nodes > max_nodes:
        return f"more than {max_nodes} atoms"
    if any(atom.GetFormalCharge() for atom in molecule.GetAtoms()):
        return "charged"
    if any(atom.GetIsotope() for atom in molecule.GetAtoms()):
        return "with an isotope"
    if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
        return "with an unpaired electron"
    try:
        molecule = chem.AddHs(molecule) if hydrogens else chem.RemoveHs(molecule)
        chem.Kekulize(molecule, clearAromaticFlags=True)
    except (ValueError, RuntimeError):
        return "unparsable"
    if not hydrogens and any(atom.GetAtomicNum() == 1 for atom in molecule.GetAtoms()):
        return "hydrogen that cannot be left out"
    orders = [bond.GetBondTypeAsDouble() for bond in molecule.GetBonds()]
    if any(order not in (1.0, 2.0, 3.0) for order in orders):
        return "bond of another kind"
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    return [atom.GetSymbol() for atom in molecule.GetAtoms()], bonds, [int(order) for order in orders]


def to_rdkit(graphs: Graphs, elements: Sequence[str]) -> Iterator[Any]:
    """One molecule of RDKit per graph, not yet sanitized."""
    chem = rdkit()
    kinds = (None, chem.BondType.SINGLE, chem.BondType.DOUBLE, chem.BondType.TRIPLE)
    assert graphs.node_label is not None
    assert graphs.edge_label is not None
    ptr = graphs.ptr.tolist()
    labels = graphs.node_label.tolist()
    bonds: list[list[tuple[int, int, int]]] = [[] for _ in range(len(graphs))]
    owner = graphs.batch[graphs.edge_index[0]].tolist() if graphs.num_edges else []
    for graph, u, v, order in zip(owner, *graphs.edge_index.tolist(), graphs.edge_label.tolist(), strict=True):
        if u < v:
            bonds[graph].append((u - ptr[graph], v - ptr[graph], order))
    for graph in range(len(graphs)):
        molecule = chem.RWMol()
        for label in labels[ptr[graph] : ptr[graph + 1]]:
            molecule.AddAtom(chem.Atom(elements[label]))
        for u, v, order in bonds[graph]:
            molecule.AddBond(u, v, kinds[order])
        yield molecule


@dataclass(frozen=True)
class Written:
    """What a graph is as a molecule.

    Attributes:
        smiles: Canonical SMILES of its largest fragment; None if the graph is not valid.
        valid: Whether RDKit's sanitization accepts it as a whole.
        connected: Whether it is one fragment.
    """

    smiles: str | None
    valid: bool
    connected: bool


def write_smiles(graphs: Graphs, elements: Sequence[str]) -> list[Written]:
    """What each graph is as a molecule; missing valences count as implicit hydrogens."""
    return [_write(molecule) for molecule in to_rdkit(graphs, elements)]


def _write(molecule: Any) -> Written:
    chem = rdkit()
    connected = len(chem.GetMolFrags(molecule)) == 1
    try:
        chem.SanitizeMol(molecule)
        largest = max(chem.GetMolFrags(molecule, asMols=True), key=lambda fragment: fragment.GetNumAtoms())
        return Written(chem.MolToSmiles(largest), True, connected)
    except (ValueError, RuntimeError):
        return Written(None, False, connected)


def known_smiles(graphs: Graphs, elements: Sequence[str]) -> set[str]:
    """SMILES of a data set, in the same form as those of samples."""
    return {written.smiles for written in write_smiles(graphs, elements) if written.smiles is not None}


def properties(smiles: Iterable[str]) -> dict[str, list[float]]:
    """LogP (Crippen), QED and number of rings of valid molecules."""
    chem = rdkit()
    from rdkit.Chem import QED, Crippen

    found: dict[str, list[float]] = {"logp": [], "qed": [], "rings": []}
    for text in smiles:
        molecule = chem.MolFromSmiles(text)
        if molecule is None:
            continue
        found["logp"].append(float(Crippen.MolLogP(molecule)))  # type: ignore[attr-defined]
        found["qed"].append(float(QED.qed(molecule)))
        found["rings"].append(float(molecule.GetRingInfo().NumRings()))
    return found
