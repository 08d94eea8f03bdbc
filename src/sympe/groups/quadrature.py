r"""Quadrature on SO(3) and O(3): finitely many elements that average polynomials of the matrix exactly.

In Euler angles about z, y and z, :math:`D^l_{mn} = e^{-im\alpha} d^l_{mn}(\beta) e^{-in\gamma}`. Equally spaced
:math:`\alpha` and :math:`\gamma`, more than the degree, leave m = n = 0, a Legendre polynomial of
:math:`\cos \beta`, which Gauss's rule averages (P. J. Kostelec, D. N. Rockmore, *FFTs on the rotation group*, 2008).
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def quadrature(degree: int, special: bool = False) -> tuple[Float[Tensor, "q 3 3"], Float[Tensor, "q"]]:
    """Matrices and weights, of sum 1, whose means of polynomials up to the degree are those of Haar measure.

    Args:
        degree: Highest degree in the entries of the matrix, or of an irrep; 0 or more.
        special: SO(3) instead of O(3).

    Raises:
        ValueError: If the degree is negative.

    Example:
        >>> matrices, weights = quadrature(4)
        >>> len(weights), round(float(weights @ matrices[:, 2, 2] ** 4), 12)  # the mean of z^4 on the sphere
        (150, 0.2)
    """
    if degree < 0:
        raise ValueError(f"expected a degree of 0 or more; got {degree}")
    cosines, weights = np.polynomial.legendre.leggauss(degree // 2 + 1)
    turns = 2 * math.pi * torch.arange(degree + 1, dtype=torch.float64) / (degree + 1)
    tilts = torch.from_numpy(np.arccos(cosines))
    about_z = _rotations(turns, 0, 1)
    matrices = (about_z[:, None, None] @ _rotations(tilts, 2, 0)[:, None] @ about_z).flatten(0, 2)
    weight = torch.from_numpy(weights / 2)[:, None].expand(-1, len(turns)) / len(turns) ** 2
    weight = weight.expand(len(turns), -1, -1).flatten()
    return (matrices, weight) if special else (torch.cat([matrices, -matrices]), torch.cat([weight, weight]) / 2)


def _rotations(angles: Float[Tensor, "k"], i: int, j: int) -> Float[Tensor, "k 3 3"]:
    """Rotations in the plane of axes i and j."""
    matrices = torch.eye(3, dtype=angles.dtype).repeat(len(angles), 1, 1)
    matrices[:, i, i] = matrices[:, j, j] = angles.cos()
    matrices[:, j, i] = angles.sin()
    matrices[:, i, j] = -angles.sin()
    return matrices
