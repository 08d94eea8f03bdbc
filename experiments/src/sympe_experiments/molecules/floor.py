"""What to compare likelihoods of a data set with, before any training: orders, symmetries, number of classes."""

import math
import time
from pathlib import Path

import torch

from sympe.graphs import concatenate
from sympe.groups import SymmetricGroup
from sympe_experiments.molecules.breaking import Breaking, log_automorphisms
from sympe_experiments.molecules.config import METHODS, NAME, make_config
from sympe_experiments.molecules.data import GraphStore, Splits, load_splits
from sympe_experiments.molecules.graph_metrics import graph_metrics
from sympe_experiments.molecules.graph_state import GraphState
from sympe_experiments.molecules.limits import Limits
from sympe_experiments.molecules.process import Process, at_kind, cosine_schedule
from sympe_experiments.records import Record
from sympe_experiments.seeding import mixed_generator

#: Steps of the process along which symmetries are counted, times at which, and graphs.
_STEPS, _TIMES, _GRAPHS = 500, 26, 500


def count_classes(splits: Splits) -> int:
    """Number of graphs of all splits, up to relabeling."""
    store = GraphStore(
        concatenate([part for part in (splits.train, splits.validation, splits.test) if len(part)]), "labeling"
    )
    total = 0
    for n, count in store.counts.items():
        state = store[n, list(range(count))]
        form = state.relabel(SymmetricGroup().inverse(state.stored_order()))
        total += len(torch.unique(torch.cat([form.nodes, form.edges], dim=1), dim=0))
    return total


def symmetry_by_time(splits: Splits) -> dict[str, list[float]]:
    """Mean log of the number of automorphisms of test graphs along the noise process, in nats."""
    nodes, edges = (Process(limit, cosine_schedule(_STEPS)) for limit in splits.domain().limits("marginal"))
    generator = mixed_generator(0)
    test = splits.test.select(torch.arange(min(_GRAPHS, len(splits.test))))
    store = GraphStore(test)
    times = [round(_STEPS * k / (_TIMES - 1)) for k in range(_TIMES)]
    means = []
    for time_ in times:
        total = 0.0
        for batch in store.batches(_GRAPHS):
            t = batch.nodes.new_full((len(batch),), time_)
            noisy = GraphState(nodes.noisy(batch.nodes, t, generator), edges.noisy(batch.edges, t, generator))
            total += float(log_automorphisms(noisy).sum())
        means.append(total / len(store))
    return {"diffusion_time": [t / _STEPS for t in times], "log_automorphisms": means}


def orders_before_training(splits: Splits) -> dict[str, float]:
    """What each order is worth before any training: a bound on the class NLL of test graphs, in nats.

    Every entry is drawn independently from the limit that training graphs give its rank. An order with less randomness
    has sharper limits, but less excess to subtract: the bound says which weighs more.
    """
    domain, found = splits.domain(), {}
    automorphisms = [log_automorphisms(batch) for batch in GraphStore(splits.test).batches(5000)]
    for name, method in METHODS.items():
        if not method.by_rank or method.hidden or (method.order == "heavy-depth-first" and not domain.hydrogens):
            continue
        config, generator = make_config(name, "fast"), mixed_generator(0)
        breaking, limits = Breaking(config, domain), Limits(config, domain)
        limits.learn(GraphStore(splits.train, method.stored_order).batches(5000), breaking, generator)
        bounds = []
        test = GraphStore(splits.test, method.stored_order).batches(5000)
        for batch, symmetric in zip(test, automorphisms, strict=True):
            clean = batch.shuffled(generator)
            g = breaking.draw(clean, generator)
            nodes, edges = limits(g, clean.num_nodes)
            entries = [at_kind(nodes, clean.nodes.long()), at_kind(edges, clean.edges.long())]
            labeled = domain.size_cost(clean.num_nodes) - torch.cat(entries, dim=1).log().sum((1, 2))
            bounds.append(labeled - breaking.excess(clean, g, symmetric))
        bound = torch.cat(bounds)
        found[f"untrained_class_nll_{name}"] = float(bound.mean())
        found[f"untrained_class_nll_{name}_se"] = float(bound.std(correction=len(bound) > 1) / math.sqrt(len(bound)))
    return found


def _samples_of_test(splits: Splits, data: str) -> dict[str, float | int | None]:
    """What samples are measured by, of the test graphs themselves, in per cent; of plain graphs alone."""
    if splits.domain().is_chemical:
        return {}
    found = graph_metrics(splits.test, splits.train, splits.test, data)
    return {f"{name}_of_test_graphs": value for name, value in found.items() if name.endswith("percent")}


def record_floor(data: str, folder: Path) -> Record:
    """Write the record of a data set, without a network.

    Args:
        data: A data set, as :func:`~sympe_experiments.molecules.data.load_splits` names them.
        folder: Where the record goes.
    """
    started = time.perf_counter()
    splits = load_splits(data, (10**9, 10**9, 10**9))
    classes = count_classes(splits)
    automorphisms, orders, log_sizes = [], [], []
    domain = splits.domain()
    for batch in GraphStore(splits.test).batches(5000):
        symmetric = log_automorphisms(batch)
        automorphisms.append(symmetric)
        orders.append(math.lgamma(batch.num_nodes + 1) - symmetric)
        log_sizes += [domain.size_cost(batch.num_nodes)] * len(batch)
    record = Record(
        experiment=NAME,
        method="floor",
        recipe="exact",
        data=data,
        seed=0,
        config={},
        metrics={
            "log_classes": math.log(classes),
            "distinct_classes": classes,
            "log_automorphisms": float(torch.cat(automorphisms).mean()),
            "log_orders": float(torch.cat(orders).mean()),
            "size_nats": sum(log_sizes) / len(log_sizes),
            "symmetric_percent": 100 * float((torch.cat(automorphisms) > 0).double().mean()),
            "test_graphs": len(splits.test),
            **orders_before_training(splits),
            **_samples_of_test(splits, data),
        },
        history=symmetry_by_time(splits),
        seconds=time.perf_counter() - started,
    )
    record.write(folder)
    return record
