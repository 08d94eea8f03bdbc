r"""What a network is shown of each node, by method; every random number or rank goes through a learned table.

*Uniform*, *Position*, *Orbit* and *Orbit+* are those of Q. Chen et al., *When GNNs meet symmetry in ILPs: an
orbit-based feature augmentation approach*, ICLR 2025: a uniform number per variable; a random permutation of all
variables; one of each orbit; one for all orbits that the copies of a bin run through alike. The last is told which
variable belongs to which copy. *Locally unique ids* are those of Q. Han et al., *Feature augmentation of GNNs for ILPs:
local uniqueness suffices*, 2025: a coloring in which variables with a constraint in common differ, greedy in random
order. The paper feeds numbers, we feed learned rows, which can be any function of them: all methods are then shown in
one way, and differ in their law alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sympe.breaking import OrbitRanks, SymPE
from sympe.cached_kernel import CachedInversionKernel
from sympe.canonicalize import Base, Constant, DepthFirst, Labeling, NodeOrder, Refinement
from sympe.encoding import RankEncoding
from sympe.graphs import Graphs, automorphism_orbits
from sympe.graphs.bliss import log_automorphisms
from sympe.groups import Permutation
from sympe.kernel import InversionKernel
from sympe_experiments.programs.instances import Batch, Instance

#: Exact orders by method.
EXACT: dict[str, Callable[[], NodeOrder]] = {
    "sympe-labeling": Labeling,
    "sympe-base": Base,
    "sympe-base-degree": lambda: Base(first="degree"),
}


@lru_cache
def cached_kernel(method: str) -> CachedInversionKernel:
    """One for all runs of a process: its graphs are labeled once."""
    return CachedInversionKernel(EXACT[method]())


class Breaking(nn.Module, ABC):
    """Features that a method adds to each node.

    Attributes:
        dim: How many.
    """

    dim: int

    @abstractmethod
    def forward(self, batch: Batch, generator: torch.Generator) -> Float[Tensor, "N dim"]:
        """One draw."""

    def excess_nats(self, instance: Instance) -> float | None:
        """Entropy of what is shown beyond the log of the number of symmetries, if it has a closed form."""
        return None


class Nothing(Breaking):
    """No features."""

    dim = 0

    def forward(self, batch: Batch, generator: torch.Generator) -> Float[Tensor, "N 0"]:
        return batch.features.new_zeros(len(batch.features), 0)


class Uniform(Breaking):
    """A uniform number for each variable."""

    dim = 1

    def forward(self, batch: Batch, generator: torch.Generator) -> Float[Tensor, "N 1"]:
        return torch.rand(len(batch.features), 1, generator=generator) * batch.features[:, :1]


class Ids(Breaking):
    """A learned row for an id of each node; nodes without one (-1) get zeros."""

    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.dim = dim
        self.v = nn.Parameter(torch.randn(count, dim))

    def forward(self, batch: Batch, generator: torch.Generator) -> Float[Tensor, "N dim"]:
        ids = self.ids(batch, generator)
        return torch.where(ids[:, None] < 0, 0.0, self.v[ids])

    @abstractmethod
    def ids(self, batch: Batch, generator: torch.Generator) -> Int[Tensor, "N"]:
        """The id of each node."""


class OrbitIndex(Ids):
    """The place of each node's orbit in the canonical order of orbits: names that break nothing."""

    def ids(self, batch: Batch, generator: torch.Generator) -> Int[Tensor, "N"]:
        return orbit_indices(batch)

    def excess_nats(self, instance: Instance) -> float | None:
        return -float(log_automorphisms(instance.graph))


class Position(Ids):
    """A random permutation of all variables."""

    def ids(self, batch: Batch, generator: torch.Generator) -> Int[Tensor, "N"]:
        return _shuffled(batch, torch.zeros_like(batch.graphs.batch), generator)

    def excess_nats(self, instance: Instance) -> float | None:
        return _log_factorial(instance.program.num_variables) - float(log_automorphisms(instance.graph))


class Orbit(Ids):
    """A random permutation of the variables of each orbit."""

    def ids(self, batch: Batch, generator: torch.Generator) -> Int[Tensor, "N"]:
        return _shuffled(batch, orbit_indices(batch), generator)

    def excess_nats(self, instance: Instance) -> float | None:
        sizes = torch.bincount(orbit_index(instance)[: instance.program.num_variables])
        return float(torch.lgamma(1.0 + sizes.double()).sum()) - float(log_automorphisms(instance.graph))


class OrbitPlus(Ids):
    """A random permutation of the copies, the same for all that belongs to them."""

    def ids(self, batch: Batch, generator: torch.Generator) -> Int[Tensor, "N"]:
        copies = max(instance.table.shape[1] for instance in batch.instances)
        places = []
        for instance in batch.instances:
            place = torch.randperm(instance.table.shape[1], generator=generator)
            places.append(torch.nn.functional.pad(place, (0, copies - len(place))))
        return torch.where(batch.column < 0, -1, torch.stack(places)[batch.graphs.batch, batch.column])

    def excess_nats(self, instance: Instance) -> float | None:
        return _log_factorial(instance.table.shape[1]) - float(log_automorphisms(instance.graph))


