"""Speed of frames of point clouds: molecules of 20 atoms by the hundred thousand, and their growth to a million.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/frames.py``. Each table is measured in turns.

The molecules are random: 20 atoms of four species, normally distributed. ``principal axes`` are the eigenvectors of the
covariance by ``torch.linalg.eigh``, with the signs and the ties that LAPACK leaves: no exact frame, but the usual one.
Symmetric clouds have as many frames that tie as symmetries, and cost more.

All draw in parts of 10,000 molecules. Memory is the most that the process has held up to that row, the molecules
themselves included; rows come by size.
"""

import argparse
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch import Tensor

from sympe import InversionKernel, RankEncoding, SymPE
from sympe.canonicalize import Canonicalizer, Frames, JointFrames, WeightedFrames
from sympe.encoding import FactorEncoding
from sympe.points import PointClouds
from timing import Table, interleave, peak_memory

ATOMS = 20
PART = 10_000


def molecules(count: int, generator: torch.Generator) -> PointClouds:
    """Random clouds without symmetry."""
    position = 2 * torch.randn(ATOMS * count, 3, generator=generator)
    species = torch.tensor([1, 6, 7, 8])[torch.randint(4, (ATOMS * count,), generator=generator)]
    return PointClouds(position, torch.arange(count).repeat_interleave(ATOMS), species, count)


def dodecahedra(count: int) -> PointClouds:
    """Twenty corners and 120 symmetries."""
    golden = (1 + 5**0.5) / 2
    face = torch.tensor([[0.0, a / golden, b * golden] for a in (-1, 1) for b in (-1, 1)])
    corners = torch.cat(
        [torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3), face, face.roll(1, 1), face.roll(2, 1)]
    )
    return PointClouds(corners.repeat(count, 1), torch.arange(count).repeat_interleave(ATOMS), num_clouds=count)


def principal_axes(x: PointClouds) -> Tensor:
    p = x.centered
    outer = (p[:, :, None] * p[:, None]).flatten(1)
    covariance = p.new_zeros(len(x), 9).index_add(0, x.batch, outer)
    return torch.linalg.eigh(covariance.view(-1, 3, 3))[1]


def joint_encoding(frames: Canonicalizer) -> SymPE:
    encoding = FactorEncoding(RankEncoding(dim=16, max_nodes=ATOMS), factor=0)
    return SymPE(InversionKernel(JointFrames(frames)), encoding)


def in_parts(draw: Callable[[PointClouds, torch.Generator], Any], x: PointClouds) -> Callable[[], None]:
    """Draw for all clouds, :data:`PART` at a time."""

    def run() -> None:
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for start in range(0, len(x), PART):
                points = slice(ATOMS * start, ATOMS * min(start + PART, len(x)))
                species = None if x.species is None else x.species[points]
                count = min(PART, len(x) - start)
                draw(PointClouds(x.position[points], x.batch[points] - start, species, count), generator)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each row, in turns")
    parser.add_argument("--count", type=int, default=10**5, help="molecules of the second table")
    parser.add_argument("--most", type=int, default=10**6, help="leave larger numbers of molecules out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)

    sizes = [10**k for k in range(3, 7) if 10**k <= args.most]
    names = {size: f"{size:,} molecules" for size in sizes}
    memory: dict[str, float] = {}
    runs: dict[str, Callable[[], object]] = {}
    for size, name in names.items():
        runs[name] = in_parts(joint_encoding(Frames()), molecules(size, generator))
        runs[name]()
        memory[name] = peak_memory()
    times = interleave(runs, max(1, args.repeats // 2))
    table = Table("frames_growth", "s for joint frames and rank encoding of molecules of 20 atoms")
    more = {
        name: {"us_per_molecule": 1e6 * median(times[name]) / size, "peak_MB": round(memory[name])}
        for size, name in names.items()
    }
    table.add_times(times, more=more)
    table.print()
    print(f"written to {table.write()}")

    x, symmetric = molecules(args.count, generator), dodecahedra(args.count // 100)
    draws: dict[str, tuple[Callable[[PointClouds, torch.Generator], Any], PointClouds]] = {
        "principal axes": (lambda x, _: principal_axes(x), x),
        "frames": (Frames(), x),
        "kernel of frames": (InversionKernel(Frames()), x),
        "kernel of frames, SO(3)": (InversionKernel(Frames(special=True)), x),
        "kernel of joint frames, and rank encoding": (joint_encoding(Frames()), x),
        "kernel of weighted frames": (InversionKernel(WeightedFrames()), x),
        "kernel of frames, dodecahedra": (InversionKernel(Frames()), symmetric),
    }
    times = interleave({name: in_parts(draw, clouds) for name, (draw, clouds) in draws.items()}, args.repeats)
    table = Table("frames", f"us per molecule, {args.count:,} molecules ({len(symmetric):,} dodecahedra)")
    per_molecule = {name: [1e6 * t / len(draws[name][1]) for t in ts] for name, ts in times.items()}
    table.add_times(per_molecule, relative_to="principal axes")
    table.print()
    print(f"written to {table.write()}")


if __name__ == "__main__":
    main()
