r"""Graphs of equal size as the diffusion sees them: a kind for every node and for every pair of nodes.

Pairs are stored once, those with :math:`i < j` in the order of ``torch.triu_indices``. Kind 0 of a pair is "no edge".
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.graphs import Graphs, from_dense
from sympe.groups import Permutation, SymmetricGroup
from sympe.groups.permutations import invert


@dataclass(frozen=True)
class GraphState:
    """A batch of graphs of n nodes.

    Attributes:
        nodes: Kind of each node.
        edges: Kind of each pair of nodes, each pair once.
        rank: Place of each node in the order stored with the graph, or in the order of sampling; or None.
    """

    nodes: Int[Tensor, "B n"]
    edges: Int[Tensor, "B p"]
    rank: Int[Tensor, "B n"] | None = None

    def __len__(self) -> int:
        return self.nodes.shape[0]

    @property
    def num_nodes(self) -> int:
        return self.nodes.shape[1]

    @property
    def device(self) -> torch.device:
        return self.nodes.device

    def to(self, device: torch.device | str) -> "GraphState":
        rank = None if self.rank is None else self.rank.to(device)
        return GraphState(self.nodes.to(device), self.edges.to(device), rank)

    def select(self, indices: Tensor | slice) -> "GraphState":
        """The graphs at ``indices``."""
        rank = None if self.rank is None else self.rank[indices]
        return GraphState(self.nodes[indices], self.edges[indices], rank)

    def repeat(self, times: int) -> "GraphState":
        """Every graph ``times`` times, copies side by side."""
        return self.select(torch.arange(len(self), device=self.device).repeat_interleave(times))

    def matrix(self) -> Int[Tensor, "B n n"]:
        """Kinds of all ordered pairs; 0 on the diagonal."""
        n = self.num_nodes
        i, j = torch.triu_indices(n, n, 1, device=self.device)
        dense = self.edges.new_zeros(len(self), n, n)
        dense[:, i, j] = self.edges
        dense[:, j, i] = self.edges
        return dense

    def to_graphs(self) -> Graphs:
        """The graphs in the form of :mod:`sympe.graphs`, with kinds as labels."""
        graphs = from_dense(self.matrix())
        if graphs.edge_label is None:
            graphs = replace(graphs, edge_label=torch.ones_like(graphs.edge_index[0]))
        return replace(graphs, node_label=self.nodes.reshape(-1).long())

    def relabel(self, g: Permutation) -> "GraphState":
        """The node at place i of its graph moves to the place that ``g`` says."""
        n = self.num_nodes
        old = (g.preimage - g.start).view(len(self), n)
        i, j = torch.triu_indices(n, n, 1, device=self.device)
        edges = self.edges.gather(1, pair_index(old[:, i], old[:, j], n))
        rank = None if self.rank is None else self.rank.gather(1, old)
        return GraphState(self.nodes.gather(1, old), edges, rank)

    def shuffled(self, generator: torch.Generator) -> "GraphState":
        """Every graph with its nodes in another random order, all orders equally likely."""
        return self.relabel(SymmetricGroup().haar(node_batch(len(self), self.num_nodes, self.device), generator))

    def stored_order(self) -> Permutation:
        """The permutation that takes the stored order to the graph: ``rank`` are its ranks."""
        assert self.rank is not None, "the order was not stored"
        like = node_batch(len(self), self.num_nodes, self.device)
        preimage = self.rank.reshape(-1).long() + like.start
        return Permutation(invert(preimage), preimage, like.batch, like.start)


def empty(count: int, n: int, device: torch.device | str = "cpu") -> GraphState:
    """Graphs of n nodes, all of kind 0 and without edges."""
    nodes = torch.zeros(count, n, dtype=torch.long, device=device)
    return GraphState(nodes, nodes.new_zeros(count, n * (n - 1) // 2))


def node_batch(count: int, n: int, device: torch.device | str = "cpu") -> Graphs:
    """Graphs of n nodes without edges: all that a group of permutations needs."""
    batch = torch.arange(count, device=device).repeat_interleave(n)
    return Graphs(batch.new_zeros(2, 0), batch, num_graphs=count)


def pair_index(i: Int[Tensor, "*k"], j: Int[Tensor, "*k"], n: int) -> Int[Tensor, "*k"]:
    """Place of the pair of two different nodes in the list of pairs of n nodes."""
    low, high = torch.minimum(i, j), torch.maximum(i, j)
    return low * (2 * n - low - 1) // 2 + high - low - 1


def from_graphs(graphs: Graphs, rank: Int[Tensor, "N"] | None = None) -> GraphState:
    """Simple undirected graphs, all of one size; missing labels count as 0 for nodes and 1 for edges."""
    count = len(graphs)
    n = graphs.num_nodes // count if count else 0
    nodes = torch.zeros_like(graphs.batch) if graphs.node_label is None else graphs.node_label
    place = torch.arange(graphs.num_nodes, device=graphs.device) - graphs.start
    source, target = graphs.edge_index
    edges = nodes.new_zeros(count, n * (n - 1) // 2)
    label = torch.ones_like(source) if graphs.edge_label is None else graphs.edge_label
    edges[graphs.batch[source], pair_index(place[source], place[target], n)] = label
    return GraphState(nodes.view(count, n), edges, None if rank is None else rank.view(count, n))


def one_hot(kind: Int[Tensor, "*k"], num_kinds: int, dtype: torch.dtype = torch.float32) -> Float[Tensor, "*k K"]:
    """Indicator of the kind."""
    return torch.nn.functional.one_hot(kind.long(), num_kinds).to(dtype)
