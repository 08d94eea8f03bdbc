r"""Train a transformer to send agents to targets, test it on sizes seen and unseen, write the record.

The loss is the cross-entropy of the target of each agent, against the best assignment that is closest to the scores: of
those that permutations of equal agents make of it, the one of the largest sum. Of the test, as answered, each agent
going to its target of the highest score: the share of targets that no agent goes to, and the share of instances with
every target served at a cost within 1 % of the least. After repair, in which agents choose one after the other, the
surest first, among the targets that are left: the cost above the least, of single draws and of the best of several.
"""

import time
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from sympe.auditing import excess_of_model
from sympe.graphs import Graphs, from_sets
from sympe.graphs.bliss import log_automorphisms
from sympe.seeding import sequence_generator
from sympe_experiments.assignment.config import NAME, TRAINED, UNSEEN, Config
from sympe_experiments.assignment.data import Assignments, draw
from sympe_experiments.assignment.model import AssignmentNetwork, ClassIndex
from sympe_experiments.fitting import fit
from sympe_experiments.records import Record
from sympe_experiments.resuming import resumable
from sympe_experiments.training import build_from_seed

# What a stream of random numbers is for; the number after the seed. Training uses (seed, step).
TEST, INSTANCES = 2, 3


def repaired(score: Float[Tensor, "B n n"]) -> Int[Tensor, "B n"]:
    """Agents choose in turn among the targets that are left: always the highest score of all."""
    score = score.clone()
    batch = torch.arange(len(score))
    goes = torch.zeros(score.shape[:2], dtype=torch.long)
    for _ in range(score.shape[1]):
        agent, target = (part[:, 0] for part in _unravel(score.flatten(1).argmax(1, keepdim=True), score.shape[2]))
        goes[batch, agent] = target
        score[batch, agent], score[batch, :, target] = -torch.inf, -torch.inf
    return goes


def _unravel(place: Int[Tensor, "B 1"], n: int) -> tuple[Int[Tensor, "B 1"], Int[Tensor, "B 1"]]:
    return place // n, place % n


@resumable()
def run(config: Config, folder: Path, *, resume: bool = False) -> Record:
    """Train and test one network; the record is written into ``folder``."""
    started = time.perf_counter()
    model = build_from_seed(lambda: AssignmentNetwork(config), config.seed)

    def loss(generator: torch.Generator) -> Tensor:
        n = TRAINED[int(torch.randint(len(TRAINED), (), generator=generator))]
        x = draw(config.batch_size, n, generator)
        score = model(x, generator)
        return cross_entropy(score.transpose(1, 2), x.closest(score.log_softmax(2)))

    trained = fit(model, loss, steps=config.steps, learning_rate=config.learning_rate, seed=config.seed)
    model.eval()
    by_size = {n: assess(model, n, config) for n in (*TRAINED, *UNSEEN)}
    metrics: dict[str, float | int | None] = {}
    for name in next(iter(by_size.values())):
        for sizes, suffix in ((TRAINED, ""), (UNSEEN, "_unseen")):
            metrics[f"{name}{suffix}"] = sum(by_size[n][name] for n in sizes) / len(sizes)
        metrics |= {f"{name}_{n}": measured[name] for n, measured in by_size.items()}
    some = draw(4, 8, sequence_generator(0, INSTANCES, 8))
    metrics |= {
        **_excess(model, from_sets(some.elements())),
        "step_ms": 1000 * trained.seconds / config.steps,
        "n_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }
    seconds, history = time.perf_counter() - started, {"train_loss": trained.losses}
    record = Record.of(NAME, config, metrics, seconds, history=history)
    record.write(folder)
    return record


def _excess(model: AssignmentNetwork, sets: Graphs) -> dict[str, float | None]:
    """An index is not random: it lacks what the symmetries need."""
    if not isinstance(model.breaking, ClassIndex):
        return excess_of_model(model, sets)
    nats = -float(log_automorphisms(sets).mean())
    return dict.fromkeys(("excess_nats", "excess_nats_low", "excess_nats_high"), nats)


def assess(model: AssignmentNetwork, n: int, config: Config) -> dict[str, float]:
    """Measurements at one size, all in per cent."""
    parts = [draw(10, n, sequence_generator(0, INSTANCES, n, part)) for part in range(-(-config.test // 10))]
    found: dict[str, list[Tensor]] = {"error": [], "right": [], "gap": []}
    for number in range(config.draws):
        rows = [
            _measure(model, x, sequence_generator(config.seed, TEST, n, number, part)) for part, x in enumerate(parts)
        ]
        for name, values in found.items():
            values.append(torch.cat([row[name] for row in rows]))
    draws = {name: torch.stack(values)[:, : config.test] for name, values in found.items()}
    means = {name: float(values.mean()) for name, values in draws.items()}
    return means | {"best_gap": float(draws["gap"].min(0).values.mean())}


def _measure(model: AssignmentNetwork, x: Assignments, generator: torch.Generator) -> dict[str, Float[Tensor, "B"]]:
    with torch.no_grad():
        score = model(x, generator).log_softmax(2)
    goes, least = score.argmax(2), x.cost(x.best)
    missed = 1 - torch.zeros_like(least[:, None].expand(goes.shape)).scatter(1, goes, 1.0)
    right = (missed.sum(1) == 0) & (x.cost(goes) <= 1.01 * least)
    gap = x.cost(repaired(score)) / least - 1
    return {"error": 100 * missed.mean(1), "right": 100 * right.float(), "gap": 100 * gap}
