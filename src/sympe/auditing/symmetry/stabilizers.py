r"""Stabilizers of a batch of inputs: how large they are, and what they forbid an equivariant map to predict.

A :class:`Symmetry` is a group together with the way in which it moves one kind of data. Asked for a batch of inputs,
it gives their :class:`Stabilizers`. An audit needs nothing else, so a group of one's own takes these two classes.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sympe.auditing.targets import Errors, Loss, Target


@dataclass(frozen=True)
class Stabilizers(ABC):
    """The stabilizers of the members of a batch, one entry each in every list.

    Attributes:
        sizes: How many nodes, sites or points an input has.
        orders: Order of the stabilizer, exactly; None where it is infinite (a linear molecule).
        log_orbits: Logarithm of the size of the orbit in nats: what a uniform draw over the group spends beyond the
            least. None where the group is infinite.
        point_groups: Name of the stabilizer, where it has one.
    """

    sizes: Sequence[int]
    orders: Sequence[int | None]
    log_orbits: Sequence[float | None]
    point_groups: Sequence[str | None]

    @property
    def log_orders(self) -> list[float | None]:
        """Logarithms of the orders, in nats; also of those that no floating-point number can hold."""
        return [None if order is None else math.log(order) for order in self.orders]

    @abstractmethod
    def errors(self, target: Target, loss: Loss) -> Errors:
        r"""Least errors of any equivariant map on these inputs: :math:`|y - P_x y|^2` and its like.

        Raises:
            ValueError: If targets of this kind are not moved by the group, or are not one per entry.
        """


class Symmetry(ABC):
    """A group and the way in which it moves inputs of one kind.

    Attributes:
        name: What the command line calls it.
        title: What it does, in a few words.
        kind: What it acts on: ``graphs``, ``fields`` or ``points``.
        breaker: What breaks it, as an expression.
    """

    name: str
    title: str
    kind: Literal["graphs", "fields", "points"]
    breaker: str = "sympe.SymPE"

    @abstractmethod
    def stabilizers(self, x: Any) -> Stabilizers:
        """The stabilizers of a batch of inputs.

        Raises:
            ValueError: If the inputs are not of the kind that the group moves.
        """
