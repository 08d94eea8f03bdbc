"""Generators: where one draws, and generators that depend on nothing but the numbers that name them."""

import numpy as np
import torch


def sequence_generator(*numbers: int) -> torch.Generator:
    """A generator of the CPU for these numbers, seeded through numpy's ``SeedSequence``."""
    return torch.Generator().manual_seed(int(seed_sequence(*numbers).generate_state(1, np.uint64)[0]))


def seed_sequence(*numbers: int) -> np.random.SeedSequence:
    """Numpy's seed sequence of these numbers, however many they are."""
    # Numpy takes (1,) and (1, 0) for the same.
    return np.random.SeedSequence((len(numbers), *numbers))


def drawing_device(generator: torch.Generator | None, device: torch.device) -> torch.device:
    """Where to draw what will be used on ``device``: a generator only draws where it lives.

    Raises:
        ValueError: If ``generator`` is no generator, such as a seed.
    """
    if generator is None:
        return device
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            f"generator must be a torch.Generator; got {generator!r}: make one with torch.Generator().manual_seed(0)"
        )
    return generator.device
