"""The canonicalizer that knows nothing: under the kernel it gives Haar measure on the whole group."""

from typing import Any

import torch

from sympe.actions import Action, GraphRelabeling
from sympe.canonicalize.base import Canonicalizer


class Constant(Canonicalizer[Any, Any]):
    """tau(x) = identity, so that g~ is uniform on the group: the control for every other kernel.

    Args:
        action: The group and its action; relabeling of graphs if left out.
    """

    def __init__(self, action: Action[Any, Any] | None = None) -> None:
        super().__init__()
        self.action = GraphRelabeling() if action is None else action

    def forward(self, x: Any, generator: torch.Generator | None = None) -> Any:
        return self.action.group.identity(x)
