r"""Errors that no deterministic equivariant autoencoder can avoid, computed before any training.

An equivariant encoder gives all nodes in one orbit of :math:`\mathrm{Aut}(x)` the same code. A decoder of pairs cannot
distinguish ordered pairs of distinct nodes with equal orbits :math:`(o_i, o_j)`; the majority of each such class is its
best answer. A decoder of code differences sees zero for every pair inside any orbit of any graph: all share one answer.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from sympe.graphs import Graphs

#: Names of the decoders.
BOTTLENECKS = ("node-codes", "node-differences")


@dataclass(frozen=True)
class PairCounts:
    """Least errors of decoders of pairs of codes, per graph.

    Attributes:
        pairs: Ordered pairs of distinct nodes.
        node_codes: Least errors of a decoder of pairs of codes.
        apart: Its errors on pairs with different orbits.
        inside_pairs: Pairs inside one orbit.
        inside_edges: How many of these pairs are edges.
    """

    pairs: Int[Tensor, "G"]
    node_codes: Int[Tensor, "G"]
    apart: Int[Tensor, "G"]
    inside_pairs: Int[Tensor, "G"]
    inside_edges: Int[Tensor, "G"]


def pair_counts(graphs: Graphs, orbit: Int[Tensor, "N"]) -> PairCounts:
    """Least errors of decoders on simple undirected graphs, given the orbit of each node, numbered over the batch."""
    num_orbits = int(orbit.max()) + 1 if graphs.num_nodes else 0
    members = torch.bincount(orbit, minlength=num_orbits)
    owner = torch.zeros(num_orbits, dtype=torch.long, device=graphs.device)
    owner[orbit] = graphs.batch

    # List only classes of pairs with edges: the others cause no errors.
    source, target = orbit[graphs.edge_index]
    classes, edges = torch.unique(source * num_orbits + target, return_counts=True)
    a, b = classes // max(num_orbits, 1), classes % max(num_orbits, 1)
    inside = a == b
    size = members[a] * torch.where(inside, members[b] - 1, members[b])
    minority = torch.minimum(edges, size - edges)

    def per_graph(graph: Int[Tensor, "k"], count: Int[Tensor, "k"]) -> Int[Tensor, "G"]:
        return count.new_zeros(len(graphs)).index_add_(0, graph, count)

    return PairCounts(
        pairs=graphs.sizes * (graphs.sizes - 1),
        node_codes=per_graph(owner[a], minority),
        apart=per_graph(owner[a[~inside]], minority[~inside]),
        inside_pairs=per_graph(owner, members * (members - 1)),
        inside_edges=per_graph(owner[a[inside]], edges[inside]),
    )
