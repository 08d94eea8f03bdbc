"""``sympe molecules train``, ``evaluate`` and ``sample``."""

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from sympe.html import readable
from sympe.settings import require_at_least
from sympe_experiments.settings import RunOptions, changes


@dataclass(frozen=True)
class Train:
    """Train and test one diffusion model of graphs."""

    method: str = "sympe-depth-first-carried"
    """What breaks the symmetry: none, noise, sympe-depth-first-carried, ... (an unknown name lists all)."""
    recipe: str = "fast"
    """smoke, quick, fast, plain (for sets of plain graphs), long, paper or paper-hydrogens."""
    seed: int = 0
    """Everything random comes from this number."""
    data: str | None = None
    """qm9, qm9-hydrogens, planar, sbm, tree, community_small, or a file of molecules (smi, sdf) or graphs.
    By default as the recipe has it, like all that follow."""
    epochs: int | None = None
    """Passes over the training graphs."""
    steps: int | None = None
    """Steps of the noise process."""
    batch_size: int | None = None
    """Graphs per batch and process."""
    accumulate: int | None = None
    """Batches whose gradients make one step."""
    learning_rate: float | None = None
    """AdamW's learning rate."""
    precision: str | None = None
    """32 or bf16."""
    compile: bool | None = None
    """Whether to compile the layers of the network: a minute or more at the start, then faster steps."""
    num_train: int | None = None
    """Graphs to train on, at most."""
    num_samples: int | None = None
    """Graphs to sample after training, for each number of steps."""
    workers: int = 0
    """Processes that prepare batches beside each one that trains: worth it on a GPU, above all with fresh orders."""
    options: Annotated[RunOptions, tyro.conf.arg(name="")] = field(default_factory=RunOptions)

    def __call__(self) -> None:
        from sympe_experiments.molecules.config import Config, make_config
        from sympe_experiments.molecules.data import load_splits
        from sympe_experiments.molecules.jobs import run_folder
        from sympe_experiments.molecules.tables import tables
        from sympe_experiments.molecules.training import run
        from sympe_experiments.report.output import print_records

        config = make_config(self.method, self.recipe, **changes(self, Config))
        require_at_least(0, workers=self.workers)
        splits = load_splits(config.data, (config.num_train, config.num_validation, config.num_test))
        _tell_skipped(splits.skipped, config.data)
        folder = self.options.folder(run_folder(config))
        record = run(config, folder, workers=self.workers, **self.options.how())
        if record is not None:
            print_records([record], tables, self.options.json)


@dataclass(frozen=True)
class Evaluate:
    """Likelihood of graphs under a trained model, and how good its samples are."""

    weights: str = "qm9"
    """What a run exported (weights.safetensors), or the name of a model that comes with sympe."""
    data: str | None = None
    """What to evaluate on: the test graphs of a data set, or all molecules of a file (smi, sdf). By default
    what the model was trained on."""
    num_test: int = 2000
    """Test graphs of a data set, at most."""
    draws: int = 8
    """Times of diffusion per graph."""
    trajectories: int = 0
    """Whole trajectories per graph, for tighter bounds on the class NLL with each number of steps."""
    num_samples: int = 0
    """Graphs to sample and measure."""
    steps: tuple[int, ...] = ()
    """Numbers of steps of the sampler, for samples and trajectories; by default all steps of the process."""
    spacing: float | None = None
    """Fewer steps go through the times T u^spacing for even u: by default 1, evenly; 2 draws better graphs in few
    steps."""
    guidance: float | None = None
    """For a guided method: how much the guess that sees the order counts near the graph, from 0 (default) to 1."""
    seed: int = 0
    """Everything random comes from this number."""
    accelerator: str = "auto"
    """auto, cpu or gpu."""
    out: Path | None = None
    """Folder to write the record into; by default none is written."""
    json: bool = False
    """Print one JSON object on stdout instead of a table."""

    def __call__(self) -> None:
        from sympe_experiments.molecules.assessment import evaluate_weights
        from sympe_experiments.molecules.tables import tables
        from sympe_experiments.report.output import print_records
        from sympe_experiments.resuming import finished_run

        if self.out is not None:
            finished_run(self.out, {})  # refuses a folder that holds a run
        record, skipped = evaluate_weights(
            self.weights,
            self.data,
            num_test=self.num_test,
            draws=self.draws,
            trajectories=self.trajectories,
            num_samples=self.num_samples,
            sample_steps=self.steps,
            spacing=self.spacing,
            guidance=self.guidance,
            seed=self.seed,
            accelerator=self.accelerator,
        )
        _tell_skipped(skipped, record.data)
        print_records([record], tables, self.json)
        if self.out is not None:
            record.write(self.out)


@dataclass(frozen=True)
class Sample:
    """Sample graphs from a trained model into a file."""

    weights: str = "qm9"
    """What a run exported (weights.safetensors), or the name of a model that comes with sympe."""
    num: int = 1000
    """How many graphs."""
    out: Path = Path("samples.parquet")
    """The file to write; shards stand in OUT.parts until all are there. A .parquet holds all samples and what was asked
    for, a .smi or .sdf the valid molecules alone."""
    steps: int | None = None
    """Steps from noise to graph; by default all of the process. Fewer are faster."""
    spacing: float | None = None
    """Fewer steps go through the times T u^spacing for even u: by default 1, evenly; 2 draws better graphs in few
    steps."""
    guidance: float | None = None
    """For a guided method: how much the guess that sees the order counts near the graph, from 0 (default) to 1."""
    seed: int = 0
    """Everything random comes from this number."""
    shard_size: int = 1000
    """Graphs that are written at once, at least."""
    resume: bool = False
    """Go on with an interrupted sampling, or read a finished one."""
    devices: int = 1
    """Processes that sample side by side."""
    accelerator: str = "auto"
    """auto, cpu or gpu."""
    json: bool = False
    """Print one JSON object on stdout instead of a line."""

    def __call__(self) -> None:
        from sympe_experiments.molecules.sampling import sample_to_file

        found = sample_to_file(
            self.weights,
            self.out,
            self.num,
            steps=self.steps,
            spacing=self.spacing,
            guidance=self.guidance,
            seed=self.seed,
            shard_size=self.shard_size,
            resume=self.resume,
            devices=self.devices,
            accelerator=self.accelerator,
        )
        if found is None:
            return
        if self.json:
            print(json.dumps(found))
        else:
            counts = ", ".join(f"{found[name]} {name}" for name in ("valid", "connected", "different"))
            print(readable(f"{found['file']}: {found['samples']} samples, {counts}"))


@dataclass(frozen=True)
class Command:
    """Discrete diffusion of graphs: train a model, evaluate it, sample from it."""

    command: (
        Annotated[Train, tyro.conf.subcommand("train")]
        | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
        | Annotated[Sample, tyro.conf.subcommand("sample")]
    )

    def __call__(self) -> None:
        self.command()


def _tell_skipped(skipped: Counter[str], data: str) -> None:
    """Say on stderr how many molecules or graphs were left out, and why."""
    if skipped:
        from sympe_experiments.molecules.chemistry import describe_skipped
        from sympe_experiments.molecules.data import noun

        line = f"sympe: skipped {sum(skipped.values())} {noun(data)}: {describe_skipped(skipped)}"
        print(readable(line), file=sys.stderr)
