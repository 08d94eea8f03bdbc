r"""The lowest Laplacian eigenvectors of one large sparse graph, whole eigenspaces only.

ARPACK (R. Lehoucq, D. Sorensen, C. Yang, *ARPACK Users' Guide*, SIAM 1998) finds eigenvectors of a matrix that is only
multiplied with vectors: here :math:`(L + \delta)^{-1}` where L has a cheap factorization, as on paths and grids, and
:math:`c - L` elsewhere, as on random graphs, which have few small eigenvalues. Vectors that are constant on every
component are projected out: they are the known eigenspace of 0.

A Krylov space holds one vector of each eigenspace, and rounding has to bring in the others: some may be missing. So all
that was found is projected out too, and ARPACK starts again from another random vector. What comes then is the least
eigenvalue of all that is missing; when it lies beyond the last eigenspace asked for, all spaces up to there are whole.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sympe.graphs.batch import Graphs
from sympe.graphs.columns import components

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]

#: A factorization is cheap for trees, and where a band of this times the root of the number of nodes holds the matrix.
_WIDTH = 8
#: Relative error of the eigenvalues of what ARPACK multiplies with.
_ACCURACY = 1e-10


def lowest_eigenvectors(graph: Graphs, count: int, tolerance: float) -> tuple[Floats, Floats] | None:
    """Eigenvalues and orthonormal eigenvectors of one graph, orthogonal to the constant one, in increasing order.

    At least ``count``, fewer than its number of nodes; an eigenspace that this would split is kept whole. None if
    ARPACK fails, as it does on stars and other graphs of few different eigenvalues.
    """
    from scipy.sparse import csr_matrix, diags
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    n = graph.num_nodes
    source, target = graph.edge_index.cpu().numpy()
    part = components(source, target, n)
    zeros = _constant_on_parts(part)
    if zeros.shape[1] >= count:
        return np.zeros(zeros.shape[1]), zeros
    proper = source != target
    joined = csr_matrix((np.ones(int(proper.sum())), (source[proper], target[proper])), shape=(n, n))
    joined = ((joined + joined.T) > 0).astype(float)
    laplacian = csr_matrix(diags(np.asarray(joined.sum(1)).ravel()) - joined)
    (times, value, least), size, random = _operator(laplacian), np.bincount(part), np.random.default_rng(0)

    def search(found: Floats, number: int, accuracy: float, near: Floats | None = None) -> tuple[Floats, Floats]:
        """Lowest eigenvalues, and their vectors, across all that is known."""

        def project(x: Floats) -> Floats:
            x = x - (x.sum() / n if len(size) == 1 else (np.bincount(part, weights=x) / size)[part])
            return x - found @ (found.T @ x) if found.shape[1] else x

        # Vectors across what is known stay so, but for rounding.
        operator = LinearOperator((n, n), matvec=lambda x: project(times(x)), dtype=np.float64)
        start = project(random.standard_normal(n)) if near is None else near
        vectors = eigsh(operator, number, which="LA", v0=start, ncv=max(2 * number + 2, least), tol=accuracy)[1]
        vectors = np.linalg.qr(vectors - found @ (found.T @ vectors))[0]
        values, rotation = np.linalg.eigh(vectors.T @ (laplacian @ vectors))
        return values, vectors @ rotation

    wanted, more = count - zeros.shape[1], 1
    try:
        values, vectors = search(np.zeros((n, 0)), wanted, _ACCURACY)
        while True:
            later = np.flatnonzero(begin_spaces(values[wanted - 1 :], tolerance))
            end = wanted + int(later[0]) if len(later) else len(values)
            # Rough values mostly do to see that nothing is missing.
            rough = search(vectors, 1, 1e-5)[1][:, 0]
            image = times(rough)
            following = value(float(rough @ image + np.linalg.norm(image - (rough @ image) * rough)))
            if begin_spaces(np.array([values[end - 1], following]), tolerance):
                break
            if len(values) + more > n // 4:
                return None
            fresh = search(vectors, more, _ACCURACY, rough if more == 1 else None)[1]
            vectors, more = np.linalg.qr(np.concatenate([vectors, fresh], axis=1))[0], 2 * more
            values, rotation = np.linalg.eigh(vectors.T @ (laplacian @ vectors))
            vectors = vectors @ rotation
    except ArpackError:
        return None
    return np.append(np.zeros(zeros.shape[1]), values[:end]), np.concatenate([zeros, vectors[:, :end]], axis=1)


def begin_spaces(values: Any, tolerance: float) -> Any:
    """Which of the values, but for the first, begin another eigenspace; values increase along the last axis."""
    least = values[..., 1:]
    return least - values[..., :-1] > tolerance * least.clip(1e-5, 1)  # solvers err by less than 1e-13


def _constant_on_parts(part: NDArray[np.int64]) -> Floats:
    """An orthonormal basis of what is constant on each part and has mean 0."""
    size = np.bincount(part)
    # The reflection that takes the constant vector to the first axis (A. Householder, 1958).
    normal = np.sqrt(size / len(part))
    normal[0] += 1
    reflection = np.eye(len(size)) - np.outer(normal, normal) / normal[0]
    basis: Floats = (reflection[:, 1:] / np.sqrt(size)[:, None])[part]
    return basis


def _operator(laplacian: "csr_array") -> tuple[Callable[[Floats], Floats], Callable[[float], float], int]:
    """Multiplication by a matrix whose greatest eigenvalues belong to the lowest ones, what these are, and how many
    vectors ARPACK should take at least: few of an inverse, with which it converges at once."""
    from scipy.sparse import eye
    from scipy.sparse.csgraph import reverse_cuthill_mckee
    from scipy.sparse.linalg import splu

    n, greatest = laplacian.shape[0], laplacian.diagonal().max()
    place = np.empty(n, np.int64)
    place[reverse_cuthill_mckee(laplacian, symmetric_mode=True)] = np.arange(n)
    entries = laplacian.tocoo()
    width = int(np.abs(place[entries.row] - place[entries.col]).max())
    if width > _WIDTH * math.sqrt(n) and entries.nnz > 3.2 * n:
        mirrored = (2 * greatest * eye(n) - laplacian).tocsr()
        return lambda x: mirrored @ x, lambda value: 2 * greatest - value, 20
    shift = 1e-7 * greatest
    shifted = (laplacian + shift * eye(n)).tocsc()
    factors = splu(shifted, "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return factors.solve, lambda value: 1 / value - shift, 10
