r"""What is to be predicted, and the least error that equal answers inside each class leave.

A deterministic equivariant map gives entries of its output that a symmetry of the input exchanges the same value:
entries of one *class* share one answer. The best such answer is the mean of the class for the squared error, its
median for the absolute error, its most frequent value for the 0-1 loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

Per = Literal["sample", "node", "edge", "pair", "site", "point"]
Loss = Literal["squared", "absolute", "zero-one"]

LOSSES: tuple[str, ...] = get_args(Loss)
#: The power of a difference that each loss grows with.
POWER = {"squared": 2, "absolute": 1, "zero-one": 1}
#: Of a vector and of a matrix in space: what has one of these turns with points, unless irreps are given.
VECTOR_SHAPES = {(3,), (3, 3)}
#: Relative differences below this are the rounding of 32 bits.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Target:
    """The targets of a batch of samples.

    Attributes:
        values: One row per entry, sample after sample. Integers are classes, compared by the 0-1 loss unless another
            is asked for; floating-point numbers are compared by the squared error.
        per: What an entry belongs to: the whole ``sample``, a ``node``, a directed ``edge`` in the order of the
            graph's ``edge_index``, an ordered ``pair`` of nodes (row after row of a matrix), a ``site`` of a lattice
            or a ``point`` in space.
        vector: Whether the last dimension is a vector or a matrix in space, which turns with the points.
        irreps: Irreps of O(3) by which the last dimension turns with the points instead, ``"1x0e+1x1e"`` for a number
            and a pseudovector; None if it does not.
    """

    values: Tensor
    per: Per
    vector: bool = False
    irreps: str | None = None

    def __post_init__(self) -> None:
        if self.per not in get_args(Per):
            raise ValueError(f"per must be one of {', '.join(get_args(Per))}; got {self.per!r}")
        if self.values.is_complex():
            raise ValueError(f"targets must be real; got {self.values.dtype}")
        if self.values.is_floating_point() and not bool(torch.isfinite(self.values).all()):
            raise ValueError("targets must be finite; got infinity or not a number")

    @property
    def default_loss(self) -> Loss:
        return "squared" if self.values.is_floating_point() else "zero-one"


@dataclass(frozen=True)
class Errors:
    """Least errors of a batch of samples.

    Attributes:
        total: Sum of the errors of all entries of each sample.
        entries: How many entries each sample has.
        violated: Whether the target is less symmetric than the input (a Curie violation), beyond rounding.
    """

    total: Float[np.ndarray, "B"]
    entries: Int[np.ndarray, "B"]
    violated: Bool[np.ndarray, "B"]


def choose_loss(target: Target, loss: str | None) -> Loss:
    """The loss that is asked for, or the one that goes with the target.

    Raises:
        ValueError: If there is no such loss.
    """
    if loss is None:
        return target.default_loss
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}; got {loss!r}")
    return loss  # type: ignore[return-value]  # just checked


def class_errors(
    classes: Int[np.ndarray, "M"], owner: Int[np.ndarray, "M"], count: int, values: Tensor, loss: Loss
) -> Errors:
    """Least errors if all entries of one class get one answer.

    Args:
        classes: Class of each entry, numbered over the whole batch; no class spans two samples.
        owner: Sample of each entry.
        count: How many samples there are.
        values: One row per entry; each column is predicted by itself.
        loss: How an answer is compared.
    """
    rows = values.detach().cpu().flatten(1).numpy() if values.dim() > 1 else values.detach().cpu().numpy()[:, None]
    if len(rows) != len(classes):
        raise ValueError(f"expected {len(classes)} targets; got {len(rows)}")
    least = {"squared": _squared, "absolute": _absolute, "zero-one": _minority}[loss]
    total = np.zeros(count)
    size = np.zeros(count)
    for column in rows.T:
        total += np.bincount(owner, weights=least(classes, column), minlength=count)
        if loss != "zero-one":
            size += np.bincount(owner, weights=np.abs(column.astype(np.float64)) ** POWER[loss], minlength=count)
    violated = total > ROUNDING ** POWER[loss] * size
    total = np.rint(total) if loss == "zero-one" else np.where(violated, total, 0.0)
    return Errors(total, np.bincount(owner, minlength=count) * rows.shape[1], violated)


def no_errors(sizes: Sequence[int] | NDArray[np.int64]) -> Errors:
    """Nothing that symmetry forbids, in samples of so many entries."""
    entries = np.asarray(sizes, dtype=np.int64)
    return Errors(np.zeros(len(entries)), entries, np.zeros(len(entries), bool))


def _squared(classes: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    value = value.astype(np.float64)
    held = np.maximum(np.bincount(classes), 1)
    return (value - (np.bincount(classes, weights=value) / held)[classes]) ** 2


def _absolute(classes: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    value = value.astype(np.float64)
    order = np.lexsort((value, classes))
    held = np.bincount(classes)
    median = np.zeros(len(held))
    middle = np.cumsum(held) - held + np.maximum(held - 1, 0) // 2
    present = held > 0
    median[present] = value[order][middle[present]]
    return np.abs(value - median[classes])


def _minority(classes: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    _, kind = np.unique(value, return_inverse=True)
    base = int(kind.max(initial=0)) + 1
    held, times = np.unique(classes * base + kind, return_counts=True)
    most = np.zeros(int(classes.max(initial=-1)) + 1, np.int64)
    np.maximum.at(most, held // base, times)
    # The errors of a class, spread evenly over its entries.
    size = np.bincount(classes, minlength=len(most))
    return ((size - most) / np.maximum(size, 1))[classes]
