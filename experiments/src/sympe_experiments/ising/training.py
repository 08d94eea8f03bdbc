"""One run of Ising ground states: train on half of the plane of couplings, test on both, write the record."""

import time
from pathlib import Path
from typing import Any, Unpack

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from sympe.atomic import write_atomically
from sympe_experiments.ising.config import NAME, Config
from sympe_experiments.ising.evaluation import gaps, means, pictures, score, to_spins
from sympe_experiments.ising.hamiltonian import free_energy, mirror
from sympe_experiments.ising.memory import refuse_what_does_not_fit
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.ising.reference import ground_energy
from sympe_experiments.ising.solvers import run_solver, test_couplings
from sympe_experiments.records import ARRAYS, FILE_NAME, Record, read_record
from sympe_experiments.resuming import resumable
from sympe_experiments.seeding import mixed_generator
from sympe_experiments.training import Options, ResumableModule, build_from_seed, fit

WEIGHTS = "weights.safetensors"

# What a stream of random numbers is for; the first number after the seed.
TRAIN, DRAW = 1, 3


class TrainSpins(ResumableModule):
    """Loss, optimizer, and the share of ground states on the way."""

    checkpointed = (*ResumableModule.checkpointed, "processor_seconds")

    def __init__(self, config: Config, model: SpinNetwork) -> None:
        super().__init__(config.as_dict())
        self.config = config
        self.model = model
        self.processor_seconds = 0.0
        self._sums = torch.zeros(2)
        self._started = self._processor_started = 0.0

    def configure_optimizers(self) -> Any:
        """Adam with another rate for the vector v, in a one-cycle schedule.

        A small tile has few numbers, and each is seen all over the lattice; of many, each is seen at few sites.
        """
        config = self.config
        vector = [p for name, p in self.model.named_parameters() if name.startswith("breaking.")]
        network = [p for name, p in self.model.named_parameters() if not name.startswith("breaking.")]
        factor = config.field_rate if config.has_many_waves else config.tile_rate
        rates = [config.learning_rate] + ([factor * config.learning_rate] if vector else [])
        groups = [{"params": p, "lr": rate} for p, rate in zip((network, vector), rates, strict=False)]
        optimizer = torch.optim.Adam(groups, fused=self.device.type in ("cpu", "cuda"))
        total = config.total_epochs * config.epoch_steps
        steps = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=total)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": steps, "interval": "step"}}

    def train_dataloader(self) -> DataLoader:
        # Couplings are drawn in each step; the loader only counts.
        return DataLoader(range(self.config.epoch_steps), batch_size=None, generator=torch.Generator())  # type: ignore[arg-type]

    def on_train_epoch_start(self) -> None:
        self._sums = torch.zeros(2, device=self.device)
        self._started, self._processor_started = time.perf_counter(), time.process_time()

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        config, hamiltonian = self.config, self.model.hamiltonian
        generator = mixed_generator(config.seed, TRAIN, self.global_step, self.global_rank)
        couplings = hamiltonian.sample(config.batch_size, generator, config.size).to(self.device)
        logits = self.model(couplings, config.size, generator)
        loss = free_energy(hamiltonian, couplings, logits, config.temperature).mean()
        with torch.no_grad():
            energy = hamiltonian.energy(couplings, to_spins(logits)) / hamiltonian.scale(couplings)
            self._sums += torch.stack([loss, energy.mean()])
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        torch.nn.utils.clip_grad_norm_(self.parameters(), self.config.clip)

    def on_train_epoch_end(self) -> None:
        sums = self.trainer.strategy.reduce(self._sums, reduce_op="mean")
        loss, energy = (float(value) / self.config.epoch_steps for value in sums)
        self.require_finite(loss)
        self.remember("train_loss", loss)
        self.remember("train_energy", energy)
        self.seconds += time.perf_counter() - self._started
        self.processor_seconds += time.process_time() - self._processor_started

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["processor_seconds"] = self.processor_seconds

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self.processor_seconds = checkpoint["processor_seconds"]


