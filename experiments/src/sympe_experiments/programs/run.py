r"""Train a network to predict the solutions of integer programs, test it on others, write the record.

The loss is the mean binary cross-entropy of the variables of the tables, against the closest copy of the known
solution. Of the test: the number of wrong variables among the shares of which the network is surest, by
:math:`|p - 1/2|`, means over instances and draws (the published code forgets the weight of the first instance in its
running mean, which lowers all by about 3 %); whether the answer, rounded, is a solution; whether the repaired one is,
and its objective, of single draws and of the best of several.
"""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from sympe.auditing import excess_randomness
from sympe.kernel import InversionKernel
from sympe.seeding import sequence_generator
from sympe_experiments.fitting import fit
from sympe_experiments.programs.breaking import build
from sympe_experiments.programs.config import NAME, Config
from sympe_experiments.programs.data import load_splits
from sympe_experiments.programs.instances import Batch, Instance
from sympe_experiments.programs.model import ProgramNetwork
from sympe_experiments.records import Record
from sympe_experiments.resuming import resumable
from sympe_experiments.training import build_from_seed

# What a stream of random numbers is for; the number after the seed. Training uses (seed, step).
TEST = 2

#: Shares of the variables, surest first, in per cent.
SHARES = (30, 50, 70, 90, 100)

#: Draws from which the excess randomness of a kernel is estimated where it has no closed form.
EXCESS_DRAWS = 32


def build_network(config: Config, instances: list[Instance]) -> ProgramNetwork:
    """What a method trains."""
    most = [max(values) for values in zip(*((i.graph.num_nodes, i.table.shape[1]) for i in instances), strict=True)]
    breaking = build(config.method, config.dim, *most)
    return ProgramNetwork(breaking, instances[0].features.shape[1], config.hidden_dim, config.num_rounds)


@resumable()
def run(config: Config, folder: Path, *, resume: bool = False) -> Record:
    """Train and test one network; the record is written into ``folder``, answers beside it."""
    train, test = load_splits(config.data, config.train, config.test)
    started = time.perf_counter()
    model = build_from_seed(lambda: build_network(config, train + test), config.seed)
    _label_once(model, train + test)

    def loss(generator: torch.Generator) -> Tensor:
        chosen = torch.randperm(len(train), generator=generator)[: config.batch_size]
        batch = Batch.of([train[k] for k in chosen.tolist()])
        logit = model(batch, generator)
        return binary_cross_entropy_with_logits(logit, batch.closest(logit))

    trained = fit(model, loss, steps=config.steps, learning_rate=config.learning_rate, seed=config.seed)
    model.eval()
    measured, kept = assess(model, test, config)
    metrics: dict[str, float | int | None] = {
        **measured,
        **_excess(model, test),
        "step_ms": 1000 * trained.seconds / config.steps,
        "train_loss": trained.losses[-1],
        "train_instances": len(train),
        "test_instances": len(test),
        "n_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }
    seconds, history = time.perf_counter() - started, {"train_loss": trained.losses}
    record = Record.of(NAME, config, metrics, seconds, history=history)
    record.write(folder, kept)
    return record


def assess(
    model: ProgramNetwork, test: list[Instance], config: Config
) -> tuple[dict[str, float | None], dict[str, NDArray[Any]]]:
    """What answers are worth; of each instance the first scores, and the copies of the items in the best answer."""
    found: dict[str, list[list[float]]] = {name: [] for name in ("loss", "rounded", *map(str, SHARES))}
    objective = np.full((config.draws, len(test)), np.nan)
    kept: dict[str, NDArray[Any]] = {}
    for draw in range(config.draws):
        generator = sequence_generator(config.seed, TEST, draw)
        rows: list[dict[str, float]] = []
        for first in range(0, len(test), config.batch_size):
            batch = Batch.of(test[first : first + config.batch_size])
            with torch.no_grad():
                logits = batch.tables(model(batch, generator))
            for instance, logit in zip(batch.instances, logits, strict=True):
                rows.append(_errors(instance, logit))
                if not draw:
                    kept[f"score {instance.name}"] = logit.astype(np.float16)
                placed = instance.packing.repaired(logit)
                if placed is None:
                    continue
                price = instance.packing.price(placed)
                if not (np.nanmin(objective[:, len(rows) - 1], initial=np.inf) <= price):
                    kept[f"best {instance.name}"] = placed.argmax(1).astype(np.int16)
                objective[draw, len(rows) - 1] = price
        for name, values in found.items():
            values.append([row[name] for row in rows])
    means = {name: float(np.mean(values)) for name, values in found.items()}
    solved = ~np.isnan(objective)
    known = np.array([instance.objective for instance in test])
    return {
        "error": means["100"],
        **{f"wrong_{share}": means[str(share)] for share in SHARES},
        "validation_loss": means["loss"],
        "feasible_rounded_percent": 100 * means["rounded"],
        "feasible_repaired_percent": 100 * float(solved.mean()),
        "objective": float(objective[solved].mean()) if solved.any() else None,
        "best_objective": float(np.nanmin(objective[:, solved.any(0)], 0).mean()) if solved.any() else None,
        "known_objective": float(known.mean()),
    }, kept


def _errors(instance: Instance, logit: NDArray[np.float64]) -> dict[str, float]:
    target = instance.closest(logit)
    wrong = ((logit > 0) != target).ravel()[np.argsort(-np.abs(logit).ravel(), kind="stable")]
    sums = np.concatenate([[0], wrong.cumsum()])
    loss = np.logaddexp(0, logit) - logit * target
    feasible = float(instance.packing.is_feasible(logit > 0))
    counts = {str(share): float(sums[round(share / 100 * len(wrong))]) for share in SHARES}
    return {"loss": float(loss.mean()), "rounded": feasible, **counts}


def _label_once(model: ProgramNetwork, instances: list[Instance]) -> None:
    """Fill the caches before steps are timed."""
    if model.breaking.dim:
        for instance in instances:
            model.breaking(Batch.of([instance]), torch.Generator().manual_seed(0))


def _excess(model: ProgramNetwork, test: list[Instance]) -> dict[str, float | None]:
    """Excess randomness of what is shown: in closed form, or of a kernel, estimated from draws for one instance."""
    names = ("excess_nats", "excess_nats_low", "excess_nats_high")
    closed = [nats for instance in test if (nats := model.breaking.excess_nats(instance)) is not None]
    if closed:
        return dict.fromkeys(names, float(np.mean(closed)))
    kernel = next((part for part in model.modules() if isinstance(part, InversionKernel)), None)
    if kernel is None:
        return dict.fromkeys(names)
    found = excess_randomness(kernel, test[0].graph, draws=EXCESS_DRAWS)
    values = (float(each[0]) for each in (found.nats, found.low, found.high))
    return {name: value if math.isfinite(value) else None for name, value in zip(names, values, strict=True)}
