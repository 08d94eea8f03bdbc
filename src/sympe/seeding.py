"""Random generators: the device to draw on, and generators seeded by a tuple of numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


def sequence_generator(*numbers: int) -> torch.Generator:
    """A CPU generator seeded with these numbers, through NumPy's ``SeedSequence``."""
    return torch.Generator().manual_seed(int(seed_sequence(*numbers).generate_state(1, np.uint64)[0]))


def seed_sequence(*numbers: int) -> np.random.SeedSequence:
    """NumPy's seed sequence for any number of integers."""
    # NumPy treats (1,) and (1, 0) alike; the length distinguishes them.
    return np.random.SeedSequence((len(numbers), *numbers))


def sample(
    law: Callable[..., Tensor], *args: Any, generator: torch.Generator | None, device: torch.device, **kwargs: Any
) -> Tensor:
    """``law(*args)``, such as ``torch.randn(5, 3)``, drawn on the generator's own device and moved to ``device``."""
    return law(*args, generator=generator, device=drawing_device(generator, device), **kwargs).to(device)


def drawing_device(generator: torch.Generator | None, device: torch.device) -> torch.device:
    """Where to draw what will be used on ``device``: a generator draws only on its own device.

    Raises:
        ValueError: If ``generator`` is something else, such as a seed.
    """
    if generator is None:
        return device
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            f"generator must be a torch.Generator; got {generator!r}: make one with torch.Generator().manual_seed(0)"
        )
    return generator.device
