"""What a trained model is worth: its likelihood on held-out graphs, and its samples."""

from dataclasses import dataclass
from functools import lru_cache

import torch

from sympe.graphs import Graphs, concatenate
from sympe.seeding import seeded_generator
from sympe.tasks.molecules.chemistry import Written, known_smiles, properties, write_smiles
from sympe.tasks.molecules.data import GraphStore, Splits
from sympe.tasks.molecules.likelihood import Likelihood, estimate
from sympe.tasks.molecules.metrics import Reference, graph_metrics, molecule_metrics
from sympe.tasks.molecules.model import GraphDiffusion

#: Pairs of nodes in a batch, at most: sets memory and speed, and which draws are taken, not their law.
_PAIRS_AT_ONCE = 20_000

#: Test molecules whose properties samples are compared with, at most.
_MOST_DESCRIBED = 2000


def batch_size(n: int, most: int = 256) -> int:
    """Graphs of n nodes to go through a network at once."""
    return max(1, min(most, _PAIRS_AT_ONCE // (n * n)))


def evaluate_likelihood(model: GraphDiffusion, graphs: Graphs, draws: int, *seed: int) -> Likelihood:
    """All bounds over graphs.

    Args:
        model: The model, in the mode that it is in.
        graphs: Graphs of the model's domain.
        draws: Times of diffusion per graph.
        seed: Numbers that fix all draws.
    """
    method = model.breaking.method
    store = GraphStore(graphs, method.order if method.is_stored else "")
    parts = (
        store[n, chosen.tolist()]
        for n, count in store.counts.items()
        for chosen in torch.arange(count).split(max(1, batch_size(n, 1024) // draws))
    )
    return estimate(model, parts, draws, seeded_generator(*seed))


def sample_graphs(model: GraphDiffusion, count: int, steps: int, *seed: int) -> Graphs:
    """Samples with sizes as in the training set, ordered by size."""
    device = next(model.parameters()).device
    sizes = sorted(model.domain.draw_sizes(count, seeded_generator(*seed, 0)))
    generator = seeded_generator(*seed, 1)
    parts = []
    for n in sorted(set(sizes)):
        for chosen in torch.arange(sizes.count(n)).split(batch_size(n)):
            parts.append(model.sample(len(chosen), n, steps, generator, device).to("cpu").to_graphs())
    return concatenate(parts)


@lru_cache(maxsize=1)
def _reference(splits: Splits) -> Reference:
    test = splits.test.select(torch.arange(min(_MOST_DESCRIBED, len(splits.test))))
    written = [one.smiles for one in write_smiles(test, splits.elements) if one.smiles is not None]
    return Reference(known_smiles(splits.train, splits.elements), properties(written))


@dataclass(frozen=True)
class Judge:
    """Measures samples against a data set.

    Attributes:
        splits: The data set.
        reference: What molecules are compared with; None for plain graphs.
    """

    splits: Splits
    reference: Reference | None

    @classmethod
    def of(cls, splits: Splits) -> "Judge":
        """Prepare the comparison; writing the SMILES of all of QM9 takes half a minute, once in a process."""
        if not splits.domain().is_chemical:
            return cls(splits, None)
        return cls(splits, _reference(splits))

    def __call__(self, samples: Graphs) -> tuple[dict[str, float | int | None], list[Written]]:
        """All measurements, and the samples as molecules (none for plain graphs)."""
        if self.reference is None:
            return graph_metrics(samples, self.splits.test), []
        written = write_smiles(samples, self.splits.elements)
        return (
            molecule_metrics(samples, written, self.splits.elements, self.reference, self.splits.hydrogens),
            written,
        )
