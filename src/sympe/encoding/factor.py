"""Encodings that read one factor of a product group."""

from typing import Any, Never

from torch import Tensor

from sympe.encoding.base import Encoding
from sympe.groups import Group, ProductGroup
from sympe.groups.product import Elements
from sympe.settings import require_at_least


class FactorEncoding(Encoding[Elements]):
    """An encoding moved by one factor of a product: by the permutation of a joint draw, for instance.

    Args:
        encoding: The encoding for that factor.
        factor: Which factor moves it, counted from 0.

    Example:
        >>> import sympe
        >>> from sympe.canonicalize import Frames, JointFrames
        >>> kernel = sympe.InversionKernel(JointFrames(Frames()))
        >>> pe = sympe.SymPE(kernel, FactorEncoding(sympe.RankEncoding(dim=8, max_nodes=16), factor=0))
        >>> pe(sympe.points.from_clouds([[[0.0, 0.0, 0.6], [0.0, 0.0, -0.6]]])).shape
        torch.Size([2, 8])
    """

    def __init__(self, encoding: Encoding[Any], factor: int) -> None:
        super().__init__()
        if not isinstance(encoding, Encoding):
            raise ValueError(f"expected an encoding such as RankEncoding(dim=16, max_nodes=64); got {encoding!r}")
        require_at_least(0, factor=factor)
        self.encoding = encoding
        self.factor = factor
        self.dim = encoding.dim

    def check_group(self, drawn: Group[Elements, Never]) -> None:
        if not isinstance(drawn, ProductGroup) or not 0 <= self.factor < len(drawn.factors):
            raise ValueError(
                f"FactorEncoding reads factor {self.factor} of a product of groups, counted from 0; the kernel draws "
                f"elements of {drawn!r}"
            )
        self.encoding.check_group(drawn.factors[self.factor])

    def forward(self, g: Elements) -> Tensor:
        if not isinstance(g, tuple) or len(g) <= self.factor:
            raise ValueError(f"expected an element of a product of groups, a tuple; got {type(g).__name__}")
        moved: Tensor = self.encoding(g[self.factor])
        return moved
