"""How good a trained model is: its likelihood on held-out graphs, and its samples."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import torch

from sympe.graphs import Graphs, concatenate
from sympe_experiments.molecules import chemnet
from sympe_experiments.molecules.breaking import Breaking
from sympe_experiments.molecules.chemistry import Written, known_smiles, properties, write_smiles
from sympe_experiments.molecules.data import GraphStore, Splits, load_splits
from sympe_experiments.molecules.graph_metrics import graph_metrics
from sympe_experiments.molecules.graph_state import GraphState
from sympe_experiments.molecules.likelihood import Likelihood, estimate
from sympe_experiments.molecules.metrics import (
    Reference,
    molecule_metrics,
    property_distances,
    property_histograms,
)
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.trajectories import class_metrics, log_weights
from sympe_experiments.seeding import mixed_generator

#: Pairs of nodes in a batch, at most: sets memory and speed, and which draws are taken, not their law.
_PAIRS_AT_ONCE = 20_000

#: Test molecules whose properties samples are compared with, at most; and whose activations in ChemNet.
_MOST_DESCRIBED, _MOST_IN_CHEMNET = 2000, 10_000

#: Samples that are kept as examples, at most.
_SHOWN = 24


def batch_size(n: int, most: int = 256) -> int:
    """How many graphs of n nodes go through a network at once."""
    return max(1, min(most, _PAIRS_AT_ONCE // (n * n)))


def evaluate_likelihood(model: GraphDiffusion, graphs: Graphs, draws: int, *seed: int) -> Likelihood:
    """All bounds over graphs.

    Args:
        model: The model; its mode (train or eval) does not change.
        graphs: Graphs of the model's domain.
        draws: Times of diffusion per graph.
        seed: Numbers that fix all draws.
    """
    store = GraphStore(graphs, model.breaking.method.stored_order)
    return estimate(model, store.batches(lambda n: batch_size(n, 1024) // draws), draws, mixed_generator(*seed))


def evaluate_trajectories(
    model: GraphDiffusion, graphs: Graphs, trajectories: int, steps: Iterable[int], *seed: int
) -> tuple[dict[str, float | int | None], dict[str, list[float]]]:
    """Tighter bounds on the class NLL of samplers, from whole trajectories: means, and values of every graph.

    Args:
        model: The model; its mode (train or eval) does not change.
        graphs: Graphs of the model's domain.
        trajectories: Trajectories per graph.
        steps: Numbers of steps of the samplers.
        seed: Numbers that fix all draws. Trajectories do not depend on the model: all are compared on the same ones.
    """
    means: dict[str, float | int | None] = {}
    of_graphs: dict[str, list[float]] = {}
    device = next(model.parameters()).device
    store = GraphStore(graphs, model.breaking.method.stored_order)
    for k in steps:
        generator, own = mixed_generator(*seed, k), mixed_generator(*seed, k, 1)
        weights = []
        for batch in store.batches(lambda n: batch_size(n) // trajectories):
            # Many trajectories of one graph take several goes.
            goes = torch.arange(trajectories).split(batch_size(batch.num_nodes))
            parts = [log_weights(model, batch.to(device), len(draws), k, generator, own) for draws in goes]
            weights.append(torch.cat(parts, dim=1).cpu())
        # Without a label a bound is that of all steps.
        found, values = class_metrics(torch.cat(weights), "" if k == model.steps else f"_at_{k}")
        means |= found
        of_graphs |= values
    return means, of_graphs


def draw_samples(model: GraphDiffusion, count: int, steps: int, *seed: int) -> Iterator[GraphState]:
    """Samples with sizes as in the training set, ordered by size."""
    device = next(model.parameters()).device
    sizes = sorted(model.domain.draw_sizes(count, mixed_generator(*seed, 0)))
    generator = mixed_generator(*seed, 1)
    for n in sorted(set(sizes)):
        for chosen in torch.arange(sizes.count(n)).split(batch_size(n)):
            yield model.sample(len(chosen), n, steps, generator, device).to("cpu")


def in_order_percent(breaking: Breaking, samples: Iterable[GraphState]) -> float | None:
    """Per cent of samples whose g~ training could have drawn for them; None where that says nothing."""
    found = [breaking.could_draw(one, one.stored_order()) for one in samples if one.rank is not None]
    told = [part for part in found if part is not None]
    return 100 * float(torch.cat(told).double().mean()) if told else None


@lru_cache(maxsize=1)
def _reference(splits: Splits) -> Reference:
    test = splits.test.select(torch.arange(min(_MOST_DESCRIBED, len(splits.test))))
    written = [one.smiles for one in write_smiles(test, splits.elements) if one.smiles is not None]
    return Reference(known_smiles(splits.train, splits.elements), properties(written))


@dataclass
class Measured:
    """What is known of samples, by the names of a record.

    Attributes:
        metrics: Numbers.
        history: Histograms of properties.
        examples: SMILES of some, evenly from all, so that all sizes are there; empty where one is not valid.
    """

    metrics: dict[str, float | int | None] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Judge:
    """Measures samples against a data set.

    Attributes:
        splits: The data set.
        data: Its name.
        reference: What molecules are compared with; None for plain graphs.
    """

    splits: Splits
    data: str
    reference: Reference | None

    @classmethod
    def of(cls, splits: Splits, data: str) -> "Judge":
        """Prepare the comparison; writing the SMILES of all of QM9 takes half a minute, once in a process."""
        if not splits.domain().is_chemical:
            return cls(splits, data, None)
        return cls(splits, data, _reference(splits))

    def __call__(self, samples: Graphs, label: str = "") -> Measured:
        """All measurements.

        Args:
            samples: The samples.
            label: What the names of all measurements end in.
        """
        found = Measured()
        if self.reference is None:
            metrics = graph_metrics(samples, self.splits.train, self.splits.test, self.data)
        else:
            elements, theirs = self.splits.elements, self.reference.properties
            written = write_smiles(samples, elements)
            ours = properties(one.smiles for one in written if one.smiles is not None)
            metrics = molecule_metrics(samples, written, elements, self.reference.known, self.splits.hydrogens)
            metrics |= property_distances(ours, theirs) | {"fcd": chemnet_distance(self.data, written)}
            for name, (edges, our_shares, their_shares) in property_histograms(ours, theirs).items():
                found.history |= {f"{name}_edges": edges, f"{name}_of_test_graphs": their_shares}
                found.history[f"{name}{label}"] = our_shares
            if written:
                step = max(1, len(written) // _SHOWN)
                found.examples[f"samples{label}"] = [one.smiles or "" for one in written[::step][:_SHOWN]]
        found.metrics = {f"{name}{label}": value for name, value in metrics.items()}
        return found


def measure_samples(model: GraphDiffusion, judge: Judge, count: int, steps: Iterable[int], *seed: int) -> Measured:
    """Sample with each number of steps, and measure the samples.

    Args:
        model: The model; its mode (train or eval) does not change.
        judge: What measures.
        count: Samples for each number of steps.
        steps: Numbers of steps.
        seed: Numbers that fix all draws.
    """
    found = Measured({"num_samples": count})
    for k in steps:
        started = time.perf_counter()
        samples = list(draw_samples(model, count, k, *seed, k))
        found.metrics[f"samples_per_second_at_{k}"] = count / (time.perf_counter() - started)
        found.metrics[f"in_order_percent_at_{k}"] = in_order_percent(model.breaking, samples)
        part = judge(concatenate([one.to_graphs() for one in samples]), f"_at_{k}")
        found.metrics |= part.metrics
        found.history |= part.history
        found.examples |= part.examples
    return found


def chemnet_distance(data: str, written: list[Written]) -> float | None:
    """Fréchet ChemNet distance of valid samples to the test molecules of a data set.

    Args:
        data: A data set, as :func:`~sympe_experiments.molecules.data.load_splits` names them.
        written: The samples.

    Returns:
        The distance; None if there are fewer than 5,000 molecules on a side, or ``fcd`` is not installed.
    """
    smiles = [one.smiles for one in written if one.smiles is not None]
    if len(smiles) < chemnet.FEWEST or not chemnet.is_installed():
        return None
    reference = _test_in_chemnet(data)
    return None if reference is None else chemnet.Activations.of(smiles).distance(reference)


def chemnet_distance_of_training(data: str, count: int) -> float | None:
    """The same of as many training molecules, drawn at random: what perfect samples would score."""
    splits = load_splits(data, (count, 1, 1))
    return chemnet_distance(data, write_smiles(splits.train, splits.elements))


@lru_cache(maxsize=1)
def _test_in_chemnet(data: str) -> chemnet.Activations | None:
    splits = load_splits(data, (1, 1, _MOST_IN_CHEMNET))
    smiles = [one.smiles for one in write_smiles(splits.test, splits.elements) if one.smiles is not None]
    return chemnet.Activations.of(smiles) if len(smiles) >= chemnet.FEWEST else None
