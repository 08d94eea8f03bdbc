"""A learned vector that does not move: it breaks symmetry, and equivariance with it."""

from typing import Generic

import torch
from torch import Tensor

from sympe.actions import Action
from sympe.actions.base import Data, Element
from sympe.breaking.base import SymmetryBreaking
from sympe.encoding import Encoding


class Unmoved(SymmetryBreaking[Data], Generic[Element, Data]):
    """The same vector for every input: the control that is not equivariant, not even in law.

    This amounts to learning a symmetry-breaking parameter on a single input (T. Smidt, M. Geiger, B. K. Miller,
    *Finding symmetry breaking order parameters with Euclidean neural networks*, Physical Review Research 3, 2021): it
    is right only for inputs oriented as in training. For graphs it depends on the order of storage.

    Args:
        encoding: The vector.
        action: How the group moves the inputs, but not the vector.

    Raises:
        ValueError: If the group of ``action`` cannot move the encoding.
    """

    def __init__(self, encoding: Encoding[Element], action: Action[Element, Data]) -> None:
        super().__init__()
        encoding.check_group(action.group)
        self.encoding = encoding
        self.action = action
        self.dim = encoding.dim

    def draw(self, x: Data, generator: torch.Generator | None) -> Tensor:
        vector: Tensor = self.encoding(self.action.group.identity(x))
        return vector
