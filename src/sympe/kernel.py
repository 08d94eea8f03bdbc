r"""The inversion kernel: the law of a group element given an input.

Let :math:`\tau` be any map from inputs to group elements. Draw :math:`h` from Haar measure and return

.. math:: \tilde g = h^{-1}\, \tau(h x).

1. The law is equivariant whatever :math:`\tau` is: :math:`\tilde g \mid kx` has the law of
   :math:`k\,\tilde g \mid x`. (Substitute :math:`h' = hk`, which is also Haar.)
2. If :math:`\tau` is exact, :math:`x = \tau(x)\,\gamma` with :math:`\gamma` constant on the orbit, then
   :math:`\tilde g` is uniform on the coset :math:`\{g : g \gamma = x\}` of the stabilizer: the inversion kernel of
   H. Lawrence, V. Portilheiro, Y. Zhang, S.-O. Kaba, *Improving Equivariant Networks with Probabilistic
   Symmetry Breaking*, ICLR 2025.
"""

from abc import ABC, abstractmethod
from typing import Generic

import torch
from torch import nn

from sympe.actions import Action
from sympe.actions.base import Data, Element
from sympe.canonicalize import Canonicalizer
from sympe.groups import Group
from sympe.precision import outside_autocast


class Kernel(nn.Module, ABC, Generic[Element, Data]):
    """A law of group elements given an input, equivariant in distribution."""

    #: How the group moves the inputs.
    action: Action[Element, Data]

    @property
    def group(self) -> Group[Element, Data]:
        """The group whose elements the kernel draws."""
        return self.action.group

    @abstractmethod
    def forward(self, x: Data, generator: torch.Generator | None = None) -> Element:
        """One independent draw for every member of the batch ``x``."""


class InversionKernel(Kernel[Element, Data]):
    """Randomize, canonicalize, undo: draws g~ given x, equivariantly in distribution for any canonicalizer.

    Args:
        canonicalizer: The map tau. An exact one gives the least randomness an equivariant law can have, the log of
            the stabilizer's order; ``Constant`` gives the most.

    Raises:
        ValueError: If this is not a canonicalizer; on a call, if ``x`` is not a valid batch of what the group moves.

    Example:
        >>> import sympe
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
        >>> square = sympe.graphs.from_edges([(4, [(0, 1), (1, 2), (2, 3), (3, 0)])])
        >>> sorted(kernel(square, torch.Generator().manual_seed(0)).rank.tolist())
        [0, 1, 2, 3]
    """

    def __init__(self, canonicalizer: Canonicalizer[Element, Data]) -> None:
        super().__init__()
        if not isinstance(canonicalizer, Canonicalizer):
            example = "canonicalize.Labeling()"
            raise ValueError(f"expected a canonicalizer such as {example}; got {described(canonicalizer)}")
        self.canonicalizer = canonicalizer
        self.action = canonicalizer.action

    @outside_autocast
    def forward(self, x: Data, generator: torch.Generator | None = None) -> Element:
        group, act = self.action.group, self.action.act
        if not torch.compiler.is_compiling():
            x = self.action.take(x)
        h = group.haar(x, generator)
        g = self.canonicalizer(act(h, x), generator)
        return group.compose(group.inverse(h), g)


def described(value: object) -> str:
    """A value as an error message shows it, with advice if it is a class instead of an object."""
    if isinstance(value, type):
        return f"the class {value.__name__}: pass an object, {value.__name__}(...)"
    return f"an object of {type(value).__name__}" if isinstance(value, nn.Module) else repr(value)
