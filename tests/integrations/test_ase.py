"""Breaking the symmetry of structures: domains are equally likely, modes are kept, relaxations leave saddle points."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("ase")

import ase.io
from ase import Atoms
from ase.build import bulk, fcc111, graphene, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixBondLength, FixCartesian, FixCom, FixScaled
from ase.optimize import BFGS

from command_line import call
from laws import ChiSquare
from sympe.integrations.ase import break_symmetry, descend, directions, domains, modes
from sympe.integrations.vibrations import fixed, symmetries

CHAIN = bulk("Po", "sc", a=3.35).repeat((2, 1, 1))
Z_LINE = Atoms("Ar3", [[0, 0, -1.12], [0, 0, 0], [0, 0, 1.12]])


def test_domains_are_equally_likely(generator: torch.Generator) -> None:
    """Two cells along x: 16 turns and mirrors and two translations; the generic displacement has 16 images."""
    every = domains(CHAIN, amplitude=0.1)
    place = np.array([one.positions.flatten() for one in every])
    drawn = np.array([break_symmetry(CHAIN, generator, 0.1).positions.flatten() for _ in range(120)])
    distance = np.linalg.norm(drawn[:, None] - place, axis=2)
    assert distance.min(1).max() < 1e-9
    test = ChiSquare()
    test.fit("domains", np.bincount(distance.argmin(1), minlength=len(every)))
    test.require("domains are equally likely")
    moved = place.reshape(len(every), -1, 3) - CHAIN.positions
    assert np.allclose(np.linalg.norm(moved, axis=2).max(1), 0.1)
    assert np.abs(moved.mean(1)).max() < 1e-9


def test_molecules(generator: torch.Generator) -> None:
    assert len(domains(molecule("CH4"))) == 24
    assert break_symmetry(molecule("CO2"), generator).positions.shape == (3, 3)
    with pytest.raises(ValueError, match="all atoms are on a line"):
        domains(molecule("CO2"))


def test_modes_of_a_line(generator: torch.Generator) -> None:
    """Three atoms of Lennard-Jones on a line are a saddle point: they bend. The mode is a pair, the end a triangle."""
    line = Z_LINE.copy()
    line.calc = LennardJones(rc=10.0)
    BFGS(line, logfile=None).run(fmax=1e-4)
    assert np.abs(line.positions[:, :2]).max() < 1e-9
    bend, *stable = modes(line)
    assert sum(len(mode.vectors) for mode in stable) == 2  # the stretches: neither translations nor rotations
    assert bend.vectors.shape == (2, 3, 3)
    assert bend.irrep.startswith("E")
    bent = break_symmetry(line, generator, 0.1, bend.vectors)
    bent.calc = LennardJones(rc=10.0)
    start = line.get_potential_energy()
    BFGS(bent, logfile=None).run(fmax=1e-3, steps=100)
    assert bend.curvature < 0
    assert bent.get_potential_energy() < start - 0.5
    assert np.ptp(bent.get_all_distances()[np.triu_indices(3, 1)]) < 1e-2


def springs(atoms: Atoms) -> np.ndarray:
    """The Hessian by differences of forces for every atom, without symmetries."""
    rows = []
    for k in range(3 * len(atoms)):
        forces = []
        for step in (0.01, -0.01):
            moved = atoms.copy()
            moved.calc = atoms.calc
            moved.positions += step * np.eye(3 * len(atoms))[k].reshape(-1, 3)
            forces.append(moved.get_forces(apply_constraint=False).flatten())
        rows.append((forces[1] - forces[0]) / 0.02)
    return np.array(rows)


def perovskite() -> Atoms:
    """Eight cells whose atoms of Lennard-Jones are too close to the middle of their sites."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    atoms = Atoms("CaTiO3", scaled_positions=places, cell=[3.65] * 3, pbc=True).repeat(2)
    atoms.calc = LennardJones(sigma=1.75, epsilon=0.05, rc=4.5)
    return atoms


PEROVSKITE = perovskite()
MODES = modes(PEROVSKITE)


def test_symmetry_gives_the_whole_hessian() -> None:
    """One atom of each orbit is displaced; the curvatures are those of a Hessian of all."""
    chain = CHAIN * (2, 1, 1)
    chain.calc = LennardJones(sigma=3.0, epsilon=0.1, rc=6.0)
    values = np.concatenate([[mode.curvature] * len(mode.vectors) for mode in modes(chain)])
    dense = np.linalg.eigvalsh(springs(chain))
    # Three translations of the whole have curvature 0.
    assert np.allclose(np.sort([*values, 0, 0, 0]), dense, atol=1e-6)
    assert np.ptp(values) > 0.1


