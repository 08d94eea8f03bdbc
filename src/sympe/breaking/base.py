"""The interface of symmetry breaking: extra features for a network's input."""

from abc import ABC, abstractmethod
from typing import Any, Generic, cast

import torch
from torch import Tensor, nn

from sympe.actions.base import Action, Data, copies
from sympe.precision import outside_autocast
from sympe.settings import require_at_least


class SymmetryBreaking(nn.Module, ABC, Generic[Data]):
    """Features that break the symmetry of an input, with an equivariant law.

    Attributes:
        action: How the group moves the inputs, which says what they may be.
        dim: Features per node, site or cloud.
        is_continuous: Whether draws for one input have infinite entropy, like Gaussian noise.
    """

    action: Action[Any, Data]
    dim: int
    is_continuous: bool = False

    @outside_autocast
    def forward(self, x: object, generator: torch.Generator | None = None, draws: int | None = None) -> Tensor:
        """Independent draws for every member of a batch, one row per node, site or cloud.

        Args:
            x: A batch of what the action moves, or what it can be made of: PyG data, networkx graphs, arrays, ...
            generator: Source of the draws.
            draws: How many draws to make at once; by default one, without an axis for the draws.

        Returns:
            ``[rows, dim]`` (or as the encoding has it), or ``[draws, rows, dim]``.

        Raises:
            ValueError: If ``x`` cannot be read, or ``draws`` is less than 1.
        """
        taken = cast(Data, x) if torch.compiler.is_compiling() else self.action.take(x)
        if draws is None:
            return self.draw(taken, generator)
        require_at_least(1, draws=draws)
        drawn = self.draw(copies(taken, draws), generator)
        return drawn.reshape(draws, len(drawn) // draws, *drawn.shape[1:])

    @abstractmethod
    def draw(self, x: Data, generator: torch.Generator | None) -> Tensor:
        """One independent draw for every member of the batch ``x``."""


def joined(x: Tensor, drawn: Tensor, axis: int) -> Tensor:
    """Features with what was drawn beside them, in their own type.

    Raises:
        ValueError: If they are integers, which would round what was drawn.
    """
    if not (x.is_floating_point() or x.is_complex()):
        raise ValueError(f"x must hold floating-point numbers, not to round the draw; got {x.dtype}: pass x.float()")
    return torch.cat([x, drawn.to(x.device, x.dtype)], dim=axis)
