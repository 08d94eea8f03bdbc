r"""Exact ground energies of small lattices whose bonds and fields differ from site to site, by transfer matrices.

Among all configurations of a row, let :math:`D_i(s_0, s)` be the least energy of the first rows 0 .. i that begin with
the row :math:`s_0` and end with s. The next row adds its own energy and that of the bonds between,

.. math:: D_{i + 1}(s_0, s') = \epsilon_{i + 1}(s') + \min_s \bigl( D_i(s_0, s) - \sum_j J^y_{ij}\, s_j s'_j \bigr) ,

where the minimum is taken spin by spin; the bonds from the last row to the first close the torus. For L x L sites that
is :math:`L^2\, 4^L` steps: an instant at L = 8.
"""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

#: Sites in a row, at most: all pairs of rows are kept.
LONGEST_ROW = 12


def ground_energies(
    bonds: Float[Tensor, "N 2 L1 L2"], field: Float[Tensor, "N L1 L2"] | None = None
) -> Float[Tensor, "N"]:
    """Ground energy per spin of each lattice.

    Args:
        bonds: Couplings of each site to its right-hand neighbor, and to the one below.
        field: Field at each site; none by default.

    Raises:
        ValueError: If rows have more than 12 sites.
    """
    rows, columns = bonds.shape[-2:]
    if columns > LONGEST_ROW:
        raise ValueError(f"transfer matrices take rows of at most {LONGEST_ROW} sites; got {columns}")
    fields = torch.zeros_like(bonds[:, 0]) if field is None else field
    spins = 1.0 - 2.0 * (np.arange(2**columns)[:, None] >> np.arange(columns) & 1)
    # The flip of all spins changes no energy without a field: the last spin of the first row is up.
    first = len(spins) // 2 if field is None else len(spins)
    values = [
        _ground_energy(right, down, h, spins, first)
        for (right, down), h in zip(bonds.double().cpu().numpy(), fields.double().cpu().numpy(), strict=True)
    ]
    return torch.tensor(values, dtype=torch.float64) / (rows * columns)


def _ground_energy(right: NDArray, down: NDArray, field: NDArray, spins: NDArray, first: int) -> float:
    rows, columns = right.shape
    own = -(spins * np.roll(spins, -1, 1)) @ right.T - spins @ field.T  # [states, rows]
    least = np.full((first, len(spins)), np.inf)
    np.fill_diagonal(least, own[:first, 0])
    for row in range(rows):
        for column in range(columns):
            bit = least.reshape(first, -1, 2, 2**column)
            up, other = bit[:, :, 0], bit[:, :, 1]
            bond = down[row, column]
            pair = (np.minimum(up - bond, other + bond), np.minimum(up + bond, other - bond))
            least = np.stack(pair, axis=2).reshape(first, -1)
        if row + 1 < rows:
            least = least + own[:, row + 1]
    return float(least.diagonal().min())
