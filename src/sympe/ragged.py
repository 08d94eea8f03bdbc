"""What batches of graphs and of point clouds share: members of different sizes, stored flat, one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

Value = TypeVar("Value")


class cached(Generic[Value]):
    """``functools.cached_property`` without its lock, which ``torch.compile`` cannot trace in Python 3.11."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Value:
        if instance is None:
            return self  # type: ignore[return-value]  # accessed on the class
        value = self.compute(instance)
        if not torch.compiler.is_compiling():
            vars(instance)[self.name] = value  # shadows this descriptor from now on
        return value


class Ragged(ABC):
    """A batch whose members have rows ``0 .. N-1``, member after member; ``batch`` holds the member of each row."""

    batch: Int[Tensor, "N"]
    #: What errors call a member and a row.
    words: ClassVar[tuple[str, str]]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def select(self, indices: Sequence[int] | Int[Tensor, "k"]) -> Self:
        """The members at ``indices``, in that order (repeats allowed).

        Raises:
            ValueError: If an index is not an integer from 0 to the number of members less 1.
        """

    def split(self) -> list[Self]:
        """The members, each as a batch of one."""
        return [self.select([index]) for index in range(len(self))]

    @property
    def device(self) -> torch.device:
        return self.batch.device

    @cached
    def sizes(self) -> Int[Tensor, "B"]:
        """Number of rows of each member."""
        ones = torch.ones_like(self.batch)
        return ones.new_zeros(len(self)).index_add_(0, self.batch, ones)

    @cached
    def ptr(self) -> Int[Tensor, "B_plus_1"]:
        """First row of each member, and the number of rows at the end."""
        return torch.cat([self.sizes.new_zeros(1), self.sizes.cumsum(0)])

    @cached
    def start(self) -> Int[Tensor, "N"]:
        """First row of each row's member."""
        return torch.zeros_like(self.batch) if len(self) == 1 else self.ptr[self.batch]

    def check_batch(self) -> None:
        """Check the values of ``batch``.

        Raises:
            ValueError: If it decreases or is out of range.
        """
        member, row = self.words
        if not len(self.batch):
            return
        first, last = map(int, self.batch.aminmax())
        if first < 0 or (first < last and bool((self.batch[1:] < self.batch[:-1]).any())):
            raise ValueError(
                f"batch must be non-decreasing and start at 0 or above: store the {row}s {member} after {member}"
            )
        if last >= len(self):
            raise ValueError(f"batch names {member} {last}; there are {len(self)} {member}s")

    def _widen_integers(self, *names: str) -> None:
        """Keep integers of any width in 64 bits: hashes and pairs of rows would overflow."""
        for name in names:
            value = getattr(self, name)
            if value is None or value.dtype == torch.int64:
                continue
            if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
                raise ValueError(f"{name} must hold integers; got {value.dtype}")
            object.__setattr__(self, name, value.long())

    def _chosen(self, indices: Sequence[int] | Int[Tensor, "k"]) -> Int[Tensor, "k"]:
        chosen = torch.as_tensor(indices, device=self.device)
        if chosen.dim() != 1 or (chosen.numel() and (chosen.is_floating_point() or chosen.dtype == torch.bool)):
            raise ValueError(f"indices must be one row of integers; got {chosen.dtype} {list(chosen.shape)}")
        chosen = chosen.long()
        if len(chosen) and (int(chosen.min()) < 0 or int(chosen.max()) >= len(self)):
            raise ValueError(f"indices must lie in 0..{len(self) - 1}; got {int(chosen.min())}..{int(chosen.max())}")
        return chosen


def rows_of(members: Int[Tensor, "k"], ptr: Int[Tensor, "B_plus_1"]) -> tuple[Int[Tensor, "m"], Int[Tensor, "m"]]:
    """All pairs of a member in a list and one of its rows: the place in the list, and the row.

    Args:
        members: The list; repeats allowed.
        ptr: First row of each member, and the number of rows at the end.
    """
    first = ptr.index_select(0, members)
    sizes = ptr.index_select(0, members + 1) - first
    place = torch.repeat_interleave(torch.arange(len(members), device=ptr.device), sizes)
    offset = first - (sizes.cumsum(0) - sizes)
    return place, torch.arange(len(place), device=ptr.device) + offset.index_select(0, place)


def lexsort(*keys: Shaped[Tensor, "N"]) -> Int[Tensor, "N"]:
    """The order by the first key, ties by the next, all increasing; what still ties stays in storage order."""
    order = torch.argsort(keys[-1], stable=True)
    for key in reversed(keys[:-1]):
        order = order[torch.argsort(key[order], stable=True)]
    return order


def joined(parts: Sequence[Any], name: str) -> Tensor | None:
    """The rows of one attribute of several batches; None if no batch carries it.

    Raises:
        ValueError: If only some batches carry it, or its widths differ.
    """
    values = [value for part in parts if (value := getattr(part, name)) is not None]
    if values and len(values) < len(parts):
        raise ValueError(f"either all batches carry {name} or none does; {len(values)} of {len(parts)} do")
    if len(widths := {value.shape[1] for value in values if value.dim() > 1}) > 1:
        raise ValueError(f"all batches must carry {name} of one width; got widths {sorted(widths)}")
    return torch.cat(values) if values else None
