"""``sympe distort``."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro


@dataclass(frozen=True)
class DistortCommand:
    """Break the symmetry of structures before relaxing them: displacements into equivalent domains, each as likely."""

    path: Annotated[Path, tyro.conf.Positional]
    """A file that ASE reads: CIF, POSCAR, xyz, extxyz, traj, db. Its first structure is distorted."""
    output: Path = Path("distorted.extxyz")
    """Where to write the distorted structures, as extxyz."""
    amplitude: float = 0.05
    """Displacement of the atom that moves most, in angstrom."""
    count: int = 1
    """How many to draw; 0 for every domain once."""
    calculator: str | None = None
    """Displace along the lowest mode that this calculator of ASE finds, e.g. ase.calculators.emt:EMT."""
    seed: int = 0
    """Seed of the draws."""
    tolerance: float = 1e-2
    """Of the symmetries, in angstrom."""

    def __call__(self) -> None:
        import io

        import torch

        from sympe.atomic import write_atomically
        from sympe.crystals.convert import read_atoms
        from sympe.extras import require
        from sympe.integrations.ase import break_symmetry, domains, modes

        if self.count < 0:
            raise ValueError(f"count must be 0 or more; got {self.count}")
        parent = read_atoms(self.path, ":1")[0]
        along = None
        if self.calculator is not None:
            parent.calc = _made(self.calculator)
            curvature, along = modes(parent)[0]
            print(f"lowest mode: {curvature:.3g} eV per square angstrom, {len(along)}-fold")
        generator = torch.Generator().manual_seed(self.seed)
        if self.count:
            given = (parent, generator, self.amplitude, along, self.tolerance)
            found = [break_symmetry(*given) for _ in range(self.count)]
        else:
            found = domains(parent, self.amplitude, along, self.tolerance)
        text = io.StringIO()
        require("ase.io", "crystals", "writing extxyz").write(text, found, format="extxyz")
        write_atomically(self.output, lambda file: file.write(text.getvalue().encode()))
        print(f"{self.output}: {len(found)} {'structure' if len(found) == 1 else 'structures'}")


def _made(name: str) -> Any:
    """The calculator ``module:Class``."""
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected module:Class of a calculator that needs no arguments; {error}") from error
