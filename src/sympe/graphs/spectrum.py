r"""Eigenspaces of the graph Laplacian, and their Haar rotation.

A solver returns *some* orthonormal basis of each eigenspace. Which one depends on rounding and on the storage order
of the nodes, so a function of individual eigenvectors is not equivariant. Rotating every eigenspace by an independent
Haar matrix of :math:`O(m)` (a random sign if :math:`m = 1`) makes the law of the vectors exactly equivariant, whatever
the solver chose: :math:`U Q` with Haar :math:`Q` has the same law as :math:`U R Q` for every orthogonal :math:`R`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.graphs.batch import Graphs
from sympe.graphs.convert import neighbors
from sympe.graphs.sparse_spectrum import begin_spaces, lowest_eigenvectors
from sympe.seeding import sample
from sympe.settings import require_at_least

#: Graphs of more nodes, and of ten times more than vectors are asked for, are not made dense.
_LARGE = 500


@dataclass(frozen=True, eq=False)
class Spectrum:
    r"""Laplacian eigenvectors of a batch of graphs, without the constant one.

    Attributes:
        values: Eigenvalues in increasing order, ``k`` per graph, padded with infinity.
        vectors: Row ``i`` holds node ``i``'s entry of each eigenvector of its graph, scaled to unit mean square
            over the graph (norm :math:`\sqrt n`) and padded with zeros.
        space: The eigenspace of each vector, counted from 0 in its graph.
        batch: The graph of each node.
    """

    values: Float[Tensor, "G k"]
    vectors: Float[Tensor, "N k"]
    space: Int[Tensor, "G k"]
    batch: Int[Tensor, "N"]

    def select(self, indices: Sequence[int]) -> "Spectrum":
        """The spectra of the graphs at ``indices``, in that order; all graphs of the batch must have the same size."""
        chosen = torch.as_tensor(indices, dtype=torch.long, device=self.values.device)
        count, k = self.values.shape
        vectors = self.vectors.view(count, -1, k)[chosen]
        batch = torch.arange(len(chosen), device=chosen.device).repeat_interleave(vectors.shape[1])
        return Spectrum(self.values[chosen], vectors.reshape(-1, k), self.space[chosen], batch)

    def to(self, device: torch.device | str) -> "Spectrum":
        """The same spectra on another device."""
        return Spectrum(self.values.to(device), self.vectors.to(device), self.space.to(device), self.batch.to(device))

    def rotate(self, generator: torch.Generator | None = None) -> Float[Tensor, "N k"]:
        """The vectors, every eigenspace rotated by an independent Haar matrix.

        The law is equivariant only if the eigenspaces are whole, as :func:`laplacian_spectrum` returns them.
        """
        count, k = self.values.shape
        device, dtype = self.vectors.device, self.vectors.dtype
        gauss = sample(torch.randn, count, k, k, dtype=dtype, generator=generator, device=device)
        same = self.space[:, :, None] == self.space[:, None, :]
        # QR of a block-diagonal Gaussian matrix is block-diagonal; with R's signs moved into Q each block is Haar.
        q, r = torch.linalg.qr(gauss * same)
        q = q * torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).to(dtype)[:, None, :]
        return self.vectors @ q[0] if count == 1 else torch.bmm(self.vectors[:, None, :], q[self.batch])[:, 0]


def laplacian_spectrum(
    graphs: Graphs, num_vectors: int, *, tolerance: float = 1e-6, dtype: torch.dtype = torch.float32
) -> Spectrum:
    r"""Eigenvectors of :math:`L = D - A` with the smallest eigenvalues, orthogonal to the constant vector.

    Edge directions and labels are ignored. In float64; few vectors of a graph of more than 500 nodes by ARPACK
    (:mod:`sympe.graphs.sparse_spectrum`), all others dense: memory grows with (number of graphs) x (most nodes)^2.

    Args:
        graphs: A batch; a graph of n nodes has n - 1 such vectors.
        num_vectors: The least number to keep; an eigenspace that this would split is kept whole, so the result may
            have more columns.
        tolerance: Neighboring eigenvalues closer than this, times the greater of them if it is less than 1 (and at
            least 1e-5 of it), share an eigenspace. The solver returns equal eigenvalues with a difference of about
            1e-14; the lowest ones of a path of 10^5 nodes differ by 10^-9.
        dtype: Type of the returned values and vectors.

    Raises:
        ValueError: If ``num_vectors`` is not positive.
    """
    require_at_least(1, num_vectors=num_vectors)
    if len(graphs) == 1:
        return _spectrum_of_one(graphs.to("cpu"), num_vectors, tolerance, dtype).to(graphs.device)
    large = graphs.sizes > max(_LARGE, 10 * num_vectors)
    if not bool(large.any()):
        return _dense_spectrum(graphs, num_vectors, tolerance, dtype)
    small = (~large).nonzero()[:, 0]
    parts = [(small, _dense_spectrum(graphs.select(small), num_vectors, tolerance, dtype))]
    for index in large.nonzero()[:, 0]:
        graph = graphs.select([int(index)]).to("cpu")
        parts.append((index[None], _spectrum_of_one(graph, num_vectors, tolerance, dtype).to(graphs.device)))
    return _together(parts, graphs)


def _spectrum_of_one(graph: Graphs, num_vectors: int, tolerance: float, dtype: torch.dtype) -> Spectrum:
    """In numpy, whose calls take a fraction of the time of torch's on small matrices."""
    n, found = graph.num_nodes, None
    if n > max(_LARGE, 10 * num_vectors):
        found = lowest_eigenvectors(graph, num_vectors, tolerance)
    if found is None:
        source, target = graph.edge_index.numpy()
        joined = np.zeros((n, n))
        joined[source, target] = joined[target, source] = 1
        np.fill_diagonal(joined, 0)
        # The constant vector goes from 0 to 2n, beyond all others.
        values, vectors = np.linalg.eigh(np.diag(joined.sum(0)) - joined + 2)
        found = values[:-1], vectors[:, :-1]
    values, vectors = found
    space = np.append(0, begin_spaces(values, tolerance))[: len(values)].cumsum()
    keep = int(np.searchsorted(space, space[num_vectors - 1], "right")) if len(values) > num_vectors else len(values)
    values, vectors, space = values[:keep], vectors[:, :keep] * math.sqrt(n), space[:keep]
    if (pad := num_vectors - keep) > 0:
        values, space = np.append(values, [np.inf] * pad), np.append(space, n + np.arange(pad))
        vectors = np.concatenate([vectors, np.zeros((n, pad))], axis=1)
    columns = torch.from_numpy(values).to(dtype), torch.from_numpy(vectors).to(dtype), torch.from_numpy(space)
    return Spectrum(columns[0][None], columns[1], columns[2][None], graph.batch)


