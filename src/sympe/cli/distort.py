"""``sympe distort``."""

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
    amplitude: float | None = None
    """Displacement of the atom that moves most, in angstrom; by default 0.05, or what the model predicts."""
    count: int = 1
    """How many to draw; 0 for every domain once."""
    calculator: str | None = None
    """Displace along the lowest mode that this calculator of ASE finds, e.g. ase.calculators.emt:EMT."""
    model: str | None = None
    """Displace as a learned model predicts: module:function, which takes ASE's atoms and returns a vector for each."""
    directions: bool = False
    """Draw so from each direction of the unstable modes that keeps symmetries; none is an image of another."""
    combined: int = 2
    """How many of the most unstable modes the directions may combine."""
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
        from sympe.integrations.ase import break_symmetry, domains
        from sympe.settings import require_at_least, require_seed

        require_at_least(0, count=self.count)
        require_at_least(1, combined=self.combined)
        require_seed(self.seed)
        parent = read_atoms(self.path, ":1")[0]
        amplitude = 0.05 if self.amplitude is None and self.model is None else self.amplitude
        found, generator = [], torch.Generator().manual_seed(self.seed)
        for along in self._along(parent):
            if self.count:
                found += [break_symmetry(parent, generator, amplitude, **along) for _ in range(self.count)]
            else:
                found += domains(parent, amplitude, **along)
        text = io.StringIO()
        require("ase.io", "crystals", "writing extxyz").write(text, found, format="extxyz")
        write_atomically(self.output, lambda file: file.write(text.getvalue().encode()))
        print(f"{self.output}: {len(found)} {'structure' if len(found) == 1 else 'structures'}")

    def _along(self, parent: Any) -> list[dict[str, Any]]:
        """What to displace along: modes, directions, what a model predicts or, without a calculator, anything."""
        import numpy as np

        from sympe.cli.audit import named, users_code
        from sympe.integrations.ase import directions, modes

        common: dict[str, Any] = {"tolerance": self.tolerance}
        if self.model is not None:
            if self.calculator is not None or self.directions:
                raise ValueError("expected a model, or a calculator and its modes; got both")
            with users_code(self.model):
                model = named(self.model)
            return [common | {"displacement": users_code(self.model)(model)}]
        if self.calculator is None:
            if self.directions:
                raise ValueError("directions need a calculator, to find the unstable modes")
            return [common]
        with users_code(self.calculator):
            parent.calc = named(self.calculator)()
            parent.calc.get_forces = users_code(self.calculator)(parent.calc.get_forces)
        found = modes(parent, tolerance=self.tolerance)
        lowest = found[0]
        unstable = [mode for mode in found if mode.curvature < -1e-3][: self.combined]
        if self.directions and not unstable:
            raise ValueError(f"{self.path}: expected unstable modes; the lowest has curvature {lowest.curvature:.3g}")
        print(f"lowest mode: {lowest.curvature:.3g} eV per square angstrom, {len(lowest.vectors)}-fold, {lowest.irrep}")
        if not self.directions:
            return [common | {"modes": lowest.vectors}]
        vectors = np.concatenate([mode.vectors for mode in unstable])
        listed = directions(parent, vectors, freedom=len(unstable), tolerance=self.tolerance)
        for one in listed:
            print(f"direction that keeps {one.group}: {one.domains} domains")
        return [common | {"displacement": one.displacement} for one in listed]
