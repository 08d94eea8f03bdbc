"""The trivial canonicalizer, which gives Haar measure on the whole group under the kernel."""

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import Action, GraphRelabeling
from sympe.canonicalize.base import Canonicalizer, Data, Element, check_action


class Constant(Canonicalizer[Element, Data]):
    """tau(x) = identity, so that g~ is uniform on the group: the control for every other kernel.

    Args:
        action: The group and its action; by default the relabeling of graphs.
    """

    def __init__(self, action: Action[Element, Data] | None = None) -> None:
        super().__init__()
        if action is not None:
            check_action(action)
        self.action = GraphRelabeling() if action is None else action  # type: ignore[assignment]

    def forward(self, x: Data, generator: torch.Generator | None = None) -> Element:
        return self.action.group.identity(x)

    def excess_nats(self, x: Data) -> Float[Tensor, "B"]:
        """The log of the orbit's size, where the action knows it."""
        return self.action.log_orbit(x)