def _together(parts: list[tuple[Tensor, Spectrum]], graphs: Graphs) -> Spectrum:
    """One spectrum from those of some of the graphs each, with their indices."""
    width, most = max(part.values.shape[1] for _, part in parts), graphs.max_nodes
    like = parts[-1][1].values
    values = like.new_full((len(graphs), width), torch.inf)
    vectors = like.new_zeros(graphs.num_nodes, width)
    space = 4 * most + torch.arange(width, device=like.device).repeat(len(graphs), 1)
    for index, part in parts:
        k = part.values.shape[1]
        chosen = torch.zeros(len(graphs), dtype=torch.bool, device=like.device)
        chosen[index] = True
        values[index, :k], space[index, :k] = part.values, part.space
        vectors[chosen[graphs.batch], :k] = part.vectors
    return Spectrum(values, vectors, space, graphs.batch)


def _dense_spectrum(graphs: Graphs, num_vectors: int, tolerance: float, dtype: torch.dtype) -> Spectrum:
    joined, mask = neighbors(graphs)
    count, n = mask.shape
    a = joined.double() * (1 - torch.eye(n, dtype=torch.float64, device=joined.device))
    size = mask.sum(1).clamp(min=1).double()
    # Eigenvalues of L are at most n. Padding goes to 4n and the constant vector to 2n: both sort last.
    laplacian = torch.diag_embed(a.sum(2) + 4 * n * (~mask).double()) - a
    ones = mask.double()
    laplacian = laplacian + (2 * n / size)[:, None, None] * ones[:, :, None] * ones[:, None, :]
    values, vectors = torch.linalg.eigh(laplacian)
    there = torch.arange(n, device=a.device) < (size[:, None] - 1)
    new_space = torch.cat([torch.zeros_like(values[:, :1]), begin_spaces(values, tolerance)], dim=1)
    space = new_space.long().cumsum(1)
    keep = min(num_vectors, n)
    if n > num_vectors:
        split = (space == space[:, num_vectors - 1 : num_vectors]) & there
        keep = max(keep, int((split * torch.arange(1, n + 1, device=a.device)).max()))
    values = torch.where(there, values, torch.inf)[:, :keep]
    vectors = (vectors * there[:, None, :] * size.sqrt()[:, None, None])[mask][:, :keep]
    space = torch.where(there, space, space + n)[:, :keep]
    if keep < num_vectors:
        pad = num_vectors - keep
        values = torch.nn.functional.pad(values, (0, pad), value=torch.inf)
        vectors = torch.nn.functional.pad(vectors, (0, pad))
        more = torch.arange(pad, device=a.device) + 3 * n
        space = torch.cat([space, more.expand(count, pad)], dim=1)
    return Spectrum(values.to(dtype), vectors.to(dtype), space, graphs.batch)
