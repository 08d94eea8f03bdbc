"""One run of graph diffusion: train, estimate likelihoods, sample, write the record."""

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Unpack

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from sympe.atomic import write_atomically
from sympe_experiments.batches import Key, SizeGroupedSampler
from sympe_experiments.molecules.config import NAME, Config
from sympe_experiments.molecules.data import GraphStore, Splits, load_splits
from sympe_experiments.molecules.evaluation import (
    Judge,
    chemnet_distance_of_training,
    evaluate_likelihood,
    measure_samples,
)
from sympe_experiments.molecules.graph_state import GraphState
from sympe_experiments.molecules.model import GraphDiffusion, Noised
from sympe_experiments.records import Record
from sympe_experiments.resuming import resumable
from sympe_experiments.seeding import mixed_generator
from sympe_experiments.training import Options, ResumableModule, build_from_seed, fit

WEIGHTS = "weights.safetensors"

#: What a stream of random numbers is for; the first number after the seed.
TRAIN, VALIDATE, TEST, SAMPLE, SHOW, TRAJECTORIES, LIMITS = 1, 2, 3, 4, 5, 6, 7

#: Times of a trajectory that the record keeps for pictures.
_SHOWN_TIMES = 8


@dataclass(frozen=True)
class NumberedBatches(Sampler[tuple[tuple[int, int, int], Key]]):
    """Batches with the numbers that seed them: step of the optimizer, place in the epoch, process.

    Attributes:
        batches: The batches of this process.
        accumulate: Batches whose gradients make one step.
    """

    batches: SizeGroupedSampler
    accumulate: int

    def __len__(self) -> int:
        return len(self.batches)

    @property
    def steps(self) -> int:
        """Steps in one pass over the data."""
        return -(-len(self) // self.accumulate)

    def __iter__(self) -> Iterator[tuple[tuple[int, int, int], Key]]:
        first = self.batches.epoch * self.steps
        for place, key in enumerate(self.batches):
            yield (first + place // self.accumulate, place, self.batches.rank), key


class NoisedBatches(Dataset[Noised]):
    """Batches shuffled and noised on the CPU, the same in whichever process prepares them.

    Args:
        store: The graphs.
        model: What adds the noise; copied, as the model itself may move to another device.
    """

    def __init__(self, store: GraphStore, model: GraphDiffusion) -> None:
        self.store = store
        self.model = deepcopy(model)

    def __getitem__(self, key: tuple[tuple[int, int, int], Key]) -> Noised:
        numbers, chosen = key
        generator = mixed_generator(self.model.config.seed, TRAIN, *numbers)
        clean = self.model.breaking.shuffled(self.store[chosen], generator)
        return self.model.noised(clean, generator)


class TrainDiffusion(ResumableModule):
    """Loss, optimizer, moving average of the weights, and the likelihood after epochs."""

    checkpointed = (*ResumableModule.checkpointed, "average")

    def __init__(
        self, config: Config, model: GraphDiffusion, train: GraphStore, splits: Splits, workers: int = 0
    ) -> None:
        super().__init__(config.as_dict(), chain(splits.content(), train.orders()))
        self.config = config
        self.model = model
        self.train_set = NoisedBatches(train, model)
        self.workers = workers
        self.splits = splits
        self.average = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self._averaged_step = 0
        self._epoch_loss = torch.zeros(())
        self._started = 0.0

    def configure_optimizers(self) -> Any:
        config = self.config
        optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            amsgrad=True,
            fused=self.device.type in ("cpu", "cuda"),
        )
        if config.schedule == "constant":
            return optimizer
        total = config.epochs * self.sampler().steps
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=total)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def sampler(self) -> NumberedBatches:
        """The batches of this process."""
        rank, world_size = self.trainer.global_rank, self.trainer.world_size

        def batches_taken() -> int:
            return self.global_step // numbered.steps * len(numbered)

        config, counts = self.config, self.train_set.store.counts
        batches = SizeGroupedSampler(counts, config.batch_size, config.seed, batches_taken, rank, world_size)
        numbered = NumberedBatches(batches, config.accumulate)
        return numbered

    def train_dataloader(self) -> DataLoader:
        return DataLoader(
            self.train_set,
            sampler=self.sampler(),
            batch_size=None,
            generator=torch.Generator(),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
        )

    def transfer_batch_to_device(self, batch: Noised, device: torch.device, dataloader_idx: int) -> Noised:
        return batch.to(device)

    def on_fit_start(self) -> None:
        self.average = {name: value.to(self.device) for name, value in self.average.items()}

    def on_train_epoch_start(self) -> None:
        self._epoch_loss = torch.zeros((), device=self.device)
        self._started = time.perf_counter()

    def training_step(self, batch: Noised, batch_index: int) -> torch.Tensor:
        losses = self.model.loss(batch)
        self._epoch_loss += losses.detach().mean()
        # A batch of few graphs, all that there are of their size, counts for as many.
        return losses.sum() / self.config.batch_size

    @torch.no_grad()
    def on_train_batch_end(self, *_: Any) -> None:
        if self.global_step == self._averaged_step:
            return  # gradients are still being gathered
        self._averaged_step = self.global_step
        decay = min(self.config.ema, self.global_step / (10 + self.global_step))
        for name, value in self.model.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def averaged_model(self) -> GraphDiffusion:
        """Another model, with the averaged weights."""
        model = build_from_seed(lambda: GraphDiffusion(self.config, self.model.domain), 0)
        model.load_state_dict(self.average)
        return model.to(self.device).eval()

    def on_train_epoch_end(self) -> None:
        epoch, config = self.current_epoch + 1, self.config
        loss = float(self.trainer.strategy.reduce(self._epoch_loss, reduce_op="mean"))
        self.require_finite(loss)
        self.remember("train_loss", loss / self.trainer.num_training_batches)
        if epoch % config.validate_every == 0 or epoch == config.epochs:
            # Every process validates alike on all graphs: nothing needs to be gathered.
            found = evaluate_likelihood(
                self.averaged_model(), self.splits.validation, config.draws, config.seed, VALIDATE, epoch
            )
            self.remember("validation_epoch", epoch)
            self.remember("validation_class_nll", found.mean("class"))
            self.remember("validation_labeled_nll", found.mean("labeled"))
        self.seconds += time.perf_counter() - self._started

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["average"] = self.average

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self.average = checkpoint["average"]
        self._averaged_step = checkpoint["global_step"]


