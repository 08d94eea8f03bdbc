r"""Linear and integer programs, and the labeled graph that has their symmetries.

.. math:: \min c^T x, \qquad L \le A x \le U, \qquad l \le x \le u, \qquad x_j \in \mathbb{Z} \text{ for some } j.

A *formulation symmetry* is a permutation of the variables for which some permutation of the constraints leaves
:math:`(A, L, U, c, l, u)` and the kinds of the variables alone (F. Margot, *Symmetry in integer linear programming*,
2010). These are the automorphisms of a graph with a node per variable, labeled by :math:`(c_j, l_j, u_j)` and its kind,
a node per constraint, labeled by :math:`(L_i, U_i)`, and an edge per coefficient :math:`A_{ij} \ne 0`, labeled by it. A
maximum of :math:`c^T x` is labeled as the minimum of :math:`-c^T x`.

Variables come first in storage, constraints first in the order of labels: whoever goes through the labels meets the
constraints first, one of which often settles many variables. Constraints that bind nothing are left out. Equal ones
share one node, labeled by their number: exchanging them moves no variable. Numbers are compared exactly and as they
stand; rows are not scaled, so that a row and twice that row are different.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.graphs import Graphs

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Program:
    """A program; numbers in double precision, infinite where there is no bound.

    Attributes:
        cost: c.
        lower: l.
        upper: u.
        kind: 0 for a continuous variable, 1 for an integer one, 2 and 3 if these may also be zero below ``lower``.
        matrix: A, one row per constraint.
        row_lower: L.
        row_upper: U.
        variables: Names of the variables.
        constraints: Names of the constraints.
        maximize: Whether the objective is to be maximized.
        offset: Constant term of the objective.

    Raises:
        ValueError: If there is no variable, shapes do not fit together, or a number is not one (nan).
    """

    cost: Floats
    lower: Floats
    upper: Floats
    kind: NDArray[np.int64]
    matrix: Any
    row_lower: Floats
    row_upper: Floats
    variables: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    maximize: bool = False
    offset: float = 0.0

    def __post_init__(self) -> None:
        from scipy.sparse import csr_array

        for name in ("cost", "lower", "upper", "row_lower", "row_upper"):
            # -0.0 and 0.0 are one number, of different bits.
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64) + 0.0)
        object.__setattr__(self, "kind", np.asarray(self.kind, np.int64))
        matrix = csr_array(self.matrix, dtype=np.float64, copy=True)
        matrix.sum_duplicates()  # which sorts the columns of a row
        matrix.eliminate_zeros()
        object.__setattr__(self, "matrix", matrix)
        rows, columns = len(self.row_lower), len(self.cost)
        shapes = {name: getattr(self, name).shape for name in ("lower", "upper", "kind", "row_upper")}
        wanted = dict.fromkeys(("lower", "upper", "kind"), (columns,)) | {"row_upper": (rows,)}
        if shapes != wanted or matrix.shape != (rows, columns):
            raise ValueError(f"expected {wanted} and a matrix {rows, columns}; got {shapes} and {matrix.shape}")
        if not columns:
            raise ValueError("expected variables; the program has none")
        if not np.isfinite(matrix.data).all() or not np.isfinite(self.cost).all():
            raise ValueError("expected finite coefficients; got infinity or not a number")
        if any(np.isnan(getattr(self, name)).any() for name in ("lower", "upper", "row_lower", "row_upper")):
            raise ValueError("expected numbers as bounds; got not a number (nan)")

    @property
    def num_variables(self) -> int:
        return len(self.cost)

    @property
    def is_integer(self) -> NDArray[np.bool_]:
        """Which variables are whole numbers, zero or not."""
        return np.isin(self.kind, (1, 3))

    @property
    def may_be_zero(self) -> NDArray[np.bool_]:
        """Which variables may be zero whatever their bounds are."""
        return np.isin(self.kind, (2, 3))

    def names(self, of: Literal["variables", "constraints"]) -> tuple[str, ...]:
        """Names, made up where there are none."""
        count = {"variables": self.num_variables, "constraints": len(self.row_lower)}[of]
        named: tuple[str, ...] = getattr(self, of)
        return named if len(named) == count else tuple(f"{of[:-1]} {k}" for k in range(count))

    @property
    def _sides(self) -> Floats:
        return np.stack([self.row_lower, self.row_upper], axis=1)

    @property
    def kept(self) -> NDArray[np.int64]:
        """The constraints that bind anything, of equal ones the first."""
        return np.array([rows[0] for rows in self._distinct], np.int64)

    @cached_property
    def _distinct(self) -> list[list[int]]:
        """The constraints that bind anything, equal ones together."""
        sides = self._sides
        held: dict[bytes, list[int]] = {}
        for i in np.flatnonzero(np.isfinite(sides).any(1)).tolist():
            part = slice(self.matrix.indptr[i], self.matrix.indptr[i + 1])
            row = sides[i].tobytes() + self.matrix.indices[part].tobytes() + self.matrix.data[part].tobytes()
            held.setdefault(row, []).append(i)
        return list(held.values())

    def bipartite(self) -> tuple[Floats, NDArray[np.int64], Floats]:
        """Kinds of nodes as rows of numbers, variables first; edges (variable, node of a constraint); coefficients."""
        n = self.num_variables
        matrix = self.matrix[self.kept].tocoo()
        cost = 0.0 - self.cost if self.maximize else self.cost
        of_columns = np.stack([np.ones(n), self.kind, cost, self.lower, self.upper], axis=1)
        of_rows = np.pad(self._sides[self.kept], ((0, 0), (3, 0)))
        of_rows[:, 1] = [len(rows) - 1 for rows in self._distinct]
        kinds = np.concatenate([of_columns, of_rows])
        return kinds, np.stack([matrix.col, matrix.row + n]).astype(np.int64), matrix.data

    def value(self, x: Floats) -> Any:
        """The objective at one or several points ``[..., n]``."""
        return np.asarray(x) @ self.cost + self.offset

    def is_feasible(self, x: Floats, tolerance: float = 1e-6) -> Any:
        """Which of several points ``[..., n]`` keep all bounds and constraints, up to a relative tolerance."""
        x = np.asarray(x, np.float64)
        rows = np.asarray(x.reshape(-1, x.shape[-1]) @ self.matrix.T).reshape(*x.shape[:-1], -1)

        def fits(value: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
            slack = tolerance * (1 + np.abs(value))
            return (value >= low - slack) & (value <= high + slack)

        is_whole = ~self.is_integer | (np.abs(x - np.rint(x)) <= tolerance)
        is_bounded = fits(x, self.lower, self.upper) | (self.may_be_zero & (np.abs(x) <= tolerance))
        return (is_whole & is_bounded).all(-1) & fits(rows, self.row_lower, self.row_upper).all(-1)


def to_graphs(programs: Sequence[Program]) -> Graphs:
    """One graph per program, the nodes of the variables first; equal labels mean alike things in all of them."""
    parts = [program.bipartite() for program in programs]
    if not parts:
        raise ValueError("expected at least one program; got none")
    sizes = [len(kinds) for kinds, _, _ in parts]
    label = np.unique(np.concatenate([kinds for kinds, _, _ in parts]), axis=0, return_inverse=True)[1]
    shifts = np.cumsum([0, *sizes[:-1]])
    ends = np.concatenate([edges + shift for (_, edges, _), shift in zip(parts, shifts, strict=True)], axis=1)
    # The bits of a coefficient are its label.
    bits = np.concatenate([coefficients for _, _, coefficients in parts]).view(np.int64)
    return Graphs(
        edge_index=torch.from_numpy(np.concatenate([ends, ends[::-1]], axis=1)),
        batch=torch.repeat_interleave(torch.arange(len(parts)), torch.tensor(sizes)),
        node_label=torch.from_numpy(label.reshape(-1)),
        edge_label=torch.from_numpy(np.concatenate([bits, bits])),
        num_graphs=len(parts),
    ).validate()
