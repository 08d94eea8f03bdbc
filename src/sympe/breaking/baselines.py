"""What SymPE is compared with: nothing, noise, and a learned vector that does not move."""

from typing import Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import Action, GraphRelabeling, Irreps, PointRotation
from sympe.actions.base import Data, Element
from sympe.breaking.base import SymmetryBreaking
from sympe.encoding import Encoding
from sympe.graphs import Graphs
from sympe.points import PointClouds
from sympe.seeding import sample
from sympe.settings import require_at_least

Given = TypeVar("Given", Graphs, PointClouds)


class Nothing(SymmetryBreaking[Given]):
    """Zero features per row, so that joining them leaves a network's input unchanged.

    Args:
        per_node: Whether there is one row per node (graphs), or one per member of the batch (clouds).
    """

    dim = 0

    def __init__(self, per_node: bool = True) -> None:
        super().__init__()
        self.per_node = per_node
        self.action = GraphRelabeling() if per_node else PointRotation()  # type: ignore[assignment]

    def draw(self, x: Given, generator: torch.Generator | None) -> Tensor:
        return torch.zeros(len(x.batch) if self.per_node else len(x), 0, device=x.device)


class Noise(SymmetryBreaking[Graphs]):
    """Independent standard normal features for every node, redrawn on each call: more randomness than needed.

    Args:
        dim: Features per node, at least 1.
    """

    action = GraphRelabeling()
    is_continuous = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        require_at_least(1, dim=dim)
        self.dim = dim

    def draw(self, x: Graphs, generator: torch.Generator | None) -> Float[Tensor, "N dim"]:
        return sample(torch.randn, x.num_nodes, self.dim, generator=generator, device=x.device)


class IrrepsNoise(SymmetryBreaking[PointClouds]):
    """Independent standard normal numbers for every cloud, redrawn on each call, in irreps such as ``"2x1o+1x2e"``.

    The law is equivariant because rotations and reflections preserve it.
    """

    action = PointRotation()
    is_continuous = True

    def __init__(self, irreps: Irreps | str) -> None:
        super().__init__()
        self.irreps = Irreps.parse(irreps)
        self.dim = self.irreps.dim

    def draw(self, x: PointClouds, generator: torch.Generator | None) -> Float[Tensor, "B dim"]:
        return sample(torch.randn, len(x), self.dim, generator=generator, device=x.device)


class Unmoved(SymmetryBreaking[Data], Generic[Element, Data]):
    """The same vector for every input: the control that is not equivariant, not even in law.

    This amounts to learning a symmetry-breaking parameter on a single input (T. Smidt, M. Geiger, B. K. Miller,
    *Finding symmetry breaking order parameters with Euclidean neural networks*, Physical Review Research 3, 2021): it
    is right only for inputs oriented as in training. For graphs it depends on the order of storage.

    Args:
        encoding: The vector.
        action: How the group moves the inputs, but not the vector.

    Raises:
        ValueError: If the group of ``action`` cannot move the encoding.
    """

    def __init__(self, encoding: Encoding[Element], action: Action[Element, Data]) -> None:
        super().__init__()
        encoding.check_group(action.group)
        self.encoding = encoding
        self.action = action
        self.dim = encoding.dim

    def draw(self, x: Data, generator: torch.Generator | None) -> Tensor:
        vector: Tensor = self.encoding(self.action.group.identity(x))
        return vector
