r"""Permutations of the nodes of a ragged batch of graphs or sets.

A batch of graphs with :math:`n_1, n_2, \dots` nodes is stored flat, its nodes at *positions*
:math:`0 \dots N-1`. An element of :math:`S_{n_1} \times S_{n_2} \times \dots` permutes the positions and keeps
every node inside its own graph. It is given by its images: the node at position ``i`` moves to ``image[i]``.

If :math:`g` takes a canonical form to :math:`x`, the node of rank ``r`` in the canonical form is at ``image[r]`` in
:math:`x`, so the inverse, ``preimage``, gives the **rank** of each node of :math:`x`. With both, inversion is free.
"""

from dataclasses import dataclass
from operator import index
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.groups.base import Group, as_integers
from sympe.seeding import sample


@runtime_checkable
class NodeBatch(Protocol):
    """What the group needs of a batch: the graph of each node, and where that graph starts."""

    @property
    def batch(self) -> Int[Tensor, "N"]: ...

    @property
    def start(self) -> Int[Tensor, "N"]: ...


@dataclass(frozen=True, eq=False)
class Permutation:
    """One permutation for every graph of a batch.

    Attributes:
        image: The node at position ``i`` moves to position ``image[i]``, counted over the whole batch.
        preimage: The inverse of ``image``.
        batch: The graph of each position, non-decreasing.
        start: The first position of that graph.
        relaxed: Optional differentiable stand-in for the ranks (straight-through): row ``i`` has the value of the
            one-hot vector of ``rank[i]`` and the gradient of a relaxation.
        shown: How many of the lowest ranks of its graph encodings show, at each position; None for all.
    """

    image: Int[Tensor, "N"]
    preimage: Int[Tensor, "N"]
    batch: Int[Tensor, "N"]
    start: Int[Tensor, "N"]
    relaxed: Float[Tensor, "N n"] | None = None
    shown: Int[Tensor, "N"] | None = None

    def __post_init__(self) -> None:
        if self.image.dtype != torch.long or self.preimage.dtype != torch.long:
            raise ValueError(f"a Permutation must hold integers, torch.long; got {self.image.dtype}")

    @property
    def rank(self) -> Int[Tensor, "N"]:
        """Position of each node in the canonical order of its graph, ``0 .. n_i - 1``."""
        return self.preimage - self.start

    def to(self, device: torch.device | str) -> "Permutation":
        """The same permutations on another device."""
        held = (self.image, self.preimage, self.batch, self.start, self.relaxed, self.shown)
        return Permutation(*(None if t is None else t.to(device) for t in held))  # type: ignore[arg-type]

    @classmethod
    def from_order(cls, order: Int[Tensor, "N"], like: NodeBatch) -> "Permutation":
        """The permutation whose ``image`` is ``order``: position ``r`` in the canonical form holds node ``order[r]``.

        Args:
            order: All positions, graph after graph, as a sort by graph and key returns them.
            like: The batch to order.

        Raises:
            ValueError: If a position is missing, repeated, or in another graph's place.
        """
        order, n = as_integers(order, "order").to(like.batch.device), len(like.batch)
        if order.shape != like.batch.shape:
            raise ValueError(f"order must hold {n} integers, one per node; got shape {list(order.shape)}")
        if n and not 0 <= int(order.min()) <= int(order.max()) < n:
            raise ValueError(f"order must hold positions 0..{n - 1}; got {int(order.min())}..{int(order.max())}")
        times = torch.bincount(order, minlength=n)
        if bool((times != 1).any()):
            missing = int((times == 0).nonzero()[0])
            shown = f"[{', '.join(map(str, order[:12].tolist()))}{', ...' if n > 12 else ''}]"
            raise ValueError(f"order must hold every position once; {missing} is missing from {shown}")
        if len(misplaced := (like.batch[order] != like.batch).nonzero()):
            place = int(misplaced[0])
            owner = f"place {place} belongs to graph {int(like.batch[place])}"
            other = f"node {int(order[place])} to graph {int(like.batch[order[place]])}"
            raise ValueError(f"order must keep the nodes of each graph together; {owner}, {other}")
        return cls.trusted(order, like)

    @classmethod
    def trusted(cls, order: Int[Tensor, "N"], like: NodeBatch) -> "Permutation":
        """:meth:`from_order` without the checks, for the output of a sort."""
        return cls(order, invert(order), like.batch, like.start)

    @classmethod
    def from_ranks(cls, rank: Int[Tensor, "N"] | object, like: NodeBatch) -> "Permutation":
        """The permutation of these ranks: :attr:`rank` of a draw that was stored.

        Raises:
            ValueError: If they are not 0 .. n-1 in each graph of ``like``.

        Example:
            >>> import sympe
            >>> path = sympe.graphs.from_edges([(3, [(0, 1), (1, 2)])])
            >>> Permutation.from_ranks(torch.tensor([2, 0, 1]), path).image
            tensor([1, 2, 0])
        """
        rank = as_integers(rank, "ranks").to(like.batch.device)
        if rank.shape != like.batch.shape:
            raise ValueError(f"expected one rank for each of {len(like.batch)} nodes; got shape {list(rank.shape)}")
        order = (rank + like.start).argsort()
        if not torch.equal(rank[order] + like.start, torch.arange(len(rank), device=rank.device)):
            raise ValueError(
                "expected ranks 0 .. n-1 in each graph; were they drawn for other graphs, or nodes removed since?"
            )
        return cls.from_order(order, like)

    @classmethod
    def from_images(cls, images: list[list[int]], like: NodeBatch) -> "Permutation":
        """Permutations from one list of images per graph, counted within that graph.

        Raises:
            ValueError: If a list is not a permutation, or its length is not the size of its graph in ``like``.

        Example:
            >>> import sympe
            >>> path = sympe.graphs.from_edges([(3, [(0, 1), (1, 2)])])
            >>> Permutation.from_images([[1, 2, 0]], path).rank
            tensor([2, 0, 1])
        """
        try:
            images = [[index(i) for i in image] for image in images]
        except TypeError:
            raise ValueError(f"expected one list of integers per graph; got {str(images)[:40]}") from None
        sizes = torch.bincount(like.batch, minlength=len(images)).tolist()
        if len(sizes) != len(images) or [len(image) for image in images] != sizes:
            raise ValueError(f"expected images of lengths {sizes}; got {[len(image) for image in images]}")
        for image in images:
            if sorted(image) != list(range(len(image))):
                raise ValueError(f"an image must hold a permutation of 0..{len(image) - 1}; got {image}")
        local = torch.tensor([i for image in images for i in image], dtype=torch.long, device=like.batch.device)
        return cls.trusted(local + like.start, like)


