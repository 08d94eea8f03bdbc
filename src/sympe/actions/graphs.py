r"""Permutations acting on graphs and on node features: relabeling.

The node at position ``i`` moves to position ``g(i)`` with its edges, labels and features: :math:`(g x)_{g(i)} = x_i`.
"""

from dataclasses import replace

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from sympe.actions.base import Action
from sympe.graphs import Graphs
from sympe.graphs.batch import check_graphs
from sympe.graphs.bliss import log_automorphisms
from sympe.graphs.inputs import as_graphs
from sympe.groups import Permutation, SymmetricGroup
from sympe.ragged import lexsort


class NodeRelabeling(Action[Permutation, Tensor]):
    """Left action on node features."""

    def __init__(self) -> None:
        self.group = SymmetricGroup()  # type: ignore[assignment]  # rows do not name their graph: draw for the graphs

    def act(self, g: Permutation, x: Shaped[Tensor, "N *d"]) -> Shaped[Tensor, "N *d"]:
        """``act(g, x)[g.image[i]] == x[i]``.

        Raises:
            ValueError: If ``x`` does not have one row per node.
        """
        if x.shape[0] != g.preimage.shape[0]:
            raise ValueError(f"expected {g.preimage.shape[0]} rows, one per node; got shape {list(x.shape)}")
        return x[g.preimage]


class GraphRelabeling(Action[Permutation, Graphs]):
    """Left action on graphs."""

    def __init__(self) -> None:
        self.group = SymmetricGroup()

    def check(self, x: Graphs) -> None:
        check_graphs(x)

    def take(self, x: object) -> Graphs:
        """Graphs of any kind; see :func:`~sympe.graphs.as_graphs`."""
        return as_graphs(x)

    def log_orbit(self, x: Graphs) -> Float[Tensor, "G"]:
        """``log(n! / |Aut|)`` for a graph of n nodes."""
        return torch.lgamma(x.sizes.double() + 1) - log_automorphisms(x)

    def act(self, g: Permutation, x: Graphs) -> Graphs:
        """The relabeled graphs, with edges sorted by their new positions.

        Sorting matters: rounding depends on the order of summation, and edges in their old order would make
        symmetric nodes differ (by 1e-8, which is enough for a sort).

        Raises:
            ValueError: If ``g`` permutes another number of nodes.
        """
        if x.num_nodes != g.image.shape[0]:
            raise ValueError(f"expected permutations of {x.num_nodes} nodes; got {g.image.shape[0]}")
        edge_index = g.image[x.edge_index]
        key = edge_index[0] * x.num_nodes + edge_index[1]
        order = torch.argsort(key) if x.edge_label is None else lexsort(key, x.edge_label)
        return replace(
            x,
            edge_index=edge_index[:, order],
            node_label=None if x.node_label is None else x.node_label[g.preimage],
            edge_label=None if x.edge_label is None else x.edge_label[order],
            x=None if x.x is None else x.x[g.preimage],
        )
