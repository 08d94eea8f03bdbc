"""Representations of finite groups: one matrix per element, in the group's order."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.groups import FiniteGroup


def regular_representation(group: FiniteGroup) -> Float[Tensor, "n n n"]:
    """The action of a finite group on functions on itself: g takes the basis vector of h to that of gh."""
    return torch.eye(len(group), dtype=torch.float64)[group.table].transpose(1, 2)


def permutation_representation(images: Int[Tensor, "n d"]) -> Float[Tensor, "n d d"]:
    """Permutation matrices: element g takes the basis vector of place i to that of ``images[g, i]``."""
    return torch.eye(images.shape[1], dtype=torch.float64)[images].transpose(1, 2)
