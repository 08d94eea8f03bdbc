"""Whole runs on the user's own molecules: training, taking up again, and what comes out."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer

from command_line import contents, start
from molecule_runs import Interruption, make_run, small
from sympe.graphs import from_edges, from_networkx, write
from sympe_experiments import training
from sympe_experiments.batches import SizeGroupedSampler
from sympe_experiments.molecules import data
from sympe_experiments.molecules.assessment import evaluate_weights
from sympe_experiments.molecules.config import METHODS, Config
from sympe_experiments.molecules.data import GraphStore, load_splits
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.sampling import sample_to_file
from sympe_experiments.molecules.training import NoisedBatches, NumberedBatches, TrainDiffusion
from sympe_experiments.records import read_record
from sympe_experiments.report.statistics import OF_CASES
from sympe_experiments.training import SaveEachEpoch, fingerprint

pytest.importorskip("rdkit", reason="needs RDKit")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

Capture = pytest.CaptureFixture[str]


def test_the_record_of_a_run(finished: Path, own_file: Path) -> None:
    record = read_record(finished / "record.json")
    assert (record.experiment, record.method, record.data) == ("molecules", "sympe-depth-first-carried", str(own_file))
    metrics = record.metrics
    assert metrics["class_nll"] == pytest.approx(metrics["labeled_nll"] - metrics["excess_nats"])
    assert {f"{name}_se" for name in ("class_nll", "labeled_nll", "digress_nll", "excess_nats")} <= metrics.keys()
    assert metrics["skipped_molecules"] == 3
    assert {"valid_percent_at_2", "valid_percent_at_4", "novel_percent_at_4"} <= metrics.keys()
    assert len(record.history["validation_class_nll"]) == 2
    assert record.history["train_loss"][1] < record.history["train_loss"][0]
    assert len(record.history["nats_per_step"]) == len(record.history["diffusion_time"])
    assert 0 <= metrics["in_order_percent_at_4"] <= 100
    for name in ("logp", "qed", "rings"):
        bins = len(record.history[f"{name}_edges"]) - 1
        valid = {f"at_{steps}": (metrics[f"valid_percent_at_{steps}"] or 0) > 0 for steps in (2, 4)}
        for part, is_some in ({"of_test_graphs": True} | valid).items():
            assert len(record.history[f"{name}_{part}"]) == bins
            assert sum(record.history[f"{name}_{part}"]) == pytest.approx(float(is_some))
    assert len(record.examples["trajectory"]) == 8
    assert record.examples["trajectory_times"][::7] == ["4", "0"]
    assert Config.from_dict(record.config) == small(own_file)


def same_weights(first: Path, second: Path) -> bool:
    one, other = ((folder / "weights.safetensors").read_bytes() for folder in (first, second))
    return one == other


@pytest.mark.parametrize("method", METHODS)
def test_processes_that_prepare_batches_change_nothing(
    method: str, own_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small(own_file, method, accumulate=3)
    splits = load_splits(str(own_file), (100, 1, 1))
    store = GraphStore(splits.train, METHODS[method].stored_order)
    batches = NumberedBatches(SizeGroupedSampler(store.counts, config.batch_size, 0, lambda: 0), config.accumulate)
    monkeypatch.setattr(TrainDiffusion, "sampler", lambda self: batches)
    model = GraphDiffusion(config, splits.domain())
    here, there = (
        # What is drawn with the weights is drawn where they are, and from the generator that came with the batch.
        [model.loss(batch).tolist() for batch in TrainDiffusion(config, model, store, splits, n).train_dataloader()]
        for n in (0, 2)
    )
    assert here == there
    assert len(here) == len(batches)


@pytest.mark.parametrize("method", ["sympe-labeling-fresh", "sympe-sort-carried"])
def test_nor_do_they_change_a_run(method: str, own_file: Path, tmp_path: Path) -> None:
    config = small(own_file, method, num_samples=4, accumulate=3)
    for workers in (0, 2):
        make_run(config, tmp_path / str(workers), workers=workers)
    assert same_weights(tmp_path / "0", tmp_path / "2")


@pytest.mark.parametrize("method", METHODS)
def test_only_a_learned_order_waits_for_the_network(method: str, own_file: Path) -> None:
    splits = load_splits(str(own_file), (100, 1, 1))
    store = GraphStore(splits.train, METHODS[method].stored_order)
    batches = NoisedBatches(store, GraphDiffusion(small(own_file, method), splits.domain()))
    noised = batches[(0, 0, 0), (3, [0, 1])]
    assert (noised.g is None) == (
        method in ("none", "noise", "sympe-sort-fresh", "sympe-sort-carried", "sort-fresh-index-ties")
    )


@pytest.mark.parametrize("accumulate", [1, 3])
def test_every_batch_has_random_numbers_of_its_own(
    accumulate: int, own_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by the step that it is part of, its place in the epoch and the process; the last step may be partial."""
    asked, taken = [], []
    get, step = NoisedBatches.__getitem__, TrainDiffusion.training_step

    def get_and_tell(self: NoisedBatches, key: Any) -> Any:
        asked.append(key[0])
        return get(self, key)

    def step_and_tell(self: TrainDiffusion, batch: Any, batch_index: int) -> Any:
        taken.append((self.global_step, batch_index, self.global_rank))
        return step(self, batch, batch_index)

    monkeypatch.setattr(NoisedBatches, "__getitem__", get_and_tell)
    monkeypatch.setattr(TrainDiffusion, "training_step", step_and_tell)
    make_run(small(own_file, accumulate=accumulate, num_samples=1), tmp_path)
    assert asked == taken
    assert len(set(asked)) == len(asked) > 10

    shares = []
    for rank in range(3):
        batches = SizeGroupedSampler({2: 9, 3: 5}, 2, 0, lambda: 0, rank, 3)
        shares += [numbers for numbers, _ in NumberedBatches(batches, accumulate)]
    assert len(set(shares)) == len(shares) == 9


