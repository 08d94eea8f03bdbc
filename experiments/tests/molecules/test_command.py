"""Training, evaluation and sampling by the command line, weights, and what is refused."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from command_line import call
from molecule_runs import rows
from sympe.graphs import concatenate, from_networkx, write
from sympe_experiments.molecules.chemistry import write_smiles
from sympe_experiments.molecules.config import METHODS, make_config
from sympe_experiments.molecules.evaluation import draw_samples
from sympe_experiments.molecules.jobs import HYDROGENS, LONG, ROWS
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.pretrained import find_weights, pretrained
from sympe_experiments.records import read_record

pytest.importorskip("rdkit", reason="needs RDKit")
pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

Capture = pytest.CaptureFixture[str]


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
        (
            ("sample", "--guidance", "0.5"),
            "guidance must be from 0 to 1, for a method whose training hides the order at times; "
            "got 0.5 for sympe-depth-first-carried",
        ),
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
    for methods in (ROWS, LONG, HYDROGENS):
        assert {control for method in methods for control in METHODS.controls(method)} <= set(methods)


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
