r"""Graphs under relabeling: the stabilizer of a graph is its automorphism group, a subgroup of :math:`S_n`."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from sympe.auditing.symmetry.orbits import Automorphisms
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import Errors, Loss, Per, Target, class_errors, no_errors
from sympe.graphs import Graphs


@dataclass(frozen=True)
class GraphStabilizers(Stabilizers):
    """Exact automorphism groups."""

    automorphisms: Automorphisms

    def errors(self, target: Target, loss: Loss) -> Errors:
        graphs = self.automorphisms.graphs
        if target.vector or target.irreps is not None:
            raise ValueError("expected targets that permutations move; vectors in space belong to o3 and so3")
        target.check(target_counts(graphs))
        if target.per == "sample":
            return no_errors(target.values)
        if target.per == "node":
            classes, owner = self.automorphisms.node_orbits(), graphs.batch
        elif target.per == "edge":
            classes, owner = self.automorphisms.edge_orbits(), graphs.batch[graphs.edge_index[0]]
        else:
            classes, owner = self.automorphisms.pair_orbits(), graphs.batch[pairs(graphs)[0]]
        return class_errors(classes, owner.cpu().numpy(), len(graphs), target.values, loss)

    def drawing(self, sample: int) -> dict[str, Any]:
        graph = self.automorphisms.graphs.select([sample])
        edges = sorted({tuple(sorted(ends)) for ends in graph.edge_index.T.tolist()})
        return {"orbits": Automorphisms(graph).node_orbits().tolist(), "edges": [list(ends) for ends in edges]}


def target_counts(graphs: Graphs) -> dict[Per, int]:
    """How many targets graphs have, by what a target belongs to."""
    num_pairs = int((graphs.sizes**2).sum())
    return {"sample": len(graphs), "node": graphs.num_nodes, "edge": graphs.num_edges, "pair": num_pairs}


def pairs(graphs: Graphs) -> Int[Tensor, "2 P"]:
    """Every ordered pair of nodes of a graph, row by row, graph after graph."""
    row = graphs.sizes[graphs.batch]
    source = torch.repeat_interleave(row)
    place = torch.arange(len(source), device=graphs.device)
    return torch.stack([source, place - (row.cumsum(0) - row - graphs.start)[source]])


class GraphSymmetry(Symmetry):
    """Relabelings of nodes that preserve labels, features, loops and directions of edges."""

    name = "sn"
    title = "relabelings of the nodes"
    kind = "graphs"
    breaker = "sympe.SymPE(sympe.InversionKernel(sympe.canonicalize.Labeling()), sympe.RankEncoding(...))"

    def stabilizers(self, x: Graphs) -> GraphStabilizers:
        if not isinstance(x, Graphs):
            raise ValueError(f"expected graphs for the group sn; got {type(x).__name__}")
        automorphisms, sizes = Automorphisms(x), x.sizes.tolist()
        orders = automorphisms.orders
        orbits = [max(math.lgamma(n + 1) - math.log(order), 0.0) for n, order in zip(sizes, orders, strict=True)]
        return GraphStabilizers(sizes, orders, orbits, [None] * len(x), automorphisms)


def adjacency(graphs: Graphs) -> Target:
    """Whether an edge joins each ordered pair of nodes: the target of an autoencoder."""
    source, target = graphs.edge_index
    row = graphs.sizes[graphs.batch]
    values = torch.zeros(int(row.sum()), dtype=torch.long)
    values[(row.cumsum(0) - row - graphs.start)[source] + target] = 1
    return Target(values, "pair")
