r"""The inversion kernel: the law of a group element given an input.

Let :math:`\tau` be any map from inputs to group elements. Draw :math:`h` from Haar measure and return

.. math:: \tilde g = h^{-1}\, \tau(h x).

1. The law is equivariant whatever :math:`\tau` is: :math:`\tilde g \mid kx` has the law of
   :math:`k\,\tilde g \mid x`. (Substitute :math:`h' = hk`, which is Haar as well.)
2. If :math:`\tau` is exact, :math:`x = \tau(x)\,\gamma` with :math:`\gamma` the same all over the orbit, then
   :math:`\tilde g` is uniform on the coset :math:`\{g : g \gamma = x\}` of the stabilizer: the inversion kernel of
   H. Lawrence, V. Portilheiro, Y. Zhang, S.-O. Kaba, *Improving Equivariant Networks with Probabilistic
   Symmetry Breaking*, ICLR 2025.
"""

from typing import Any, Generic, TypeVar

import torch
from torch import nn

from sympe.canonicalize import Canonicalizer

Element = TypeVar("Element")
Data = TypeVar("Data")


class InversionKernel(nn.Module, Generic[Element, Data]):
    """Randomize, canonicalize, undo: draws g~ given x, equivariantly in distribution for any canonicalizer.

    Args:
        canonicalizer: The map tau. An exact one gives the least randomness that any equivariant law can have,
            log of the order of the stabilizer; ``Constant`` gives the most.

    Example:
        >>> import sympe
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
        >>> square = sympe.graphs.from_edges([(4, [(0, 1), (1, 2), (2, 3), (3, 0)])])
        >>> sorted(kernel(square, torch.Generator().manual_seed(0)).rank.tolist())
        [0, 1, 2, 3]
    """

    def __init__(self, canonicalizer: Canonicalizer[Element, Data]) -> None:
        super().__init__()
        self.canonicalizer = canonicalizer

    def forward(self, x: Data, generator: torch.Generator | None = None) -> Element:
        """One independent draw for every member of the batch ``x``."""
        action: Any = self.canonicalizer.action
        h = action.group.haar(x, generator)
        g = self.canonicalizer(action.act(h, x), generator)
        return action.group.compose(action.group.inverse(h), g)
