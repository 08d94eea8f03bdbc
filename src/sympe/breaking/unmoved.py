"""A learned vector that stays where it is: breaks symmetry, and equivariance with it."""

from typing import Generic

import torch
from torch import Tensor

from sympe.actions import Action
from sympe.actions.base import Data, Element
from sympe.breaking.base import SymmetryBreaking
from sympe.encoding import Encoding


class Unmoved(SymmetryBreaking[Data], Generic[Element, Data]):
    """The vector of an encoding at the identity, for every input: the control that is not equivariant, not even in law.

    It is what learning a symmetry-breaking parameter on a single input comes to (T. Smidt, M. Geiger, B. K. Miller,
    *Finding symmetry breaking order parameters with Euclidean neural networks*, Physical Review Research 3, 2021):
    right for inputs that stand as they did in training, and only there. For graphs it reads the order of storage.

    Args:
        encoding: The vector.
        action: How the group that does not move it moves the inputs.
    """

    def __init__(self, encoding: Encoding[Element], action: Action[Element, Data]) -> None:
        super().__init__()
        encoding.check_group(action.group)
        self.encoding = encoding
        self.action = action
        self.dim = encoding.dim

    def forward(self, x: Data, generator: torch.Generator | None = None) -> Tensor:
        vector: Tensor = self.encoding(self.action.group.identity(x))
        return vector
