r"""The map :math:`\tau`: a group element that takes the canonical form to the input.

A canonicalizer aims at ``x == act(tau(x), canonical_form)`` with a form that is constant on each orbit. An inexact one
still gives an equivariant law under :class:`~sympe.kernel.InversionKernel`, with more randomness than needed.

A canonicalizer reports what it knows without drawing about the randomness of g~ under the kernel: whether it is exact
on an input, the excess randomness :math:`H(\tilde g \mid x) - \log|\mathrm{Stab}(x)|`, and the probability of a draw.
:func:`sympe.auditing.excess_randomness` asks these methods first and estimates what they leave unknown.
"""

from abc import ABC, abstractmethod
from typing import Generic

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from sympe.actions import Action, GraphRelabeling
from sympe.actions.base import Data, Element
from sympe.graphs import Graphs
from sympe.graphs.bliss import log_automorphisms
from sympe.groups import Permutation
from sympe.ragged import lexsort


class Canonicalizer(nn.Module, ABC, Generic[Element, Data]):
    """A map from inputs to group elements, deterministic up to noise that is independent of the input."""

    #: How the group moves the inputs.
    action: Action[Element, Data]

    @abstractmethod
    def forward(self, x: Data, generator: torch.Generator | None = None) -> Element:
        """One group element per member of the batch."""

    def is_exact(self, x: Data) -> Bool[Tensor, "B"]:
        """Where the law of g~ is known to be the inversion kernel; False where it is not, or unknown."""
        return torch.zeros(len(x), dtype=torch.bool, device=x.device)

    def excess_nats(self, x: Data) -> Float[Tensor, "B"]:
        """Excess randomness of g~ under the kernel, in nats; nan where no closed form is known."""
        return torch.where(self.is_exact(x), 0.0, torch.full((len(x),), torch.nan, device=x.device)).double()

    def log_probability(self, x: Data, g: Element) -> Float[Tensor, "B"]:
        """Log probability in nats that the kernel draws ``g`` for ``x``, -inf if it never does; nan where unknown."""
        return torch.full((len(x),), torch.nan, dtype=torch.float64, device=x.device)

    def equally_likely(self, x: Data) -> tuple[Data, Element] | None:
        """For a batch of one: a copy of ``x`` per possible draw, and these draws; None unless known equally likely."""
        return None


class NodeOrder(Canonicalizer[Permutation, Graphs], ABC):
    """A canonicalizer of graphs: an order of the nodes of each graph."""

    def __init__(self) -> None:
        super().__init__()
        self.action = GraphRelabeling()

    def log_probability(self, x: Graphs, g: Permutation) -> Float[Tensor, "G"]:
        """Where the order is exact: -log of the number of automorphisms if ``g`` leads to the canonical form."""
        exact = self.is_exact(x)
        unknown = super().log_probability(x, g)
        if not bool(exact.any()):
            return unknown
        group, act = self.action.group, self.action.act
        leads = _same_graphs(act(group.inverse(g), x), act(group.inverse(self(x)), x))
        return torch.where(exact, torch.where(leads, -log_automorphisms(x), -torch.inf), unknown)


def _same_graphs(a: Graphs, b: Graphs) -> Bool[Tensor, "G"]:
    """Which graphs of two relabelings of one batch are equal; the action has sorted their edges."""
    owner = a.batch[a.edge_index[0]]
    differs = torch.zeros(len(a), dtype=torch.long, device=a.device)
    for x, y, graph in (
        (a.node_label, b.node_label, a.batch),
        (a.x, b.x, a.batch),
        (a.edge_index.T, b.edge_index.T, owner),
        (a.edge_label, b.edge_label, owner),
    ):
        if x is not None and y is not None:
            differs = differs.index_add(0, graph, (x != y if x.dim() == 1 else (x != y).any(1)).long())
    return differs == 0


def check_action(action: object) -> None:
    """Raise a ``ValueError`` unless an argument is an action: not a group, not a class."""
    if not isinstance(action, Action):
        example = "GraphRelabeling() or ScalarFields(Torus('D4')), which says how a group moves data"
        raise ValueError(f"expected an action, such as {example}; got {action!r}")


def check_callable(value: object, name: str, expected: str) -> None:
    """Raise a ``ValueError`` unless an argument can be called, and is not a class."""
    if isinstance(value, type) or not callable(value):
        kind = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise ValueError(f"{name} must be {expected}; got {kind}")


def sort_nodes(graphs: Graphs, *keys: Shaped[Tensor, "N"]) -> Permutation:
    """Order the nodes of each graph by the first key, ties by the next, all increasing.

    Nodes that still tie stay in storage order. That is safe only under the kernel, which shuffles the storage first.
    """
    return Permutation.trusted(lexsort(graphs.batch, *keys), graphs)
