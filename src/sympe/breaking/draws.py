r"""What to do with several draws: average them, keep the best, or fix them.

A model with symmetry breaking is random. Where one number is wanted, average; where one answer is wanted, keep the best
of several by a score that symmetries do not change (an energy, a loss, the number of violated constraints). Each
function takes a call of the model, ``draw(generator)``, so that any model will do:

    average(lambda rng: model(x, edge_index, generator=rng), draws=10, generator=rng)
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sympe.settings import require_at_least, require_seed

Draw = Callable[[torch.Generator | None], Tensor]


def average(draw: Draw, draws: int, generator: torch.Generator | None = None) -> Tensor:
    """The mean of several draws; of a model that is equivariant in distribution it is equivariant, up to its error.

    The mean of outputs that break a symmetry is symmetric again: average invariants, such as energies, class
    probabilities, or what was moved back by g~.

    Raises:
        ValueError: If ``draws`` is less than 1.
    """
    require_at_least(1, draws=draws)
    total = draw(generator)
    for _ in range(draws - 1):
        total = total + draw(generator)
    return total / draws


def best_of(
    draw: Draw,
    score: Callable[[Tensor], Float[Tensor, "B"]],
    draws: int,
    generator: torch.Generator | None = None,
    batch: Int[Tensor, "N"] | None = None,
) -> tuple[Tensor, Float[Tensor, "B"]]:
    """For every member of the batch the draw with the lowest score.

    Args:
        draw: A call of the model.
        score: One number per member of the batch, from an output; less is better, and any is better than NaN.
        draws: How many draws to choose from.
        generator: Source of the draws.
        batch: The member that each row of an output belongs to; by default there is one row per member.

    Returns:
        The chosen outputs, and their scores.

    Raises:
        ValueError: If ``draws`` is less than 1.

    Example:
        >>> best, scores = best_of(lambda rng: torch.rand(3, 1, generator=rng), lambda y: y[:, 0], draws=50)
        >>> bool((scores < 0.5).all())
        True
    """
    require_at_least(1, draws=draws)
    best = draw(generator)
    least = score(best)
    for _ in range(draws - 1):
        other = draw(generator)
        value = score(other)
        better = (value < least) | least.isnan()
        rows = better if batch is None else better[batch]
        best = torch.where(rows.reshape(-1, *[1] * (best.dim() - 1)), other, best)
        least = torch.where(better, value, least)
    return best, least


class FixedDraws(nn.Module):
    """A module whose draws are the same in every call, for evaluation: equal inputs give equal outputs.

    The draws of a batch depend on the whole batch, and the law of a single fixed draw is no longer equivariant: relabel
    the input, and another draw belongs to it.

    Args:
        module: Called with ``generator=...``, as :class:`~sympe.SymPE` and wrapped networks are.
        seed: Names the draws.

    Raises:
        ValueError: If the seed is not from 0 to 2^63 - 1.
    """

    def __init__(self, module: nn.Module, seed: int = 0) -> None:
        super().__init__()
        self.module = module
        require_seed(seed)
        self.seed = seed

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, generator=torch.Generator().manual_seed(self.seed), **kwargs)
