"""Point groups and frames of points beside their peers, in turns in one process: libmsym and FAENet.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/points.py``. ``pip`` puts the peers, without what they depend
on, into a folder that is not on the path of any environment (``SYMPE_PEERS``, or ``~/.cache/sympe-peers``).

- ``groups``: the point group of one cloud of icosahedral symmetry, turned at random. libmsym reads the elements and
  finds the group; ours also returns the permutations.
- ``batch``: 63 symmetric molecules, per molecule. libmsym takes them one by one.
- ``frames``: a draw of the kernel for random molecules of 20 atoms, alone and in batches, per molecule. FAENet takes
  the principal axes of one molecule with random signs: no exact frame.
"""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from frames import ATOMS, dodecahedra, molecules
from peers import FOLDER
from sympe import InversionKernel
from sympe.canonicalize import Frames
from sympe.groups import OrthogonalGroup, point_group
from sympe.points import SYMBOLS, PointClouds, concatenate, from_clouds, stabilizers
from timing import Missing, Table, interleave, run_tables

GOLDEN = (1 + 5**0.5) / 2
Runs = dict[str, Callable[[], object]]


def installed(package: str, version: str) -> Path:
    """The folder of a package alone."""
    folder = FOLDER / f"{package}-{version}"
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
        if subprocess.run([*pip, f"{package}=={version}"], check=False).returncode:
            raise Missing(f"pip cannot install {package} {version} into {FOLDER}")
    return folder


def libmsym() -> Any:
    sys.path.append(str(installed("libmsym", "0.2.4.2")))
    import libmsym

    return libmsym


def faenet() -> Any:
    """The functions on frames; the rest of the package needs more packages than there are for this PyTorch."""
    folder = installed("faenet", "0.1.3")
    spec = spec_from_file_location("faenet_frames", folder / "faenet" / "frame_averaging.py")
    assert spec is not None
    assert spec.loader is not None
    rest = ModuleType("faenet.utils")
    rest.RandomRotate = None  # type: ignore[attr-defined]  # for the augmentation of data, which is not called
    sys.modules |= {"faenet": ModuleType("faenet"), "faenet.utils": rest}
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def orbit(*point: float) -> Tensor:
    """All images of a point under the icosahedral group."""
    group = point_group("Ih").matrices
    assert group is not None
    images = group @ torch.tensor(point, dtype=torch.float64)
    return images[(torch.cdist(images, images) < 1e-6).int().argmax(1) == torch.arange(len(images))]


def turned(position: Tensor, species: list[int], generator: torch.Generator) -> PointClouds:
    g = OrthogonalGroup(3).haar(position[None], generator)
    return from_clouds([position @ g[0].T], [species])


def icosahedral(generator: torch.Generator) -> dict[str, PointClouds]:
    ball, center = orbit(0, 1, 3 * GOLDEN) * 0.7, torch.zeros(1, 3)
    corners = orbit(1 / GOLDEN, 1 / GOLDEN, 3 + GOLDEN)  # 120, of a truncated icosidodecahedron
    clouds = {
        "C60": ball,
        "241 atoms, shells of 60": torch.cat([center, *(ball * size for size in (1.0, 1.6, 2.2, 2.8))]),
        "241 atoms, shells of 120": torch.cat([center, corners, corners * 1.5]),
    }
    return {name: turned(x, [6] * len(x), generator) for name, x in clouds.items()}


