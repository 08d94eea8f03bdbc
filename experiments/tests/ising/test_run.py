"""Whole runs, and the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer

from command_line import call, contents
from sympe_experiments.ising import memory
from sympe_experiments.ising import training as train
from sympe_experiments.ising.config import METHODS, make_config
from sympe_experiments.ising.hamiltonian import NEAREST
from sympe_experiments.ising.jobs import ROWS, jobs
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.ising.predict import SHIPPED
from sympe_experiments.ising.training import run
from sympe_experiments.records import Record, read_record
from sympe_experiments.training import SaveEachEpoch

TRAIN = ("ising", "--recipe", "smoke", "--accelerator", "cpu")

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("ising") / "run"
    assert run(make_config("sympe-template", "smoke", seed=2), folder, accelerator="cpu", progress=False) is not None
    return folder


def without_times(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.metrics.items() if "second" not in name} | record.history


def test_the_command_prints_what_was_asked(tmp_path: Path, capsys: Capture) -> None:
    arguments = (*TRAIN, "--method", "sympe-template", "--L", 4, "--seed", 2, "--out", tmp_path / "run", "--json")
    done = call(capsys, *arguments)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert {"method": "sympe-template", "seed": 2, "L": 4}.items() <= found.items()
    assert {"exact_percent_in", "exact_percent_out", "gap_in", "gap_out", "seconds", "n_parameters"} <= found.keys()
    assert found["exact_percent_by_L"].keys() == {"4", "8"}
    assert found["exact_percent_by_L"]["4"] == found["exact_percent_in"]
    before = contents(tmp_path)
    assert json.loads(call(capsys, *arguments, "--resume").out) == found
    assert "already holds a run (record.json)" in call(capsys, *arguments).complaint
    other = call(capsys, *arguments, "--resume", "--epochs", 1)
    assert "holds a finished run with another configuration" in other.complaint
    assert contents(tmp_path) == before


def test_an_equivariant_method_scores_alike_in_both_halves(finished: Path) -> None:
    """Untrained or not: mirrored couplings have mirrored answers of the same energy."""
    metrics = read_record(finished / "record.json").metrics
    assert metrics["exact_percent_in"] == metrics["exact_percent_out"]
    assert metrics["gap_in"] == pytest.approx(metrics["gap_out"], abs=1e-5)


def test_the_record_says_what_the_weights_do(finished: Path) -> None:
    state = torch.get_rng_state()
    record = read_record(finished / "record.json")
    model = SpinNetwork.load(finished / "weights.safetensors").eval()
    measured = train.test(model)
    assert all(record.metrics[name] == value for name, value in measured.items() if "second" not in name)
    arrays = record.arrays()
    assert {"order", "gap", "examples", "example_couplings", "spins", "vector"} == arrays.keys()
    assert arrays["order"].shape == (4, 10, 10)
    assert arrays["examples"].shape == (5, 8, 8, 8)
    assert arrays["spins"].shape == (2, 10, 10, 4, 4)
    np.testing.assert_array_equal(arrays["vector"], model.vector.detach())
    assert arrays["gap"].min() >= 0
    assert torch.equal(state, torch.get_rng_state())


class Interruption(Exception):
    pass


def test_an_interrupted_run_ends_as_if_it_had_not_been(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config("sympe-template", "smoke", seed=2)
    save = SaveEachEpoch.on_train_epoch_end

    def save_and_stop(self: SaveEachEpoch, trainer: Trainer, pl_module: LightningModule) -> None:
        save(self, trainer, pl_module)
        raise Interruption

    with monkeypatch.context() as patch:
        patch.setattr(SaveEachEpoch, "on_train_epoch_end", save_and_stop)
        with pytest.raises(Interruption):
            run(config, tmp_path, accelerator="cpu", progress=False)
    changed = make_config("sympe-template", "smoke", seed=2, batch_size=7)
    with pytest.raises(ValueError, match="was started with other values of batch_size"):
        run(changed, tmp_path, accelerator="cpu", progress=False, resume=True)
    resumed = run(config, tmp_path, accelerator="cpu", progress=False, resume=True)
    assert resumed is not None
    assert without_times(resumed) == without_times(read_record(finished / "record.json"))
    assert (tmp_path / "weights.safetensors").read_bytes() == (finished / "weights.safetensors").read_bytes()


def test_a_few_steps_lower_the_free_energy(tmp_path: Path) -> None:
    config = make_config("cnn", "smoke", epochs=3, epoch_steps=20, transfer=(4,))
    record = run(config, tmp_path, accelerator="cpu", progress=False)
    assert record is not None
    losses = record.history["train_loss"]
    assert losses[-1] < losses[0] - 0.1


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "free_energy", lambda *args: torch.full((1,), torch.nan, requires_grad=True))
    with pytest.raises(ValueError, match="the training loss became nan in epoch 1; a lower learning rate may help"):
        run(make_config("gcnn", "smoke"), tmp_path, accelerator="cpu", progress=False)
    assert not (tmp_path / "record.json").exists()


@pytest.mark.parametrize("method", ["sympe-template", "annealing", "milp"])
def test_j1j2(method: str, tmp_path: Path, capsys: Capture) -> None:
    if method == "annealing":
        pytest.importorskip("dwave.samplers")
    done = call(capsys, *TRAIN, "--model", "j1j2", "--method", method, "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["seconds_per_instance"] > 0
    if method != "sympe-template":
        assert found["exact_percent_in"] == 100
    assert (found.get("proven_percent") == 100) == (method == "milp")
    table = call(capsys, "table", tmp_path)
    assert table.code == 0
    assert "ms per instance" in table.out


@pytest.mark.parametrize("model", ["field", "bonds"])
@pytest.mark.parametrize("method", ["sympe-template", "annealing"])
def test_other_couplings(model: str, method: str, tmp_path: Path) -> None:
    if method == "annealing":
        pytest.importorskip("dwave.samplers")
    record = run(make_config(method, "smoke", model=model), tmp_path, accelerator="cpu", progress=False)
    assert record is not None
    assert record.arrays() == {}
    assert 0 <= record.metrics["exact_percent_in"] <= 100
    assert record.metrics["gap_in"] >= -1e-9
    if method == "annealing":
        assert record.metrics["exact_percent_in"] > 95
    else:
        assert record.metrics["gap_in"] == pytest.approx(record.metrics["gap_out"], abs=1e-5)


def test_odd_lattices(tmp_path: Path, capsys: Capture) -> None:
    done = call(capsys, *TRAIN, "--method", "sympe-template-field", "--L", 5, "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["exact_percent_by_L"] == {"5": found["exact_percent_in"], "8": None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "magic"), "unknown method 'magic'; choose one of mlp, cnn, gcnn"),
        (("--L", 5), "a tile of period 2 needs lattices whose size it divides; got L = 5"),
        (("--L", 200_000), "GB of memory; this machine has"),
        (("--L", 1), "L must be at least 2; got 1"),
        (("--model", "potts"), "unknown model 'potts'"),
        (("--devices", 0), "devices must be at least 1; got 0"),
    ],
)
def test_values_that_cannot_be(arguments: tuple[object, ...], message: str, tmp_path: Path, capsys: Capture) -> None:
    refused = call(capsys, *TRAIN, *arguments, "--out", tmp_path / "run", "--json")
    assert message in refused.complaint
    assert not (tmp_path / "run" / "record.json").exists()


# ------------------------------------------------------------------------------------------------------- predict

PREDICT = ("ising", "predict")


def test_shipped_weights_find_the_four_phases(capsys: Capture) -> None:
    """Right after installation, and at a size they were not trained on."""
    for jx, jy in ((0.6, 0.4), (-0.6, 0.4), (0.6, -0.4), (-0.6, -0.4)):
        done = call(capsys, *PREDICT, "--Jx", jx, "--Jy", jy, "--L", 32, "--samples", 4, "--json")
        found = json.loads(done.out)
        assert found["ground_energy"] == pytest.approx(-1.0)
        assert found["energy"] == pytest.approx([-1.0] * 4)
        spins = torch.tensor(found["spins"])
        assert spins.shape == (4, 32, 32)
        assert bool((spins.abs() == 1).all())
    shown = call(capsys, *PREDICT, "--Jx", -0.6, "--Jy", 0.4, "--L", 4, "--samples", 2)
    lines = shown.out.splitlines()
    assert lines[0] == "sample 0: energy per spin -1.000000, ground state -1.000000"
    assert lines[1] in ("+-+-", "-+-+")
    assert lines[1:5] == [lines[1]] * 4
    assert len(lines) == 10


def test_own_weights_and_files(finished: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "spins.npz"
    arguments = (*PREDICT, "--weights", finished / "weights.safetensors", "--Jx", 0.5, "--Jy", 0.5, "--L", 6)
    done = call(capsys, *arguments, "--samples", 3, "--out", out)
    assert done.code == 0
    assert done.out.splitlines()[-1] == f"Spins: {out}"
    with np.load(out) as file:
        assert file["spins"].shape == (3, 6, 6)
        couplings = torch.full((3, 2), 0.5, dtype=torch.float64)
        energy = NEAREST.energy(couplings, torch.from_numpy(file["spins"]).double())
        np.testing.assert_allclose(file["energy"], energy)
        assert float(file["ground_energy"]) == -1.0
    assert (
        "file that ends in .npz; got spins.txt" in call(capsys, *arguments, "--out", tmp_path / "spins.txt").complaint
    )


def test_a_file_of_couplings(tmp_path: Path, capsys: Capture) -> None:
    """Uniform couplings written on the bonds one by one, and bonds without any symmetry."""
    rng = np.random.default_rng(0)
    path = tmp_path / "bonds.npz"
    np.savez(path, Jx=np.full((8, 8), 0.7), Jy=np.full((8, 8), 0.3))
    found = json.loads(call(capsys, *PREDICT, "--couplings", path, "--samples", 2, "--json").out)
    assert found["energy"] == pytest.approx([-1.0, -1.0])
    assert found["ground_energy"] is None
    np.savez(path, Jx=rng.normal(size=(6, 6)), Jy=rng.integers(-1, 2, size=(6, 6)))
    found = json.loads(call(capsys, *PREDICT, "--couplings", path, "--samples", 2, "--json").out)
    assert np.array(found["spins"]).shape == (2, 6, 6)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"Jx": np.ones((4, 4))}, "expected an array Jy; got Jx"),
        ({"Jx": np.ones((4, 4)), "Jy": np.ones((4, 6))}, r"of one shape \[L1, L2\], at least 2 x 2; got"),
        ({"Jx": np.ones((4, 6)), "Jy": np.ones((4, 6))}, "D4 needs a square lattice; got 4 x 6"),
        ({"Jx": np.ones((4, 4, 2)), "Jy": np.ones((4, 4, 2))}, r"of one shape \[L1, L2\]"),
        ({"Jx": np.ones((5, 5)), "Jy": np.ones((5, 5))}, "a tile of 2 x 2 sites does not fit a lattice of 5 x 5"),
        ({"Jx": np.full((4, 4), "a"), "Jy": np.ones((4, 4))}, "expected real numbers"),
        ({"Jx": np.full((4, 4), np.nan), "Jy": np.ones((4, 4))}, r"must be finite; got Jx = nan at \[0, 0\]"),
    ],
)
def test_couplings_that_cannot_be(arrays: dict[str, Any], message: str, tmp_path: Path, capsys: Capture) -> None:
    import re

    np.savez(tmp_path / "bonds.npz", **arrays)
    assert re.search(message, call(capsys, *PREDICT, "--couplings", tmp_path / "bonds.npz").complaint)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no value for Jx: give --Jx and --Jy, or a file with --couplings"),
        (("--Jx", 1), "no value for Jy"),
        (("--Jx", "nan", "--Jy", 1), "couplings must be finite; got Jx = nan"),
        (("--Jx", 1, "--Jy", "inf"), "couplings must be finite; got Jy = inf"),
        (("--Jx", 1, "--Jy", 1, "--J2", 0.5), "weights of the model nearest know no J2; got 0.5"),
        (("--Jx", 1, "--Jy", 1, "--L", 5), "a tile of 2 x 2 sites does not fit a lattice of 5 x 5"),
        (("--Jx", 1, "--Jy", 1, "--L", 0), "L must be at least 2; got 0"),
        (("--Jx", 1, "--Jy", 1, "--samples", 0), "samples must be at least 1; got 0"),
        (("--Jx", 1, "--Jy", 1, "--L", 2_000_000), "GB of memory; this machine has"),
        (("--Jx", 1, "--Jy", 1, "--weights", "nowhere"), "nowhere does not hold the weights of an Ising network"),
        (("--couplings", "nowhere.npz"), "nowhere.npz"),
    ],
)
def test_predict_refuses(arguments: tuple[object, ...], message: str, capsys: Capture) -> None:
    assert message in call(capsys, *PREDICT, *arguments).complaint


def test_junk_in_place_of_couplings(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "bonds.npz"
    for content in (b"", b"PK\3\4 junk", b"junk"):
        path.write_bytes(content)
        assert f"{path}: expected an npz file" in call(capsys, *PREDICT, "--couplings", path).complaint
    np.save(tmp_path / "one.npy", np.ones((2, 4, 4)))
    refused = call(capsys, *PREDICT, "--couplings", tmp_path / "one.npy")
    assert "got a single array" in refused.complaint


# ---------------------------------------------------------------------------------------------------------- jobs


def test_the_runs_of_a_preset() -> None:
    assert set(ROWS) <= METHODS.keys()
    assert {"mlp", "cnn", "gcnn", "gcnn-noise", "haar", "sympe-template-frozen", "sympe-template"} <= set(ROWS)
    for preset in ("smoke", "quick", "full"):
        folders = [job.folder for job in jobs(preset)]
        assert len(set(folders)) == len(folders)
        assert Path("ising/nearest") in folders[0].parents
    assert len(jobs("full")) > 2 * len(jobs("quick"))


def test_a_job_is_made_once(tmp_path: Path) -> None:
    (job,) = [job for job in jobs("smoke") if job.folder.parts[-2] == "mlp" and job.folder.parts[1] == "nearest"]
    record = job.run(tmp_path)
    before = contents(tmp_path)
    assert job.run(tmp_path) == record
    assert contents(tmp_path) == before
    assert "exact percent in" in job.summary(record)


def test_memory_grows_with_the_lattice(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config("sympe-template", "fast")
    assert memory.bytes_needed(config, 200, 1, training=False) == 2 * memory.bytes_needed(
        config, 100, 1, training=False
    )
    assert memory.bytes_needed(config, 100, 1, training=True) > memory.bytes_needed(config, 100, 1, training=False)
    monkeypatch.setattr(memory, "bytes_present", lambda: 10**6)
    with pytest.raises(ValueError, match="L = 10 with 64 lattices a step needs about"):
        memory.refuse_what_does_not_fit(config)
    monkeypatch.setattr(memory, "bytes_present", lambda: None)
    memory.refuse_what_does_not_fit(config)


def test_weights_come_with_the_package() -> None:
    assert SHIPPED.stat().st_size < 100_000
    assert SpinNetwork.load(SHIPPED).config.method == "sympe-template"
