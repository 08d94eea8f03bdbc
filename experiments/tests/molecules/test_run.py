"""Whole runs on the user's own molecules: training, taking up again, evaluation, sampling, and what is refused."""

import json
import math
import shutil
import signal
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

from command_line import call, contents, start, struck
from sympe.graphs import concatenate, from_edges, from_networkx, write
from sympe_experiments.molecules import sampling
from sympe_experiments.molecules.assessment import evaluate_weights
from sympe_experiments.molecules.chemistry import write_smiles
from sympe_experiments.molecules.config import METHODS, Config, make_config
from sympe_experiments.molecules.data import GraphStore, load_splits
from sympe_experiments.molecules.evaluation import draw_samples
from sympe_experiments.molecules.jobs import LONG, ROWS
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.pretrained import find_weights, pretrained
from sympe_experiments.molecules.sampling import sample_to_file
from sympe_experiments.molecules.training import NoisedBatches, NumberedBatches, TrainDiffusion, run
from sympe_experiments.records import read_record
from sympe_experiments.training import SaveEachEpoch, SizeGroupedSampler, fingerprint

pytest.importorskip("rdkit", reason="needs RDKit")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

Capture = pytest.CaptureFixture[str]

CHAINS = ["C" * n + end for n in range(1, 5) for end in ("O", "N", "F", "C#N", "C=O", "C1CC1")]
BROKEN = ["[NH4+]", "nonsense", "[Fe]"]


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "mine.smi"
    path.write_text("\n".join(CHAINS + BROKEN) + "\n")
    return path


def small(own_file: Path, method: str = "sympe-depth-first-carried", **changes: Any) -> Config:
    values: dict[str, Any] = {"data": str(own_file), "epochs": 2, "num_samples": 12, "batch_size": 4, "steps": 4}
    return make_config(method, "smoke", **values | changes)


def make_run(config: Config, folder: Path, **options: Any) -> Any:
    return run(config, folder, accelerator="cpu", progress=False, **options)


