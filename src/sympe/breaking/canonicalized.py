r"""Any network made equivariant in distribution: see the input in a sampled frame, turn the answer back.

.. math:: y = \tilde g \, \phi(\tilde g^{-1} x)

With :math:`\tilde g` from the inversion kernel, :math:`\phi` sees the canonical form alone, and the law of y is
equivariant whatever :math:`\phi` is. With one frame drawn from a set this is stochastic frame averaging (A. Duval et
al., *FAENet*, ICML 2023, after O. Puny et al., *Frame averaging*, ICLR 2022), with a deterministic canonicalizer it is
relaxed equivariance (S.-O. Kaba, S. Ravanbakhsh, *Symmetry breaking and equivariant neural networks*, 2023). SymPE
asks for an equivariant :math:`f` instead, which then need not learn what symmetry implies.
"""

from typing import Any

import torch
from torch import nn

from sympe.actions import Action
from sympe.kernel import InversionKernel


class Canonicalized(nn.Module):
    """A network that sees its input in a sampled frame.

    Args:
        network: Any, equivariant or not: called with the moved input alone.
        kernel: The law of g~ given the input.
        action: How the group moves the network's outputs.
    """

    def __init__(self, network: nn.Module, kernel: InversionKernel[Any, Any], action: Action[Any, Any]) -> None:
        super().__init__()
        self.network = network
        self.kernel = kernel
        self.action = action

    def forward(self, x: Any, generator: torch.Generator | None = None) -> Any:
        """``act(g~, network(act(inverse(g~), x)))``."""
        inputs: Any = self.kernel.canonicalizer.action
        g = self.kernel(x, generator)
        return self.action.act(g, self.network(inputs.act(inputs.group.inverse(g), x)))
