"""Space groups modulo the lattice of the cell: numbers, orders, sites; moyopy, brute force and frames agree."""

import subprocess
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("ase")
pytest.importorskip("moyopy")

from ase import Atoms
from ase.build import bulk
from ase.spacegroup import Spacegroup, crystal

from crystal_laws import examples, redescribed, symmetries
from sympe.canonicalize import CrystalFrames
from sympe.crystals import from_ase, from_cells, stabilizers

EXAMPLES = examples()


def prototype(number: int):
    """Two general orbits, and the orbit of the origin, in a generic cell of the system."""
    last = [2, 15, 74, 142, 194, 230]
    cells = [
        [6.1, 7.3, 8.7, 81, 97, 104], [6.1, 7.3, 8.7, 90, 103, 90], [6.1, 7.3, 8.7, 90, 90, 90],
        [7.1, 7.1, 9.3, 90, 90, 90], [7.1, 7.1, 9.3, 90, 90, 120], [14.1, 14.1, 14.1, 90, 90, 90],
    ]  # fmt: skip
    cell = next(cell for end, cell in zip(last, cells, strict=True) if number <= end)
    places = [(0.1234, 0.2719, 0.3871), (0.4271, 0.0613, 0.1937), (0, 0, 0)]
    return crystal(["Na", "Cl", "K"], places, spacegroup=number, cellpar=cell)


@pytest.mark.parametrize("number", range(1, 231, 12))
def test_generated_prototypes(number: int) -> None:
    """ASE makes the orbits; its operations count the group, and those that fix the origin its site symmetry."""
    _, shifts = Spacegroup(number).get_op()
    at_origin = int((np.abs((shifts + 0.5) % 1 - 0.5) < 1e-4).all(1).sum())
    atoms = prototype(number)
    other = redescribed(atoms, np.random.default_rng(number))
    other.positions += 1e-3 * np.random.default_rng(0).uniform(-1, 1, other.positions.shape)
    for tolerance, one in ((1e-3, atoms), (1e-2, other)):
        (group,) = stabilizers(from_ase(one), tolerance=tolerance)
        assert (group.number, group.order) == (number, len(shifts))
        assert len(group.of_site(one.numbers.tolist().index(19))) == at_origin


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
@pytest.mark.parametrize("name", list(EXAMPLES))
def test_symmetries_agree_with_brute_force_and_frames(name: str, special: bool) -> None:
    x = from_ase(EXAMPLES[name])
    (group,) = stabilizers(x, special)
    images, matrices = symmetries(x, special)
    assert len(group.matrices) == len(images)
    apart = torch.cdist(group.matrices.flatten(1), matrices.flatten(1))
    same = (group.permutations[:, None] == images).all(2) & (apart < 0.01)
    assert (same.sum(0) == 1).all()
    copies, (permutation, frames) = CrystalFrames(special).equally_likely(x)
    n = x.sites.num_points
    back = (permutation.image - permutation.start).view(-1, n)
    steps = {(*row, *matrix) for row, matrix in zip(
        back.gather(1, permutation.rank[:n].expand(len(copies), n)).tolist(),
        (frames @ frames[0].T).flatten(1).round(decimals=2).add(0.0).tolist(), strict=True)}  # fmt: skip
    assert len(steps) == len(images)
    moved = x.sites.position @ group.matrices.transpose(1, 2) + group.translations[:, None]
    step = (moved - x.sites.position[group.permutations]) @ torch.linalg.inv(x.cell[0])
    assert (step - step.round() * x.pbc[0]).abs().max() < 1e-3


def test_names_sites_and_orbits() -> None:
    (group,) = stabilizers(from_ase(EXAMPLES["perovskite"]))
    assert (group.name, group.point_group, group.orbits) == ("Pm-3m", "Oh", [0, 1, 2, 2, 2])
    assert group.site_symmetries[:3] == ["m-3m", "m-3m", "4/mm.m"]
    assert group.wyckoffs == ["a", "b", "c", "c", "c"]
    assert stabilizers(from_ase(EXAMPLES["slab"]))[0].name == "layer group p-3m1"
    assert stabilizers(from_ase(EXAMPLES["tube"]))[0].name == "rod group p4_2/mmc"


#: Rod groups: the space group with the same operations, and the axis along the chain. Of classes with an axis of order
#: 3 or more it is the last one, and names agree.
RODS = {
    "p1": (1, 2), "p-1": (2, 2), "p211": (3, 0), "pm11": (6, 0), "pc11": (7, 2), "p2/m11": (10, 0), "p2/c11": (13, 2),
    "p112": (3, 1), "p112_1": (4, 1), "p11m": (6, 1), "p112/m": (10, 1), "p112_1/m": (11, 1), "p222": (16, 2),
    "p222_1": (17, 2), "pmm2": (25, 2), "pcc2": (27, 2), "pmc2_1": (26, 2), "p2mm": (25, 0), "p2cm": (28, 0),
    "pmmm": (47, 2), "pccm": (49, 2), "pmcm": (51, 0),
}  # fmt: skip
LIKE_SPACE_GROUPS = (
    75, 76, 77, 78, 81, 83, 84, 89, 91, 93, 95, 99, 103, 105, 111, 112, 123, 124, 131, 143, 144, 145, 147, 149, 151,
    153, 156, 158, 162, 163, *range(168, 185), 186, 187, 188, 191, 192, 194,
)  # fmt: skip


