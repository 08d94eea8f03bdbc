r"""Targets, and the least error of a map that gives equal answers within each class.

If a symmetry of the input exchanges entries of the output, a deterministic equivariant map gives them the same value:
entries of one *class* share one answer. The best answer is the mean of the class for the squared error, the median for
the absolute error, and the most frequent value for the 0-1 loss.
"""

from collections.abc import Mapping
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
POWER = {"squared": 2, "absolute": 1, "zero-one": 1}  # of the difference, by loss
VECTOR_SHAPES = {(3,), (3, 3)}  # of vectors and matrices in space, which rotate with the points unless irreps do
ROUNDING = 1e-6  # relative differences below this are rounding errors of 32-bit numbers


@dataclass(frozen=True)
class Target:
    """The targets of a batch of samples.

    Attributes:
        values: One row per entry, sample after sample. By default integers are compared by the 0-1 loss and
            floating-point numbers by the squared error.
        per: What each entry belongs to: a ``sample``, a ``node``, a directed ``edge`` (in the order of ``edge_index``),
            an ordered ``pair`` of nodes (in row-major order), a ``site`` of a lattice or a ``point`` in space.
        vector: Whether entries are vectors or matrices in space, which rotate with the points.
        irreps: Irreps of O(3) by which entries rotate instead, e.g. ``"1x0e+1x1e"`` for a scalar and a pseudovector.

    Raises:
        ValueError: If ``per`` is unknown, or the values are complex or not finite.
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

    def check(self, counts: Mapping[Per, int]) -> None:
        """Raise a ``ValueError`` unless there is one row per entry; ``counts`` lists the entries of the inputs."""
        if self.per not in counts:
            raise ValueError(f"the input has no targets per {self.per}; expected one of {', '.join(counts)}")
        rows = len(self.values) if self.values.dim() else 0
        if rows != counts[self.per]:
            owner = "field" if self.per == "site" else self.per
            raise ValueError(f"expected {counts[self.per]} targets, one per {owner}; got {rows}")


@dataclass(frozen=True)
class Errors:
    """Least errors of a batch of samples.

    Attributes:
        total: Error of each sample, summed over its entries.
        entries: Number of entries of each sample.
        violated: Whether the target is less symmetric than the input, beyond rounding (a Curie violation).
    """

    total: Float[np.ndarray, "B"]
    entries: Int[np.ndarray, "B"]
    violated: Bool[np.ndarray, "B"]


def choose_loss(target: Target, loss: str | None) -> Loss:
    """The given loss, or the default of the target; a ``ValueError`` if it is unknown."""
    if loss is None:
        return "squared" if target.values.is_floating_point() else "zero-one"
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}; got {loss!r}")
    return loss  # type: ignore[return-value]  # just checked


def class_errors(
    classes: Int[np.ndarray, "M"], owner: Int[np.ndarray, "M"], count: int, values: Tensor, loss: Loss
) -> Errors:
    """Least errors if all entries of a class get one answer; columns are predicted separately.

    Args:
        classes: Class of each entry, numbered over the batch; no class spans two samples.
        owner: Sample of each entry, of ``count`` in all.
        values: One row per entry.
        loss: The loss.

    Raises:
        ValueError: If the number of rows differs from the number of entries.
    """
    rows = values.detach().cpu()[:, None].flatten(1).numpy()
    if len(rows) != len(classes):
        raise ValueError(f"expected {len(classes)} targets; got {len(rows)}")
    least = {"squared": _squared, "absolute": _absolute, "zero-one": _minority}[loss]
    total, size = np.zeros(count), np.zeros(count)
    for column in rows.T:
        total += np.bincount(owner, weights=least(classes, column), minlength=count)
        if loss != "zero-one":
            size += _rounding(owner, count, column, POWER[loss])
    violated = total > size
    total = np.rint(total) if loss == "zero-one" else np.where(violated, total, 0.0)
    return Errors(total, np.bincount(owner, minlength=count) * rows.shape[1], violated)


def _rounding(owner: NDArray[np.int64], count: int, column: NDArray[np.generic], power: int) -> NDArray[np.float64]:
    """Errors that count as zero: a share of how far entries are apart, and what their type cannot resolve."""
    eps = 1.2e-7 if column.dtype.kind == "f" and column.dtype.itemsize < 8 else 2.3e-16
    value = column.astype(np.float64)
    least = (ROUNDING * np.abs(_from_mean(owner, value))) ** power + (4 * eps * np.abs(value)) ** power
    return np.bincount(owner, weights=least, minlength=count).astype(np.float64)


def no_errors(values: Tensor) -> Errors:
    """Errors of zero, for targets with one row per sample that symmetry does not constrain."""
    count = len(values)
    entries = np.full(count, values.numel() // max(count, 1), dtype=np.int64)
    return Errors(np.zeros(count), entries, np.zeros(count, bool))


def _from_mean(classes: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values minus the mean of their class."""
    return value - (np.bincount(classes, weights=value) / np.maximum(np.bincount(classes), 1))[classes]


def _squared(classes: NDArray[np.int64], column: NDArray[np.generic]) -> NDArray[np.float64]:
    return _from_mean(classes, column.astype(np.float64)) ** 2


def _absolute(classes: NDArray[np.int64], column: NDArray[np.generic]) -> NDArray[np.float64]:
    value = column.astype(np.float64)
    held = np.bincount(classes)
    middle = np.cumsum(held) - held + np.maximum(held - 1, 0) // 2
    from_median: NDArray[np.float64] = value - value[np.lexsort((value, classes))][middle[classes]]
    return np.abs(from_median)


def _minority(classes: NDArray[np.int64], value: NDArray[np.generic]) -> NDArray[np.float64]:
    _, kind = np.unique(value, return_inverse=True)
    base = int(kind.max(initial=0)) + 1
    held, times = np.unique(classes * base + kind, return_counts=True)
    size = np.bincount(classes)
    most = np.zeros_like(size)
    np.maximum.at(most, held // base, times)
    # Spread the errors of a class evenly over its entries.
    return ((size - most) / np.maximum(size, 1))[classes]
