r"""Graphs under relabeling: the stabilizer of a graph is its automorphism group, a subgroup of :math:`S_n`."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from sympe.auditing.symmetry.orbits import Automorphisms
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import Errors, Loss, Target, class_errors, no_errors
from sympe.graphs import Graphs


@dataclass(frozen=True)
class GraphStabilizers(Stabilizers):
    """Automorphism groups, exactly."""

    automorphisms: Automorphisms

    def errors(self, target: Target, loss: Loss) -> Errors:
        graphs = self.automorphisms.graphs
        sizes = graphs.sizes.cpu().numpy()
        count = len(graphs)
        if target.vector or target.irreps is not None:
            raise ValueError("expected targets that permutations move; vectors in space belong to o3 and so3")
        if target.per == "sample":
            if target.values.shape[:1] != (count,):
                raise ValueError(f"expected {count} targets, one per graph; got {list(target.values.shape)}")
            return no_errors([target.values[0].numel()] * count if count else [])
        if target.per == "node":
            return class_errors(
                self.automorphisms.node_orbits(), graphs.batch.cpu().numpy(), count, target.values, loss
            )
        if target.per == "edge":
            owner = graphs.batch[graphs.edge_index[0]].cpu().numpy()
            return class_errors(self.automorphisms.edge_orbits(), owner, count, target.values, loss)
        if target.per == "pair":
            owner = np.repeat(np.arange(count), sizes**2)
            return class_errors(self.automorphisms.pair_orbits(), owner, count, target.values, loss)
        raise ValueError(f"a graph has no targets per {target.per}; expected sample, node, edge or pair")


class GraphSymmetry(Symmetry):
    """Relabelings of the nodes; labels, features, loops and directions of edges are kept."""

    name = "sn"
    title = "relabelings of the nodes"
    kind = "graphs"
    breaker = "sympe.SymPE(sympe.InversionKernel(sympe.canonicalize.Labeling()), sympe.RankEncoding(...))"

    def stabilizers(self, x: Graphs) -> GraphStabilizers:
        if not isinstance(x, Graphs):
            raise ValueError(f"expected graphs for the group sn; got {type(x).__name__}")
        automorphisms = Automorphisms(x)
        sizes = x.sizes.tolist()
        orders = automorphisms.orders
        orbits = [max(math.lgamma(n + 1) - math.log(order), 0.0) for n, order in zip(sizes, orders, strict=True)]
        return GraphStabilizers(sizes, orders, orbits, [None] * len(x), automorphisms)


def adjacency(graphs: Graphs) -> Target:
    """Whether there is an edge, for every ordered pair of nodes: the target of an autoencoder."""
    sizes = graphs.sizes
    base = sizes**2
    base = base.cumsum(0) - base
    values = torch.zeros(int((sizes**2).sum()), dtype=torch.long)
    source, target = graphs.edge_index
    owner = graphs.batch[source]
    start = graphs.start[source]
    values[base[owner] + (source - start) * sizes[owner] + target - start] = 1
    return Target(values, "pair")
