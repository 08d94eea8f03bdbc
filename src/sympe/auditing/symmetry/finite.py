"""Finite groups that act on vectors by matrices or permutations; all elements are enumerated."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import POWER, ROUNDING, Errors, Loss, Target, class_errors, no_errors
from sympe.graphs.bliss import joined
from sympe.groups import FiniteGroup


@dataclass(frozen=True)
class FiniteStabilizers(Stabilizers):
    """Subgroups of a finite group; ``moves`` is how each element acts on targets, None if they are invariant."""

    is_symmetry: Bool[Tensor, "B g"]
    moves: Float[Tensor, "g e e"] | None

    def errors(self, target: Target, loss: Loss) -> Errors:
        count = len(self.orders)
        target.check({target.per: count})
        values = target.values.detach().cpu().reshape(count, -1)
        if self.moves is None:
            return no_errors(values)
        size = self.moves.shape[1]
        if values.shape[1] != size:
            raise ValueError(f"expected targets of {size} numbers; got {values.shape[1]}")
        if bool(((self.moves == 0) | (self.moves == 1)).all()):
            owner, element = self.is_symmetry.nonzero(as_tuple=True)
            start = owner[:, None] * size
            # Column j of a permutation matrix has its 1 in the row of the image of j.
            moved, fixed = self.moves.argmax(1)[element] + start, torch.arange(size) + start
            orbit = joined([fixed.numpy()], [moved.numpy()], count * size)
            return class_errors(orbit, np.repeat(np.arange(count), size), count, values.reshape(-1, 1), loss)
        if loss != "squared":
            raise ValueError(f"targets that matrices mix are compared by the squared loss; got {loss}")
        y = values.double()
        weight = self.is_symmetry.double() / self.is_symmetry.sum(1, keepdim=True)
        mean = torch.einsum("bg,gij,bj->bi", weight, self.moves, y)
        total = ((y - mean) ** 2).sum(1)
        violated = total > ROUNDING ** POWER[loss] * (y**2).sum(1)
        return Errors(total.numpy(), np.full(count, size), violated.numpy())


class FiniteSymmetry(Symmetry):
    """A finite group, given by generators.

    Args:
        inputs: Generators acting on inputs ``[B, d]``: orthogonal matrices, or permutations as lists of images.
        targets: The same generators acting on targets ``[B, e]``; by default targets are invariant.
        tolerance: Largest difference between equal inputs, relative to their size; exact for permutations.
        name: Name of the group.

    Raises:
        ValueError: If the numbers of generators differ, a matrix is not orthogonal, or the group is infinite or has
            more than 5000 elements.

    Example:
        >>> import sympe
        >>> swap = FiniteSymmetry([[1, 0]], [[1, 0]])
        >>> report = sympe.audit(torch.tensor([[3.0, 3.0], [1.0, 2.0]]), group=swap, target=torch.eye(2))
        >>> [(row["stabilizer_order"], row["irreducible_error"]) for row in report.samples()]
        [(2, 0.25), (1, 0.0)]
    """

    kind = "fields"

    def __init__(
        self,
        inputs: Sequence[Sequence[int]] | Tensor,
        targets: Sequence[Sequence[int]] | Tensor | None = None,
        tolerance: float = 1e-6,
        name: str = "finite group",
    ) -> None:
        first = _matrices(inputs)
        second = torch.zeros(len(first), 0, 0) if targets is None else _matrices(targets)
        if len(first) != len(second):
            raise ValueError(f"expected as many generators on targets as on inputs; got {len(second)} and {len(first)}")
        d = first.shape[1]
        both = torch.stack([torch.block_diag(a, b) for a, b in zip(first, second.double(), strict=True)])
        found = FiniteGroup.from_matrices(both, name).matrices
        assert found is not None
        # Products of permutation matrices are exact.
        self.moves, self.target_moves = found[:, :d, :d], None if targets is None else found[:, d:, d:]
        self.is_exact = bool(((first == 0) | (first == 1)).all())
        self.tolerance, self.name, self.title = tolerance, name, f"{len(found)} elements"

    def stabilizers(self, x: Tensor) -> FiniteStabilizers:
        flat = x.detach().cpu().double().flatten(1)
        if flat.shape[1] != self.moves.shape[1]:
            raise ValueError(f"expected inputs of {self.moves.shape[1]} numbers; got shape {list(x.shape)}")
        moved = torch.einsum("gij,bj->bgi", self.moves, flat)
        difference = (moved - flat[:, None]).abs().amax(2)
        scale = 0.0 if self.is_exact else self.tolerance * flat.abs().amax(1, keepdim=True)
        is_symmetry = difference <= scale
        orders, sizes = is_symmetry.sum(1).tolist(), [flat.shape[1]] * len(x)
        log_orbits = [math.log(len(self.moves) / order) for order in orders]
        return FiniteStabilizers(sizes, orders, log_orbits, [None] * len(x), is_symmetry, self.target_moves)


def _matrices(generators: Sequence[Sequence[int]] | Tensor) -> Float[Tensor, "k d d"]:
    given = torch.as_tensor(generators)
    if given.dim() == 3 and given.shape[1] == given.shape[2] and len(given):
        matrices = given.double()
        if not torch.allclose(matrices @ matrices.transpose(1, 2), torch.eye(given.shape[1]).double(), atol=1e-6):
            raise ValueError("expected orthogonal matrices; got others")
        return matrices
    if given.dim() != 2 or given.is_floating_point() or not len(given):
        raise ValueError(f"expected matrices [k, d, d] or permutations [k, d]; got {given.dtype} {list(given.shape)}")
    d = given.shape[1]
    if not torch.equal(given.sort(1).values, torch.arange(d).expand(len(given), -1)):
        raise ValueError(f"expected permutations of 0..{d - 1}; got {given.tolist()}")
    return torch.nn.functional.one_hot(given, d).double().transpose(1, 2)