@pytest.fixture(scope="module")
def finished(own_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    make_run(small(own_file), folder)
    return folder


@pytest.fixture(scope="module")
def weights(finished: Path) -> Path:
    return finished / "weights.safetensors"


# ------------------------------------------------------------------------------------------------------- training


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


# Noise by rank is prepared alike for all orders.
@pytest.mark.parametrize("method", [name for name in METHODS if "carried-by-rank" not in name.removeprefix("haar-")])
def test_processes_that_prepare_batches_change_nothing(method: str, own_file: Path, tmp_path: Path) -> None:
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


class Interruption(Exception):
    pass


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
    resumed = make_run(config, tmp_path / "stopped", resume=True)
    whole = make_run(config, tmp_path / "whole")
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
    assert {"degree_mmd_at_4", "tree_percent_at_4", "class_nll"} <= record.metrics.keys()
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
    assert found.history == {name: record.history[name] for name in found.history}
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


# ------------------------------------------------------------------------------------------------------- sampling


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


def rows(path: Path) -> list[dict[str, Any]]:
    return parquet.read_table(path).to_pylist()


def test_samples_are_the_same_whatever_the_shards(weights: Path, tmp_path: Path) -> None:
    for size in (3, 100):
        sample_to_file(weights, tmp_path / f"{size}.parquet", 20, shard_size=size, accelerator="cpu")
    assert rows(tmp_path / "3.parquet") == rows(tmp_path / "100.parquet")
    found = rows(tmp_path / "3.parquet")
    assert [row["index"] for row in found] == list(range(20))
    assert {row["seed"] for row in found} == {0}
    assert all((row["smiles"] is not None) == row["valid"] for row in found)
    assert not (tmp_path / "3.parquet.parts").exists()
    sample_to_file(weights, tmp_path / "other.parquet", 20, seed=1, accelerator="cpu")
    assert [row["num_nodes"] for row in rows(tmp_path / "other.parquet")] != [row["num_nodes"] for row in found]


def interrupted(weights: Path, out: Path, monkeypatch: pytest.MonkeyPatch, after: int = 2) -> None:
    """Sample, and stop after some shards."""
    write_shard, written = sampling._write, []

    def stop(path: Path, found: Any) -> None:
        if len(written) == after:
            raise Interruption
        write_shard(path, found)
        written.append(path)

    with monkeypatch.context() as patch:
        patch.setattr(sampling, "_write", stop)
        with pytest.raises(Interruption):
            sample_to_file(weights, out, 20, shard_size=3, accelerator="cpu")
    assert len(written) == after


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


@pytest.mark.parametrize("harm", [lambda path: None, damage, Path.unlink])
def test_an_interrupted_sampling_loses_nothing_and_doubles_nothing(
    harm: Callable[[Path], None], weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "s.parquet"
    interrupted(weights, out, monkeypatch)
    shards = sorted((tmp_path / "s.parquet.parts").glob("shard-*"))
    assert len(shards) == 2
    kept = shards[0].stat().st_mtime_ns
    harm(shards[1])
    with pytest.raises(ValueError, match="holds shards of an interrupted sampling; resume it or give another file"):
        sample_to_file(weights, out, 20, shard_size=3, accelerator="cpu")
    with pytest.raises(ValueError, match="was started with other values of num, seed"):
        sample_to_file(weights, out, 21, shard_size=3, seed=2, resume=True, accelerator="cpu")
    assert shards[0].stat().st_mtime_ns == kept
    sample_to_file(weights, out, 20, shard_size=3, resume=True, accelerator="cpu")
    sample_to_file(weights, tmp_path / "whole.parquet", 20, accelerator="cpu")
    assert rows(out) == rows(tmp_path / "whole.parquet")
    assert {path.name for path in tmp_path.iterdir()} == {"s.parquet", "whole.parquet"}


def test_a_sampling_that_was_killed_goes_on(weights: Path, tmp_path: Path, capsys: Capture) -> None:
    sample = ("molecules", "sample", "--weights", weights, "--num", 300, "--shard-size", 1, "--accelerator", "cpu")
    sample += ("--steps", 4, "--out", tmp_path / "s.parquet")
    assert struck("kill", "shard-*", 2, *sample).code == -signal.SIGKILL
    assert len(list(tmp_path.glob("s.parquet.parts/shard-*.parquet"))) == 2
    assert not (tmp_path / "s.parquet").exists()
    assert call(capsys, *sample, "--resume").code == 0
    sample_to_file(weights, tmp_path / "whole.parquet", 300, steps=4, accelerator="cpu")
    assert rows(tmp_path / "s.parquet") == rows(tmp_path / "whole.parquet")
    assert {path.name for path in tmp_path.iterdir()} == {"s.parquet", "whole.parquet"}


# ------------------------------------------------------------------------------------------------ the command line


def test_train_evaluate_and_sample(own_file: Path, tmp_path: Path, capsys: Capture) -> None:
    train = ("molecules", "train", "--recipe", "smoke", "--method", "none", "--data", own_file, "--epochs", 1)
    train += ("--steps", 3, "--num-samples", 4, "--accelerator", "cpu", "--out", tmp_path / "run", "--json")
    done = call(capsys, *train)
    assert done.code == 0
    assert json.loads(done.out)["method"] == "none"
    assert "sympe: skipped 3 molecules: " in done.err
    exported = tmp_path / "run" / "weights.safetensors"

    mine = tmp_path / "new.smi"
    mine.write_text("CCO\nCC[O-]\nCCBr\nCCCCCCCCCCCC\nCCN\n")
    done = call(
        capsys, "molecules", "evaluate", "--weights", exported, "--data", mine, "--accelerator", "cpu", "--json"
    )
    summary = json.loads(done.out)
    assert (summary["test_graphs"], summary["skipped_molecules"]) == (2, 3)
    assert "skipped 3 molecules: 1 charged, 1 unsupported element Br, 1 more than 7 atoms" in done.err
    sampled = call(
        capsys, "molecules", "evaluate", "--weights", exported, "--num-samples", 4, "--steps", 2, 3, "--json"
    )
    assert {f"valid_percent_at_{steps}" for steps in (2, 3)} <= json.loads(sampled.out).keys()

    sample = ("molecules", "sample", "--weights", exported, "--num", 6, "--out", tmp_path / "s.parquet")
    done = call(capsys, *sample, "--accelerator", "cpu")
    assert done.code == 0
    assert done.out.startswith(f"{tmp_path / 's.parquet'}: 6 samples, ")
    assert len(rows(tmp_path / "s.parquet")) == 6
    assert "is there already; give another file" in call(capsys, *sample).complaint
    assert call(capsys, *sample, "--resume", "--json").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sample", "--num", "0"), "num must be at least 1; got 0"),
        (("sample", "--steps", "9"), "steps must be from 1 to 4, the steps of the noise process; got 9"),
        (("sample", "--out", "mols.csv"), "expected a file ending in .parquet, .smi or .sdf; got mols.csv"),
        (("sample", "--seed", "-1"), "seed must be from 0 to 2^63 - 1; got -1"),
        (("evaluate", "--data", "missing.smi"), "missing.smi: No such file or directory"),
        (("evaluate", "--draws", "0"), "draws must be at least 1; got 0"),
        (("evaluate", "--seed", "-1"), "seed must be from 0 to 2^63 - 1; got -1"),
        (("evaluate", "--accelerator", "abacus"), "accelerator must be auto, cpu or gpu; got 'abacus'"),
    ],
)
def test_arguments_that_cannot_be(
    arguments: tuple[str, ...],
    message: str,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        call(capsys, "molecules", arguments[0], "--weights", weights, *arguments[1:]).complaint == f"sympe: {message}"
    )
    assert list(tmp_path.iterdir()) == []


