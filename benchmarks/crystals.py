"""How often crystals, architectures and alignment are judged wrongly, over whole tables; needs ASE and moyopy.

``PYTHONPATH=tests:tests/crystals:tests/auditing OMP_NUM_THREADS=1 python benchmarks/crystals.py`` makes them beside the
checkers of the tests. Prototypes are one crystal for each of the 230 space groups, with orbits that ASE makes, as they
are and in other cells, orientations, origins and orders, at three tolerances, with noise of a tenth of the tolerance.
"""

import argparse

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.cluster import Octahedron
from ase.optimize import BFGS
from ase.spacegroup import Spacegroup
from test_architecture import AXIAL, ROTATIONS, SETTINGS, described, fixing
from test_symmetry import prototype

from crystal_laws import redescribed
from sympe.actions import PointMotion
from sympe.auditing import alignment, view
from sympe.auditing.architecture import POINT_GROUPS
from sympe.canonicalize import CrystalFrames
from sympe.crystals import from_ase, stabilizers
from sympe.integrations.ase import domains
from sympe.points import from_clouds
from timing import Table


def prototypes() -> Table:
    """Space groups: number, order, site symmetry of the origin, and how many descriptions of frames tie."""
    table, rng = Table("crystals_prototypes", "wrong space groups, of 230 prototypes"), np.random.default_rng(0)
    for tolerance in (1e-4, 1e-3, 1e-2):
        for other in (False, True):
            wrong = {"group": 0, "site": 0, "frames": 0}
            for number in range(1, 231):
                atoms = prototype(number)
                atoms = redescribed(atoms, rng) if other else atoms
                atoms.positions += tolerance / 10 * rng.uniform(-1, 1, (len(atoms), 3))
                (group,) = stabilizers(from_ase(atoms), tolerance=tolerance)
                _, shifts = Spacegroup(number).get_op()
                at_origin = int((np.abs((shifts + 0.5) % 1 - 0.5) < 1e-4).all(1).sum())
                wrong["group"] += (group.number, group.order) != (number, len(shifts))
                wrong["site"] += len(group.of_site(atoms.numbers.tolist().index(19))) != at_origin
                wrong["frames"] += len(CrystalFrames(tolerance=tolerance).tied(from_ase(atoms))[0]) != len(shifts)
            name = f"tolerance {tolerance:g}{', other description' if other else ''}"
            table.rows.append({"row": name, "prototypes": 230, **wrong})
    return table


def architectures() -> Table:
    """What features see, beside a search through O(3), for all point groups and some axial ones."""
    table = Table("crystals_architectures", "wrong verdicts on what features in irreps see")
    sites = (*POINT_GROUPS, *AXIAL)
    for special, settings in ((False, SETTINGS), (True, ROTATIONS)):
        for irreps in settings.values():
            wrong = sum(
                fixing(site, irreps, 300, special) != described(view(site, irreps, special).looks_like)
                for site in sites
            )
            row = f"{irreps}{', rotations' if special else ''}"
            table.rows.append({"row": row, "groups": len(sites), "wrong": wrong})
            print(table.rows[-1], flush=True)
    return table


def alignments(repetitions: int) -> Table:
    """Size: how often data without alignment are rejected."""
    table = Table("crystals_alignment", f"% rejected of {repetitions} sets of 120 molecules that are not aligned")
    alignment._SHARES = ()
    generator = torch.Generator().manual_seed(1)
    base = torch.tensor([[0.0, 0, 1], [0, 0, -1], [0.6, 0, 0], [0, 0.3, 0]])
    action, p_values = PointMotion(), []
    for _ in range(repetitions):
        x = from_clouds(base + 0.2 * torch.randn(120, 4, 3, generator=generator))
        x = action.act(action.group.haar(x, generator), x)
        p_values.append(alignment.check_alignment(x, generator=generator).p_value)
    for level in (0.01, 0.05, 0.1):
        rejected = 100 * float(np.mean(np.array(p_values) <= level))
        table.rows.append({"row": f"level {level:g}", "rejected": rejected, "nominal": 100 * level})
    return table


def saddles(tries: int) -> Table:
    """Relaxations of a symmetric cluster: all domains of a generic displacement beside rattling of equal amplitude."""
    table = Table("crystals_saddles", "lowest energy of Lennard-Jones clusters relaxed from symmetric starts")
    starts = {"cuboctahedron": Octahedron("Ar", 3, 1, latticeconstant=1.58), "cube": _cube(2), "3 x 3 x 3": _cube(3)}
    for name, atoms in starts.items():
        atoms = Atoms("Ar" * len(atoms), atoms.positions)
        relaxed = {"as it is": [atoms], "domains": domains(atoms, 0.1)[:tries], "rattled": _rattled(atoms, tries)}
        ends = {way: [_energy(one) for one in some] for way, some in relaxed.items()}
        best = min(min(energies) for energies in ends.values())
        for way, energies in ends.items():
            hit = float(np.mean(np.array(energies) < best + 1e-3))
            table.rows.append({"row": f"{name}, {way}", "relaxed": len(energies), "lowest": min(energies), "hits": hit})
    return table


def _cube(n: int) -> Atoms:
    return bulk("Ar", "sc", a=1.12).repeat(n)


def _rattled(atoms: Atoms, tries: int) -> list[Atoms]:
    found = []
    for seed in range(tries):
        one = atoms.copy()
        move = np.random.default_rng(seed).normal(size=(len(one), 3))
        one.positions += 0.1 * move / np.linalg.norm(move, axis=1).max()
        found.append(one)
    return found


def _energy(atoms: Atoms) -> float:
    atoms = atoms.copy()
    atoms.calc = LennardJones(rc=20.0)
    BFGS(atoms, logfile=None, maxstep=0.05).run(fmax=1e-3, steps=500)
    return float(atoms.get_potential_energy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000, help="sets of data for the size of the alignment test")
    parser.add_argument("--tries", type=int, default=12, help="relaxations of each cluster")
    parser.add_argument("--only", default="", help="prototypes, architectures, alignments or saddles")
    args = parser.parse_args()
    torch.set_num_threads(1)
    made = {
        "prototypes": prototypes,
        "architectures": architectures,
        "alignments": lambda: alignments(args.repetitions),
        "saddles": lambda: saddles(args.tries),
    }
    for name, make in made.items():
        if args.only in ("", name):
            table = make()
            table.print()
            table.write()


if __name__ == "__main__":
    main()
