"""How permutations of nodes move what networks compute: numbers for a whole graph, and padded matrices."""

import torch
from jaxtyping import Shaped
from torch import Tensor

from sympe.actions.base import Action, Data, Element
from sympe.groups import Group, Permutation, SymmetricGroup


class Invariant(Action[Element, Data]):
    """The trivial action, for invariant outputs such as a class or an energy.

    Args:
        group: The group that acts trivially; by default permutations of nodes.
    """

    def __init__(self, group: Group[Element, Data] | None = None) -> None:
        self.group = SymmetricGroup() if group is None else group  # type: ignore[assignment]

    def act(self, g: Element, x: Data) -> Data:
        return x


class DenseRelabeling(Action[Permutation, Tensor]):
    """Left action on padded tensors with one row per graph: node features, or matrices over pairs of nodes.

    Node i of a graph is entry i of its row; padding does not move.

    Args:
        node_axes: How many axes after the first run over nodes: 1 for ``[G, n, ...]``, 2 for ``[G, n, n, ...]``.

    Raises:
        ValueError: If ``node_axes`` is neither 1 nor 2.
    """

    def __init__(self, node_axes: int = 2) -> None:
        if node_axes not in (1, 2):
            raise ValueError(f"node_axes must be 1 or 2; got {node_axes}")
        self.group = SymmetricGroup()  # type: ignore[assignment]  # rows do not name their graph: draw for the graphs
        self.node_axes = node_axes

    def act(self, g: Permutation, x: Shaped[Tensor, "G n *d"]) -> Shaped[Tensor, "G n *d"]:
        """``act(g, x)[a, g(i), g(j)] == x[a, i, j]`` for graph a, with images counted within it.

        Raises:
            ValueError: If ``x`` has too few axes, rows or nodes.
        """
        place = torch.arange(len(g.batch), device=g.batch.device) - g.start
        graphs, nodes = (int(v.max()) + 1 if len(v) else 0 for v in (g.batch, place))
        square = self.node_axes == 1 or (x.dim() > 2 and x.shape[1] == x.shape[2])
        if x.dim() < 1 + self.node_axes or x.shape[0] < graphs or x.shape[1] < nodes or not square:
            shape = ", ".join([str(graphs)] + [str(nodes)] * self.node_axes)
            raise ValueError(f"expected a tensor of shape [{shape}, ...] or larger; got {list(x.shape)}")
        preimage = torch.arange(x.shape[1], device=x.device).repeat(x.shape[0], 1)
        preimage[g.batch, place] = g.rank
        graph = torch.arange(x.shape[0], device=x.device)[:, None]
        if self.node_axes == 1:
            return x[graph, preimage]
        return x[graph[:, None], preimage[:, :, None], preimage[:, None, :]]
