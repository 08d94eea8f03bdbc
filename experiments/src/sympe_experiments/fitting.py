"""Train a model that takes a minute: Adam on a one-cycle schedule, steps counted, no checkpoints.

Longer runs belong to :mod:`sympe_experiments.training`, where they can be interrupted and resumed.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sympe.seeding import sequence_generator


@dataclass(frozen=True)
class Fit:
    """What training leaves behind beside the weights.

    Attributes:
        losses: Mean loss of each tenth of the steps.
        seconds: Processor time of all steps, which does not depend on what else the machine does.
    """

    losses: list[float]
    seconds: float


def fit(
    model: nn.Module,
    loss: Callable[[torch.Generator], Tensor],
    *,
    steps: int,
    learning_rate: float,
    seed: int,
    clip: float = 1.0,
) -> Fit:
    """Minimize a random loss over the parameters of a model.

    Args:
        model: The model to train.
        loss: Called once per step with a generator for that step, the only source of randomness it may use.
        steps: Number of steps.
        learning_rate: Peak of Adam's learning rate.
        seed: Seeds the generators, together with the number of the step.
        clip: Largest norm of the gradient.

    Raises:
        ValueError: If the model has no parameters, ``steps`` is not positive, or the loss is not finite.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters or steps < 1:
        raise ValueError(f"expected parameters and at least one step; got {len(parameters)} and {steps}")
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=max(steps, 2))
    values: list[float] = []
    started = time.process_time()
    for step in range(steps):
        value = loss(sequence_generator(seed, step))
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        schedule.step()
        values.append(float(value.detach()))
        if not math.isfinite(values[-1]):
            raise ValueError(f"the training loss became {values[-1]} in step {step}; a lower learning rate may help")
    seconds = time.process_time() - started
    return Fit([float(part.mean()) for part in np.array_split(values, min(10, steps))], seconds)
