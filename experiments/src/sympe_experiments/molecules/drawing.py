"""Molecules as images, by RDKit."""

import io
from typing import Any

import matplotlib.image
from numpy.typing import NDArray


def has_rdkit() -> bool:
    """Whether molecules can be drawn."""
    try:
        import rdkit  # noqa: F401
    except ImportError:
        return False
    return True


def draw_smiles(smiles: str, size: int = 300) -> NDArray[Any] | None:
    """A picture of a molecule; None if the SMILES is invalid."""
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles) if smiles else None
    return None if molecule is None else _draw(molecule, size)


def draw_line(line: str, size: int = 300) -> NDArray[Any]:
    """A picture of a graph of atoms and bonds that may be no molecule, from ``C N O | 0-1 1=2 0#2``."""
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
    Chem.FastFindRings(molecule)
    return _draw(molecule, size)


def _draw(molecule: Any, size: int) -> NDArray[Any]:
    from rdkit.Chem import rdDepictor
    from rdkit.Chem.Draw import rdMolDraw2D

    rdDepictor.Compute2DCoords(molecule)
    drawer = rdMolDraw2D.MolDraw2DCairo(size, size)
    options: Any = drawer.drawOptions()
    options.prepareMolsBeforeDrawing = False
    options.fixedBondLength = size / 6
    drawer.DrawMolecule(molecule)
    drawer.FinishDrawing()
    return matplotlib.image.imread(io.BytesIO(drawer.GetDrawingText()), format="png")