@resumable(WEIGHTS)
def run(config: Config, folder: Path, *, workers: int = 0, **options: Unpack[Options]) -> Record | None:
    """Train and test one model; weights and record are written into ``folder``.

    A finished run can be read even if its data is gone.

    Args:
        config: What to run.
        folder: Where checkpoints, logs, weights and the record go.
        workers: Processes that shuffle, noise and canonicalize graphs beside each process that trains; what comes
            out does not depend on them.
        options: How; see :class:`~sympe_experiments.training.Options`.

    Returns:
        The record; None in all processes but the first.

    Raises:
        ValueError: If the data is invalid, ``folder`` holds a run and ``resume`` is not set, or the loss
            is not finite.
        ImportError: If the data are molecules and RDKit is not installed.
    """
    splits = load_splits(config.data, (config.num_train, config.num_validation, config.num_test))
    store = GraphStore(splits.train, config.breaking.stored_order)
    model = build_from_seed(lambda: GraphDiffusion(config, splits.domain()), config.seed)
    model.limits.learn(store.batches(10_000), model.breaking, mixed_generator(config.seed, LIMITS))
    module = TrainDiffusion(config, model, store, splits, workers)
    if config.compile:
        model.network.compile_layers()

    shown = {"train_loss": "loss", "validation_class_nll": "class NLL"}
    trainer = fit(
        module, folder, config.epochs, shown, precision=config.precision, accumulate=config.accumulate, **options
    )
    if trainer is None:
        return None

    # The trainer has put the module back on the CPU.
    trained = module.averaged_model().to(trainer.strategy.root_device)
    write_atomically(folder / WEIGHTS, lambda file: file.write(trained.to_bytes()))
    testing = time.perf_counter()
    likelihood = evaluate_likelihood(trained, splits.test, config.draws, config.seed, TEST)
    nll_seconds = time.perf_counter() - testing
    samples = measure_samples(
        trained, Judge.of(splits, config.data), config.num_samples, config.sample_steps, config.seed, SAMPLE
    )
    metrics = likelihood.metrics() | samples.metrics
    shown_sample = denoising(trained, config.seed) if trained.domain.is_chemical else {}
    if any(value is not None for name, value in metrics.items() if name.startswith("fcd_at_")):
        metrics["fcd_of_training_graphs"] = chemnet_distance_of_training(config.data, config.num_samples)
    metrics |= {
        "test_graphs": len(splits.test),
        "skipped_molecules": sum(splits.skipped.values()),
        "epochs": config.epochs,
        "steps_of_training": trainer.global_step,
        "train_seconds": module.seconds,
        "nll_graphs_per_second": len(splits.test) / nll_seconds,
        "n_parameters": sum(p.numel() for p in trained.parameters()),
    }
    record = Record.of(
        NAME,
        config,
        metrics,
        module.seconds + time.perf_counter() - testing,
        history=module.history | likelihood.by_time() | likelihood.of_graphs() | samples.history,
        examples=samples.examples | shown_sample,
        begun_by=module.begun_by,
    )
    record.write(folder)
    return record


def denoising(model: GraphDiffusion, seed: int) -> dict[str, list[str]]:
    """One sample on its way from noise: times, and the graph at each as a line of atoms and bonds.

    A line is ``C N O | 0-1 1=2 0#2``: graphs on the way are not valid molecules, which SMILES needs.
    """
    trajectory: list[tuple[int, GraphState]] = []
    size = max(range(len(model.domain.size_law)), key=model.domain.size_law.__getitem__)
    device = next(model.parameters()).device
    model.sample(1, size, model.steps, mixed_generator(seed, SHOW), device, trajectory=trajectory)
    last = len(trajectory) - 1
    chosen = [trajectory[round(last * k / (_SHOWN_TIMES - 1))] for k in range(_SHOWN_TIMES)]
    lines = [_as_line(state, model.domain.elements) for _, state in chosen]
    return {"trajectory": lines, "trajectory_times": [f"{time}" for time, _ in chosen]}


def _as_line(state: GraphState, elements: tuple[str, ...]) -> str:
    atoms = " ".join(elements[kind] for kind in state.nodes[0].tolist())
    matrix = state.matrix()[0]
    bonds = [f"{i}{'-=#'[int(matrix[i, j]) - 1]}{j}" for i, j in matrix.triu().nonzero().tolist()]
    return f"{atoms} | {' '.join(bonds)}"
