"""What a model must know about its graphs, without the data itself."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sympe_experiments.molecules.features import is_chemical


@dataclass(frozen=True)
class Domain:
    """Kinds and frequencies.

    Attributes:
        elements: Name of each kind of node; one empty name for plain graphs.
        node_law: Frequency of each kind of node in the training set.
        edge_law: Frequency of each kind of pair; kind 0 is "no edge", for molecules the others are orders of bonds.
        size_law: Frequency of each number of nodes, from 0 on.
        hydrogens: Whether hydrogen atoms are nodes.
    """

    elements: tuple[str, ...]
    node_law: tuple[float, ...]
    edge_law: tuple[float, ...]
    size_law: tuple[float, ...]
    hydrogens: bool = False

    def __post_init__(self) -> None:
        """Refuse laws that nothing can be drawn from.

        Raises:
            ValueError: If a law has no positive entry, or an entry outside 0 .. 1.
        """
        for name in ("node_law", "edge_law", "size_law"):
            law = getattr(self, name)
            if not any(law) or not all(0 <= frequency <= 1 for frequency in law):
                raise ValueError(f"{name} must hold frequencies, one of them positive; got {str(law)[:80]}")

    @property
    def max_nodes(self) -> int:
        return len(self.size_law) - 1

    @property
    def is_chemical(self) -> bool:
        """Whether graphs are molecules."""
        return is_chemical(self.elements)

    def limits(self, transition: str) -> tuple[Float[Tensor, "a"], Float[Tensor, "b"]]:
        """Laws that the noise leads to, for nodes and pairs."""
        laws = [torch.tensor(law, dtype=torch.float64) for law in (self.node_law, self.edge_law)]
        if transition == "uniform":
            laws = [torch.full_like(law, 1 / len(law)) for law in laws]
        return laws[0], laws[1]

    def size_cost(self, n: int) -> float:
        """Minus the logarithm of the frequency of graphs of n nodes; infinite if no graph has this size."""
        known = self.size_law[n] if n < len(self.size_law) else 0.0
        return -float(torch.tensor(known, dtype=torch.float64).log())

    def draw_sizes(self, count: int, generator: torch.Generator) -> list[int]:
        """Numbers of nodes of ``count`` graphs."""
        law = torch.tensor(self.size_law, dtype=torch.float64)
        return torch.multinomial(law, count, replacement=True, generator=generator).tolist() if count else []

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Domain":
        """What :meth:`as_dict` made, also by way of JSON."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**plain)


def smoothed(counts: Tensor) -> tuple[float, ...]:
    """Frequencies after counting each kind once more, so that a kind that never occurs stays possible."""
    raised = counts.double() + 1
    return tuple((raised / raised.sum()).tolist())
