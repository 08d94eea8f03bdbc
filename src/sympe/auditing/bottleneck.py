r"""Errors that no deterministic equivariant autoencoder can avoid, computed before any training.

An equivariant encoder gives all nodes in one orbit of :math:`\mathrm{Aut}(x)` the same code. A decoder of pairs cannot
distinguish ordered pairs of distinct nodes with equal orbits :math:`(o_i, o_j)`; the majority of each such class is its
best answer. A decoder of code differences sees zero for every pair inside any orbit of any graph: all share one answer.
"""

import torch
from jaxtyping import Int
from torch import Tensor

from sympe.auditing.symmetry.graphs import pairs
from sympe.auditing.targets import Errors, Loss, Target, class_errors
from sympe.graphs import Graphs
from sympe.graphs.columns import Ints

BOTTLENECKS = ("node-codes", "node-differences")  # the decoders


def code_errors(graphs: Graphs, orbit: Ints, target: Target, loss: Loss) -> Errors:
    """Least errors of a decoder that sees one code per node, or two per edge or pair; a ``ValueError`` per sample."""
    if target.per == "node":
        return class_errors(orbit, graphs.batch.numpy(), len(graphs), target.values, loss)
    if target.per not in ("edge", "pair"):
        raise ValueError(f"expected a target per node, edge or pair for a bottleneck of node codes; got {target.per}")
    source, end = graphs.edge_index if target.per == "edge" else pairs(graphs)
    codes = torch.from_numpy(orbit)
    _, classes = torch.unique(codes[source] * len(codes) + codes[end], return_inverse=True)
    return class_errors(classes.numpy(), graphs.batch[source].numpy(), len(graphs), target.values, loss)


def adjacency_errors(graphs: Graphs, orbit: Ints, bottleneck: str) -> tuple[Errors, list[int], list[int]]:
    """Least errors on the adjacency of simple undirected graphs, given the orbit of each node over the batch.

    Those of code differences are on pairs with different orbits. Also returned: how many pairs lie inside one orbit,
    and how many of these are edges.
    """
    codes = torch.from_numpy(orbit)
    members = torch.bincount(codes)
    owner = torch.zeros_like(members).index_copy(0, codes, graphs.batch)
    # List only classes of pairs with edges: the others cause no errors.
    source, target = codes[graphs.edge_index]
    classes, edges = torch.unique(source * len(members) + target, return_counts=True)
    a, b = torch.unravel_index(classes, (len(members), len(members)))
    inside = a == b
    minority = torch.minimum(edges, members[a] * (members[b] - inside.long()) - edges)

    def per_graph(graph: Int[Tensor, "k"], count: Int[Tensor, "k"]) -> Int[Tensor, "G"]:
        return count.new_zeros(len(graphs)).index_add_(0, graph, count)

    wrong = per_graph(owner[a], minority if bottleneck == "node-codes" else minority * ~inside)
    errors = Errors(wrong.double().numpy(), (graphs.sizes * (graphs.sizes - 1)).numpy(), (wrong > 0).numpy())
    inside_pairs = per_graph(owner, members * (members - 1))
    return errors, inside_pairs.tolist(), per_graph(owner[a], edges * inside).tolist()