def curvatures(atoms: Atoms) -> list[float]:
    return [mode.curvature for mode in modes(atoms) for _ in mode.vectors]


def test_fixed_atoms_stay(generator: torch.Generator) -> None:
    """Below a surface that is free: its modes are those of the springs between free atoms, and nothing else moves."""
    slab = fcc111("Cu", (2, 2, 3), vacuum=6)
    slab.calc, free = EMT(), slab.get_tags() < 3
    whole = symmetries(slab, 1e-2)
    slab.set_constraint(FixAtoms(mask=~free))
    rows = np.repeat(free, 3)
    assert np.allclose(curvatures(slab), np.linalg.eigvalsh(springs(slab)[rows][:, rows]), rtol=2e-3)
    assert min(curvatures(slab)) > 0
    assert symmetries(slab, 1e-2).order * 2 == whole.order  # top and bottom are no longer alike
    for given in (None, np.ones((12, 3))):
        for one in (break_symmetry(slab, generator, displacement=given), *domains(slab, displacement=given)):
            size = np.linalg.norm(one.positions - slab.positions, axis=1)
            assert size[~free].max() == 0
            assert size.max() == pytest.approx(0.05)


def test_constraints_that_hold_whole_atoms_or_none() -> None:
    slab = fcc111("Cu", (2, 1, 2), vacuum=6)
    for held in ([FixAtoms([0])], [FixCartesian([0])], [FixScaled([0], [True] * 3), FixCom()]):
        slab.set_constraint(held)
        assert fixed(slab).tolist() == [True, False, False, False]
    slab.set_constraint(FixCartesian([0], [True, True, False]))
    with pytest.raises(ValueError, match="got FixCartesian: remove it"):
        fixed(slab)


def test_fixed_atoms_hold_rotations() -> None:
    """A molecule turns about one fixed atom in three ways, about two in one, about three in none."""
    ammonia = molecule("NH3")
    ammonia.calc = EMT()
    for held, count in ((0, 6), (1, 6), (2, 5), (3, 3)):
        ammonia.set_constraint(FixAtoms(range(held)))
        rows = np.repeat(np.arange(4) >= held, 3)
        assert len(curvatures(ammonia)) == count
    assert np.allclose(curvatures(ammonia), np.linalg.eigvalsh(springs(ammonia)[rows][:, rows]), rtol=2e-3)


def test_modes_of_a_perovskite_are_irreps() -> None:
    assert sum(len(mode.vectors) for mode in MODES) == 117
    assert [mode.irrep for mode in MODES[:4]] == ["Tu (0 0 0)", "T (1 1 1)", "6 (1 0 0)", "T (1 1 0)"]
    basis = np.concatenate([mode.vectors for mode in MODES]).reshape(117, -1)
    assert np.allclose(basis @ basis.T, np.eye(117), atol=1e-9)
    copper = bulk("Cu", cubic=True)
    copper.calc = EMT()
    assert [len(mode.vectors) for mode in modes(copper)] == [6, 3]


@pytest.mark.parametrize(
    "atoms",
    [graphene(), graphene().repeat((2, 2, 1)), Atoms("Cu2", [[0, 0, 0], [0, 0, 2]], cell=[0, 0, 4], pbc=(0, 0, 1))],
)
def test_what_lies_across_does_not_matter(atoms: Atoms) -> None:
    """Sheets and chains have the same modes whether ASE holds zeros or vacuum for the vectors across."""
    padded = atoms.copy()
    padded.center(vacuum=8, axis=[axis for axis in range(3) if not atoms.pbc[axis]])
    both = []
    for one in (atoms, padded):
        one.calc = EMT()
        both.append(modes(one))
    assert [one.irrep for one in both[0]] == [one.irrep for one in both[1]]
    assert np.allclose([one.curvature for one in both[0]], [one.curvature for one in both[1]])


