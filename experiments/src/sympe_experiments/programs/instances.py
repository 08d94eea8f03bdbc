r"""An instance: a program, its graph, and the table of its binary variables, one column per interchangeable copy.

Bins, slabs and machines come as copies of one thing: every binary variable :math:`x_{rc}` belongs to one copy
:math:`c`, and permuting the columns of the table permutes solutions. A network is trained to give each variable the
probability that it is one in a good solution, compared with the closest of the copies of a known solution: the best
matching of columns, by the Hungarian algorithm, and then of rows that are interchangeable as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from sympe.graphs import Graphs, concatenate
from sympe.programs import Program, to_graphs


@dataclass(frozen=True)
class Packing:
    """What a placement of items must obey, for rounding and repair.

    Attributes:
        sizes: Sizes of the items, one column per resource.
        capacity: What a copy has of each.
        colors: Color of each item, or None.
        max_colors: Most colors that a copy may hold.
        price: The least objective of a placement ``[items, C]``.
    """

    sizes: NDArray[np.float64]
    capacity: NDArray[np.float64]
    price: Callable[[NDArray[np.bool_]], float]
    colors: NDArray[np.int64] | None = None
    max_colors: int = 2

    def repaired(self, score: Float[NDArray, "R C"]) -> NDArray[np.bool_] | None:
        """Each item in the copy of its highest score that has room, the surest first; None if an item has none."""
        score = score[: len(self.sizes)]
        chosen = np.zeros(score.shape, bool)
        room = np.tile(self.capacity, (score.shape[1], 1)) + 1e-9
        held: list[set[int]] = [set() for _ in range(score.shape[1])]
        for item in np.argsort(-score.max(1), kind="stable").tolist():
            fits = (room >= self.sizes[item]).all(1)
            if self.colors is not None:
                color = int(self.colors[item])
                fits &= np.array([color in seen or len(seen) < self.max_colors for seen in held])
            if not fits.any():
                return None
            copy = int(np.where(fits, score[item], -np.inf).argmax())
            chosen[item, copy] = True
            room[copy] -= self.sizes[item]
            if self.colors is not None:
                held[copy].add(color)
        return chosen

    def is_feasible(self, chosen: NDArray[np.bool_]) -> bool:
        """Whether a placement obeys everything."""
        placed = chosen[: len(self.sizes)]
        fits = (placed.T @ self.sizes <= self.capacity + 1e-6).all() and (placed.sum(1) == 1).all()
        if self.colors is None or not fits:
            return bool(fits)
        return all(len(set(self.colors[column].tolist())) <= self.max_colors for column in placed.T)


@dataclass(frozen=True, eq=False)
class Instance:
    """A program with a known solution.

    Attributes:
        name: Its name.
        program: The program.
        table: Variable of each row and copy, ``[R, C]``; the first rows place the items.
        solution: Its values in the known solution, 0 or 1, ``[R, C]``.
        row_kind: Rows of one number are interchangeable.
        packing: What a placement must obey.
        objective: Objective of the known solution.

    Raises:
        ValueError: If the known solution is none.
    """

    name: str
    program: Program
    table: NDArray[np.int64]
    solution: NDArray[np.bool_]
    row_kind: NDArray[np.int64]
    packing: Packing
    objective: float

    def __post_init__(self) -> None:
        if not self.packing.is_feasible(self.solution):
            raise ValueError(f"expected a solution of {self.name}; got one that overloads a copy or mixes colors")

    @cached_property
    def graph(self) -> Graphs:
        """The labeled graph of the program."""
        return to_graphs([self.program])

    @cached_property
    def features(self) -> Float[Tensor, "N 10"]:
        """What the network knows of each node: degree, objective, kind, bounds; sense and right-hand side."""
        kinds = torch.from_numpy(self.program.bipartite()[0])
        is_variable = kinds[:, 0] == 1
        degree = torch.bincount(self.graph.edge_index[0], minlength=len(kinds)).double()
        low, high = kinds[:, 3], kinds[:, 4]
        bounds = [low.isfinite().double(), high.isfinite().double(), (low == high).double()]
        sides = [_scaled(torch.where(side.isfinite(), side, 0.0)) for side in (low, high)]
        columns = [is_variable.double(), kinds[:, 1], _scaled(kinds[:, 2]), _scaled(degree), (1 + degree).log()]
        return torch.stack([*columns, *bounds, *sides], dim=1).float()

    def closest(self, score: Float[NDArray, "R C"]) -> NDArray[np.bool_]:
        """The copy of the known solution that fits scores of the variables best: largest sum over its ones."""
        target = self.solution
        for _ in range(2):
            target = target[:, _match(score.T @ target)]
            repeated = [rows for rows in self._repeated if target[rows].any()]
            if not repeated:
                return target
            for rows in repeated:
                target = target.copy()
                target[rows] = target[rows][_match(score[rows] @ target[rows].T)]
        return target

    @cached_property
    def _repeated(self) -> list[NDArray[np.int64]]:
        kinds, times = np.unique(self.row_kind, return_counts=True)
        return [np.flatnonzero(self.row_kind == kind) for kind in kinds[times > 1]]


def _match(gain: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which column of the largest assignment belongs to each row."""
    matched: NDArray[np.int64] = linear_sum_assignment(gain, maximize=True)[1]
    return matched


def _scaled(values: Tensor) -> Tensor:
    """Divided by the largest, in absolute value."""
    largest = values.abs().max()
    return values / largest if largest > 0 else values


@dataclass(frozen=True, eq=False)
class Batch:
    """Several instances at once.

    Attributes:
        instances: The instances.
        graphs: Their graphs.
        features: Features of the nodes.
        weight: Coefficient of each edge, scaled within its instance.
        variable: Node of each entry of the tables, flat, instance after instance.
        column: Copy that each node belongs to, counted within the instance; -1 for nodes that are in no table.
    """

    instances: Sequence[Instance]
    graphs: Graphs
    features: Float[Tensor, "N f"]
    weight: Float[Tensor, "E"]
    variable: Int[Tensor, "V"]
    column: Int[Tensor, "N"]

    @classmethod
    def of(cls, instances: Sequence[Instance]) -> "Batch":
        """Join instances."""
        graphs = concatenate([instance.graph for instance in instances])
        assert graphs.edge_label is not None
        weight = torch.cat([_scaled(i.graph.edge_label.view(torch.double)) for i in instances])  # type: ignore[union-attr]
        starts = graphs.ptr.tolist()
        nodes = [torch.from_numpy(i.table) + start for i, start in zip(instances, starts, strict=False)]
        column = torch.full_like(graphs.batch, -1)
        for table in nodes:
            column[table] = torch.arange(table.shape[1])
        features = torch.cat([instance.features for instance in instances])
        return cls(instances, graphs, features, weight.float(), torch.cat([t.flatten() for t in nodes]), column)

    def tables(self, values: Tensor) -> list[NDArray]:
        """One number per entry of the tables, as tables."""
        shapes = [instance.table.shape for instance in self.instances]
        parts = values.detach().numpy().astype(np.float64)
        cuts = np.cumsum([r * c for r, c in shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(parts, cuts), shapes, strict=True)]

    def closest(self, logit: Float[Tensor, "V"]) -> Float[Tensor, "V"]:
        """The closest copies of the known solutions, flat."""
        tables = zip(self.instances, self.tables(logit), strict=True)
        return torch.from_numpy(np.concatenate([i.closest(scores).ravel() for i, scores in tables])).float()
