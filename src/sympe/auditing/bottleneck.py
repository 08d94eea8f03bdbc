r"""Errors that no deterministic equivariant autoencoder can avoid, computed before any training.

An equivariant encoder gives all nodes of one orbit of :math:`\mathrm{Aut}(x)` the same code. A decoder of pairs
then sees one input for all ordered pairs of distinct nodes with orbits :math:`(o_i, o_j)` and can at best
take the majority of each such class. A decoder that sees only differences of codes sees zero for every
pair inside any orbit of any graph: all of those share one answer.
"""

from dataclasses import dataclass

import torch

from sympe.graphs import Graphs, automorphism_orbits


@dataclass(frozen=True)
class AutoencoderFloor:
    """Least number of wrong ordered pairs of distinct nodes, over all graphs together.

    Attributes:
        pairs: Ordered pairs of distinct nodes.
        edges: How many of them are edges; guessing "no edge" errs on these.
        node_codes: Least errors of any decoder of pairs of node codes.
        node_differences: Least errors of any decoder of differences of node codes.
        symmetric_graphs: Graphs with a non-trivial automorphism group.
    """

    pairs: int
    edges: int
    node_codes: int
    node_differences: int
    symmetric_graphs: int

    def percent(self, count: int) -> float:
        """A number of pairs in per cent of all pairs."""
        return 100 * count / max(self.pairs, 1)


def autoencoder_floor(graphs: Graphs) -> AutoencoderFloor:
    """Least error of reconstructing adjacency through one equivariant code per node.

    Args:
        graphs: Simple undirected graphs. Labels and features enter the symmetries.
    """
    orbit = automorphism_orbits(graphs)
    num_orbits = int(orbit.max()) + 1 if graphs.num_nodes else 0
    members = torch.bincount(orbit, minlength=num_orbits)
    orbit_graph = torch.zeros(num_orbits, dtype=torch.long, device=graphs.device)
    orbit_graph[orbit] = graphs.batch

    # Edges per class of ordered orbit pairs; a class without edges costs nothing, so only these are listed.
    source, target = orbit[graphs.edge_index]
    classes, edges = torch.unique(source * num_orbits + target, return_counts=True)
    a, b = classes // num_orbits, classes % num_orbits
    size = members[a] * torch.where(a == b, members[b] - 1, members[b])
    minority = torch.minimum(edges, size - edges)

    inside_pairs = int((members * (members - 1)).sum())
    inside_edges = int(edges[a == b].sum())
    orbits_per_graph = torch.bincount(orbit_graph, minlength=len(graphs))
    return AutoencoderFloor(
        pairs=int((graphs.sizes * (graphs.sizes - 1)).sum()),
        edges=graphs.num_edges,
        node_codes=int(minority.sum()),
        node_differences=int(minority[a != b].sum()) + min(inside_edges, inside_pairs - inside_edges),
        symmetric_graphs=int((orbits_per_graph < graphs.sizes).sum()),
    )
