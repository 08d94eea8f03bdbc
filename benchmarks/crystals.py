"""How often crystals, architectures and alignment are judged wrongly, over whole tables; needs ASE and moyopy.

``PYTHONPATH=tests:tests/crystals:tests/auditing OMP_NUM_THREADS=1 python benchmarks/crystals.py`` makes them beside the
checkers of the tests. Prototypes are one crystal for each of the 230 space groups, with orbits that ASE makes, as they
are and in other cells, orientations, origins and orders, at three tolerances, with noise of a tenth of the tolerance.
"""

import argparse
from itertools import product

import numpy as np
import torch
from ase import Atoms
from ase.calculators.emt import EMT
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
from sympe.integrations.ase import descend, modes
from sympe.integrations.vibrations import symmetries
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
                fixing(site, irreps, 600, special) != described(view(site, irreps, special).looks_like)
                for site in sites
            )
            row = f"{irreps}{', rotations' if special else ''}"
            table.rows.append({"row": row, "groups": len(sites), "wrong": wrong})
            print(table.rows[-1], flush=True)
            table.write()  # the last row takes longest
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
    """Relaxations of symmetric clusters from saddle points: rattled, and by descents, with displacements as large."""
    table = Table("crystals_saddles", "relaxations of symmetric clusters until the lowest energy is found")
    for of, (symbol, distance) in {"Lennard-Jones": ("Ar", 1.12), "EMT": ("Cu", 2.4)}.items():
        for name, shape in shapes().items():
            relax, size = Relaxation(of == "EMT"), 0.1 * distance
            saddle = relax(Atoms([symbol] * len(shape), distance * shape))
            found = modes(saddle)
            unstable = -1e-3 * found[-1].curvature
            if found[0].curvature > unstable:
                continue
            relax.ends = []
            descend(saddle, relax, torch.Generator().manual_seed(0), size, unstable)
            down, relax.ends = relax.ends[1:], []
            for seed in range(tries):
                one, move = saddle.copy(), np.random.default_rng(seed).normal(size=shape.shape)
                one.positions += size * move / np.linalg.norm(move, axis=1).max()
                relax(one)
            best = min(down + relax.ends)
            for way, ends in (("descent", down), ("rattled", relax.ends)):
                hits = [energy < best + 1e-3 for energy in ends]
                first, share = (hits.index(True) + 1 if any(hits) else None), float(np.mean(hits))
                row = {"row": f"{of}, {name}, {way}", "relaxed": len(ends), "lowest": min(ends), "hits": share}
                table.rows.append(row | {"first": first, "saddle": symmetries(saddle, 1e-2).name})
                print(table.rows[-1], flush=True)
    return table


def shapes() -> dict[str, np.ndarray]:
    """Clusters with bonds of length 1."""

    def ring(n: int, *heights: float) -> np.ndarray:
        turns = 2 * np.pi * np.arange(n) / n
        flat = np.stack([np.cos(turns), np.sin(turns), 0 * turns], axis=1) / (2 * np.sin(np.pi / n))
        return np.concatenate([flat + np.array([0, 0, height]) for height in heights])

    cube = np.array(list(product((0.0, 1.0), repeat=3)))
    return {
        "line of 4": np.outer(np.arange(4.0), [0, 0, 1]),
        "square": ring(4, 0),
        "hexagon and center": np.concatenate([ring(6, 0), np.zeros((1, 3))]),
        "trigonal prism": ring(3, 0, 1),
        "cube": cube,
        "cube and center": np.concatenate([1.12 * cube, np.full((1, 3), 0.56)]),
        "pentagonal prism": ring(5, 0, 1),
        "hexagonal prism, filled": np.concatenate([ring(6, 0, 1), [[0, 0, 0], [0, 0, 1]]]),
        "cuboctahedron": Octahedron("Ar", 3, 1, latticeconstant=2**0.5).positions,
    }


class Relaxation:
    """Relaxes clusters and notes the energies of the ends."""

    def __init__(self, is_metal: bool) -> None:
        self.is_metal, self.ends = is_metal, list[float]()

    def __call__(self, atoms: Atoms) -> Atoms:
        atoms = atoms.copy()
        atoms.calc = EMT() if self.is_metal else LennardJones(rc=20.0)
        BFGS(atoms, logfile=None, maxstep=0.05).run(fmax=1e-3, steps=500)
        self.ends.append(float(atoms.get_potential_energy()))
        return atoms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000, help="sets of data for the size of the alignment test")
    parser.add_argument("--tries", type=int, default=20, help="rattled relaxations of each cluster")
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
