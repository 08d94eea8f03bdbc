"""Streams of random numbers that depend on nothing but the numbers they are named by."""

import torch


def seeded_generator(*numbers: int) -> torch.Generator:
    """A generator that depends on all the numbers: one stream per (seed, purpose, step ...)."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 6364136223846793005 + number * 1442695040888963407 + 0x9E3779B97F4A7C15) % 2**64
        mixed ^= mixed >> 29
    return torch.Generator().manual_seed(mixed % 2**63)
