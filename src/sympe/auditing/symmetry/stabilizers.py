r"""Stabilizers of a batch of inputs: their orders, and the errors that they force on equivariant maps.

A :class:`Symmetry` is a group with an action on one kind of data; it computes the :class:`Stabilizers` of a batch.
To audit another group, subclass both.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sympe.auditing.targets import Errors, Loss, Target


@dataclass(frozen=True)
class Stabilizers(ABC):
    """The stabilizers of a batch; every list has one entry per input.

    Attributes:
        sizes: Number of nodes, sites or points.
        orders: Exact order of the stabilizer; None where it is infinite (a linear molecule).
        log_orbits: Log of the orbit's size in nats: the excess randomness of Haar measure. None for infinite groups.
        point_groups: Name of the stabilizer, if it has one.
        most_drawn: Nodes, sites or points of the largest input that is drawn.
    """

    most_drawn: ClassVar[int] = 40

    sizes: Sequence[int]
    orders: Sequence[int | None]
    log_orbits: Sequence[float | None]
    point_groups: Sequence[str | None]

    @abstractmethod
    def errors(self, target: Target, loss: Loss) -> Errors:
        r"""Least errors of any equivariant map on these inputs; :math:`|y - P_x y|^2` for the squared loss.

        Raises:
            ValueError: If the group does not act on such targets, or their number is wrong.
        """

    def drawing(self, sample: int) -> dict[str, Any] | None:
        """What a drawing of an input shows: at least ``orbits``, the orbit of each node, and ``edges``.

        Besides ``places``, in two or three dimensions; ``letters`` to write on the nodes; and what stands around them:
        ``corners``, and ``frame``, pairs of corners to join.
        """
        return None


class Symmetry(ABC):
    """A group with its action on one kind of input.

    Attributes:
        name: Short name, as in reports.
        title: The group in a few words.
        kind: Kind of input.
        breaker: Python expression for a symmetry breaking to recommend.
    """

    name: str
    title: str
    kind: Literal["graphs", "fields", "points", "crystals"]
    breaker: str = "sympe.SymPE"

    @abstractmethod
    def stabilizers(self, x: Any) -> Stabilizers:
        """The stabilizers of a batch of inputs.

        Raises:
            ValueError: If the group does not act on such inputs.
        """
