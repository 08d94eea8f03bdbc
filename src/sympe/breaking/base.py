"""The interface of symmetry breaking: extra features for a network's input."""

from abc import ABC, abstractmethod
from typing import Generic

import torch
from torch import Tensor, nn

from sympe.actions.base import Data


class SymmetryBreaking(nn.Module, ABC, Generic[Data]):
    """Features that break the symmetry of an input, with an equivariant law.

    Attributes:
        dim: Features per node, site or cloud.
        is_continuous: Whether draws for one input have infinite entropy, like Gaussian noise.
    """

    dim: int
    is_continuous: bool = False

    @abstractmethod
    def forward(self, x: Data, generator: torch.Generator | None = None) -> Tensor:
        """One independent draw for every member of the batch ``x``, one row per node, site or cloud."""
