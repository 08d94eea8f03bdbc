r"""Uniform elements of a permutation group that is given by generators.

A *stabilizer chain* is a list of points :math:`b_1, b_2, \dots` with, for each, elements that fix the points before it
and take it everywhere in its orbit under such elements. Every element of the group is in exactly one way a product of
one of each, so that independent uniform choices give a uniform element (C. C. Sims, *Computational methods in the
study of permutation groups*, 1970).

The chain is built from random elements (random Schreier-Sims). The order of the group, which bliss counts exactly, says
when it is complete: only then do the lengths of the orbits multiply to it. So the result does not depend on luck.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.seeding import drawing_device

Images = NDArray[np.int64]

_CPU = torch.device("cpu")

#: Random elements in a row that tell nothing new before a chain counts as complete: each would with probability 1/2.
_MOST_IDLE = 300


class StabilizerChain:
    """A permutation group, with uniform draws. Memory grows with (sum of the orbits' lengths) x (points).

    Args:
        generators: Images of the generators, one row each.
        order: Number of elements of the group.
        seed: Seed of the random elements that the chain is built from; draws do not depend on it in law.

    Raises:
        ValueError: If ``order`` is not the order of the group.
    """

    def __init__(self, generators: Images, order: int, seed: int = 0) -> None:
        self.num_points = generators.shape[1]
        self.points: list[int] = []
        self._own: list[list[Images]] = []
        self._orbits: list[dict[int, Images]] = []
        rng = np.random.default_rng(seed)
        pool = [*generators, *generators[: max(10 - len(generators), 0)]] or [np.arange(self.num_points)]
        for generator in generators:
            self._add(generator)
        found, idle = self._count(), 0
        while found < order and idle < _MOST_IDLE:
            self._add(_stir(pool, rng))
            idle = 0 if self._count() > found else idle + 1
            found = self._count()
        if found != order:
            raise ValueError(f"expected generators of a group of order {order}; they generate {found} elements")
        small = np.min_scalar_type(max(self.num_points - 1, 0))
        self.transversals = [np.stack(list(orbit.values())).astype(small) for orbit in self._orbits]
        self._own, self._orbits = [], []

    def draw(self, generator: torch.Generator | None = None) -> Images:
        """One uniform element, as images."""
        image: Images = np.arange(self.num_points)
        for elements in reversed(self.transversals):
            chosen = torch.randint(len(elements), (), generator=generator, device=drawing_device(generator, _CPU))
            image = elements[int(chosen)][image]
        return image.astype(np.int64)

    def _count(self) -> int:
        return math.prod(map(len, self._orbits))

    def _add(self, element: Images) -> None:
        """Divide an element by those of the chain; what remains, if it is not the identity, joins the chain."""
        level = 0
        while (
            level < len(self.points) and (step := self._orbits[level].get(int(element[self.points[level]]))) is not None
        ):
            element = np.argsort(step)[element]
            level += 1
        if level == len(self.points):
            moved = np.flatnonzero(element != np.arange(self.num_points))
            if not len(moved):
                return
            self.points.append(int(moved[0]))
            self._own.append([])
            self._orbits.append({})
        for place in range(level + 1):
            # It fixes the points before its own level, and so belongs to all levels up to there.
            self._own[place].append(element)
            self._orbits[place] = self._orbit(place)

    def _orbit(self, level: int) -> dict[int, Images]:
        """For each image of a point an element of its level that takes the point there."""
        found = {self.points[level]: np.arange(self.num_points)}
        waiting = list(found)
        while waiting:
            at = waiting.pop()
            for generator in self._own[level]:
                image = int(generator[at])
                if image not in found:
                    found[image] = generator[found[at]]
                    waiting.append(image)
        return found


def _stir(pool: list[Images], rng: np.random.Generator) -> Images:
    """Product replacement: a random element of the pool times another, which takes its place."""
    for _ in range(10):
        a, b = rng.choice(len(pool), 2, replace=False) if len(pool) > 1 else (0, 0)
        pool[a] = pool[b][pool[a]] if rng.random() < 0.5 else pool[a][pool[b]]
    return pool[a]