def test_random_numbers_are_those_that_a_batch_is_asked_for_with(own_file: Path) -> None:
    splits = load_splits(str(own_file), (100, 1, 1))
    batches = NoisedBatches(GraphStore(splits.train), GraphDiffusion(small(own_file, "none"), splits.domain()))
    key = (max(batches.store.counts), [0])

    def content(*numbers: int) -> str:
        noised = batches[numbers, key]
        return fingerprint([noised.clean.nodes, noised.clean.edges, noised.noisy.nodes, noised.noisy.edges, noised.t])

    assert content(1, 2, 3) == content(1, 2, 3)
    assert len({content(*numbers) for numbers in ((1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4), (0, 0, 0))}) == 5


def test_orders_of_other_code_are_refused(own_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small(own_file, "sympe-labeling-carried", num_samples=4, epochs=1)
    make_run(config, tmp_path)
    (tmp_path / "record.json").unlink()
    found = data._stored_rank
    monkeypatch.setattr(
        data, "_stored_rank", lambda graphs, order: graphs.sizes[graphs.batch] - 1 - found(graphs, order)
    )
    with pytest.raises(ValueError, match="with other data, or other orders"):
        make_run(config, tmp_path, resume=True)
    monkeypatch.undo()
    make_run(config, tmp_path, resume=True)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_run_taken_up_again_ends_as_if_it_had_not_stopped(
    accumulate: int, own_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small(own_file, accumulate=accumulate, num_samples=4)
    save = SaveEachEpoch.on_train_epoch_end

    def save_and_stop(self: SaveEachEpoch, trainer: Trainer, pl_module: LightningModule) -> None:
        save(self, trainer, pl_module)
        raise Interruption

    with monkeypatch.context() as patch:
        patch.setattr(SaveEachEpoch, "on_train_epoch_end", save_and_stop)
        with pytest.raises(Interruption):
            make_run(config, tmp_path / "stopped")
    refused = pytest.raises(ValueError, match=r"already holds a run \(last\.ckpt\)")
    with refused:
        make_run(config, tmp_path / "stopped")
    with pytest.raises(ValueError, match="was started with other values of seed"):
        make_run(replace(config, seed=3), tmp_path / "stopped", resume=True)
    before = own_file.read_text()
    # One molecule for another, one element for another, one more molecule to test or validate on.
    for changed in (before.replace("CCCO", "CCCF"), before.replace("O", "S"), before + "CCCCCCCCC\n"):
        assert changed != before
        own_file.write_text(changed)
        load_splits.cache_clear()
        with pytest.raises(ValueError, match="was started with other data"):
            make_run(config, tmp_path / "stopped", resume=True)
    own_file.write_text(before)
    load_splits.cache_clear()
    older = shutil.copytree(tmp_path / "stopped", tmp_path / "older") / "last.ckpt"
    checkpoint = torch.load(older, weights_only=True)
    del checkpoint["data"], checkpoint["average"]
    torch.save(checkpoint, older)
    with pytest.raises(ValueError, match="of another program, or of another version: no average, data in it"):
        make_run(config, tmp_path / "older", resume=True)
    monkeypatch.setattr(training, "code_commit", lambda: "later")
    with pytest.warns(UserWarning, match=r"trained by \S+, this is later"):
        resumed = make_run(config, tmp_path / "stopped", resume=True)
    assert len(resumed.environment["begun_by"]) == 1
    whole = make_run(config, tmp_path / "whole")
    assert "begun_by" not in whole.environment
    for name in ("history", "examples", "config"):
        assert getattr(resumed, name) == getattr(whole, name)
    timed = ("seconds", "per_second")
    assert {k: v for k, v in resumed.metrics.items() if not any(t in k for t in timed)} == {
        k: v for k, v in whole.metrics.items() if not any(t in k for t in timed)
    }
    assert same_weights(tmp_path / "stopped", tmp_path / "whole")
    # A finished run is read.
    before = contents(tmp_path / "whole")
    assert make_run(config, tmp_path / "whole", resume=True) == whole
    assert contents(tmp_path / "whole") == before


def test_plain_graphs(tmp_path: Path) -> None:
    import networkx

    path = tmp_path / "trees.g6"
    write(from_networkx([networkx.random_labeled_tree(3 + k % 4, seed=k) for k in range(30)]), path)
    record = make_run(small(path, method="none", epochs=1), tmp_path / "run")
    assert {"degree_mmd_at_4", "unique_percent_at_4", "novel_percent_at_4", "class_nll"} <= record.metrics.keys()
    assert record.examples == {}
    found = sample_to_file(tmp_path / "run" / "weights.safetensors", tmp_path / "s.parquet", 5, accelerator="cpu")
    assert found is not None
    assert parquet.read_table(tmp_path / "s.parquet").column_names[2] == "graph6"
    assert found["samples"] == 5


def test_samples_are_measured_as_in_the_run(tmp_path: Path) -> None:
    """Against the few graphs that the run saw, not against all of the file."""
    path = tmp_path / "atoms.smi"
    path.write_text("C\nN\nO\nF\nCl\nBr\nS\nP\n")
    record = make_run(small(path, num_train=2, num_test=1, num_samples=30, method="none"), tmp_path / "run")
    found, _ = evaluate_weights(tmp_path / "run" / "weights.safetensors", num_samples=30)
    assert 0 < (record.metrics["novel_percent_at_4"] or 0) < 100
    measured = {k: v for k, v in found.metrics.items() if k.endswith("_at_4") and "per_second" not in k}
    assert {"novel_percent_at_4", "logp_distance_at_4"} <= measured.keys()
    assert measured == {name: record.metrics[name] for name in measured}
    # Bounds are of all graphs of the file to evaluate on, in the run of one.
    histograms = {name: values for name, values in found.history.items() if not name.endswith(OF_CASES)}
    assert histograms == {name: record.history[name] for name in histograms}
    assert found.examples == {"samples_at_4": record.examples["samples_at_4"]}


def test_kinds_of_edges_that_a_model_does_not_know(tmp_path: Path) -> None:
    train, mine = tmp_path / "train.smi", tmp_path / "mine.smi"
    train.write_text("\n".join("C" * n for n in range(1, 7)))
    make_run(small(train, method="none", epochs=1), tmp_path / "molecules")
    weights = tmp_path / "molecules" / "weights.safetensors"
    mine.write_text("C=C\nCC\nCCC\nCCCCC=C\nCCCCCC=C\n")
    record, skipped = evaluate_weights(weights, str(mine))
    assert record.metrics["test_graphs"] == 2
    bonds = "with a bond of an order that the model does not know"
    assert skipped == Counter({bonds: 2, "more than 6 atoms": 1})
    mine.write_text("C=C\n")
    with pytest.raises(ValueError, match=rf"expected graphs that the model knows; none is \(1 {bonds}\)"):
        evaluate_weights(weights, str(mine))

    plain, labeled = tmp_path / "plain.npz", tmp_path / "labeled.npz"
    path = (3, [(0, 1), (1, 2)])
    write(from_edges([path] * 10), plain)
    make_run(small(plain, method="none", epochs=1), tmp_path / "plain")
    write(from_edges([path] * 100, edge_label=[1, 1, 1, 2] * 50), labeled)
    record, skipped = evaluate_weights(tmp_path / "plain" / "weights.safetensors", str(labeled))
    assert skipped.keys() == {"with an edge of a kind that the model does not know"}
    assert sum(skipped.values()) + int(record.metrics["test_graphs"] or 0) == 10


def test_a_loss_that_is_not_finite_ends_the_run(own_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the training loss became (nan|inf) in epoch 1"):
        make_run(small(own_file, learning_rate=1e30, method="none"), tmp_path)
    assert not {"record.json", "weights.safetensors"} & {path.name for path in tmp_path.iterdir()}


def test_half_precision_trains_to_nearly_the_same(own_file: Path, tmp_path: Path) -> None:
    """bf16 has 8 bits of precision; the same steps lead to the same place within a few of its roundings."""
    single, half = (
        make_run(small(own_file, precision=precision, epochs=5), tmp_path / precision) for precision in ("32", "bf16")
    )
    assert half.metrics["class_nll"] != single.metrics["class_nll"]
    assert half.metrics["class_nll"] == pytest.approx(single.metrics["class_nll"], rel=0.02)
    assert half.history["train_loss"] == pytest.approx(single.history["train_loss"], rel=0.02)


@pytest.mark.untyped
def test_compiled_layers_train_the_same(own_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced but not translated, for that takes a minute; for all sizes of graphs alike."""
    graphs = []

    def backend(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> Callable[..., object]:
        graphs.append(graph)
        return graph.forward

    plain = make_run(small(own_file, epochs=2), tmp_path / "plain")
    torch.compiler.reset()
    monkeypatch.setattr(torch.nn.Module, "compile", partialmethod(torch.nn.Module.compile, backend=backend))
    compiled = make_run(small(own_file, epochs=2, compile=True), tmp_path / "compiled")
    assert 1 <= len(graphs) <= 4
    assert compiled.metrics["class_nll"] == pytest.approx(plain.metrics["class_nll"], rel=1e-6)
    assert compiled.history["train_loss"] == pytest.approx(plain.history["train_loss"], rel=1e-6)


def test_two_processes_train_one_model(own_file: Path, tmp_path: Path, capsys: Capture) -> None:
    command = ("molecules", "train", "--recipe", "smoke", "--data", own_file, "--epochs", 4, "--batch-size", 2)
    command += ("--num-samples", 4, "--accelerator", "cpu", "--devices", 2, "--out", tmp_path / "run", "--json")
    process = start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate()
    assert process.returncode == 0, err
    record = read_record(tmp_path / "run" / "record.json")
    assert json.loads(out)["class_nll"] == record.metrics["class_nll"]
    assert len(record.history["train_loss"]) == 4
    # Each process takes half of the batches of an epoch.
    alone = make_run(small(own_file, epochs=4, batch_size=2, steps=10, num_samples=4), tmp_path / "alone")
    steps, together = alone.metrics["steps_of_training"], record.metrics["steps_of_training"]
    assert steps // 2 <= together <= steps // 2 + 4