def symmetric(count: int, generator: torch.Generator) -> list[PointClouds]:
    """Molecules with the 21 point groups from C2 to Ih, several times: rings of three kinds, cubes and other solids."""
    found = []
    for name in ("C2", "Cs", "Ci", "C2v", "C3v", "C4v", "C6v", "C2h", "C3h", "D2", "D3", "D2h", "D3h", "D6h", "D2d",
                 "D3d", "S4", "T", "Td", "O", "Oh"):  # fmt: skip
        group = point_group(name).matrices
        assert group is not None
        # One orbit of a general point gives the group or a larger one, another with it the group itself.
        points = [group @ torch.tensor(p, dtype=torch.float64) for p in ((0.9, 0.5, 1.4), (-0.3, 2.1, 1.0))]
        species = [6] * len(group) + [1] * len(group)
        found += [turned(torch.cat(points), species, generator) for _ in range(count // 21)]
    return found


def msym_of(peer: Any, x: PointClouds) -> Callable[[], str]:
    assert x.species is not None
    atoms = list(zip([SYMBOLS[kind] for kind in x.species.tolist()], x.position.tolist(), strict=True))

    def run() -> str:
        with peer.Context(elements=[peer.Element(name=name, coordinates=at) for name, at in atoms]) as context:
            return str(context.find_symmetry())

    return run


def groups(repeats: int) -> Table:
    peer, table = libmsym(), Table("points_groups", "seconds for the point group of one cloud")
    for name, x in icosahedral(torch.Generator().manual_seed(0)).items():
        theirs = msym_of(peer, x)
        assert stabilizers(x)[0].name == theirs() == "Ih"
        runs: Runs = {f"{name}: libmsym": theirs, f"{name}: stabilizers": lambda x=x: stabilizers(x)}
        table.add_times(interleave(runs, repeats), relative_to=f"{name}: libmsym")
    return table


def batch(repeats: int) -> Table:
    several, peer = symmetric(63, torch.Generator().manual_seed(0)), libmsym()
    x, theirs = concatenate(several), [msym_of(peer, part) for part in several]
    different = [(a.name, b()) for a, b in zip(stabilizers(x), theirs, strict=True) if a.name != b()]
    assert not different, different
    runs: Runs = {"63 molecules: libmsym": lambda: [run() for run in theirs],
                  "63 molecules: stabilizers": lambda: stabilizers(x)}  # fmt: skip
    table = Table("points_batch", f"microseconds per molecule; 63 molecules of {len(x.position) / 63:.0f} atoms")
    times = interleave(runs, repeats)
    table.add_times({name: [1e6 * t / 63 for t in ts] for name, ts in times.items()}, "63 molecules: libmsym")
    return table


def frames(repeats: int) -> Table:
    generator, peer = torch.Generator().manual_seed(0), faenet()
    table = Table("points_frames", f"microseconds per molecule of {ATOMS} atoms; a draw of the kernel")
    kernels = {"O(3)": InversionKernel(Frames()), "SO(3)": InversionKernel(Frames(special=True))}
    inputs = {f"{n:,} molecules": molecules(n, generator) for n in (1, 100, 10_000)} | {
        "a dodecahedron": dodecahedra(1)
    }
    for name, x in inputs.items():
        parts, turns = [part.position for part in x.select(range(min(len(x), 100))).split()], 100 // min(len(x), 100)

        def theirs(parts: list[Tensor] = parts, turns: int = turns) -> None:
            for _ in range(turns):
                for part in parts:
                    peer.frame_averaging_3D(part, None, "stochastic")

        def ours(kernel: InversionKernel[Tensor, PointClouds], x: PointClouds = x, turns: int = turns) -> None:
            for _ in range(turns):
                kernel(PointClouds(x.position, x.batch, x.species, len(x)), generator)

        runs: Runs = {f"{name}: FAENet": theirs}
        runs |= {f"{name}: Frames, {group}": lambda k=k, ours=ours: ours(k) for group, k in kernels.items()}
        times = interleave(runs, repeats)
        many = {run: 100 if run.endswith("FAENet") else max(len(x), 100) for run in runs}
        table.add_times({run: [1e6 * t / many[run] for t in ts] for run, ts in times.items()}, f"{name}: FAENet")
    return table


TABLES = {"groups": groups, "batch": batch, "frames": frames}


if __name__ == "__main__":
    run_tables(__doc__, TABLES, lambda name, quick: TABLES[name](3 if quick else 9))
