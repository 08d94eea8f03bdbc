r"""Bases: the few nodes whose labels leave no symmetry.

A *base* of a graph is a list of nodes that only the identity of its automorphism group fixes. Individualization and
refinement finds one: refine colors, give one node of the first cell that holds several a unique color, and repeat
until all nodes differ; the nodes chosen are the base. So labels on the base alone leave no symmetry, and a network that
passes messages long enough can tell all nodes apart, for it sees whatever refinement sees.

The order that :class:`Base` gives has the base first and *shows* nothing else: encodings label node k of the base with
row k of v and leave the others zero. Under the inversion kernel these labels have the entropy
:math:`\log|\mathrm{Aut}|` of the full ranks: an automorphism that fixes the base is the identity.

Which cell is labeled next is a matter of policy. By label, cells come in the order of labels, features and degrees: in
the graph of a program (:mod:`sympe.programs`) constraints come before variables, and one choice often settles many. By
size, the largest cell comes first, and label decides ties: where cells are orbits this is the greedy algorithm, whose
bases are nearly as short as can be. By degree, the nodes with most neighbors come first: what they are labeled reaches
most nodes in one round of messages.

Sources: B. D. McKay, A. Piperno, *Practical graph isomorphism, II*, J. Symb. Comput. 2014, section 2; K. D. Blaha,
*Minimum bases for permutation groups: the greedy approximation*, J. Algorithms 1992.
"""

from typing import Literal, get_args

import torch
from jaxtyping import Bool
from torch import Tensor

from sympe.canonicalize.base import NodeOrder, sort_nodes
from sympe.canonicalize.labeling import Labeling
from sympe.canonicalize.refinement import Partition
from sympe.graphs import Graphs
from sympe.groups import Permutation

First = Literal["label", "largest", "degree"]


class Base(NodeOrder):
    """The nodes of a base first, and only these shown; all others by their refined colors.

    Args:
        exact: Whether to choose among the nodes of a cell by the exact labeling. If not, they are chosen by storage
            (under the kernel: at random), which needs no labeling and is as little random where cells are orbits.
        first: Which cell is labeled first: that of least ``"label"``, the ``"largest"``, or that of highest
            ``"degree"``.

    Raises:
        ValueError: If ``first`` is none of these.

    Example:
        >>> import sympe
        >>> ring = sympe.graphs.from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])])
        >>> pe = sympe.SymPE(sympe.InversionKernel(Base()), sympe.RankEncoding(dim=4, max_nodes=8))
        >>> int(pe(ring).any(dim=1).sum())
        2
    """

    def __init__(self, exact: bool = True, first: First = "label") -> None:
        super().__init__()
        if first not in get_args(First):
            raise ValueError(f"first must be one of {', '.join(get_args(First))}; got {first!r}")
        self.first = first
        self.labeling = Labeling() if exact else None

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        if self.labeling is None:
            return self._individualize(x)
        group = self.action.group
        to_input = self.labeling(x)
        return group.compose(to_input, self._individualize(self.action.act(group.inverse(to_input), x)))

    def is_exact(self, x: Graphs) -> Bool[Tensor, "G"]:
        return super().is_exact(x) if self.labeling is None else self.labeling.is_exact(x)

    def _individualize(self, x: Graphs) -> Permutation:
        partition = Partition(x)
        nodes = torch.arange(x.num_nodes, device=x.device)
        degree = torch.bincount(x.edge_index[1], minlength=x.num_nodes)
        key = torch.full_like(nodes, x.num_nodes)
        shown = torch.zeros_like(x.sizes)
        while len(nodes := nodes[partition.size[partition.color[nodes]] > 1]):
            place = partition.color[nodes]
            if self.first != "label":
                most = partition.size[place] if self.first == "largest" else degree[nodes]
                place = place + (len(x.edge_index[0]) + x.num_nodes - most) * x.num_nodes
            first = place.new_full(x.sizes.shape, torch.iinfo(place.dtype).max)
            first.scatter_reduce_(0, x.batch[nodes], place, "amin")
            candidates = nodes[place == first[x.batch[nodes]]]
            is_first = torch.ones_like(candidates, dtype=torch.bool)
            is_first[1:] = x.batch[candidates[1:]] != x.batch[candidates[:-1]]
            chosen = candidates[is_first]
            key[chosen] = shown[x.batch[chosen]]
            shown[x.batch[chosen]] += 1
            partition.give_own_color(chosen)
        order = sort_nodes(x, key, partition.color)
        return Permutation(order.image, order.preimage, x.batch, x.start, shown=shown[x.batch])
