r"""A network made equivariant in distribution: it sees the input in a sampled frame, and its output is moved back.

.. math:: y = \tilde g \, \phi(\tilde g^{-1} x)

With :math:`\tilde g` from the inversion kernel, :math:`\phi` sees only the canonical form, and the law of y is
equivariant for any :math:`\phi`. With one frame drawn from a set this is stochastic frame averaging (A. Duval et al.,
*FAENet*, ICML 2023, after O. Puny et al., *Frame averaging*, ICLR 2022); with a deterministic canonicalizer it is
relaxed equivariance (S.-O. Kaba, S. Ravanbakhsh, *Symmetry breaking and equivariant neural networks*, 2023). SymPE
takes an equivariant :math:`f` instead, which need not learn what symmetry implies.
"""

from typing import Generic, TypeVar

import torch
from torch import nn

from sympe.actions import Action
from sympe.actions.base import Data, Element
from sympe.breaking.sympe import check_kernel
from sympe.groups import Batch
from sympe.kernel import Kernel

Output = TypeVar("Output", bound=Batch)


class Canonicalized(nn.Module, Generic[Element, Data, Output]):
    """A network that sees its input in a sampled frame.

    Args:
        network: Equivariant or not; called with the moved input only.
        kernel: The law of g~ given the input.
        action: How the group moves the network's outputs.

    Raises:
        ValueError: If ``kernel`` is not a kernel, or its elements cannot move the outputs.
    """

    def __init__(self, network: nn.Module, kernel: Kernel[Element, Data], action: Action[Element, Output]) -> None:
        super().__init__()
        check_kernel(kernel)
        if not action.group.contains(kernel.group):
            raise ValueError(f"outputs are moved by {action.group!r}; the kernel draws elements of {kernel.group!r}")
        self.network = network
        self.kernel = kernel
        self.action = action

    def forward(self, x: Data, generator: torch.Generator | None = None) -> Output:
        """``act(g~, network(act(inverse(g~), x)))``."""
        g = self.kernel(x, generator)
        return self.action.act(g, self.network(self.kernel.action.act(self.kernel.group.inverse(g), x)))
