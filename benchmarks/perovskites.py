"""Relaxations of cubic perovskites with CHGNet until the lowest energy is found: directions of modes beside rattling.

CHGNet (B. Deng et al., 2023) comes with its weights; give it an environment of its own:

    python -m venv chgnet && chgnet/bin/pip install -c constraints.txt chgnet -e '.[crystals]' -e ./experiments
    OMP_NUM_THREADS=1 chgnet/bin/python benchmarks/perovskites.py

Each parent has the lattice constant of least energy, which stays, and 2 x 2 x 2 cells. It is relaxed from three kinds
of displacements: along the directions of pairs of unstable modes, those first on whose lines the energy falls most;
along a random mixture of all unstable modes; and rattled. All have the same root mean square. The table grows by one
parent after the other: an interrupted run goes on where it stopped.
"""

import argparse
import json
import warnings
from itertools import combinations

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
#: How far energies of one minimum differ, in eV per formula unit.
SAME = 1e-3
#: Sizes at which a line is looked at, in units of SIZE.
SCAN = (1.0, 2.0, 3.0)
#: How many of the most unstable modes are combined in pairs, and the most dimensions of a pair.
COMBINED, DIMENSIONS = 3, 9
CELLS = 8


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


def displaced(parent: Atoms, u: np.ndarray, times: float = 1.0) -> Atoms:
    moved = parent.copy()
    moved.positions += times * sized(u)
    return moved


def ranked(parent: Atoms, unstable: list[Mode], of: Counted) -> list[Direction]:
    """The directions of pairs of modes, those first on whose lines the energy falls most."""
    found = {}
    for pair in combinations(unstable[:COMBINED], min(2, len(unstable))):
        whole = np.concatenate([mode.vectors for mode in pair])
        for one in directions(parent, whole, freedom=2) if len(whole) <= DIMENSIONS else ():
            least = min(of.energy(displaced(parent, one.displacement, times)) for times in SCAN)
            # Directions of one mode come again with every pair.
            found[one.group, round(least, 4)] = (least, one)
    return [one for _, one in sorted(found.values(), key=lambda entry: entry[0])]


def compare(formula: str, of: Counted, tries: int, first: int, steps: int) -> list[dict[str, object]]:
    """The rows of one parent."""
    parent = cubic(formula, of)
    parent.calc = of.calculator
    unstable = [mode for mode in modes(parent) if mode.curvature < UNSTABLE]
    print(formula, round(parent.cell[0, 0] / 2, 3), [(round(m.curvature, 2), m.irrep) for m in unstable], flush=True)
    named = ", ".join(f"{mode.irrep} {mode.curvature:.2f}" for mode in unstable)
    if not unstable:
        return [{"row": f"{formula}, stable", "formula": formula, "modes": named}]
    generator, rng = torch.Generator().manual_seed(0), np.random.default_rng(0)
    whole = np.concatenate([mode.vectors for mode in unstable])
    of.calls = 0
    best = ranked(parent, unstable, of)
    print(f"  {len(best)} directions, {of.calls} energies", flush=True)
    screened = of.calls
    starts = {
        "directions": [
            break_symmetry(parent, generator, None, displacement=sized(one.displacement)) for one in best[:first]
        ],
        "unstable modes": [
            displaced(parent, np.einsum("k,kia->ia", rng.normal(size=len(whole)), whole)) for _ in range(tries)
        ],
        "rattled": [displaced(parent, rng.normal(size=parent.positions.shape)) for _ in range(tries)],
    }
    ends, calls = {}, {}
    zero = of.energy(parent)
    for way, some in starts.items():
        of.calls = 0
        ends[way] = [(of.relaxed(one, steps) - zero) / CELLS for one in some]
        calls[way] = of.calls + (screened if way == "directions" else 0)
        print(f"  {way}: {calls[way]} calls, meV {[round(1000 * energy, 1) for energy in ends[way]]}", flush=True)
    lowest = min(min(energies) for energies in ends.values())
    rows = []
    for way, energies in ends.items():
        hits = [energy < lowest + SAME for energy in energies]
        row = {"row": f"{formula}, {way}", "formula": formula, "way": way, "relaxed": len(hits), "hits": sum(hits)}
        row |= {"first": hits.index(True) + 1 if any(hits) else None, "lowest": 1000 * min(energies)}
        row |= {"evaluations": calls[way], "screening": screened if way == "directions" else 0, "modes": named}
        if way == "directions":
            row["groups"] = ", ".join(f"{d.group} ({d.domains})" for d in best[:first])
        rows.append(row | {"energies": str([round(1000 * energy, 2) for energy in energies])})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parents", nargs="*", default=PARENTS, help="formulas")
    parser.add_argument("--tries", type=int, default=5, help="relaxations of each parent, of either random way")
    parser.add_argument("--directions", type=int, default=3, help="directions that are relaxed")
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
        if all(row["formula"] != formula for row in table.rows):
            table.rows += compare(formula, of, args.tries, args.directions, args.steps)
            table.write()
    table.print()


if __name__ == "__main__":
    main()
