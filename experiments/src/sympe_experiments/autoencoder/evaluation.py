"""Error of a graph autoencoder, by single draws of g~ and by the best of several."""

from dataclasses import dataclass

import torch

from sympe_experiments.autoencoder.data import GraphSet
from sympe_experiments.autoencoder.model import GraphAutoencoder
from sympe_experiments.seeding import mixed_generator

#: Graphs per forward pass; sets memory, speed and which draws are taken, not their law.
EVALUATION_BATCH = 64


@dataclass(frozen=True)
class Errors:
    """Wrong ordered pairs of distinct nodes over a data set.

    Attributes:
        percent: Per cent wrong, mean over single draws.
        std_over_draws: Its sample standard deviation over the draws; 0 for a single draw.
        best_percent: Per cent wrong if each graph keeps the draw with the lowest loss.
        best_wrong: Number of wrong pairs behind ``best_percent``.
        loss: Cross-entropy per graph in nats, mean over draws.
    """

    percent: float
    std_over_draws: float
    best_percent: float
    best_wrong: int
    loss: float


@torch.no_grad()
def evaluate(model: GraphAutoencoder, data: GraphSet, draws: int, *seed: int) -> Errors:
    """Encode and decode every graph ``draws`` times (once if the method is deterministic).

    Args:
        model: The model; its mode (train or eval) does not change.
        data: Graphs to reconstruct.
        draws: Independent draws of g~ per graph.
        seed: Numbers that fix all draws.
    """
    draws = draws if model.is_random else 1
    device = model.bias.device
    generator = mixed_generator(*seed)
    wrong = torch.zeros(draws, dtype=torch.long)
    best_wrong, total_loss = 0, 0.0
    for batch in data.batches(EVALUATION_BATCH):
        batch = batch.to(device)
        results = [model(batch, generator) for _ in range(draws)]
        loss = torch.stack([result.loss for result in results]).cpu()
        errors = torch.stack([result.wrong for result in results]).cpu()
        wrong += errors.sum(1)
        best_wrong += int(errors.gather(0, loss.argmin(0, keepdim=True)).sum())
        total_loss += float(loss.double().mean(0).sum())
    percent = 100 * wrong.double() / data.num_pairs
    return Errors(
        percent=float(percent.mean()),
        std_over_draws=float(percent.std()) if draws > 1 else 0.0,
        best_percent=100 * best_wrong / data.num_pairs,
        best_wrong=best_wrong,
        loss=total_loss / len(data),
    )
