"""Speed of encodings in irreps: Wigner matrices beside e3nn's, and kernel and encoding beside principal axes.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/irreps.py``. Each table is measured in turns. Needs e3nn.

The clouds are random molecules of 20 atoms of four species. ``principal axes`` are those of ``torch.linalg.eigh``, with
the signs that LAPACK leaves: no exact frame, but the usual one.
"""

import argparse

import torch
from e3nn import o3

from sympe import InversionKernel, SymPE
from sympe.actions import WignerMatrices
from sympe.breaking import IrrepsNoise
from sympe.canonicalize import Frames, PrincipalAxes
from sympe.encoding import IrrepsEncoding
from sympe.groups import OrthogonalGroup
from sympe.points import PointClouds
from timing import Table, interleave

ATOMS = 20
IRREPS = "4x0e+2x1o+1x2e"


def molecules(count: int, generator: torch.Generator) -> PointClouds:
    position = 2 * torch.randn(ATOMS * count, 3, generator=generator)
    species = torch.tensor([1, 6, 7, 8])[torch.randint(4, (ATOMS * count,), generator=generator)]
    return PointClouds(position, torch.arange(count).repeat_interleave(ATOMS), species, count)


def wigner_table(count: int, degree: int, repeats: int, generator: torch.Generator) -> Table:
    g = OrthogonalGroup(3, special=True).haar(torch.zeros(count), generator)
    wigner = WignerMatrices(degree)
    theirs = [o3.Irrep(l, (-1) ** l) for l in range(degree + 1)]
    table = Table("irreps", f"ms for all Wigner matrices up to degree {degree} of {count:,} rotations")
    times = interleave(
        {"sympe": lambda: wigner(g), "e3nn": lambda: [irrep.D_from_matrix(g) for irrep in theirs]}, repeats
    )
    table.add_times({name: [1e3 * t for t in values] for name, values in times.items()}, relative_to="sympe")
    return table


def encoding_table(count: int, repeats: int, generator: torch.Generator) -> Table:
    x = molecules(count, generator)
    modules = {
        "principal axes by eigh": PrincipalAxes(),
        f"kernel and {IRREPS}": SymPE(InversionKernel(Frames()), IrrepsEncoding(IRREPS)),
        "noise": IrrepsNoise(IRREPS),
    }
    table = Table("irreps_encoding", f"us per molecule of {ATOMS} atoms, {count:,} at a time")

    def call(name: str) -> object:
        with torch.no_grad():
            return modules[name](x, generator)

    times = interleave({name: lambda name=name: call(name) for name in modules}, repeats)
    scaled = {name: [1e6 * t / count for t in values] for name, values in times.items()}
    table.add_times(scaled, relative_to="principal axes by eigh")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seeded = torch.Generator().manual_seed(0)
    for each in (
        wigner_table(arguments.count, 6, arguments.repeats, seeded),
        encoding_table(arguments.count, arguments.repeats, seeded),
    ):
        each.print()
        each.write()
