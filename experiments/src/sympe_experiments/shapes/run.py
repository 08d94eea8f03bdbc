r"""Train a network to deform shapes, test it on turned copies of them, write the record.

Several targets are right. The loss is the squared distance of the nearest one: a function of input and output that
no rotation changes, and that has as many minima as there are targets. A network without symmetry breaking cannot get
below the floor; with it, the learned law is equivariant, so every target must come equally often: the
test counts them.
"""

import math
import time
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import stats
from torch import Tensor, nn

from sympe.actions import PointRotation
from sympe.auditing import excess_of_model
from sympe.points import PointClouds, concatenate
from sympe.seeding import sequence_generator
from sympe_experiments.fitting import fit
from sympe_experiments.records import Record
from sympe_experiments.resuming import resumable
from sympe_experiments.shapes.config import NAME, Config
from sympe_experiments.shapes.data import Shape, load_shapes
from sympe_experiments.shapes.model import build_network
from sympe_experiments.training import build_from_seed

# What a stream of random numbers is for; the number after the seed. Training uses (seed, step).
TEST, UNTURNED = 2, 4

#: Root of the mean squared distance, in angstrom per point, up to which an output is right.
RIGHT = 0.05


def nearest_target(
    output: Float[Tensor, "B n 3"], targets: Float[Tensor, "m n 3"]
) -> tuple[Float[Tensor, "B"], Int[Tensor, "B"]]:
    """Mean squared distance per point of the nearest target, in square angstrom, and which one it is."""
    distance = (output[:, None] - targets).square().sum(3).mean(2)
    return distance.min(1)


def displace(model: nn.Module, clouds: PointClouds, generator: torch.Generator, turned: bool) -> Float[Tensor, "N 3"]:
    """Displacements of all points; if ``turned``, predicted for randomly moved clouds and moved back."""
    if not turned:
        return model(clouds, generator)
    action = PointRotation()
    g = action.group.haar(clouds, generator)
    return torch.einsum("nba,nb->na", g[clouds.batch], model(action.act(g, clouds), generator))


def evaluate(
    model: nn.Module, shape: Shape, draws: int, generator: torch.Generator, turned: bool = True
) -> tuple[Float[Tensor, "draws"], Int[Tensor, "draws"]]:
    """Distance to the nearest target and its number, for several copies of the start.

    Args:
        model: Predicts a displacement of each point.
        shape: The shape to deform.
        draws: Number of copies.
        generator: Source of all random numbers.
        turned: Whether to rotate or reflect the copies at random; otherwise they stand as in training.
    """
    many = shape.start.select([0] * draws).to(dtype=torch.float32)
    return nearest_target(displace(model, many, generator, turned).view(draws, -1, 3), shape.targets.float())


@resumable()
def run(config: Config, folder: Path, *, resume: bool = False) -> Record:
    """Train and test one network; the record is written into ``folder``.

    Raises:
        ImportError: If e3nn is not installed.
    """
    started = time.perf_counter()
    shapes = load_shapes(config.data)
    model = build_from_seed(lambda: build_network(config, shapes), config.seed)
    starts = concatenate([shape.start for shape in shapes for _ in range(config.copies)]).to(dtype=torch.float32)
    sizes = [shape.start.num_points * config.copies for shape in shapes]

    def loss(generator: torch.Generator) -> Tensor:
        outputs = displace(model, starts, generator, turned=config.method == "relaxed-turned").split(sizes)
        losses = [
            nearest_target(output.view(config.copies, -1, 3), shape.targets.float())[0].mean() / shape.floor
            for output, shape in zip(outputs, shapes, strict=True)
        ]
        return torch.stack(losses).mean()

    trained = fit(model, loss, steps=config.steps, learning_rate=config.learning_rate, seed=config.seed)
    model.eval()
    metrics: dict[str, float | int | None] = {}
    errors, right, unturned, coverage = [], [], [], [0.0, 0]
    with torch.no_grad():
        for index, shape in enumerate(shapes):
            distance, target = evaluate(model, shape, config.draws, sequence_generator(config.seed, TEST, index))
            errors.append(float(distance.mean()))
            right.append(_right_percent(distance))
            generator = sequence_generator(config.seed, UNTURNED, index)
            unturned.append(_right_percent(evaluate(model, shape, config.draws, generator, turned=False)[0]))
            counts = np.bincount(target.numpy(), minlength=len(shape.targets))
            coverage[0] += float(stats.chisquare(counts).statistic)
            coverage[1] += len(counts) - 1
            if len(shapes) > 1:
                name = shape.name.replace(" ", "_")
                metrics |= {
                    f"{name}_error": errors[-1],
                    f"{name}_floor": shape.floor,
                    f"{name}_right_percent": right[-1],
                }
    excess = excess_of_model(model, concatenate([shape.start for shape in shapes]))
    if config.method == "partial":
        # Each symmetry that is kept fixes the vector: it has that many times fewer images.
        excess = {name: None if nats is None else nats - math.log(len(shapes[0].kept)) for name, nats in excess.items()}
    metrics |= {
        "error": float(np.mean(errors)),
        "floor": float(np.mean([shape.floor for shape in shapes])),
        "right_percent": float(np.mean(right)),
        "right_unturned_percent": float(np.mean(unturned)),
        # Where no target is reached, which one is nearest says nothing.
        "coverage_p": float(stats.chi2.sf(*coverage)) if min(right) > 50 else None,
        "step_ms": 1000 * trained.seconds / config.steps,
        "n_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    } | excess
    seconds, history = time.perf_counter() - started, {"train_loss": trained.losses}
    record = Record.of(NAME, config, metrics, seconds, history=history)
    record.write(folder)
    return record


def _right_percent(distance: Float[Tensor, "draws"]) -> float:
    return 100 * float((distance.sqrt() <= RIGHT).double().mean())
