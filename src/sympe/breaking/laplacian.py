"""Laplacian eigenvectors as node features, with an exactly equivariant law."""

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import GraphRelabeling
from sympe.breaking.base import SymmetryBreaking
from sympe.graphs import Graphs, Spectrum, laplacian_spectrum
from sympe.settings import require_at_least


class Laplacian(SymmetryBreaking[Graphs]):
    r"""The ``dim`` eigenvectors of :math:`L = D - A` above the constant one, with randomly rotated eigenspaces.

    Random signs are not enough: 47.6 % of small random graphs have repeated eigenvalues, where the solver's basis
    depends on the storage order of the nodes. So a Haar matrix (a sign, in dimension 1) rotates every eigenspace.

    Args:
        dim: Number of eigenvectors, at least 1; smaller graphs are padded with zeros.
        tolerance: Eigenvalues closer than this share an eigenspace, below 1 than this times the greater of them.
    """

    action = GraphRelabeling()
    is_continuous = True

    def __init__(self, dim: int, tolerance: float = 1e-6) -> None:
        super().__init__()
        require_at_least(1, dim=dim)
        self.dim = dim
        self.tolerance = tolerance

    def spectrum(self, x: Graphs) -> Spectrum:
        """The eigenvectors before rotation; compute them once per graph and pass them to :meth:`forward`."""
        return laplacian_spectrum(x, self.dim, tolerance=self.tolerance, dtype=torch.get_default_dtype())

    def draw(self, x: Graphs, generator: torch.Generator | None) -> Float[Tensor, "N dim"]:
        return self.rotated(self.spectrum(x), generator)

    def rotated(self, spectrum: Spectrum, generator: torch.Generator | None = None) -> Float[Tensor, "N dim"]:
        """One draw from a spectrum that :meth:`spectrum` computed."""
        return spectrum.rotate(generator)[:, : self.dim]