def test_directions_of_tilts() -> None:
    """Octahedra out of phase tilt about one, two or three axes; with the mode of the other tilt come mixtures."""
    tilts = next(mode for mode in MODES if mode.irrep == "T (1 1 1)").vectors
    found = directions(PEROVSKITE, tilts)
    assert [(one.freedom, one.domains) for one in found] == [(1, 6), (1, 8), (1, 12)]
    for one in found:
        every = domains(PEROVSKITE, 0.1, displacement=one.displacement)
        assert len(every) == one.domains
        moved = np.array([other.positions - PEROVSKITE.positions for other in every])
        assert np.allclose(np.linalg.norm(moved, axis=2).max(1), 0.1)
        assert np.linalg.norm(moved / 0.1 - one.displacement, axis=(1, 2)).min() < 1e-6
    assert len(domains(PEROVSKITE, 0.1, tilts)) == 48


def test_directions_do_not_depend_on_storage() -> None:
    """Turned and stored in another order, a structure has the same directions, up to symmetry."""
    tilts = next(mode for mode in MODES if mode.irrep == "T (1 1 0)").vectors
    order = np.random.default_rng(0).permutation(len(PEROVSKITE))
    turn = np.array([[0, -1, 0], [0.6, 0, -0.8], [0.8, 0, 0.6]])
    other = PEROVSKITE[order]
    other.set_cell(PEROVSKITE.cell.array @ turn.T)
    other.positions = PEROVSKITE.positions[order] @ turn.T
    pairs = zip(directions(PEROVSKITE, tilts), directions(other, tilts[:, order] @ turn.T), strict=True)
    for one, two in pairs:
        assert (one.group, one.domains, one.freedom) == (two.group, two.domains, two.freedom)
        every = domains(PEROVSKITE, None, displacement=one.displacement)
        moved = np.array([(a.positions - PEROVSKITE.positions)[order] @ turn.T for a in every])
        assert np.abs(moved - two.displacement).max((1, 2)).min() < 1e-5


def test_images_of_a_displacement_are_equally_likely(generator: torch.Generator) -> None:
    parent = bulk("NaCl", "rocksalt", a=5.64)
    shift = np.array([[0, 0, 0.1], [0, 0, -0.1]])
    place = np.array([one.positions.flatten() for one in domains(parent, None, displacement=shift)])
    assert len(place) == 6
    model = torch.nn.Parameter(torch.tensor(shift))  # as a network would return it
    drawn = [break_symmetry(parent, generator, None, displacement=lambda atoms: 1 * model) for _ in range(30)]
    distance = np.linalg.norm(np.array([one.positions.flatten() for one in drawn])[:, None] - place, axis=2)
    assert distance.min(1).max() < 1e-6
    test = ChiSquare()
    test.fit("images", np.bincount(distance.argmin(1), minlength=6))
    test.require("images are equally likely")
    test.fit("always the first", np.array([30, 0, 0, 0, 0, 0]))
    with pytest.raises(AssertionError, match="images are equally likely"):
        test.require("images are equally likely")


