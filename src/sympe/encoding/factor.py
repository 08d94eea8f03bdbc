"""Encodings that read one factor of a product group."""

from typing import Any

from torch import Tensor

from sympe.encoding.base import Encoding


class FactorEncoding(Encoding):
    """An encoding of the elements of one factor: ranks for the permutation of a joint draw, for instance.

    Args:
        encoding: The encoding of the factor.
        factor: Which of the factors it reads, counted from 0.

    Example:
        >>> import sympe
        >>> from sympe.canonicalize import Frames, JointFrames
        >>> kernel = sympe.InversionKernel(JointFrames(Frames()))
        >>> pe = sympe.SymPE(kernel, FactorEncoding(sympe.RankEncoding(dim=8, max_nodes=16), factor=0))
        >>> pe(sympe.points.from_clouds([[[0.0, 0.0, 0.6], [0.0, 0.0, -0.6]]])).shape
        torch.Size([2, 8])
    """

    def __init__(self, encoding: Encoding, factor: int) -> None:
        super().__init__()
        self.encoding = encoding
        self.factor = factor
        self.dim = encoding.dim

    def forward(self, g: tuple[Any, ...]) -> Tensor:
        return self.encoding(g[self.factor])
