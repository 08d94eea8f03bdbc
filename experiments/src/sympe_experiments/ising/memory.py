"""Estimates of memory: a lattice that is too large is refused at once, instead of being killed later."""

import os

from sympe.groups import Torus
from sympe_experiments.ising.config import METHODS, WALLPAPER, Config

#: Copies of the features on the group that one layer needs, with what it keeps for gradients, and without.
TRAINING_COPIES, INFERENCE_COPIES = 6, 6


def bytes_needed(config: Config, sites: int, count: int, training: bool) -> int:
    """Approximate number of bytes that a forward pass takes, with a backward pass if ``training``.

    Args:
        config: Sizes of the network.
        sites: Sites of the lattice.
        count: Lattices at once.
        training: Whether gradients are needed.
    """
    points = len(Torus(WALLPAPER[config.group]).points)
    layers = (config.num_layers + 2) * TRAINING_COPIES if training else INFERENCE_COPIES
    features = 4 * config.hidden_dim * points * layers
    # The canonicalizer names the beginnings of all images by integers, in several copies.
    matching = 8 * 10 * points if METHODS[config.method].kernel == "inversion" else 0
    return sites * count * (features + matching)


def bytes_present() -> int | None:
    """Memory of this machine; None if unknown."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def refuse_what_does_not_fit(config: Config, sites: int | None = None, count: int = 1) -> None:
    """Check that a lattice fits into memory: for training, or for a forward pass if ``sites`` is given.

    Raises:
        ValueError: If it does not; the message names both amounts.
    """
    if sites is None:
        needed = bytes_needed(config, config.size**2, config.batch_size, training=True)
        if config.transfers and config.transfer:
            needed = max(needed, bytes_needed(config, max(config.transfer) ** 2, 1, training=False))
        what = f"L = {config.size} with {config.batch_size} lattices a step"
    else:
        needed = bytes_needed(config, sites, count, training=False)
        what = f"{count} lattices of {sites} sites" if count > 1 else f"a lattice of {sites} sites"
    present = bytes_present()
    if present is not None and needed > present:
        raise ValueError(f"{what} needs about {needed / 1e9:.2g} GB of memory; this machine has {present / 1e9:.2g} GB")