def test(model: SpinNetwork) -> dict[str, float | int | None]:
    """Share of exact ground states and mean gap: in both halves of the plane, and at larger sizes.

    The other half holds the mirror images of the couplings of the first, so that any difference is the model's. The
    same couplings are used whatever the seed of the run. ``seconds_per_instance`` is processor time.
    """
    config, hamiltonian = model.config, model.hamiltonian
    couplings = test_couplings(config)
    ground = ground_energy(hamiltonian, couplings, config.size)
    measured: dict[str, float | int | None] = {}
    for half, chosen in (("in", couplings), ("out", mirror(couplings))):
        started = time.process_time()
        spins = to_spins(means(model, chosen, config.size, config.seed, DRAW))
        measured["seconds_per_instance"] = (time.process_time() - started) / len(chosen)
        found = score(gaps(hamiltonian, chosen, spins, ground))
        measured |= {f"exact_percent_{half}": found.exact_percent, f"gap_{half}": found.gap}
    measured[f"exact_percent_L{config.size}"] = measured["exact_percent_in"]
    for size in config.transfer:
        if not config.transfers:
            measured[f"exact_percent_L{size}"] = measured[f"gap_L{size}"] = None
            continue
        chosen = couplings[: config.num_test_at(size)]
        started = time.process_time()
        spins = to_spins(means(model, chosen, size, config.seed, DRAW, size))
        seconds = (time.process_time() - started) / len(chosen)
        found = score(gaps(hamiltonian, chosen, spins, ground_energy(hamiltonian, chosen, size)))
        measured |= {f"exact_percent_L{size}": found.exact_percent, f"gap_L{size}": found.gap}
        measured[f"seconds_per_instance_L{size}"] = seconds
    return measured


@resumable(WEIGHTS, ARRAYS)
def run(config: Config, folder: Path, **options: Unpack[Options]) -> Record | None:
    """Train and test one network; weights, record and what its figures need are written into ``folder``.

    Args:
        config: What to run.
        folder: Where checkpoints, logs, weights and the record go.
        options: How; see :class:`~sympe_experiments.training.Options`.

    Returns:
        The record; None in all processes but the first.

    Raises:
        ValueError: If ``folder`` holds a run and ``resume`` is not set, the lattice does not fit into memory, or
            the loss is not finite.
    """
    if config.is_solver:
        return run_solver(config, folder)
    refuse_what_does_not_fit(config)
    model = build_from_seed(lambda: SpinNetwork(config), config.seed)
    module = TrainSpins(config, model)
    shown = {"train_loss": "free energy", "train_energy": "energy"}
    if fit(module, folder, config.total_epochs, shown, **options) is None:
        return None

    model.eval().cpu()
    started = time.perf_counter()
    metrics = test(model)
    test_seconds = time.perf_counter() - started
    arrays = pictures(model, config.seed)
    write_atomically(folder / WEIGHTS, lambda file: file.write(model.to_bytes()))
    metrics |= {
        "L": config.size,
        "epochs": config.total_epochs,
        "train_seconds": module.seconds,
        "train_processor_seconds": module.processor_seconds,
        "test_seconds": test_seconds,
        "n_parameters": sum(p.numel() for p in model.parameters()),
    }
    seconds = module.seconds + test_seconds
    record = Record.of(NAME, config, metrics, seconds, history=module.history, begun_by=module.begun_by)
    record.write(folder, arrays)
    return read_record(folder / FILE_NAME)


def summary(record: Record) -> dict[str, Any]:
    """What ``--json`` prints: the record's summary, and the share of ground states by size of the lattice."""
    name = "exact_percent_L"
    by_size = {key.removeprefix(name): value for key, value in record.metrics.items() if key.startswith(name)}
    return record.summary() | {"exact_percent_by_L": dict(sorted(by_size.items(), key=lambda item: int(item[0])))}
