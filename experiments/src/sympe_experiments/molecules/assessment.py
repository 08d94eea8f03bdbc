"""Evaluate trained weights on a data set or on the user's molecules."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from sympe.compressed import suffix_of
from sympe.graphs import Graphs
from sympe.settings import require_at_least, require_seed
from sympe_experiments.molecules.chemistry import MOLECULE_FILES, describe_skipped, read_molecules
from sympe_experiments.molecules.config import NAME
from sympe_experiments.molecules.data import load_splits
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.evaluation import (
    Judge,
    Measured,
    evaluate_likelihood,
    evaluate_trajectories,
    measure_samples,
)
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.pretrained import find_weights
from sympe_experiments.molecules.training import SAMPLE, TEST, TRAJECTORIES
from sympe_experiments.records import Record
from sympe_experiments.training import accelerator_here


def evaluate_weights(
    weights: Path | str,
    data: str | None = None,
    *,
    num_test: int = 2000,
    draws: int = 8,
    trajectories: int = 0,
    num_samples: int = 0,
    sample_steps: Sequence[int] = (),
    spacing: float | None = None,
    guidance: float | None = None,
    seed: int = 0,
    accelerator: str = "auto",
) -> tuple[Record, Counter[str]]:
    """Likelihood of held-out graphs, and quality of samples if ``num_samples`` is positive.

    Args:
        weights: The file of weights of a run, or the name of a model that comes with the package.
        data: A data set, for its test graphs, or a file of molecules, for all that the model knows; by default the data
            set of training.
        num_test: Largest number of test graphs.
        draws: Times of diffusion per graph.
        trajectories: Whole trajectories per graph, for tighter bounds with each number of steps; none if 0.
        num_samples: Graphs to sample; they are compared with the graphs that the model was trained and tested on.
        sample_steps: Numbers of steps of the sampler, for samples and tighter bounds; by default all of the process.
        spacing: Of the times of samplers with fewer steps; by default as trained, evenly.
        guidance: Weight of the guess that sees g~ near the graph, for methods that have another; by default 0.
        seed: Seed of everything random.
        accelerator: ``auto``, ``cpu`` or ``gpu``.

    Returns:
        A record, and the number of molecules skipped, by reason.

    Raises:
        ValueError: If an argument is invalid, weights or data are damaged, or the model knows graphs of another kind.
        ImportError: If the data are molecules and RDKit is not installed.
    """
    require_at_least(1, num_test=num_test, draws=draws)
    require_at_least(0, trajectories=trajectories, num_samples=num_samples)
    require_seed(seed)
    model = GraphDiffusion.load(find_weights(weights), spacing, guidance).to(accelerator_here(accelerator))
    sample_steps = tuple(sample_steps) or (model.steps,)
    for steps in sample_steps:
        model.times(steps)
    started = time.perf_counter()
    config = model.config
    data = config.data if data is None else data
    graphs, skipped = _graphs_for(model.domain, data, num_test)
    likelihood = evaluate_likelihood(model, graphs, draws, seed, TEST)
    metrics, history = likelihood.metrics(), likelihood.of_graphs()
    metrics |= {"test_graphs": len(graphs), "skipped_molecules": sum(skipped.values())}
    if trajectories:
        bounds, of_graphs = evaluate_trajectories(model, graphs, trajectories, sample_steps, seed, TRAJECTORIES)
        metrics |= bounds
        history |= of_graphs
    samples = Measured()
    if num_samples:
        splits = load_splits(config.data, (config.num_train, config.num_validation, config.num_test))
        judge = Judge.of(splits, config.data)
        samples = measure_samples(model, judge, num_samples, sample_steps, seed, SAMPLE)
    # What was tested is not what the run did: tables keep the two apart.
    tested = replace(config, num_test=num_test, draws=draws)
    metrics |= samples.metrics
    history |= samples.history
    seconds = time.perf_counter() - started
    record = Record.of(NAME, tested, metrics, seconds, data=data, history=history, examples=samples.examples)
    record = replace(record, seed=seed)
    return record, skipped


def _graphs_for(domain: Domain, data: str, num_test: int) -> tuple[Graphs, Counter[str]]:
    """Those graphs of the data that a model knows."""
    if suffix_of(Path(data)) in MOLECULE_FILES:
        if not domain.is_chemical:
            raise ValueError(f"{data} holds molecules; the model knows plain graphs")
        found = read_molecules(
            Path(data), hydrogens=domain.hydrogens, elements=domain.elements, max_nodes=domain.max_nodes
        )
        graphs, skipped = found.graphs, found.skipped
    else:
        splits = load_splits(data, (10**9, 10**9, num_test))
        if splits.elements != domain.elements:
            expected, got = (", ".join(filter(None, names)) or "none" for names in (domain.elements, splits.elements))
            raise ValueError(f"the model knows the kinds of nodes {expected}; {data} has {got}")
        graphs, skipped = splits.test, splits.skipped
    known = torch.tensor(domain.size_law) > 0
    sized = (graphs.sizes <= domain.max_nodes) & known[graphs.sizes.clamp(max=domain.max_nodes)]
    fits = sized.clone()
    if graphs.edge_label is not None:
        fits[graphs.batch[graphs.edge_index[0, graphs.edge_label >= len(domain.edge_law)]]] = False
    edge = "a bond of an order" if domain.is_chemical else "an edge of a kind"
    skipped = skipped + Counter(
        {
            "of a size that the model does not know": int((~sized).sum()),
            f"with {edge} that the model does not know": int((sized & ~fits).sum()),
        }
    )
    if not bool(fits.any()):
        raise ValueError(f"{data}: expected graphs that the model knows; none is ({describe_skipped(skipped)})")
    return graphs.select(fits.nonzero()[:, 0]), skipped
