"""What canonicalizers of fields on a periodic lattice share: checks, rounding and memory limits."""

from abc import abstractmethod

import torch
from jaxtyping import Shaped
from torch import Tensor

from sympe.actions.lattice import LatticeAction
from sympe.canonicalize.base import Canonicalizer, check_action
from sympe.groups import LatticeSymmetry
from sympe.settings import require_positive


class FieldCanonicalizer(Canonicalizer[LatticeSymmetry, Tensor]):
    """A canonicalizer of fields: it chooses one image of a field under the group.

    Fields are compared bit by bit, except that the two zeros are equal. Rounding errors in computed values break exact
    symmetry, so ``resolution`` rounds the values first. Values on both sides of a rounding boundary still differ,
    however close, and some symmetries are then missed. The law of the kernel is equivariant in any case.

    Args:
        action: How the group moves the fields.
        resolution: Round values to multiples of this (positive) before comparing; by default compare exact values.
        max_memory: Memory limit in bytes: large batches are canonicalized in several parts, on a CPU in small ones.
    """

    action: LatticeAction
    #: Memory in bytes that the caches of a processor hold: batches are canonicalized in parts of this size.
    cached = 2**22

    def __init__(self, action: LatticeAction, resolution: float | None = None, max_memory: int = 2**31) -> None:
        super().__init__()
        check_action(action)
        require_positive(resolution=resolution)
        self.action = action
        self.resolution = resolution
        self.max_memory = max_memory

    @abstractmethod
    def bytes_per_field(self, x: Tensor) -> int:
        """An estimate of the memory in bytes that one field of the batch needs."""

    def parts(self, x: Shaped[Tensor, "B *c L1 L2"]) -> tuple[Tensor, ...]:
        """The batch, checked and rounded, in parts that fit into memory.

        Raises:
            ValueError: If these are not fields of the action, a value is not finite, or a single field needs more
                than ``max_memory``.
        """
        self.action.check(x)
        needed = self.bytes_per_field(x)
        if needed > self.max_memory:
            field = f"a field of {x.shape[-2]} x {x.shape[-1]} sites needs about {needed / 1e9:.2g} GB of memory"
            raise ValueError(f"{field}; max_memory allows {self.max_memory / 1e9:.2g} GB")
        x = x.detach()
        # The sum, which is faster, is finite only if all values are.
        if not torch.compiler.is_compiling() and not x.sum().isfinite() and not bool(x.isfinite().all()):
            place = (~x.isfinite()).nonzero()[0].tolist()
            raise ValueError(f"fields must be finite; got {x[tuple(place)].item()} at {place}")
        if self.resolution is not None:
            x = (x.double() / self.resolution).round()
        most = self.cached if x.device.type == "cpu" else self.max_memory
        return torch.split(x, max(min(most, self.max_memory) // needed, 1))
