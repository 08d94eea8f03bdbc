"""Sort nodes by low eigenvectors of the graph Laplacian (the Fiedler order)."""

import torch

from sympe.canonicalize.base import NodeOrder, sort_nodes
from sympe.graphs import Graphs, laplacian_spectrum
from sympe.groups import Permutation
from sympe.settings import require_at_least


class Spectral(NodeOrder):
    r"""Order nodes by the Fiedler vector, ties by the vectors that follow.

    Nodes of neighboring ranks are close in the graph. Haar rotations of the eigenspaces hide the solver's choice of a
    basis; these rotations and signs are excess randomness, one bit for a graph without symmetry.

    Args:
        num_vectors: How many eigenvectors to compare before a tie is left to the kernel, at least 1.
        tolerance: Eigenvalues closer than this share an eigenspace, below 1 than this times the greater of them.
    """

    #: Entries closer than this are equal. Vectors have unit mean square; float64 solvers err by about 1e-13.
    resolution = 1e-6

    def __init__(self, num_vectors: int = 3, tolerance: float = 1e-6) -> None:
        super().__init__()
        require_at_least(1, num_vectors=num_vectors)
        self.num_vectors = num_vectors
        self.tolerance = tolerance

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        spectrum = laplacian_spectrum(x, self.num_vectors, tolerance=self.tolerance, dtype=torch.float64)
        # Other graphs of the batch may add columns, which must not count here.
        vectors = spectrum.rotate(generator)[:, : self.num_vectors]
        return sort_nodes(x, *(vectors / self.resolution).round().unbind(1))