class LocalIds(Ids):
    """Ids that differ for variables with a constraint in common."""

    def ids(self, batch: Batch, generator: torch.Generator) -> Int[Tensor, "N"]:
        return torch.cat([_colored(instance, generator, len(self.v)) for instance in batch.instances])


class Ranks(Breaking):
    """SymPE: learned rows of ranks, of places in a base, or of places in orbits."""

    def __init__(self, pe: SymPE[Permutation, Graphs]) -> None:
        super().__init__()
        self.pe = pe
        self.dim = pe.dim

    def forward(self, batch: Batch, generator: torch.Generator) -> Float[Tensor, "N dim"]:
        return self.pe(batch.graphs, generator)


class Both(Breaking):
    """Two, side by side."""

    def __init__(self, first: Breaking, second: Breaking) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.dim = first.dim + second.dim

    def forward(self, batch: Batch, generator: torch.Generator) -> Float[Tensor, "N dim"]:
        return torch.cat([self.first(batch, generator), self.second(batch, generator)], dim=1)


def build(method: str, dim: int, most_nodes: int, most_copies: int) -> Breaking:
    """The features of a method.

    Args:
        method: Its name.
        dim: Features per node.
        most_nodes: Nodes of the largest instance.
        most_copies: Copies of the instance that has most.
    """
    if method == "orbit-index-base":
        return Both(OrbitIndex(dim, most_nodes), build("sympe-base", dim, most_nodes, most_copies))
    if method in ("orbit-ranks", "orbit-ranks-names"):
        names = RankEncoding(dim, most_nodes) if method == "orbit-ranks-names" else None
        return Ranks(OrbitRanks(cached_kernel("sympe-labeling"), RankEncoding(dim, most_nodes), names))
    ids: dict[str, Callable[[int, int], Ids]] = {
        "orbit-index": OrbitIndex,
        "position": Position,
        "orbit": Orbit,
        "local-ids": LocalIds,
    }
    if method in ids:
        return ids[method](dim, most_nodes)
    if method == "orbit-plus":
        return OrbitPlus(dim, most_copies)
    orders = {"haar": Constant, "sympe-refinement": Refinement, "sympe-depth-first": DepthFirst}
    if method in orders:
        return Ranks(SymPE(InversionKernel(orders[method]()), RankEncoding(dim, most_nodes)))
    if method in EXACT:
        return Ranks(SymPE(cached_kernel(method), RankEncoding(dim, most_nodes)))
    return Uniform() if method == "uniform" else Nothing()


_ORBITS: dict[Instance, Int[Tensor, "N"]] = {}


def orbit_index(instance: Instance) -> Int[Tensor, "N"]:
    """The orbit of each node, counted in the canonical order of their first members."""
    if instance not in _ORBITS:
        graph = instance.graph
        orbit, order = automorphism_orbits(graph), Labeling()(graph).image
        first = torch.full((int(orbit.max()) + 1,), len(order)).scatter_reduce(
            0, orbit[order], torch.arange(len(order)), "amin"
        )
        _ORBITS[instance] = torch.argsort(torch.argsort(first))[orbit]
    return _ORBITS[instance]


def orbit_indices(batch: Batch) -> Int[Tensor, "N"]:
    """Those of all nodes of a batch, counted in each instance."""
    return torch.cat([orbit_index(instance) for instance in batch.instances])


def _shuffled(batch: Batch, group: Int[Tensor, "N"], generator: torch.Generator) -> Int[Tensor, "N"]:
    """A random place for each variable among those of its instance that share a number; -1 for constraints."""
    variables = (batch.features[:, 0] > 0).nonzero()[:, 0]
    order = variables[torch.randperm(len(variables), generator=generator)]
    return places(order, _by_instance(batch, group))


def _by_instance(batch: Batch, group: Int[Tensor, "N"]) -> Int[Tensor, "N"]:
    """Numbers that differ where the instances or their groups do."""
    return batch.graphs.batch * (int(group.max()) + 1) + group


def places(order: Int[Tensor, "k"], group: Int[Tensor, "N"]) -> Int[Tensor, "N"]:
    """The place of each node among those of its group, in some order of nodes; -1 for nodes that are not in it."""
    key = group[order]
    order, key = order[by := torch.argsort(key, stable=True)], key[by]
    return torch.full_like(group, -1).index_put((order,), torch.arange(len(order)) - torch.searchsorted(key, key))


def _colored(instance: Instance, generator: torch.Generator, most: int) -> Int[Tensor, "N"]:
    """A greedy coloring of the variables in random order; neighbors have a constraint in common."""
    matrix = instance.program.matrix
    n = instance.program.num_variables
    color = torch.full((instance.graph.num_nodes,), -1)
    used = [set[int]() for _ in range(matrix.shape[0])]
    columns = matrix.tocsc()
    for variable in torch.randperm(n, generator=generator).tolist():
        rows = columns.indices[columns.indptr[variable] : columns.indptr[variable + 1]].tolist()
        taken = set[int]().union(*(used[row] for row in rows))
        color[variable] = free = next(number for number in range(most) if number not in taken)
        for row in rows:
            used[row].add(free)
    return color


def _log_factorial(n: int) -> float:
    return float(torch.lgamma(torch.tensor(n + 1.0, dtype=torch.double)))
