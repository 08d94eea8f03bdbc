"""Vibrations of molecules and crystals, against textbooks."""

import pytest
import torch

pytest.importorskip("ase")
pytest.importorskip("moyopy")

from ase.build import bulk, molecule

from crystal_laws import examples
from sympe.crystals import SpaceGroup, from_ase, from_cells
from sympe.crystals import stabilizers as of_crystals
from sympe.points import Stabilizer, from_clouds, modes, stabilizers

#: G. Herzberg, *Infrared and Raman Spectra*, 1945; ethylene with z along the bond and x across the plane.
MOLECULES = {
    "H2O": "2A1 B2",
    "NH3": "2A1 2E",
    "CH4": "A1 E 2T2",
    "BF3": "A1' A2'' 2E'",
    "C2H4": "3Ag Au 2B1u B2g 2B2u 2B3g B3u",
    "C2H6": "3A1g A1u 2A2u 3Eg 3Eu",
    "C3H4_D2d": "3A1 B1 3B2 4E",
    "C6H6": "2A1g A2g A2u 2B1u 2B2g 2B2u E1g 3E1u 4E2g 2E2u",
    "H2O2": "4A 2B",
    "trans-butane": "11Ag 8Au 7Bg 10Bu",
}
#: M. Dresselhaus, G. Dresselhaus, A. Jorio, *Group Theory*, 2008, and the Bilbao server.
CRYSTALS = {
    "rock salt": "T1u",
    "perovskite": "3T1u T2u",
    "diamond": "T2g",
    "wurtzite": "A1 2B1 E1 2E2",
    "quartz, chiral": "4A1 4A2 8E",
    "lead titanate, polar": "3A1 B1 4E",
    "graphene": "B2g E2g",
}
EXAMPLES = examples()


def written(group: Stabilizer) -> str:
    names = sorted((m.name, m.vibrations) for m in modes(group) if m.vibrations)
    return " ".join(f"{count if count > 1 else ''}{name}" for name, count in names)


def of_molecule(name: str) -> Stabilizer:
    atoms = molecule(name)
    (group,) = stabilizers(from_clouds([atoms.positions], species=[atoms.numbers.tolist()]), tolerance=0.05)
    return group


@pytest.mark.parametrize("name", MOLECULES)
def test_molecules(name: str) -> None:
    group = of_molecule(name)
    assert written(group) == MOLECULES[name]
    assert sum(m.dim * m.displacements for m in modes(group)) == 3 * group.permutations.shape[1]


@pytest.mark.parametrize("name", CRYSTALS)
def test_crystals(name: str) -> None:
    (group,) = of_crystals(from_ase(EXAMPLES[name]))
    assert written(group) == CRYSTALS[name]


def test_what_light_sees() -> None:
    """Mutual exclusion in benzene; the counts of its lines."""
    found = modes(of_molecule("C6H6"))
    assert {m.name for m in found if m.is_infrared} == {"A2u", "E1u"}
    assert {m.name for m in found if m.is_raman} == {"A1g", "E1g", "E2g"}
    assert torch.allclose(sum(m.characters * m.dim for m in found)[0], torch.tensor(24.0).double())


def test_groups_with_translations_and_time_reversal() -> None:
    doubled = of_crystals(from_ase(bulk("Po", "sc", a=3.35).repeat((2, 1, 1))))[0]
    assert {m.name for m in modes(doubled) if m.vibrations} == {
        "A, odd under translations",
        "E, odd under translations",
    }
    iron = from_cells([2.87 * torch.eye(3)], [[[0, 0, 0], [0.5] * 3]], [["Fe", "Fe"]],
                      moments=[[[0, 0, 2.0], [0, 0, -2.0]]])  # fmt: skip
    magnetic: SpaceGroup = of_crystals(iron, time_reversal=True)[0]
    assert magnetic.group().order == 32
    turned = magnetic.group().table[1:4, 5]
    for k, product in zip((1, 2, 3), turned.tolist(), strict=True):
        assert torch.allclose(magnetic.matrices[k] @ magnetic.matrices[5], magnetic.matrices[product], atol=1e-6)
        assert magnetic.permutations[k][magnetic.permutations[5]].tolist() == magnetic.permutations[product].tolist()


def test_infinite_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a finite stabilizer; Dinfh is infinite"):
        modes(of_molecule("CO2"))
    chain = from_cells([3.0 * torch.eye(3)], [[[0, 0, 0]]], [["C"]], pbc=[[False, False, True]])
    with pytest.raises(ValueError, match=r"expected a finite stabilizer; .* is infinite"):
        modes(of_crystals(chain)[0])
