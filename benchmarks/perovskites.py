"""Relaxations of cubic perovskites with CHGNet until the lowest energy is found: directions of modes beside rattling.

CHGNet (B. Deng et al., 2023) comes with its weights; give it a separate environment:

    python -m venv chgnet && chgnet/bin/pip install -c constraints.txt chgnet -e '.[crystals]' -e ./experiments
    OMP_NUM_THREADS=1 chgnet/bin/python benchmarks/perovskites.py

Each parent has the lattice constant of least energy, which stays, and 2 x 2 x 2 cells. It is relaxed from four kinds
of displacements: along each direction of unstable modes, and of pairs of them, that keeps symmetries; the same with the
one most unstable mode, and again from the lowest end until no mode is unstable (``descend``); along random mixtures of
all unstable modes; and rattled. All have the same root mean square, but those of ``descend`` the same largest
displacement. The table grows by one parent and kind after the other. With ``--kept FILE`` an interrupted run goes on
where it stopped.
"""

import argparse
import hashlib
import json
import shelve
import warnings
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS
from scipy.optimize import minimize_scalar

from sympe.integrations.ase import Direction, Mode, break_symmetry, descend, directions, modes
from sympe.integrations.vibrations import symmetries
from timing import RESULTS, Table

PARENTS = ("CaTiO3", "CsPbI3", "CsPbBr3", "SrTiO3")
#: Curvature below which a mode counts as unstable, in eV per square angstrom.
UNSTABLE = -0.02
#: Root of the mean squared displacement, in angstrom, and the force at which a relaxation ends, in eV per angstrom.
SIZE, FORCE = 0.1, 0.02
#: How far energies of one minimum differ, in meV per formula unit.
SAME = 2.0
#: How many of the most unstable modes are combined in pairs, and the most dimensions of a pair.
COMBINED, DIMENSIONS = 2, 9
CELLS = 8
WAYS = ("descent", "rattled", "unstable modes", "directions")


class Counted:
    """The energies and forces of a calculator, and how often it was asked; a file keeps them for the next time."""

    def __init__(self, calculator: Calculator, path: Path | None = None) -> None:
        self.calculator, self.calls = calculator, 0
        calculate, known = calculator.calculate, {} if path is None else shelve.open(path)  # noqa: SIM115

        def counted(atoms: Atoms, *_: object) -> None:
            self.calls += 1
            place = atoms.positions.tobytes() + atoms.numbers.tobytes() + atoms.cell.array.tobytes()
            if (key := hashlib.sha256(place).hexdigest()) not in known:
                calculate(atoms, task="ef")  # stresses would double the time
                known[key] = {name: calculator.results[name] for name in ("energy", "free_energy", "forces")}
            calculator.atoms, calculator.results = atoms.copy(), dict(known[key])

        calculator.calculate = counted

    def energy(self, atoms: Atoms) -> float:
        atoms = atoms.copy()
        atoms.calc = self.calculator
        return float(atoms.get_potential_energy())

    def relaxed(self, atoms: Atoms, steps: int) -> Atoms:
        atoms = atoms.copy()
        atoms.calc = self.calculator
        BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=FORCE, steps=steps)
        return atoms


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


def relaxations(
    parent: Atoms, unstable: list[Mode], way: str, tries: int, relax: Callable[[Atoms], Atoms]
) -> tuple[list[float], list[str]]:
    """Energies of one kind of relaxations, in the order in which they were made, and what is known of each."""
    if way != "descent":
        moved, names = starts(parent, unstable, way, tries)
        return [float(relax(one).get_potential_energy()) for one in moved], names
    order: list[float] = []

    def noted(atoms: Atoms) -> Atoms:
        end = relax(atoms)
        order.append(float(end.get_potential_energy()))
        return end

    rounds = descend(parent, noted, torch.Generator().manual_seed(0), unstable=UNSTABLE)
    return order[1:], [f"{len(ends)} to {symmetries(ends[0][1], 1e-2).name}" for ends in rounds[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parents", nargs="*", default=PARENTS, help="formulas")
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS, help="kinds of displacements")
    parser.add_argument("--tries", type=int, default=5, help="relaxations of each parent, of either random way")
    parser.add_argument("--steps", type=int, default=100, help="most steps of a relaxation")
    parser.add_argument("--kept", type=Path, help="file of evaluations, from which an interrupted run goes on")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    from chgnet.model.dynamics import CHGNetCalculator

    of = Counted(CHGNetCalculator(use_device="cpu"), args.kept)
    table = Table("crystals_perovskites", "relaxations of cubic perovskites in 2 x 2 x 2 cells, meV per formula unit")
    if (path := RESULTS / f"{table.name}.json").exists():
        table.rows = json.loads(path.read_text())["rows"]
    for formula in args.parents:
        missing = [way for way in args.ways if all(row["row"] != f"{formula}, {way}" for row in table.rows)]
        if missing:
            parent = cubic(formula, of)
            parent.calc = of.calculator
            unstable = [mode for mode in modes(parent) if mode.curvature < UNSTABLE]
            named, zero = ", ".join(f"{mode.irrep} {mode.curvature:.2f}" for mode in unstable), of.energy(parent)
            print(f"{formula}, {parent.cell[0, 0] / 2:.3f} angstrom: {named or 'stable'}", flush=True)
        for way in missing if missing and unstable else ():
            of.calls = 0
            found, names = relaxations(parent, unstable, way, args.tries, lambda atoms: of.relaxed(atoms, args.steps))
            energies = [round(1000 * (energy - zero) / CELLS, 2) for energy in found]
            row = {"row": f"{formula}, {way}", "formula": formula, "modes": named, "energies": energies}
            table.rows = judged([*table.rows, row | {"names": names, "evaluations": of.calls, "steps": args.steps}])
            print(f"  {table.rows[-1]}", flush=True)
            table.write()


if __name__ == "__main__":
    main()
