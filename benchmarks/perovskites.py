"""Relaxations of cubic perovskites with CHGNet until the lowest energy is found: directions of modes beside rattling.

CHGNet (B. Deng et al., 2023) comes with its weights; give it a separate environment:

    python -m venv chgnet && chgnet/bin/pip install -c constraints.txt chgnet -e '.[crystals]' -e ./experiments
    OMP_NUM_THREADS=1 chgnet/bin/python benchmarks/perovskites.py

Each parent has the lattice constant of least energy, which stays, and 2 x 2 x 2 cells. It is relaxed from three kinds
of displacements: along each direction of unstable modes, and of pairs of them, that keeps symmetries; along random
mixtures of all unstable modes; and rattled. All have the same root mean square. The table grows by one parent and kind
after the other: an interrupted run goes on where it stopped.
"""

import argparse
import json
import warnings
from itertools import combinations
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS
from scipy.optimize import minimize_scalar

from sympe.integrations.ase import Direction, Mode, break_symmetry, directions, modes
from timing import RESULTS, Table

PARENTS = ("CaTiO3", "SrTiO3", "CsPbI3", "KNbO3", "BaTiO3", "SrZrO3", "NaNbO3", "LaAlO3")
#: Curvature below which a mode counts as unstable, in eV per square angstrom.
UNSTABLE = -0.05
#: Root of the mean squared displacement, in angstrom, and the force at which a relaxation ends, in eV per angstrom.
SIZE, FORCE = 0.1, 0.02
#: How far energies of one minimum differ, in meV per formula unit.
SAME = 2.0
#: How many of the most unstable modes are combined in pairs, and the most dimensions of a pair.
COMBINED, DIMENSIONS = 3, 9
CELLS = 8
WAYS = ("directions", "unstable modes", "rattled")


class Counted:
    """The energies and forces of a calculator, and how often it was asked."""

    def __init__(self, calculator: Calculator) -> None:
        self.calculator, self.calls = calculator, 0
        calculate = calculator.calculate

        def counted(*args: object, **kwargs: object) -> None:
            self.calls += 1
            calculate(*args, **kwargs)

        calculator.calculate = counted

    def energy(self, atoms: Atoms) -> float:
        atoms = atoms.copy()
        atoms.calc = self.calculator
        return float(atoms.get_potential_energy())

    def relaxed(self, atoms: Atoms, steps: int) -> float:
        atoms = atoms.copy()
        atoms.calc = self.calculator
        BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=FORCE, steps=steps)
        return float(atoms.get_potential_energy())


def cubic(formula: str, of: Counted) -> Atoms:
    """The parent at its lattice constant of least energy."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]

    def made(a: float) -> Atoms:
        return Atoms(formula, scaled_positions=places, cell=[a] * 3, pbc=True)

    found = minimize_scalar(lambda a: of.energy(made(a)), bounds=(3.6, 6.6), method="bounded", options={"xatol": 1e-3})
    return made(found.x).repeat(2)


def sized(u: np.ndarray) -> np.ndarray:
    return SIZE * u / np.sqrt(np.square(u).sum(1).mean())


def displaced(parent: Atoms, u: np.ndarray) -> Atoms:
    moved = parent.copy()
    moved.positions += sized(u)
    return moved


def kept(parent: Atoms, unstable: list[Mode]) -> list[Direction]:
    """The directions of single modes and of pairs that keep symmetries."""
    found: list[Direction] = []
    alone: set[int] = set()
    for pair in combinations(range(min(COMBINED, len(unstable))), min(2, len(unstable))):
        whole = np.concatenate([unstable[k].vectors for k in pair])
        for one in directions(parent, whole, freedom=2) if len(whole) <= DIMENSIONS else ():
            parts = [np.einsum("kia,ia->k", unstable[k].vectors, one.displacement) for k in pair]
            shown = {k for k, part in zip(pair, parts, strict=True) if np.abs(part).max() > 1e-3}
            # Directions of one mode come again with every pair.
            if len(shown) > 1 or not shown <= alone:
                found.append(one)
        alone |= {*pair}
    return found


def starts(parent: Atoms, unstable: list[Mode], way: str, tries: int) -> tuple[list[Atoms], list[str]]:
    """Displaced structures of one kind, and what is known of each."""
    generator, rng = torch.Generator().manual_seed(0), np.random.default_rng(0)
    if way == "directions":
        listed = kept(parent, unstable)
        moved = [break_symmetry(parent, generator, None, displacement=sized(one.displacement)) for one in listed]
        return moved, [f"{one.group} ({one.domains})" for one in listed]
    if way == "rattled":
        return [displaced(parent, rng.normal(size=parent.positions.shape)) for _ in range(tries)], []
    whole = np.concatenate([mode.vectors for mode in unstable])
    return [displaced(parent, np.einsum("k,kia->ia", rng.normal(size=len(whole)), whole)) for _ in range(tries)], []


def judged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their lowest energies, and how many relaxations reached the lowest that any reached."""
    for row in rows:
        mates = [energy for other in rows if other["formula"] == row["formula"] for energy in other["energies"]]
        hits = [energy < min(mates) + SAME for energy in row["energies"]]
        first = hits.index(True) + 1 if any(hits) else None
        row |= {"relaxed": len(hits), "hits": sum(hits), "first": first, "lowest": min(row["energies"])}
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parents", nargs="*", default=PARENTS, help="formulas")
    parser.add_argument("--tries", type=int, default=5, help="relaxations of each parent, of either random way")
    parser.add_argument("--steps", type=int, default=100, help="most steps of a relaxation")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    from chgnet.model.dynamics import CHGNetCalculator

    of = Counted(CHGNetCalculator(use_device="cpu"))
    table = Table("crystals_perovskites", "relaxations of cubic perovskites in 2 x 2 x 2 cells, meV per formula unit")
    if (path := RESULTS / f"{table.name}.json").exists():
        table.rows = json.loads(path.read_text())["rows"]
    for formula in args.parents:
        missing = [way for way in WAYS if all(row["row"] != f"{formula}, {way}" for row in table.rows)]
        if missing:
            parent = cubic(formula, of)
            parent.calc = of.calculator
            unstable = [mode for mode in modes(parent) if mode.curvature < UNSTABLE]
            named, zero = ", ".join(f"{mode.irrep} {mode.curvature:.2f}" for mode in unstable), of.energy(parent)
            print(f"{formula}, {parent.cell[0, 0] / 2:.3f} angstrom: {named or 'stable'}", flush=True)
        for way in missing if missing and unstable else ():
            of.calls = 0
            moved, names = starts(parent, unstable, way, args.tries)
            energies = [round(1000 * (of.relaxed(one, args.steps) - zero) / CELLS, 2) for one in moved]
            row = {"row": f"{formula}, {way}", "formula": formula, "modes": named, "energies": energies}
            table.rows = judged([*table.rows, row | {"names": names, "evaluations": of.calls}])
            print(f"  {table.rows[-1]}", flush=True)
            table.write()


if __name__ == "__main__":
    main()
