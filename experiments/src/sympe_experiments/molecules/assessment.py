"""Evaluate exported weights on a data set or on the user's own molecules."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from sympe.graphs import Graphs
from sympe_experiments.molecules.chemistry import MOLECULE_FILES, describe_skipped, read_molecules
from sympe_experiments.molecules.config import NAME, require_at_least, require_seed
from sympe_experiments.molecules.data import load_splits
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.evaluation import (
    Judge,
    Measured,
    evaluate_likelihood,
    evaluate_trajectories,
    measure_samples,
)
from sympe_experiments.molecules.model import GraphDiffusion, sampling_times
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
    seed: int = 0,
    accelerator: str = "auto",
) -> tuple[Record, Counter[str]]:
    """Likelihood of held-out graphs, and measurements of samples if any are asked for.

    Args:
        weights: What a run exported, or the name of a model that comes with the package.
        data: A data set, of which the test graphs are taken, or a file of molecules, of which all are that the model
            knows; what the model was trained on if left out.
        num_test: Test graphs of a data set, at most.
        draws: Times of diffusion per graph.
        trajectories: Whole trajectories per graph, for tighter bounds with each number of steps; none if 0.
        num_samples: Graphs to sample; they are compared with the graphs that the model was trained and tested on.
        sample_steps: Numbers of steps of the sampler, for samples and tighter bounds; all of the process if left out.
        seed: Everything random comes from it.
        accelerator: ``auto``, ``cpu`` or ``gpu``.

    Returns:
        A record, and the molecules that were left out, by reason.

    Raises:
        ValueError: If an argument cannot be, weights or data cannot be read, or the graphs are of another kind than the
            model's.
        ImportError: If the data are molecules and RDKit is not installed.
    """
    require_at_least(1, num_test=num_test, draws=draws)
    require_at_least(0, trajectories=trajectories, num_samples=num_samples)
    require_seed(seed)
    model = GraphDiffusion.load(find_weights(weights)).to(accelerator_here(accelerator))
    sample_steps = tuple(sample_steps) or (model.steps,)
    for steps in sample_steps:
        sampling_times(model.steps, steps)
    started = time.perf_counter()
    config = model.config
    data = config.data if data is None else data
    graphs, skipped = _graphs_for(model.domain, data, num_test)
    metrics = evaluate_likelihood(model, graphs, draws, seed, TEST).metrics()
    metrics |= {"test_graphs": len(graphs), "skipped_molecules": sum(skipped.values())}
    if trajectories:
        metrics |= evaluate_trajectories(model, graphs, trajectories, sample_steps, seed, TRAJECTORIES)
    samples = Measured()
    if num_samples:
        splits = load_splits(config.data, (config.num_train, config.num_validation, config.num_test))
        judge = Judge.of(splits, config.data)
        samples = measure_samples(model, judge, num_samples, sample_steps, seed, SAMPLE)
    # What was tested is not what the run did: tables keep the two apart.
    tested = replace(config, num_test=num_test, draws=draws).as_dict()
    record = Record(
        experiment=NAME,
        method=config.method,
        recipe=config.recipe,
        data=data,
        seed=seed,
        config=tested,
        metrics=metrics | samples.metrics,
        history=samples.history,
        seconds=time.perf_counter() - started,
        examples=samples.examples,
    )
    return record, skipped


def _graphs_for(domain: Domain, data: str, num_test: int) -> tuple[Graphs, Counter[str]]:
    """Graphs that a model can be asked about."""
    if Path(data).suffix.lower() in MOLECULE_FILES:
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