def invert(image: Int[Tensor, "N"]) -> Int[Tensor, "N"]:
    """The inverse of one permutation of ``0 .. N-1``."""
    positions = torch.arange(image.shape[0], device=image.device)
    return torch.empty_like(image).scatter_(0, image, positions)


class SymmetricGroup(Group[Permutation, NodeBatch]):
    r"""The product of the symmetric groups of a ragged batch, :math:`S_{n_1} \times S_{n_2} \times \dots`."""

    def __repr__(self) -> str:
        return "permutations of nodes"

    def identity(self, like: NodeBatch) -> Permutation:
        positions = torch.arange(like.batch.shape[0], device=like.batch.device)
        return Permutation(positions, positions, like.batch, like.start)

    def compose(self, g: Permutation, h: Permutation) -> Permutation:
        """``(g h)[i] = g[h[i]]``; what h, which holds the ranks, relaxes and shows carries over, that of g does not."""
        relaxed = None if h.relaxed is None else h.relaxed[g.preimage]
        return Permutation(g.image[h.image], h.preimage[g.preimage], g.batch, g.start, relaxed, h.shown)

    def inverse(self, g: Permutation) -> Permutation:
        return Permutation(g.preimage, g.image, g.batch, g.start)

    def take(self, g: object, like: NodeBatch) -> Permutation:
        """A permutation of the nodes of ``like``, or its ranks."""
        if not isinstance(g, Permutation):
            return Permutation.from_ranks(g, like)
        if not torch.equal(g.batch, like.batch):
            raise ValueError("expected a permutation of the nodes of these graphs; got one of others")
        Permutation.from_order(g.image, like)
        return g

    def haar(self, like: NodeBatch, generator: torch.Generator | None = None) -> Permutation:
        """Independent uniform permutations.

        Sorting one uniform permutation of all positions stably by graph leaves an exactly uniform order inside each
        graph, with no floating-point keys that could tie.
        """
        shuffled = sample(torch.randperm, len(like.batch), generator=generator, device=like.batch.device)
        return Permutation.trusted(shuffled[torch.argsort(like.batch[shuffled], stable=True)], like)
