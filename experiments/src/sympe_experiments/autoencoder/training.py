"""One run of the graph autoencoder: train, choose weights, test, write the record."""

import time
from itertools import chain
from pathlib import Path
from typing import Any, Unpack

import torch
from torch.utils.data import DataLoader

import sympe
from sympe.atomic import write_atomically
from sympe.graphs import Graphs
from sympe.graphs.datasets import erdos_renyi
from sympe_experiments.autoencoder.config import METHODS, NAME, Config
from sympe_experiments.autoencoder.data import Batch, GraphSet, load_splits
from sympe_experiments.autoencoder.evaluation import evaluate
from sympe_experiments.autoencoder.model import GraphAutoencoder
from sympe_experiments.batches import SizeGroupedSampler
from sympe_experiments.records import Record
from sympe_experiments.resuming import resumable
from sympe_experiments.seeding import mixed_generator
from sympe_experiments.training import Options, ResumableModule, build_from_seed, fit

WEIGHTS = "weights.safetensors"

# What a stream of random numbers is for; the first number after the seed.
TRAIN, VALIDATE, TEST = 1, 2, 3


class TrainAutoencoder(ResumableModule):
    """Loss, optimizer, validation after epochs, and the choice of weights."""

    def __init__(self, config: Config, model: GraphAutoencoder, train: GraphSet, validation: GraphSet) -> None:
        super().__init__(config.as_dict(), chain(train.adjacency.values(), validation.adjacency.values()))
        self.config = config
        self.model = model
        self.train_set = train
        self.validation = validation
        self.best_loss = float("inf")
        self.best_state: dict[str, torch.Tensor] | None = None
        self._epoch_loss = torch.zeros(())
        self._started = 0.0

    def configure_optimizers(self) -> Any:
        config = self.config
        fused = self.device.type in ("cpu", "cuda")
        optimizer = torch.optim.Adam(
            self.model.parameters(), lr=config.learning_rate, betas=(0.9, config.beta2), fused=fused
        )
        if config.schedule == "cosine":
            epochs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": epochs, "interval": "epoch"}}
        total = config.epochs * len(self.sampler())
        steps = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=total)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": steps, "interval": "step"}}

    def sampler(self) -> SizeGroupedSampler:
        """The batches of this process."""
        rank, world_size = self.trainer.global_rank, self.trainer.world_size
        return SizeGroupedSampler(
            self.train_set.counts, self.config.batch_size, self.config.seed, lambda: self.global_step, rank, world_size
        )

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.train_set, sampler=self.sampler(), batch_size=None, generator=torch.Generator())

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        return batch.to(device)

    def on_train_epoch_start(self) -> None:
        self._epoch_loss = torch.zeros((), device=self.device)
        self._started = time.perf_counter()

    def training_step(self, batch: Batch, batch_index: int) -> torch.Tensor:
        generator = mixed_generator(self.config.seed, TRAIN, self.global_step, self.global_rank)
        loss = self.model(batch, generator).loss.mean()
        if self.config.loss == "mean":
            n = batch.adjacency.shape[1]
            loss = loss / (n * (n - 1))
        self._epoch_loss += loss.detach()
        return loss

    def on_train_epoch_end(self) -> None:
        epoch, config = self.current_epoch + 1, self.config
        loss = float(self.trainer.strategy.reduce(self._epoch_loss, reduce_op="mean"))
        self.require_finite(loss)
        self.remember("train_loss", loss / self.trainer.num_training_batches)
        if epoch % config.validate_every == 0 or epoch == config.epochs:
            # Every process validates alike on all graphs: nothing needs to be gathered.
            self.model.eval()
            errors = evaluate(self.model, self.validation, config.draws, config.seed, VALIDATE, epoch)
            self.model.train()
            self.remember("validation_epoch", epoch)
            self.remember("validation_loss", errors.loss)
            self.remember("validation_error_percent", errors.percent)
            if config.select == "best" and errors.loss < self.best_loss:
                self.best_loss = errors.loss
                self.best_state = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.seconds += time.perf_counter() - self._started

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["best"] = {"loss": self.best_loss, "state": self.best_state}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self.best_loss, self.best_state = checkpoint["best"]["loss"], checkpoint["best"]["state"]


@resumable(WEIGHTS)
def run(config: Config, folder: Path, **options: Unpack[Options]) -> Record | None:
    """Train and test one autoencoder; weights and record are written into ``folder``.

    Args:
        config: What to run.
        folder: Where checkpoints, logs, weights and the record go.
        options: How; see :class:`~sympe_experiments.training.Options`.

    Returns:
        The record; None in all processes but the first.

    Raises:
        ValueError: If the data is invalid, ``folder`` holds a run and ``resume`` is not set, or the loss
            is not finite.
    """
    num_vectors = config.num_vectors if "laplacian" in METHODS[config.method].encodings else 0
    counts = (config.num_train, config.num_validation, config.num_test)
    train, validation, test = (GraphSet(graphs, num_vectors) for graphs in load_splits(config.data, counts))
    max_nodes = max(train.max_nodes, validation.max_nodes, test.max_nodes)
    model = build_from_seed(lambda: GraphAutoencoder(config, max_nodes), config.seed)
    module = TrainAutoencoder(config, model, train, validation)

    shown = {"train_loss": "loss", "validation_error_percent": "validation error %"}
    if fit(module, folder, config.epochs, shown, **options) is None:
        return None

    if module.best_state is not None:
        model.load_state_dict(module.best_state)
    model.eval()
    started = time.perf_counter()
    errors = evaluate(model, test, config.draws, config.seed, TEST)
    test_seconds = time.perf_counter() - started
    write_atomically(folder / WEIGHTS, lambda file: file.write(model.to_bytes()))
    metrics = {
        "test_error_percent": errors.percent,
        "test_error_std_over_draws": errors.std_over_draws,
        f"best_of_{config.draws}_error_percent": errors.best_percent,
        f"best_of_{config.draws}_wrong": errors.best_wrong,
        "test_pairs": test.num_pairs,
        "test_loss": errors.loss,
        "skipped_graphs": train.num_skipped + validation.num_skipped + test.num_skipped,
        "epochs": config.epochs,
        "train_seconds": module.seconds,
        "test_seconds": test_seconds,
        "n_parameters": sum(p.numel() for p in model.parameters()),
        **floor_metrics(test.graphs),
    }
    record = Record.of(
        NAME, config, metrics, module.seconds + test_seconds, history=module.history, begun_by=module.begun_by
    )
    record.write(folder)
    return record


def floor_metrics(graphs: Graphs) -> dict[str, float | int | None]:
    """The least error of every deterministic equivariant autoencoder on these graphs, in per cent of node pairs."""
    found = [
        sympe.audit(graphs, target="adjacency", options=sympe.auditing.Options(bottleneck=bottleneck)).summary
        for bottleneck in ("node-codes", "node-differences")
    ]
    codes, differences = (100 * (summary.irreducible_error or 0) for summary in found)
    return {
        "floor_pair_percent": codes,
        "floor_difference_percent": differences,
        "trivial_percent": 100 * graphs.num_edges / max(found[0].entries, 1),
        "symmetric_graphs": found[0].symmetric,
        "test_pairs": found[0].entries,
    }


def record_floor(folder: Path) -> Record:
    """Write the record of the floors on the random graphs."""
    started = time.perf_counter()
    metrics = floor_metrics(erdos_renyi("test"))
    seconds = time.perf_counter() - started
    record = Record(NAME, "floor", "exact", "erdos-renyi", 0, config={}, metrics=metrics, seconds=seconds)
    record.write(folder)
    return record
