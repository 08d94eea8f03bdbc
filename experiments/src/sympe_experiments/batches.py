"""Batches of graphs of one size, in an order that a resumed run repeats."""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch.utils.data import Sampler

from sympe_experiments.seeding import mixed_generator

#: What a batch of graphs is asked for by: their size, and which of the graphs of that size.
Key = tuple[int, list[int]]


class SizeGroupedSampler(Sampler[Key]):
    """Batches of equal-sized graphs in random order, a function of seed and epoch alone.

    A resumed run therefore sees the same batches. Several processes share the batches of an epoch evenly.

    Args:
        counts: How many graphs there are of each size.
        batch_size: Graphs per batch, at most.
        seed: Seed of the order.
        step: Asked for the number of steps taken whenever a pass begins; that tells the epoch. (A trainer
            that resumes may begin a pass before it has settled which epoch it is in.)
        rank: Number of this process.
        world_size: How many processes there are.
    """

    def __init__(
        self,
        counts: Mapping[int, int],
        batch_size: int,
        seed: int,
        step: Callable[[], int],
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.counts = dict(counts)
        self.batch_size, self.seed, self.step, self.rank, self.world_size = batch_size, seed, step, rank, world_size
        total = sum(-(-count // batch_size) for count in self.counts.values())
        self.length = -(-total // world_size)

    def __len__(self) -> int:
        return self.length

    @property
    def epoch(self) -> int:
        """Passes that have been made."""
        return self.step() // self.length

    def __iter__(self) -> Iterator[Key]:
        generator = mixed_generator(self.seed, self.epoch)
        keys: list[Key] = []
        for n, count in self.counts.items():
            shuffled = torch.randperm(count, generator=generator)
            keys += [(n, part.tolist()) for part in shuffled.split(self.batch_size)]
        order = torch.randperm(len(keys), generator=generator).tolist()
        # Every process must take the same number of steps: the first batches come again if need be.
        order = (order * self.world_size)[: self.length * self.world_size]
        return iter([keys[i] for i in order[self.rank :: self.world_size]])
