"""Molecules drawn as lines and letters, at places that RDKit finds."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from sympe_experiments.report.palette import BLUE, GREEN, INK, VERMILION

_COLORS = {"N": BLUE, "O": VERMILION, "F": GREEN}
#: Half the side of a drawing, in bonds: the least that a small molecule fills.
_HALF = 2.3


def has_rdkit() -> bool:
    """Whether molecules can be drawn."""
    try:
        import rdkit  # noqa: F401
    except ImportError:
        return False
    return True


def draw_smiles(axes: Axes, smiles: str) -> bool:
    """Draw a molecule; False, and nothing drawn, if the SMILES is invalid."""
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles) if smiles else None
    if molecule is None:
        return False
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    _draw(axes, molecule)
    return True


def draw_line(axes: Axes, line: str) -> None:
    """Draw a graph of atoms and bonds that may be no molecule, from ``C N O | 0-1 1=2 0#2``."""
    from rdkit import Chem

    atoms, _, bonds = line.partition("|")
    molecule = Chem.RWMol()
    for element in atoms.split():
        atom = Chem.Atom(element)
        atom.SetNoImplicit(True)
        molecule.AddAtom(atom)
    kinds = {"-": Chem.BondType.SINGLE, "=": Chem.BondType.DOUBLE, "#": Chem.BondType.TRIPLE}
    for bond in bonds.split():
        sign = next(s for s in kinds if s in bond)
        first, second = map(int, bond.split(sign))
        molecule.AddBond(first, second, kinds[sign])
    molecule.UpdatePropertyCache(strict=False)
    _draw(axes, molecule)


def _draw(axes: Axes, molecule: Any) -> None:
    from rdkit.Chem import rdDepictor

    rdDepictor.Compute2DCoords(molecule, bondLength=1.0)
    places = np.array(molecule.GetConformer().GetPositions())[:, :2]
    lines = []
    for bond in molecule.GetBonds():
        ends = [bond.GetBeginAtom(), bond.GetEndAtom()]
        start, stop = (places[atom.GetIdx()] for atom in ends)
        along = (stop - start) / max(float(np.hypot(*(stop - start))), 1e-9)
        # Leave room for letters.
        start, stop = (
            place + side * 0.3 * along * bool(_letters(atom))
            for place, side, atom in zip((start, stop), (1, -1), ends, strict=True)
        )
        across = np.array([-along[1], along[0]])
        order = int(bond.GetBondTypeAsDouble())
        lines += [(start + shift * across, stop + shift * across) for shift in _SHIFTS[order]]
    axes.add_collection(LineCollection(lines, colors=INK, linewidths=1.0, capstyle="round"))
    for atom, (x, y) in zip(molecule.GetAtoms(), places, strict=True):
        if text := _letters(atom):
            color = _COLORS.get(atom.GetSymbol(), INK)
            axes.text(x, y, text, ha="center", va="center", color=color, fontsize=6.5)
    middle = (places.max(0) + places.min(0)) / 2
    half = max(_HALF, float((places.max(0) - places.min(0)).max()) / 2 + 0.4)
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal")


#: Distances of the lines of a bond from its middle, by its order.
_SHIFTS = {1: (0.0,), 2: (-0.08, 0.08), 3: (-0.14, 0.0, 0.14)}


def _letters(atom: Any) -> str:
    """What stands for an atom: nothing for a carbon within a skeleton."""
    if atom.GetSymbol() == "C" and atom.GetDegree() and not atom.GetFormalCharge():
        return ""
    hydrogens = atom.GetTotalNumHs()
    charge = {0: "", 1: "+", -1: "-"}.get(atom.GetFormalCharge(), f"{atom.GetFormalCharge():+d}")
    count = str(hydrogens).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")) if hydrogens > 1 else ""
    return f"{atom.GetSymbol()}{'H' * bool(hydrogens)}{count}{charge}"
