"""Crystals: leave a saddle point that symmetry holds every relaxation on. Needs sympe[crystals]; ten seconds."""

import torch
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.optimize import BFGS

import sympe
from sympe.integrations.ase import break_symmetry, domains


def relaxed(atoms):
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=0.02, steps=200)
    return atoms.get_potential_energy() / len(atoms)


copper = bulk("Cu", "sc", a=2.4).repeat(2)  # simple cubic, where copper does not want to be
symmetries = sympe.crystals.stabilizers(sympe.crystals.from_ase(copper))[0].order
print(f"undisplaced: {relaxed(copper.copy()):.3f} eV per atom, held by {symmetries} symmetries")
moved = [break_symmetry(copper, torch.Generator().manual_seed(seed), amplitude=0.05) for seed in range(3)]
print(f"{len(domains(copper))} domains, each as likely")
for atoms in moved:
    print(f"displaced: {relaxed(atoms):.3f} eV per atom")
