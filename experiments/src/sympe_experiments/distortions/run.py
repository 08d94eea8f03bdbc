r"""Train a network to distort crystals, test it on turned copies of them, write the record.

Several domains are right. The loss is the squared distance to the nearest one over the floor. A network without
symmetry breaking cannot get below the floor. With it, the learned law is equivariant, so every domain must come equally
often: the test counts them.
"""

import math
import time
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import stats
from torch import Tensor

from sympe.actions import CrystalMotion
from sympe.auditing import excess_of_model
from sympe.canonicalize import CrystalFrames
from sympe.crystals import concatenate, edges, stabilizers
from sympe.groups import Permutation
from sympe.seeding import sequence_generator
from sympe_experiments.distortions.config import NAME, Config
from sympe_experiments.distortions.data import Distortion, load_distortions
from sympe_experiments.distortions.model import DistortionNetwork
from sympe_experiments.fitting import fit
from sympe_experiments.records import Record
from sympe_experiments.resuming import resumable
from sympe_experiments.training import build_from_seed

# What a stream of random numbers is for; the number after the seed. Training uses (seed, step).
TEST = 2

#: Root of the mean squared distance, in angstrom per site, up to which an output is right.
RIGHT = 0.02


class Copies:
    """Several copies of one parent, with their edges."""

    def __init__(self, one: Distortion, count: int, cutoff: float) -> None:
        self.crystals = one.parent.select([0] * count).to(dtype=torch.float32)
        self.targets = one.targets.float()
        self.joined = edges(self.crystals, cutoff)

    def displaced(self, model: torch.nn.Module, generator: torch.Generator, turned: bool) -> Float[Tensor, "B n 3"]:
        """Displacements of all copies; if ``turned``, predicted for rotated or reflected copies and turned back."""
        crystals, (pairs, vector) = self.crystals, self.joined
        count = len(crystals)
        if not turned:
            return model(crystals, generator, self.joined).view(count, -1, 3)
        action = CrystalMotion()
        _, matrix = action.group.haar(crystals, generator)
        identity = Permutation.trusted(torch.arange(crystals.num_points), crystals)
        moved = action.act((identity, matrix), crystals)
        owner = crystals.batch[pairs[0]]
        vector = torch.einsum("eab,eb->ea", matrix[owner], vector)
        output = model(moved, generator, (pairs, vector)).view(count, -1, 3)
        return torch.einsum("kba,knb->kna", matrix, output)

    def nearest(self, output: Float[Tensor, "B n 3"]) -> tuple[Float[Tensor, "B"], Int[Tensor, "B"]]:
        """Mean squared distance per site of the nearest domain, in square angstrom, and which one it is."""
        distance = (output[:, None] - self.targets).square().sum(3).mean(2)
        return distance.min(1)


@resumable()
def run(config: Config, folder: Path, *, resume: bool = False) -> Record:
    """Train and test one network; the record is written into ``folder``.

    Raises:
        ImportError: If e3nn, ASE or moyopy is not installed.
    """
    started = time.perf_counter()
    held = load_distortions(config.data)
    model = build_from_seed(lambda: DistortionNetwork(config, held), config.seed)
    batches = [(one, Copies(one, config.copies, config.cutoff)) for one in held]

    def loss(generator: torch.Generator) -> Tensor:
        parts = [many.nearest(many.displaced(model, generator, False))[0].mean() / one.floor for one, many in batches]
        return torch.stack(parts).mean()

    trained = fit(model, loss, steps=config.steps, learning_rate=config.learning_rate, seed=config.seed)
    model.eval()
    errors, best, right, statistic, freedom = [], [], [], 0.0, 0
    with torch.no_grad():
        for index, one in enumerate(held):
            many = Copies(one, config.draws, config.cutoff)
            distance, domain = many.nearest(many.displaced(model, sequence_generator(config.seed, TEST, index), True))
            errors.append(float(distance.mean()))
            best.append(float(distance.view(-1, config.best_of).amin(1).mean()))
            right.append(100 * float((distance.sqrt() <= RIGHT).double().mean()))
            counts = np.bincount(domain.numpy(), minlength=len(one.targets))
            statistic += float(stats.chisquare(counts).statistic)
            freedom += len(counts) - 1
    excess = _excess(model, held)
    metrics: dict[str, float | int | None] = {
        "error": float(np.mean(errors)),
        "best": float(np.mean(best)),
        "floor": float(np.mean([one.floor for one in held])),
        "right_percent": float(np.mean(right)),
        # Where no domain is reached, which one is nearest says nothing.
        "coverage_p": float(stats.chi2.sf(statistic, freedom)) if min(right) > 50 else None,
        "step_ms": 1000 * trained.seconds / config.steps,
        "n_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }
    for one, error, share in zip(held, errors, right, strict=True):
        metrics |= {f"{one.name}_error": error, f"{one.name}_floor": one.floor, f"{one.name}_right_percent": share}
    seconds, history = time.perf_counter() - started, {"train_loss": trained.losses}
    record = Record.of(NAME, config, metrics | excess, seconds, history=history)
    record.write(folder)
    return record


def _excess(model: torch.nn.Module, held: list[Distortion]) -> dict[str, float | None]:
    """Excess randomness; of frames the elements of equal probability are counted beside the space group."""
    tau = next((part for part in model.modules() if isinstance(part, CrystalFrames)), None)
    if tau is None:
        return excess_of_model(model, concatenate([one.parent for one in held]))
    orders = [(len(tau.tied(one.parent)[0]), stabilizers(one.parent)[0].order) for one in held]
    nats = float(np.mean([math.log(count / order) for count, order in orders]))
    return dict.fromkeys(("excess_nats", "excess_nats_low", "excess_nats_high"), nats) | {"excess_is_infinite": 0}
