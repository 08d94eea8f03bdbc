"""A training step of the group CNN on the torus, beside ordinary convolutions and escnn's layers of the same size.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/group_cnn.py``. escnn is measured where it can be imported;
it needs a Fortran compiler and numpy 1.26, so it goes into an environment of its own. All figures of one table come
from one process, measured in turns; quote the ratios.

- ``sympe``: two group convolutions of D4, 8 channels for each of the 8 points, 3 x 3 filters.
- ``one convolution``: the ordinary convolutions that these come down to (64 channels in, 64 out), with given filters:
  what is left when gathering filters costs nothing.
- ``escnn``: ``R2Conv`` between regular representations of D4, the same channels, points and width of filters. Its
  filters are made of a steerable basis, fewer free numbers than ours, and rebuilt in every step of training.

A step is forward and backward through the layers; a network of two layers is the unit.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor, nn

from sympe_experiments.nets import GroupConv
from sympe_experiments.nets.torus import periodic_conv
from timing import Table, interleave

CHANNELS, POINTS = 8, 8


class Ordinary(nn.Module):
    """A periodic convolution whose filters are free."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(CHANNELS * POINTS, CHANNELS * POINTS, 3, 3) / 24)

    def forward(self, x: Tensor) -> Tensor:
        return periodic_conv(x, self.weight)


def escnn_layers(size: int, batch: int) -> Callable[[], Tensor] | None:
    """Two of escnn's layers on random features, or None if it is not installed."""
    try:
        from escnn import gspaces
        from escnn import nn as steerable
    except ImportError:
        return None
    space = gspaces.flipRot2dOnR2(N=4)
    kind = steerable.FieldType(space, CHANNELS * [space.regular_repr])
    layers = nn.Sequential(
        *(steerable.R2Conv(kind, kind, kernel_size=3, padding=1, padding_mode="circular", bias=False) for _ in range(2))
    )
    x = torch.randn(batch, CHANNELS * POINTS, size, size)
    return lambda: layers(steerable.GeometricTensor(x, kind)).tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15, help="measurements of each, in turns")
    repeats = parser.parse_args().repeats
    table = Table("group_cnn", "ms of processor time, forward and backward through two layers, batch 16")
    for size in (10, 20, 40):
        ours = nn.Sequential(GroupConv(CHANNELS, CHANNELS), GroupConv(CHANNELS, CHANNELS))
        plain = nn.Sequential(Ordinary(), Ordinary())
        f, x = torch.randn(16, POINTS, CHANNELS, size, size), torch.randn(16, POINTS * CHANNELS, size, size)
        forward: dict[str, Callable[[], Tensor]] = {
            f"sympe, L = {size}": lambda ours=ours, f=f: ours(f),  # type: ignore[misc]
            f"one convolution, L = {size}": lambda plain=plain, x=x: plain(x),  # type: ignore[misc]
        }
        theirs = escnn_layers(size, 16)
        if theirs is not None:
            forward[f"escnn, L = {size}"] = theirs
        steps = {name: lambda run=run: run().square().sum().backward() for name, run in forward.items()}  # type: ignore[misc]
        times = {name: [1e3 * t for t in ts] for name, ts in interleave(steps, repeats).items()}
        table.add_times(times, relative_to=f"one convolution, L = {size}")
    table.print()
    table.write()


if __name__ == "__main__":
    main()