def test_configurations_that_cannot_be(weights: Path, capsys: Capture) -> None:
    train = ("molecules", "train", "--recipe", "smoke")
    assert call(capsys, *train, "--steps", 0).complaint == "sympe: steps must be positive; got 0"
    assert call(capsys, *train, "--workers", -1).complaint == "sympe: workers must be at least 0; got -1"
    seed = 2**63
    for command in (train, ("molecules", "evaluate", "--weights", weights)):
        complaint = call(capsys, *command, "--seed", seed).complaint
        assert complaint == f"sympe: seed must be from 0 to 2^63 - 1; got {seed}"
    assert make_config("none", "smoke", seed=seed - 1).seed == seed - 1


def test_weights_of_something_else(weights: Path, tmp_path: Path, capsys: Capture) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(str(weights), "pt") as file:
        described = json.loads(file.metadata()["model"])
    del described["sha256"]  # as in old files; else nothing but the checksum would be looked at
    metadata = {"model": json.dumps(described)}
    state = load_file(str(weights))
    name = "network.node_out.0.weight"
    shape = list(state[name].shape)

    def domain(**changes: Any) -> dict[str, str]:
        return {"model": json.dumps(described | {"domain": described["domain"] | changes})}

    other = {"model": json.dumps(described | {"config": described["config"] | {"num_layers": 3, "node_dim": 8}})}
    law = "size_law must hold frequencies, one of them positive; got"
    wrong: list[tuple[dict[str, torch.Tensor], dict[str, str] | None, str]] = [
        (state | {name: torch.zeros(3, 3)}, metadata, f"{name}: expected shape {shape}; got shape [3, 3]"),
        ({k: v for k, v in state.items() if k != name}, metadata, f"{name}: expected shape {shape}; got no tensor"),
        (state | {"more": torch.zeros(1)}, metadata, "more: expected no tensor; got shape [1]"),
        (state | {name: torch.full(shape, torch.nan)}, metadata, f"{name} holds numbers that are not finite"),
        (state, other, "network.layers.0.edge_out.weight: expected shape [8, 8]; got shape [8, 16]"),
        (state, {"model": json.dumps(described | {"domain": [1, 2]})}, "'list' object has no attribute 'items'"),
        (state, domain(size_law=[]), f"{law} ()"),
        (state, domain(size_law=[0.0] * 100), f"{law} (0.0, 0.0"),
        (state, domain(size_law=[0.5, -0.5]), f"{law} (0.5, -0.5)"),
        ({"a": torch.zeros(1)}, None, "no 'model' in it"),
    ]
    path = tmp_path / "wrong.safetensors"
    for tensors, described_so, message in wrong:
        save_file(tensors, str(path), described_so)
        complaint = call(capsys, "molecules", "sample", "--weights", path, "--out", tmp_path / "s.parquet").complaint
        assert f"{path} does not hold the weights of a graph diffusion: {message}" in complaint
        assert len(complaint) < len(str(path)) + 250
    missing = tmp_path / "none.safetensors"
    complaint = call(capsys, "molecules", "sample", "--weights", missing, "--out", tmp_path / "s.parquet").complaint
    assert f"no file of weights {missing}; give one that a run exported, or one of qm9" in complaint
    assert not (tmp_path / "s.parquet").exists()


