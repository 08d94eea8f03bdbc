"""Speed of the kernel on periodic lattices: fields of couplings on both bonds of each site, translations and D4.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/lattice.py``. For each size of lattice a batch of fields is
canonicalized at once; times are per field. All rows of one size are measured in turns.

- ``rfft2 and irfft2``: one pair of transforms of the Gaussian fields, in double precision; ratios are to it.
- ``kernel, Template`` and ``kernel, LexicographicMinimum``: a draw of g~, with the shuffle of the field before.
- Fields: Gaussian couplings; couplings +1 and -1, equally likely (``signs``); +1 and -1 with a period of half the
  lattice; a single defect, so that most images begin alike; uniform.
- ``exhaustive``: all 8 L^2 images, site by site, on signs; only where they fit into memory.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor

from sympe import InversionKernel
from sympe.actions import BondFields
from sympe.canonicalize import LexicographicMinimum, Template
from sympe.groups import Torus
from timing import Table, interleave, peak_memory


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256], help="powers of two")
    parser.add_argument("--sites", type=int, default=2**16, help="sites of all fields of a batch together")
    parser.add_argument("--exhaustive", type=int, default=32, help="largest size for the exhaustive comparison")
    parser.add_argument("--record", default="lattice", help="name of the record")
    parser.add_argument("--repeats", type=int, default=9, help="measurements of each row, in turns")
    args = parser.parse_args()
    torch.set_num_threads(1)

    generator = torch.Generator().manual_seed(0)
    action = BondFields(Torus("D4"))
    template, least = InversionKernel(Template(action)), InversionKernel(LexicographicMinimum(action))
    table = Table(args.record, "milliseconds per field of 2 L^2 couplings; translations and D4")
    for size in args.sizes:
        count = max(args.sites // size**2, 1)
        fields = make_fields(size, count, generator)
        pair, gaussian = f"L = {size}: rfft2 and irfft2", fields["Gaussian"]
        runs: dict[str, Callable[[], object]] = {
            pair: lambda x=gaussian: torch.fft.irfft2(torch.fft.rfft2(x.double()), s=x.shape[-2:]),
            f"L = {size}: kernel, Template": lambda x=gaussian: template(x, generator),
        }
        for name, x in fields.items():
            runs[f"L = {size}: kernel, LexicographicMinimum, {name}"] = lambda x=x: least(x, generator)
        if size <= args.exhaustive:
            # As few at once as fit into the cache, or one.
            few = fields["signs"].split(max(2**20 // size**4, 1))[0]
            runs[f"L = {size}: exhaustive"] = lambda x=few: least_of_all_images(action, x)
        times = interleave(runs, args.repeats)
        batch = {name: len(few) if name.endswith("exhaustive") else count for name in runs}
        in_milliseconds = {name: [1e3 * t / batch[name] for t in ts] for name, ts in times.items()}
        more = {name: {"batch": batch[name]} for name in runs}
        table.add_times(in_milliseconds, relative_to=pair, more=more)
    table.print()
    print(f"peak memory {peak_memory():.0f} MB; written to {table.write()}")


if __name__ == "__main__":
    main()
