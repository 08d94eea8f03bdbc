"""The trivial canonicalizer, which gives Haar measure on the whole group under the kernel."""

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import Action, GraphRelabeling
from sympe.actions.base import Data, Element
from sympe.canonicalize.base import Canonicalizer, check_action


class Constant(Canonicalizer[Element, Data]):
    """tau(x) = identity, so that g~ is Haar, the control for every kernel; by default the group relabels graphs."""

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
