"""What :mod:`sympe.graphs.stripping` removes, and how it comes back: in order, and by orbits.

Nodes are given by their number in the graph.
"""

from dataclasses import dataclass

import numpy as np

from sympe.graphs.columns import Ints, Mask, ranks, sorted_by


@dataclass(frozen=True)
class Hung:
    """Nodes removed from next to a parent, which was removed later, or stays; by kind, some of them alike to it."""

    node: Ints
    parent: Ints
    kind: Ints
    is_alike: Mask | bool

    def order(self, rank: Ints) -> Ints:
        """The nodes in order, given the ranks of all that were removed later, or stay."""
        return self.node[sorted_by(rank[self.parent], self.kind)]

    def orbits(self, orbit: Ints) -> Ints:
        """Numbers for the orbits of the nodes, given those of all others: what is left tells all but chains."""
        own = 1 + orbit.max() + ranks(orbit[self.parent], self.kind)
        return np.where(self.is_alike, orbit[self.parent], own)


@dataclass(frozen=True)
class Chains:
    """Nodes of chains between nodes that were removed later, or stay.

    Attributes:
        node: The nodes, as all others by their number in the graph.
        ends: The two ends of the chain of each node.
        words: Rank of the chain's word, read from either end.
        places: Place in the chain, from either end.
        chain: Number of the chain, by storage.
    """

    node: Ints
    ends: Ints
    words: Ints
    places: Ints
    chain: Ints

    def order(self, rank: Ints) -> Ints:
        # From the end of lower rank; where both ends are one, from the end where the word is less.
        first, last = rank[self.ends]
        is_turned = (first > last) | ((first == last) & (self.words[0] > self.words[1]))
        first, last = np.where(is_turned, last, first), np.where(is_turned, first, last)
        word, place = (np.where(is_turned, v[1], v[0]) for v in (self.words, self.places))
        return self.node[sorted_by(first, last, word, self.chain, place)]
