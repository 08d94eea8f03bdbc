r"""Color refinement with individualization, for a whole batch at once, on any device.

1. *Refine*: the color of a node becomes the pair of its color and the multiset of (edge label, color) over
   its neighbors, until no cell (set of nodes of one color) splits. Multisets are told apart by sums of 64-bit
   hashes; integer sums do not depend on their order.
2. *Split twins*: nodes of one cell with the same neighbors can be exchanged by an automorphism, so they are
   put in storage order in one step.
3. *Individualize*: in every graph that still has a cell of several nodes, the first node of its first
   such cell gets a color of its own. Back to 1.

Where every cell is an orbit (nearly all graphs in practice, but no strongly regular ones) the order is exactly
canonical. Elsewhere the law of g~ under the kernel is equivariant all the same.

Colors are ranks, and a new rank keeps the order of the old ones: nodes are sorted by label, then degree,
then the hashes of what surrounds them.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from sympe.canonicalize.base import NodeOrder
from sympe.graphs import Graphs
from sympe.groups import Permutation


class Refinement(NodeOrder):
    """Canonical order by color refinement: ``O((N + E) log N)`` integer work per round, no Python loop over graphs.

    Directed edges refine by their sources; features ``x`` count as labels, as in
    :class:`~sympe.canonicalize.labelling.Labelling`.

    Args:
        individualize: Whether to go on until all nodes are told apart. If not, cells that refinement leaves
            are ordered by storage (under the kernel: at random).
    """

    def __init__(self, individualize: bool = True) -> None:
        super().__init__()
        self.individualize = individualize

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        partition = _Partition(x)
        partition.refine()
        if self.individualize:
            partition.split_twins()
            while partition.individualize():
                partition.refine()
        order = torch.argsort(partition.color, stable=True)
        return Permutation.from_order(order, x)


class _Partition:
    """Colors of the nodes of a batch: dense ranks over the batch, increasing with the graph."""

    def __init__(self, graphs: Graphs) -> None:
        self.graphs = graphs
        n = graphs.num_nodes
        order = torch.argsort(graphs.edge_index[1], stable=True)
        self.source = graphs.edge_index[0, order]
        degree = torch.bincount(graphs.edge_index[1], minlength=n)
        self.edge_end = degree.cumsum(0)
        label = graphs.edge_label
        self.edge_salt = None if label is None else _mix(label[order] + 0x5851F42D)
        columns = [graphs.batch]
        if graphs.node_label is not None:
            columns.append(graphs.node_label)
        if graphs.x is not None:
            columns.append(torch.unique(graphs.x, dim=0, return_inverse=True)[1])
        self.color, self.num_cells = _dense_rank(*columns, degree)

    def _gather(self, value: Int[Tensor, "N"]) -> Int[Tensor, "N"]:
        """Sum over incoming edges of a hash of (edge label, value of the source)."""
        sent = value[self.source]
        if self.edge_salt is not None:
            sent = _mix(sent ^ self.edge_salt)
        # Differences of one running sum; 64-bit integers wrap around, so the differences stay exact.
        total = torch.cat([sent.new_zeros(1), sent.cumsum(0)])[self.edge_end]
        return total.diff(prepend=total.new_zeros(1))

    def refine(self) -> None:
        while self.num_cells < self.graphs.num_nodes:
            color, num_cells = _dense_rank(self.color, self._gather(_mix(self.color - self._first_color())))
            if num_cells == self.num_cells:
                return
            self.color, self.num_cells = color, num_cells

    def _first_color(self) -> Int[Tensor, "N"]:
        """Smallest color of each node's graph: what is hashed must not depend on the other graphs of the batch."""
        return self.color[self._order()][self.graphs.start]

    def _order(self) -> Int[Tensor, "N"]:
        return torch.argsort(self.color, stable=True)

    def split_twins(self) -> None:
        if self.num_cells == self.graphs.num_nodes:
            return
        identity = _mix(torch.arange(self.graphs.num_nodes, device=self.color.device))
        neighbors = self._gather(identity)
        self._split_by(neighbors)
        # Twins that are joined to each other share their neighbors once each counts itself among them.
        labels = [None] if self.graphs.edge_label is None else self.graphs.edge_label.unique().tolist()
        for label in labels[:8]:
            own = identity if label is None else _mix(identity ^ _mix(torch.full_like(identity, label) + 0x5851F42D))
            self._split_by(neighbors + own)

    def _split_by(self, key: Int[Tensor, "N"]) -> None:
        """Number the nodes that share cell and key by storage; that number refines the cell."""
        twin, _ = _dense_rank(self.color, key)
        order = torch.argsort(twin, stable=True)
        size = torch.bincount(twin)
        place = torch.empty_like(twin)
        place[order] = torch.arange(len(twin), device=twin.device) - (size.cumsum(0) - size)[twin[order]]
        self.color, self.num_cells = _dense_rank(self.color, place)

    def individualize(self) -> bool:
        """Tell one node apart in every graph with an unsettled cell; False if there is none."""
        n = self.graphs.num_nodes
        if self.num_cells == n:
            return False
        order = self._order()
        shared = torch.bincount(self.color, minlength=self.num_cells)[self.color[order]] > 1
        # Of the nodes in unsettled cells, sorted by graph and color: the first of each graph.
        candidates = order[shared]
        first = _is_first(self.graphs.batch[candidates])
        alone = torch.ones_like(self.color)
        alone[candidates[first]] = 0
        self.color, self.num_cells = _dense_rank(self.color, alone)
        return True


def _is_first(sorted_values: Int[Tensor, "k"]) -> Bool[Tensor, "k"]:
    changed = torch.ones_like(sorted_values, dtype=torch.bool)
    changed[1:] = sorted_values[1:] != sorted_values[:-1]
    return changed


def _dense_rank(*keys: Int[Tensor, "N"]) -> tuple[Int[Tensor, "N"], int]:
    """Rank 0, 1, ... of the distinct rows of keys in lexicographic order, and how many there are."""
    order = torch.arange(keys[0].shape[0], device=keys[0].device)
    for key in reversed(keys):
        order = order[torch.argsort(key[order], stable=True)]
    changed = torch.zeros_like(order, dtype=torch.bool)
    for key in keys:
        in_order = key[order]
        changed[1:] |= in_order[1:] != in_order[:-1]
    rank = torch.empty_like(order)
    rank[order] = changed.cumsum(0)
    return rank, int(changed.sum()) + 1 if len(order) else 0


def _mix(z: Int[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """SplitMix64 finalizer (G. Steele, D. Lea, C. Flood, OOPSLA 2014); signed 64-bit arithmetic wraps around."""
    z = z + -7046029254386353131
    z = (z ^ ((z >> 30) & 0x3FFFFFFFF)) * -4658895280553007687
    z = (z ^ ((z >> 27) & 0x1FFFFFFFFF)) * -7723592293110705685
    return z ^ ((z >> 31) & 0x1FFFFFFFF)
