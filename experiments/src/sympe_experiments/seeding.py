"""Streams of random numbers, each named by numbers: one per (seed, purpose, step, ...).

The recorded runs of the autoencoder, of Ising and of the molecules drew from :func:`mixed_generator`, those of the
small experiments from :func:`sympe.seeding.sequence_generator`. Both stay, so that every record can be reproduced.
"""

import numpy as np
import torch

from sympe.seeding import seed_sequence


def mixed_generator(*numbers: int) -> torch.Generator:
    """A generator of the CPU that depends on all the numbers, mixed by a linear congruential step and a shift."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 6364136223846793005 + number * 1442695040888963407 + 0x9E3779B97F4A7C15) % 2**64
        mixed ^= mixed >> 29
    return torch.Generator().manual_seed(mixed % 2**63)


def numpy_generator(*numbers: int) -> np.random.Generator:
    """Numpy's generator for these numbers."""
    return np.random.default_rng(seed_sequence(*numbers))
