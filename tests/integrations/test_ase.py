"""Breaking the symmetry of structures: domains are equally likely, modes are kept, relaxations leave saddle points."""

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("ase")

import ase.io
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.optimize import BFGS

from command_line import call
from laws import ChiSquare
from sympe.integrations.ase import break_symmetry, domains, modes

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
    (curvature, bend), *_ = [(c, m) for c, m in modes(line) if c < -0.02]
    assert bend.shape == (2, 3, 3)
    bent = break_symmetry(line, generator, 0.1, bend)
    bent.calc = LennardJones(rc=10.0)
    start = line.get_potential_energy()
    BFGS(bent, logfile=None).run(fmax=1e-3, steps=100)
    assert curvature < 0
    assert bent.get_potential_energy() < start - 0.5
    assert np.ptp(bent.get_all_distances()[np.triu_indices(3, 1)]) < 1e-2


def test_degenerate_modes_stand_together() -> None:
    copper = bulk("Cu", cubic=True)
    copper.calc = EMT()
    found = modes(copper)
    assert sum(len(group) for _, group in found) == 9
    assert {len(group) for _, group in found} <= {2, 3, 6}


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="amplitude must be positive; got 0"):
        break_symmetry(CHAIN, amplitude=0)
    with pytest.raises(ValueError, match=r"expected modes of shape \[k, 2, 3\]; got \[1, 3, 3\]"):
        break_symmetry(CHAIN, modes=np.ones((1, 3, 3)))
    with pytest.raises(ValueError, match="expected modes that move an atom"):
        break_symmetry(CHAIN, modes=np.ones((1, 2, 3)))
    with pytest.raises(ValueError, match="expected 2 atoms or more, with a calculator; got 2, calculator None"):
        modes(CHAIN)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ase.io.write("po.cif", CHAIN)
    assert "distorted.extxyz: 1 structure" in call(capsys, "distort", "po.cif").out
    assert (
        "all.extxyz: 16 structures" in call(capsys, "distort", "po.cif", "--count", "0", "--output", "all.extxyz").out
    )
    assert len(ase.io.read("all.extxyz", index=":")) == 16
    ase.io.write("cu.traj", bulk("Cu", cubic=True))
    shown = call(capsys, "distort", "cu.traj", "--calculator", "ase.calculators.emt:EMT").out
    assert "lowest mode: " in shown
    for arguments, message in (
        (("none.cif",), "cannot be read as cif: no such file"),
        (("po.cif", "--count", "-1"), "count must be 0 or more; got -1"),
        (("po.cif", "--calculator", "ase:Nothing"), "expected module:Class of a calculator"),
    ):
        assert message in call(capsys, "distort", *arguments).complaint
