r"""SymPE: a learned vector, moved by a sampled group element.

.. math:: y = f_\theta(x \oplus \tilde g v), \qquad \tilde g \sim \text{the kernel's law given } x.

H. Lawrence, V. Portilheiro, Y. Zhang, S.-O. Kaba, *Improving Equivariant Networks with Probabilistic Symmetry
Breaking*, ICLR 2025, Algorithm 1.
"""

from typing import Generic

import torch
from torch import Tensor

from sympe.actions.base import Data, Element
from sympe.breaking.base import SymmetryBreaking
from sympe.canonicalize import Canonicalizer
from sympe.encoding import Encoding
from sympe.kernel import Kernel, described


class SymPE(SymmetryBreaking[Data], Generic[Element, Data]):
    """Sample g~ given the input and act with it on a learned v; the result is the network's extra input.

    Args:
        kernel: The law of g~ given the input.
        encoding: The vector v, moved by the group of the kernel.

    Raises:
        ValueError: If the two do not fit together.

    Example:
        >>> import sympe
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
        >>> pe = SymPE(kernel, sympe.RankEncoding(dim=8, max_nodes=16))
        >>> pe(sympe.graphs.from_edges([(3, [(0, 1), (1, 2)])])).shape
        torch.Size([3, 8])
    """

    def __init__(self, kernel: Kernel[Element, Data], encoding: Encoding[Element]) -> None:
        super().__init__()
        check_kernel(kernel)
        if not isinstance(encoding, Encoding):
            example = "RankEncoding(dim=16, max_nodes=64)"
            raise ValueError(f"expected an encoding such as {example}; got {described(encoding)}")
        encoding.check_group(kernel.group)
        self.kernel = kernel
        self.action = kernel.action
        self.encoding = encoding
        self.dim = encoding.dim

    def draw(self, x: Data, generator: torch.Generator | None) -> Tensor:
        """``act(g~, v)``, with one draw of g~ per member of the batch."""
        return self.show(self.kernel(x, generator), x)

    def encode(self, g: object, x: object) -> Tensor:
        """``act(g, v)`` for draws that were stored or carried along.

        Args:
            g: What the kernel drew or, for graphs, its ``rank`` (which does not tell how many ``Base`` shows).
            x: The batch that it was drawn for.

        Raises:
            ValueError: If these are no group elements for this batch.
        """
        taken = self.action.take(x)
        return self.show(self.kernel.group.take(g, taken), taken)

    def show(self, g: Element, x: Data) -> Tensor:
        """What the network sees of a draw for ``x``."""
        moved: Tensor = self.encoding(g)
        return moved


def check_kernel(kernel: object) -> None:
    """Raise a ``ValueError`` unless ``kernel`` is one; a bare canonicalizer, which follows storage, is not."""
    if isinstance(kernel, Canonicalizer):
        name = type(kernel).__name__
        advice = f"ties would follow the order of storage; wrap it as InversionKernel({name}(...))"
        raise ValueError(f"{name} alone is not equivariant in distribution: {advice}")
    if not isinstance(kernel, Kernel):
        raise ValueError(f"expected a kernel such as InversionKernel(canonicalize.Labeling()); got {described(kernel)}")
