r"""SymPE: a learned vector, moved by a sampled group element.

.. math:: y = f_\theta(x \oplus \tilde g v), \qquad \tilde g \sim \text{the kernel's law given } x.

H. Lawrence, V. Portilheiro, Y. Zhang, S.-O. Kaba, *Improving Equivariant Networks with Probabilistic Symmetry
Breaking*, ICLR 2025, Algorithm 1.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from sympe.kernel import InversionKernel


class Encoding(nn.Module, ABC):
    """A learned vector v and the group's action on it.

    Attributes:
        dim: Number of features per node (site, point) that ``act(g, v)`` has.
    """

    dim: int

    @abstractmethod
    def forward(self, g: Any) -> Tensor:
        """The moved vector ``act(g, v)``, in the layout of the data it will be joined to."""


class SymPE(nn.Module):
    """Sample g~ given the input, act with it on a learned v, hand the result to the network.

    Args:
        kernel: The law of g~ given the input.
        encoding: The vector v.

    Example:
        >>> import sympe
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
        >>> pe = SymPE(kernel, sympe.RankEncoding(dim=8, max_nodes=16))
        >>> pe(sympe.graphs.from_edges([(3, [(0, 1), (1, 2)])])).shape
        torch.Size([3, 8])
    """

    def __init__(self, kernel: InversionKernel[Any, Any], encoding: Encoding) -> None:
        super().__init__()
        self.kernel = kernel
        self.encoding = encoding
        self.dim = encoding.dim

    def forward(self, x: Any, generator: torch.Generator | None = None) -> Tensor:
        """``act(g~, v)`` for one draw of g~ per member of the batch."""
        return self.encoding(self.kernel(x, generator))