def test_descending() -> None:
    """Four atoms on a line fall into a planar rhombus, a saddle point, then into the tetrahedron, the minimum."""

    def relax(atoms: Atoms) -> Atoms:
        atoms = atoms.copy()
        atoms.calc = LennardJones(rc=10.0)
        BFGS(atoms, logfile=None, maxstep=0.05).run(fmax=1e-3, steps=300)
        return atoms

    line = Atoms("Ar4", [[0, 0, 1.12 * k] for k in range(4)])
    rounds = descend(line, relax, torch.Generator().manual_seed(0))
    energies = [ends[0][0] for ends in rounds]
    assert energies == pytest.approx([-3.0651, -5.0734, -6], abs=1e-3)
    assert [symmetries(ends[0][1], 1e-2).name for ends in rounds] == ["Dinfh", "D2h", "Td"]
    assert all(ends == sorted(ends, key=lambda end: end[0]) for ends in rounds)
    # A relaxation that ends at once leaves nothing: the descent stops.
    start = rounds[0][0][1]
    stuck = descend(start, lambda atoms: start)
    assert len(stuck) == 1


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="amplitude must be positive and finite; got 0"):
        break_symmetry(CHAIN, amplitude=0)
    with pytest.raises(ValueError, match=r"expected modes of shape \[k, 2, 3\]; got \[1, 3, 3\]"):
        break_symmetry(CHAIN, modes=np.ones((1, 3, 3)))
    with pytest.raises(ValueError, match="expected a displacement or modes that move an atom that is free"):
        break_symmetry(CHAIN, modes=np.ones((1, 2, 3)))
    with pytest.raises(ValueError, match=r"expected a finite displacement of shape \[2, 3\]; got \[3, 3\]"):
        break_symmetry(CHAIN, displacement=np.ones((3, 3)))
    with pytest.raises(ValueError, match="amplitude must be positive and finite; got inf"):
        break_symmetry(CHAIN, amplitude=np.inf)
    moving = CHAIN.copy()
    moving.calc = EMT()
    for step in (0, np.inf, np.nan):
        with pytest.raises(ValueError, match=f"step must be positive and finite; got {step}"):
            modes(moving, step=step)
    with pytest.raises(ValueError, match="expected an amplitude, or a displacement whose size to keep; got neither"):
        break_symmetry(CHAIN, amplitude=None)
    with pytest.raises(ValueError, match="expected modes that the symmetries map to themselves"):
        directions(CHAIN, np.eye(6)[:1].reshape(1, 2, 3))
    with pytest.raises(ValueError, match="expected 2 atoms or more, with a calculator; got 2, calculator None"):
        modes(CHAIN)
    held = CHAIN.copy()
    for constraint, message in (
        (FixAtoms([0, 1]), "expected an atom that is free; all 2 are fixed"),
        (FixBondLength(0, 1), r"fixed by FixAtoms; got FixBondLengths: remove it with atoms\.set_constraint\(\)"),
    ):
        held.set_constraint(constraint)
        for refuses in (modes, domains, break_symmetry):
            with pytest.raises(ValueError, match=message):
                refuses(held)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ase.io.write("po.cif", CHAIN)
    salt = bulk("NaCl", "rocksalt", a=5.64)
    ase.io.write("salt.traj", salt)
    assert "distorted.extxyz: 1 structure" in call(capsys, "distort", "po.cif").out
    assert (
        "all.extxyz: 16 structures" in call(capsys, "distort", "po.cif", "--count", "0", "--output", "all.extxyz").out
    )
    assert len(ase.io.read("all.extxyz", index=":")) == 16
    ase.io.write("cu.traj", bulk("Cu", cubic=True))
    shown = call(capsys, "distort", "cu.traj", "--calculator", "ase.calculators.emt:EMT").out
    assert "lowest mode: " in shown
    ase.io.write("sc.cif", bulk("Cu", "sc", a=2.5).repeat((2, 1, 1)))
    emt = ("--calculator", "ase.calculators.emt:EMT")
    shown = call(capsys, "distort", "sc.cif", *emt, "--directions", "--combined", "1").out
    assert re.search(r"direction that keeps \S+: \d+ domains", shown)
    Path("learned.py").write_text(
        "def up(atoms):\n    return [[0, 0, 0.2], [0, 0, -0.2]]\n\n"
        "class Endless:\n    def get_forces(self, atoms):\n        return 0 * atoms.positions + float('inf')\n"
    )
    assert "6 structures" in call(capsys, "distort", "salt.traj", "--model", "learned:up", "--count", "0").out
    moved = ase.io.read("distorted.extxyz", index=":")
    assert np.allclose([np.abs(one.positions - salt.positions).max() for one in moved], 0.2, atol=1e-4)
    for arguments, message in (
        (("none.cif",), "cannot be read as cif: no such file"),
        (("po.cif", "--count", "-1"), "count must be at least 0; got -1"),
        (("po.cif", "--seed", str(10**23)), "seed must be from 0 to 2^63 - 1; got 1000"),
        (("po.cif", "--tolerance", "inf"), "tolerance must be positive and finite; got inf"),
        (("po.cif", "--directions"), "directions need a calculator"),
        (("cu.traj", "--calculator", "ase.calculators.emt:EMT", "--directions"), "expected unstable modes; the lowest"),
        (("po.cif", "--calculator", "ase:Nothing"), "expected module:function that can be imported"),
        (("salt.traj", *emt), "ase.calculators.emt:EMT: NotImplementedError: No EMT-potential for Na"),
        (("cu.traj", "--calculator", "ase:Atoms"), "ase:Atoms: "),
        (
            ("cu.traj", "--calculator", "learned:Endless"),
            r"expected finite forces of shape [4, 3] from the calculator; got [4, 3], not finite",
        ),
        (("po.cif", "--model", "math:sqrt"), "math:sqrt: TypeError: must be real number"),
        (("po.cif", "--model", "math:sqrt", "--directions"), "expected a model, or a calculator and its modes"),
    ):
        assert message in call(capsys, "distort", *arguments).complaint