def test_data_of_another_kind_than_the_model(weights: Path, tmp_path: Path, capsys: Capture) -> None:
    import networkx

    path = tmp_path / "plain.g6"
    write(from_networkx([networkx.cycle_graph(5)] * 5), path)
    complaint = call(capsys, "molecules", "evaluate", "--weights", weights, "--data", path).complaint
    assert "the model knows the kinds of nodes C, F, N, O;" in complaint


def test_bounds_from_trajectories(
    weights: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "new.smi"
    mine.write_text("CCO\nCCN\nC\n")
    command = ("molecules", "evaluate", "--weights", weights, "--data", mine, "--trajectories", 5)
    done = call(capsys, *command, "--out", tmp_path / "bounds", "--json")
    summary, record = json.loads(done.out), read_record(tmp_path / "bounds" / "record.json")
    assert done.code == 0
    assert record.summary() == summary
    assert (record.config["num_test"], record.config["draws"]) == (2000, 8)
    assert (summary["test_graphs"], summary["skipped_molecules"], summary["trajectories"]) == (2, 1, 5)
    assert summary["class_nll_of_1"] >= summary["class_nll_of_2"] >= summary["class_nll_of_4"] > 0
    assert "class_nll_of_8" not in summary
    assert math.isfinite(summary["class_nll"])
    few = json.loads(call(capsys, *command, "--steps", 2, 4, "--json").out)
    assert few["class_nll_of_4"] == summary["class_nll_of_4"], "of all steps, by name and value"
    assert few["class_nll_of_2_at_2"] >= few["class_nll_of_4_at_2"] > 0
    assert few["class_nll_of_4_at_2"] != few["class_nll_of_4"]
    assert few["class_nll_of_4_at_2_se"] > 0
    # Two trajectories at once: other draws of the same law.
    monkeypatch.setattr("sympe_experiments.molecules.evaluation.batch_size", lambda n, most=256: 2)
    in_parts = json.loads(call(capsys, *command, "--json").out)
    assert in_parts["class_nll_of_4"] == pytest.approx(summary["class_nll_of_4"], abs=5)
    assert "trajectories must be at least 0; got -1" in call(capsys, *command, "--trajectories", -1).complaint


def test_controls_are_among_the_rows() -> None:
    for rows in (ROWS, LONG):
        assert {control for method in rows for control in METHODS.controls(method)} <= set(rows)


def test_unknown_names(capsys: Capture) -> None:
    assert (
        "unknown method 'x'; choose one of none, noise" in call(capsys, "molecules", "train", "--method", "x").complaint
    )
    assert "unknown recipe 'x'; choose one of smoke" in call(capsys, "molecules", "train", "--recipe", "x").complaint
    missing = call(capsys, "molecules", "train", "--recipe", "smoke", "--data", "none.smi")
    assert missing.complaint == "sympe: none.smi: No such file or directory"


def test_a_model_comes_back_from_its_file(weights: Path, finished: Path, tmp_path: Path) -> None:
    model = GraphDiffusion.load(weights)
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(model.to_bytes())
    assert copy.read_bytes() == weights.read_bytes()
    shutil.copy(weights, tmp_path / "x")
    assert model.domain.is_chemical


# ------------------------------------------------------------------------------------------------ weights at hand


@pytest.mark.parametrize("name", pretrained())
def test_weights_that_come_with_the_package(name: str) -> None:
    """They are small, they are those of the record beside them, and most of their samples are molecules."""
    path = find_weights(name)
    assert path.stat().st_size < 20e6
    record = read_record(path.with_suffix(".json"))
    model = GraphDiffusion.load(path)
    assert model.config.as_dict() == record.config
    samples = concatenate([one.to_graphs() for one in draw_samples(model, 100, 10, 0)])
    valid = sum(one.valid for one in write_smiles(samples, model.domain.elements))
    # As many as the record says, within four standard deviations of 100 samples.
    expected = record.metrics["valid_percent_at_10"]
    assert expected is not None
    assert abs(valid - expected) < 4 * (100 * expected / 100 * (1 - expected / 100)) ** 0.5


def test_a_model_of_the_package_samples_at_once(tmp_path: Path, capsys: Capture) -> None:
    done = call(capsys, "molecules", "sample", "--num", 20, "--steps", 20, "--out", tmp_path / "s.parquet", "--json")
    assert done.code == 0
    assert json.loads(done.out)["valid"] > 10
    unknown = call(capsys, "molecules", "sample", "--weights", "qm8", "--out", tmp_path / "t.parquet")
    assert f"no file of weights qm8; give one that a run exported, or one of {', '.join(pretrained())}" in unknown.err
