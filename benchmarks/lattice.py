"""Speed of the kernel on periodic lattices: fields of couplings on both bonds of each site, translations and D4.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/lattice.py``; ``--only transforms`` takes two sizes, and
leaves out what is slow. For each size of lattice a batch of fields is canonicalized at once; times are per field. All
rows of one size are measured in turns.

- ``rfft2 and irfft2``: one pair of transforms of the Gaussian fields, in double precision; ratios are to it.
- ``kernel, Template`` and ``kernel, LexicographicMinimum``: a draw of g~, with the shuffle of the field before.
- Fields: Gaussian couplings; couplings +1 and -1, equally likely (``signs``); +1 and -1 with a period of half the
  lattice; a single defect, so that most images begin alike; uniform.
- ``exhaustive``: all 8 L^2 images, site by site, on signs; only where they fit into memory.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from sympe import InversionKernel
from sympe.actions import BondFields
from sympe.canonicalize import LexicographicMinimum, Template
from sympe.groups import Torus
from timing import Table, interleave, run_tables


def make_fields(size: int, count: int, generator: torch.Generator) -> dict[str, Tensor]:
    shape = (count, 2, size, size)
    gaussian = torch.randn(shape, generator=generator)
    signs = torch.randn(shape, generator=generator).sign()
    defect = torch.zeros(shape)
    defect[:, 0, 0, 0] = 1
    half = signs[..., : size // 2].repeat(1, 1, 1, 2)
    return {"Gaussian": gaussian, "signs": signs, "half": half, "defect": defect, "uniform": torch.ones(shape)}


def least_of_all_images(action: BondFields, x: Tensor) -> Tensor:
    """Where the least image of each field is among all, compared two by two in a knock-out."""
    group, size = action.group, (x.shape[-2], x.shape[-1])
    every = group.inverse(group.elements(size))
    source = action.source(every).flatten(1)
    images = x.flatten(1)[:, source]
    place = torch.arange(len(source)).expand(len(x), -1)
    site = torch.arange(images.shape[2])
    while images.shape[1] > 1:
        first, second = images.chunk(2, dim=1)
        differs = torch.where(first != second, site, site[-1]).amin(2, keepdim=True)
        is_less = second.gather(2, differs) < first.gather(2, differs)
        images = torch.where(is_less, second, first)
        place = torch.where(is_less[..., 0], *reversed(place.chunk(2, dim=1)))
    return place[:, 0]


def measure(name: str, sizes: tuple[int, ...], repeats: int, exhaustive: int = 0, sites: int = 2**16) -> Table:
    """One table: batches that hold so many sites together; up to ``exhaustive`` sites along a side, all images too."""
    generator = torch.Generator().manual_seed(0)
    action = BondFields(Torus("D4"))
    template, least = InversionKernel(Template(action)), InversionKernel(LexicographicMinimum(action))
    table = Table(name, "milliseconds per field of 2 L^2 couplings; translations and D4")
    for size in sizes:
        count = max(sites // size**2, 1)
        fields = make_fields(size, count, generator)
        pair, gaussian = f"L = {size}: rfft2 and irfft2", fields["Gaussian"]
        runs: dict[str, Callable[[], object]] = {
            pair: lambda x=gaussian: torch.fft.irfft2(torch.fft.rfft2(x.double()), s=x.shape[-2:]),
            f"L = {size}: kernel, Template": lambda x=gaussian: template(x, generator),
        }
        for name, x in fields.items():
            runs[f"L = {size}: kernel, LexicographicMinimum, {name}"] = lambda x=x: least(x, generator)
        if size <= exhaustive:
            # As few at once as fit into the cache, or one.
            few = fields["signs"].split(max(2**20 // size**4, 1))[0]
            runs[f"L = {size}: exhaustive"] = lambda x=few: least_of_all_images(action, x)
        times = interleave(runs, repeats)
        batch = {name: len(few) if name.endswith("exhaustive") else count for name in runs}
        in_milliseconds = {name: [1e3 * t / batch[name] for t in ts] for name, ts in times.items()}
        more = {name: {"batch": batch[name]} for name in runs}
        table.add_times(in_milliseconds, relative_to=pair, more=more)
    return table


TABLES: dict[str, Callable[[bool], Table]] = {
    "transforms": lambda quick: measure("lattice_transforms", (16, 64), 3 if quick else 9),
    "sizes": lambda quick: measure("lattice", (8, 16, 32) if quick else (8, 16, 32, 64, 128, 256), 9, exhaustive=32),
}


if __name__ == "__main__":
    run_tables(__doc__, TABLES, lambda name, quick: TABLES[name](quick))
