r"""The characters of a finite group, from its multiplication table.

Class sums commute, and :math:`\omega(C) = |C| \chi(C) / \chi(1)` are their common eigenvalues, one set for each
irrep. The eigenvectors of one random combination of class sums give them all (W. Burnside; J. D. Dixon, *High speed
computation of group characters*, Numer. Math. 10, 1967, here in floating point).
"""

import numpy as np
import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from sympe.groups.finite import FiniteGroup


def conjugacy_classes(group: FiniteGroup) -> Int[Tensor, "n"]:
    """The number of the class of each element."""
    conjugates = group.table[group.table, group.inverses[:, None]]  # g h g^-1 in row g, column h
    classes: Tensor = torch.unique(conjugates.amin(0), return_inverse=True)[1]
    return classes


def characters(group: FiniteGroup) -> Complex[Tensor, "k n"]:
    """The character of each irrep over the complex numbers at each element; the trivial one first, then by dimension.

    Example:
        >>> from sympe.groups import point_group
        >>> characters(point_group("C3v"))[:, point_group("C3v").neutral].real
        tensor([1., 1., 2.], dtype=torch.float64)
    """
    n, of = group.order, conjugacy_classes(group).numpy()
    first = np.unique(of, return_index=True)[1]
    size = np.bincount(of)
    # Row x, column t: the class of y in x y = (the first member of class t).
    rest = of[group.table.numpy()[group.inverses.numpy()][:, first]]
    weight = np.random.default_rng(0).normal(size=len(size))[of]
    sums = np.zeros((len(size), len(size)))
    for t in range(len(size)):
        np.add.at(sums[:, t], rest[:, t], weight)
    omega = np.linalg.eig(sums)[1]
    ratio = omega / omega[of[group.neutral]] / size[:, None]
    dimension = np.sqrt(n / (size[:, None] * np.abs(ratio) ** 2).sum(0))
    rows = (np.rint(dimension) * ratio)[of].T
    assert np.allclose(rows @ rows.conj().T / n, np.eye(len(size)), atol=1e-6)
    order = np.lexsort([-rows.real.sum(1).round(6), dimension.round()])
    return torch.from_numpy(rows[order])


def real_characters(group: FiniteGroup) -> Float[Tensor, "k n"]:
    """The characters of the irreps over the real numbers: complex ones in conjugate pairs."""
    rows = characters(group)
    kept = []
    for index, row in enumerate(rows):
        partner = int((rows - row.conj()).abs().sum(1).argmin())
        if partner >= index:
            kept.append(row.real if partner == index else 2 * row.real)
    return torch.stack(kept)
