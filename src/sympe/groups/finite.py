r"""Finite groups, from its multiplication table or from generators.

Elements are numbered ``0 .. n-1``; ``table[i, j]`` is the number of the product :math:`g_i g_j` ("first j, then
i"). A batch of elements is a tensor of numbers ``[B]``. A group made of matrices keeps them: ``matrices[i]``
represents element ``i``.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.groups.base import Batch, Group
from sympe.seeding import drawing_device

#: Generated groups beyond this are taken for infinite; the table would not fit in memory.
_MOST_ELEMENTS = 5000


class FiniteGroup(Group[Tensor, Batch]):
    """A finite group, known by its multiplication table.

    Args:
        table: Number of the product of every two elements.
        matrices: Optional faithful representation, one matrix for each element.
        name: What to call it.

    Attributes:
        order: Number of elements.
        neutral: Number of the identity.
        inverses: Number of the inverse of each element.

    Raises:
        ValueError: If the table is not that of a group, or the matrices do not multiply by it.

    Example:
        >>> klein = FiniteGroup(torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]))
        >>> klein.compose(torch.tensor([1, 2]), torch.tensor([2, 2]))
        tensor([3, 0])
    """

    def __init__(
        self, table: Int[Tensor, "n n"], matrices: Float[Tensor, "n d d"] | None = None, name: str = "group"
    ) -> None:
        self.table = torch.as_tensor(table).cpu()
        self.neutral, self.inverses = _check_table(self.table)
        self.table = self.table.long()
        self.order = len(self.table)
        self.matrices = None if matrices is None else _check_matrices(torch.as_tensor(matrices).cpu(), self.table)
        self.name = name

    def __repr__(self) -> str:
        return f"{self.name} (order {self.order})"

    def __len__(self) -> int:
        return self.order

    @classmethod
    def from_permutations(cls, generators: Sequence[Sequence[int]], name: str = "group") -> "FiniteGroup":
        """The group that permutations generate, each given by its images: i moves to ``generator[i]``.

        Raises:
            ValueError: If one is not a permutation of as many places as the others, or the group is too large.
        """
        if not generators:
            raise ValueError("expected at least one generator; got none")
        places = list(range(len(generators[0])))
        for generator in generators:
            if sorted(generator) != places:
                raise ValueError(f"expected permutations of 0..{len(places) - 1}; got {list(generator)}")
        number = {tuple(places): 0}
        elements = [tuple(places)]
        for element in elements:  # grows as it goes: each element is followed once
            for generator in generators:
                product = tuple(generator[i] for i in element)
                if product not in number:
                    number[product] = len(elements)
                    elements.append(product)
            _check_size(len(elements))
        images = torch.tensor(elements, dtype=torch.long).reshape(len(elements), -1)
        rows = [[number[tuple(image)] for image in images[i][images].tolist()] for i in range(len(elements))]
        return cls(torch.tensor(rows), name=name)

    @classmethod
    def from_matrices(
        cls, generators: Float[Tensor, "k d d"], name: str = "group", tolerance: float = 1e-6
    ) -> "FiniteGroup":
        """The group that matrices generate; matrices that differ by less than ``tolerance`` are one element.

        Raises:
            ValueError: If they are not square and invertible, or do not generate a group of moderate size.
        """
        generators = torch.as_tensor(generators).double().cpu()
        if generators.dim() != 3 or generators.shape[1] != generators.shape[2] or not len(generators):
            raise ValueError(f"expected square matrices, shape [k, d, d]; got {list(generators.shape)}")
        if not bool(generators.isfinite().all()) or not bool((torch.linalg.det(generators).abs() > tolerance).all()):
            raise ValueError("expected finite, invertible matrices as generators; got others")
        found = torch.eye(generators.shape[1], dtype=torch.float64)[None]
        latest = found
        while len(latest):
            latest = _distinct((generators[:, None] @ latest).flatten(0, 1), found, tolerance)
            found = torch.cat([found, latest])
            _check_size(len(found))
        rows = [_numbers(found[i] @ found, found, tolerance) for i in range(len(found))]
        return cls(torch.stack(rows), found, name)

    def identity(self, like: Batch) -> Int[Tensor, "B"]:
        return torch.full((len(like),), self.neutral, device=like.device)

    def compose(self, g: Int[Tensor, "B"], h: Int[Tensor, "B"]) -> Int[Tensor, "B"]:
        return self.table.to(g.device)[g, h]

    def inverse(self, g: Int[Tensor, "B"]) -> Int[Tensor, "B"]:
        return self.inverses.to(g.device)[g]

    def haar(self, like: Batch, generator: torch.Generator | None = None) -> Int[Tensor, "B"]:
        drawn_on = drawing_device(generator, like.device)
        return torch.randint(self.order, (len(like),), generator=generator, device=drawn_on).to(like.device)

    def contains(self, other: object) -> bool:
        """Only a group with the same numbering of elements: a subgroup numbers its own elements anew."""
        return isinstance(other, FiniteGroup) and torch.equal(self.table, other.table)

    def generate(self, elements: Sequence[int] | Int[Tensor, "k"]) -> Int[Tensor, "m"]:
        """The least subgroup that holds these elements, as a sorted list of numbers.

        Raises:
            ValueError: If a number is not that of an element.
        """
        generators = self._numbers(elements)
        found = torch.tensor([self.neutral])
        while True:
            more = torch.cat([found, self.table[generators][:, found].flatten()]).unique()
            if len(more) == len(found):
                return found
            found = more

    def subgroup(self, elements: Sequence[int] | Int[Tensor, "k"], name: str = "subgroup") -> "FiniteGroup":
        """A subgroup as a group of its own; its element i is the i-th of the *sorted* numbers.

        Raises:
            ValueError: If the elements are not closed under products.
        """
        kept = self._numbers(elements).unique()
        if len(self.generate(kept)) != len(kept):
            raise ValueError(f"expected elements closed under products; got {kept.tolist()}")
        number = torch.full((self.order,), -1)
        number[kept] = torch.arange(len(kept))
        table = number[self.table[kept][:, kept]]
        return FiniteGroup(table, None if self.matrices is None else self.matrices[kept], name)

    def left_cosets(self, subgroup: Sequence[int] | Int[Tensor, "m"]) -> Int[Tensor, "k m"]:
        """The cosets :math:`g H`, one row each, the subgroup itself first.

        Raises:
            ValueError: If the elements are not closed under products.
        """
        kept = self._numbers(subgroup).unique()
        if len(self.generate(kept)) != len(kept):
            raise ValueError(f"expected elements closed under products; got {kept.tolist()}")
        cosets = self.table[:, kept].sort(1).values.unique(dim=0)
        is_first = (cosets == self.neutral).any(1)
        return torch.cat([cosets[is_first], cosets[~is_first]])

    def element_orders(self) -> Int[Tensor, "n"]:
        """How often each element must be repeated to give the identity."""
        power = torch.arange(self.order)
        order = torch.ones(self.order, dtype=torch.long)
        while bool((moving := power != self.neutral).any()):
            power = torch.where(moving, self.table[power, torch.arange(self.order)], power)
            order += moving
        return order

    def _numbers(self, elements: Sequence[int] | Tensor) -> Int[Tensor, "k"]:
        numbers = torch.as_tensor(elements, dtype=torch.long).cpu().reshape(-1)
        if len(numbers) and (int(numbers.min()) < 0 or int(numbers.max()) >= self.order):
            raise ValueError(f"expected elements 0..{self.order - 1}; got {numbers.tolist()}")
        return numbers


def _check_size(count: int) -> None:
    if count > _MOST_ELEMENTS:
        raise ValueError(f"expected generators of a group of at most {_MOST_ELEMENTS} elements; they give more")


def _check_table(table: Tensor) -> tuple[int, Int[Tensor, "n"]]:
    """Number of the identity, and the inverses."""
    if table.dim() != 2 or table.shape[0] != table.shape[1] or not len(table):
        raise ValueError(f"expected a multiplication table of shape [n, n]; got {list(table.shape)}")
    if table.is_floating_point() or table.is_complex() or table.dtype == torch.bool:
        raise ValueError(f"expected a multiplication table of integers; got {table.dtype}")
    table = table.long()
    n = len(table)
    every = torch.arange(n)
    if int(table.min()) < 0 or int(table.max()) >= n:
        raise ValueError(f"expected a table of products 0..{n - 1}; got {int(table.min())}..{int(table.max())}")
    neutral = ((table == every).all(1) & (table == every[:, None]).all(0)).nonzero()
    if not len(neutral):
        raise ValueError("the table is not that of a group: no element is an identity")
    identity = int(neutral[0])
    gives_identity = table == identity
    is_inverse = gives_identity & gives_identity.T
    if not bool(is_inverse.any(1).all()):
        element = int((~is_inverse.any(1)).nonzero()[0])
        raise ValueError(f"the table is not that of a group: element {element} has no inverse")
    for i in range(n):  # (i j) k = i (j k), one plane at a time
        wrong = table[table[i]] != table[i][table]
        if bool(wrong.any()):
            j, k = wrong.nonzero()[0].tolist()
            raise ValueError(f"the table is not that of a group: ({i} {j}) {k} is not {i} ({j} {k})")
    return identity, is_inverse.int().argmax(1)


def _check_matrices(matrices: Tensor, table: Int[Tensor, "n n"]) -> Float[Tensor, "n d d"]:
    n = len(table)
    if matrices.dim() != 3 or matrices.shape[0] != n or matrices.shape[1] != matrices.shape[2]:
        raise ValueError(f"expected {n} square matrices, shape [{n}, d, d]; got {list(matrices.shape)}")
    matrices = matrices.double()
    for i in range(n):
        if not torch.allclose(matrices[i] @ matrices, matrices[table[i]], atol=1e-6):
            raise ValueError(f"the matrices do not multiply as the table says: see the products with element {i}")
    return matrices


def _distinct(
    matrices: Float[Tensor, "k d d"], known: Float[Tensor, "m d d"], tolerance: float
) -> Float[Tensor, "l d d"]:
    """Those matrices that are not known yet, each once."""
    matrices = matrices[_distances(matrices, known).amin(1) > tolerance]
    alike = _distances(matrices, matrices) <= tolerance
    return matrices[alike.int().argmax(1) == torch.arange(len(matrices))] if len(matrices) else matrices


def _numbers(matrices: Float[Tensor, "k d d"], known: Float[Tensor, "m d d"], tolerance: float) -> Int[Tensor, "k"]:
    distance, number = _distances(matrices, known).min(1)
    if bool((distance > 10 * tolerance).any()):
        raise ValueError("expected matrices that generate a finite group; their products do not close")
    return number


def _distances(a: Float[Tensor, "k d d"], b: Float[Tensor, "m d d"]) -> Float[Tensor, "k m"]:
    """Largest difference of two entries; exact for small ones, unlike a distance by inner products."""
    return torch.cdist(a.flatten(1), b.flatten(1), p=torch.inf)
