r"""The map :math:`\tau`: a group element that takes the canonical form to the input.

A canonicalizer aims at ``x == act(tau(x), canonical_form)`` with a form that is the same all over an orbit.
It may miss: an inexact one still gives an equivariant law under
:class:`~sympe.kernel.InversionKernel`, only with more randomness than needed.
"""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from sympe.actions import Action, GraphRelabeling
from sympe.graphs import Graphs
from sympe.groups import Permutation

Element = TypeVar("Element")
Data = TypeVar("Data")


class Canonicalizer(nn.Module, ABC, Generic[Element, Data]):
    """A map from inputs to group elements, deterministic but for noise that is independent of the input.

    Attributes:
        action: How the group moves the inputs.
    """

    action: Action[Any, Any]

    @abstractmethod
    def forward(self, x: Data, generator: torch.Generator | None = None) -> Element:
        """One group element per member of the batch."""


class NodeOrder(Canonicalizer[Permutation, Graphs], ABC):
    """A canonicalizer of graphs: it puts the nodes of each graph in an order."""

    def __init__(self) -> None:
        super().__init__()
        self.action = GraphRelabeling()


def sort_nodes(graphs: Graphs, *keys: Shaped[Tensor, "N"]) -> Permutation:
    """Order the nodes of each graph by increasing keys, the first key first.

    Ties are left in the order of storage. That is safe under the kernel alone, which shuffles the storage
    before it asks.
    """
    order = torch.arange(graphs.num_nodes, device=graphs.device)
    for key in reversed(keys):
        order = order[torch.argsort(key[order], stable=True)]
    return Permutation.from_order(order[torch.argsort(graphs.batch[order], stable=True)], graphs)
