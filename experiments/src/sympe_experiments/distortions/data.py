r"""Toy perovskites with an unstable mode, their distorted structures, and the least error of a symmetric answer.

The model is Lennard-Jones with one size for all atoms, in a cubic cell that is too wide for them: modes are unstable.
The target is the parent displaced along a direction of one of them, by the amplitude of least energy on that line. All
images of a target under the space group of the parent are as good: :func:`sympe.integrations.ase.domains` lists them.

- *polar*: one cell; titanium leaves the center of its octahedron, in one of six ways;
- *doubled*: two cells; a mode that alternates between them doubles the period, so that translations break too.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sympe import audit
from sympe.crystals import Crystals, from_ase
from sympe.extras import require
from sympe.integrations.ase import directions, domains, modes

_PLACES = ((0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5))
#: The lattice constant in angstrom, and the parameters of Lennard-Jones: sizes in angstrom, energies in eV.
_LATTICE, _LENNARD_JONES = 3.65, {"sigma": 1.75, "epsilon": 0.05, "rc": 4.5}
#: Amplitudes among which that of least energy is taken, in angstrom.
_AMPLITUDES = np.linspace(0.05, 0.6, 12)


@dataclass(frozen=True, eq=False)
class Distortion:
    """One parent and the distorted structures that its symmetry makes equivalent.

    Attributes:
        name: Of the parent.
        parent: A batch of one crystal.
        targets: All domains, as displacements in angstrom.
        group: The symmetries that a domain keeps.
        floor: Least mean squared error, in square angstrom per site, of every deterministic equivariant network, as the
            audit finds it.
    """

    name: str
    parent: Crystals
    targets: Float[Tensor, "m n 3"]
    group: str
    floor: float


def load_distortions(data: str) -> list[Distortion]:
    """The parents of a data set.

    Raises:
        ImportError: If ASE or moyopy is not installed.
    """
    known = {"polar": (1, "(0 0 0)"), "doubled": (2, "(0 0 1)")}
    return [_distortion(name, *known[name]) for name in (known if data == "perovskites" else (data,))]


def _distortion(name: str, cells: int, wave: str) -> Distortion:
    """A parent of some cells along z, displaced along its most unstable mode with that wave."""
    ase = require("ase", "crystals", "this experiment", "sympe-experiments")
    lennard_jones = require("ase.calculators.lj", "crystals", "this experiment", "sympe-experiments").LennardJones
    parent = ase.Atoms("CaTiO3", scaled_positions=_PLACES, cell=[_LATTICE] * 3, pbc=True).repeat((1, 1, cells))
    parent.calc = lennard_jones(**_LENNARD_JONES)
    mode = next(mode for mode in modes(parent) if cells == 1 or mode.irrep.endswith(wave))
    assert mode.curvature < 0
    along = directions(parent, mode.vectors)[0]

    def energy(amplitude: float) -> float:
        moved = parent.copy()
        moved.positions += amplitude * along.displacement
        moved.calc = parent.calc
        return float(moved.get_potential_energy())

    amplitude = min(_AMPLITUDES, key=energy)
    every = domains(parent, amplitude, displacement=along.displacement)
    targets = torch.tensor(np.array([one.positions - parent.positions for one in every]))
    crystal = from_ase(parent)
    floor = audit(crystal, target=targets[0]).summary.irreducible_error
    return Distortion(name, crystal, targets, along.group, float(floor))