def chain(number: int, axis: int) -> Atoms:
    """General orbits of the operations of a space group that shift along one axis only, without its lattice."""
    turns, shifts = Spacegroup(number).get_op()
    assert not np.delete(shifts % 1, axis, axis=1).any()
    cell = np.diag([7.3 if k == axis else 10 for k in range(3)])
    if 142 < number < 195:
        cell = np.array([[10, 0, 0], [-5, 5 * 3**0.5, 0], [0, 0, 7.3]])
    places = [(0.11, 0.04, 0.17), (0.05, 0.153, 0.05), (-0.13, 0.02, 0.31)][: 3 if len(turns) < 3 else 2]
    moved = [np.roll(p, axis + 1) @ turns.transpose(0, 2, 1) + shifts for p in places]
    kinds = np.repeat(["C", "N", "O"][: len(places)], len(turns))
    return Atoms(kinds, np.concatenate(moved) @ cell, cell=cell, pbc=[k == axis for k in range(3)])


def test_rod_groups() -> None:
    """All 75, also turned, relabeled and in cells of twice the length, as operations of space groups."""
    rods = RODS | {Spacegroup(n).symbol.replace(" ", "").lower(): (n, 2) for n in LIKE_SPACE_GROUPS}
    assert len(rods) == 75
    rng = np.random.default_rng(0)
    for k, (name, (number, axis)) in enumerate(rods.items()):
        atoms, cells = chain(number, axis), 2 if k % 5 == 0 else 1
        order = cells * len(Spacegroup(number).get_op()[0])
        atoms = atoms.repeat(1 + (cells - 1) * atoms.pbc.astype(int))
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        turn *= np.linalg.det(turn)  # a reflection turns p3_1 into p3_2
        atoms.set_cell(atoms.cell.array @ turn.T)
        atoms.positions = atoms.positions @ turn.T + rng.normal(size=3)
        (group,) = stabilizers(from_ase(atoms[rng.permutation(len(atoms))]))
        assert group.name.replace("_", "") == f"rod group {name}".replace("_", "")
        assert group.order == order


def test_translations_of_supercells() -> None:
    x = from_ase(bulk("NaCl", "rocksalt", a=5.64).repeat(2))
    (group,) = stabilizers(x)
    pure = (group.matrices - torch.eye(3)).flatten(1).norm(dim=1) < 1e-6
    assert (group.order, int(pure.sum())) == (384, 8)
    assert group.orbits == [0, 1] * 8


def test_atoms_on_a_line_have_a_circle_of_symmetries() -> None:
    x = from_cells([3.0 * torch.eye(3)], [[[0, 0, 0], [0, 0, 0.3]]], [["C", "O"]], pbc=[[False, False, True]])
    (group,) = stabilizers(x)
    assert (group.point_group, group.order) == ("Cinfv", float("inf"))
    turned = group.haar(50, torch.Generator().manual_seed(0))
    assert torch.allclose(turned[:, 2, 2], torch.ones(50).double())


def test_magnetic_groups() -> None:
    """Antiferromagnetic iron in its cubic cell: the translation that exchanges its sites must reverse time."""
    cells, sites, kinds = [2.87 * torch.eye(3)], [[[0, 0, 0], [0.5] * 3]], [["Fe", "Fe"]]
    for moments, orders in (([[0, 0, 2], [0, 0, -2]], (16, 32)), ([[0, 0, 2], [0, 0, 2]], (16, 32))):
        x = from_cells(cells, sites, kinds, moments=[moments])
        plain, reversing = (stabilizers(x, time_reversal=flag)[0] for flag in (False, True))
        assert (plain.order, reversing.order) == orders
        assert int(reversing.reverses_time.sum()) == 16
        assert len(CrystalFrames().tied(x)[0]) == plain.order
    assert "magnetic 139.537" in plain.name
    grey = stabilizers(from_cells(cells, sites, kinds), time_reversal=True)[0]
    assert grey.order == 192


def test_displacements_leave_what_preserves_them() -> None:
    x = from_cells([4.0 * torch.eye(3)], [[[0, 0, 0]]], [["Ti"]], displacements=[[[0, 0, 0.1]]])
    assert stabilizers(x)[0].point_group == "C4v"


def test_what_cannot_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sympe.crystals.symmetry._MOST", 100)
    with pytest.raises(ValueError, match="expected a smaller cell; got 48 symmetries of 5 sites"):
        stabilizers(from_ase(EXAMPLES["perovskite"]))
    with pytest.raises(ValueError, match="tolerance must be positive"):
        stabilizers(from_ase(EXAMPLES["slab"]), tolerance=0)


def test_a_lattice_that_lacks_symmetries_of_its_crystal() -> None:
    """The name is that of the crystal, the elements are those that are left; nothing is said on stderr."""
    code = """
from sympe.crystals import from_cells, stabilizers
(group,) = stabilizers(from_cells([[[6, 0, 0], [0, 3, 0], [0, 0, 3]]], [[[0, 0, 0], [0.5, 0, 0]]], [["Po", "Po"]]))
print(group.name, group.number, group.point_group, group.order, len(group.of_site(0)), group.site_symmetries[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["Pm-3m", "221", "D4h", "32", "16", "m-3m"]
    assert "lattice" not in done.stderr
    assert "moyo" not in done.stderr.lower()
