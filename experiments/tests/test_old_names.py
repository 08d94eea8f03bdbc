"""Records and weights from before version 0.1 are read with the names of now."""

import json
from importlib import import_module
from pathlib import Path

import pytest
import torch

from sympe_experiments.catalog import EXPERIMENTS
from sympe_experiments.ising.config import make_config as ising_config
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.ising.predict import SHIPPED
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.pretrained import find_weights, pretrained
from sympe_experiments.old_names import METHODS, SETTINGS, config_now, method_now, record_now
from sympe_experiments.programs.config import SOLVERS
from sympe_experiments.records import Record, read_record, read_records
from sympe_experiments.resuming import finished_run
from sympe_experiments.weights import to_bytes

RESULTS = Path(__file__).parents[2] / "results"


@pytest.mark.parametrize("name", METHODS)
def test_new_names_exist(name: str) -> None:
    config = import_module(f"sympe_experiments.{EXPERIMENTS[name].room}.config")
    assert set(METHODS[name].values()) <= set(config.METHODS)
    assert set(SETTINGS[name].values()) <= set(config.Config.__dataclass_fields__)
    for old, new in METHODS[name].items():
        assert method_now(name, old) == method_now(name, new) == new
    old = {"method": next(iter(METHODS[name])), **dict.fromkeys(SETTINGS[name], 3), "seed": 1}
    once = config_now(name, old)
    assert config_now(name, once) == once
    assert len(once) == len(old)


def test_records_are_read_with_the_names_of_now() -> None:
    records = read_records(RESULTS)
    assert set(METHODS) <= {record.experiment for record in records} <= set(EXPERIMENTS)
    for record in records:
        assert record.folder is not None
        held = json.loads((record.folder / "record.json").read_text())
        assert (record.experiment, record.seed, record.data) == (
            (held.get("experiment") or held["task"]),
            held["seed"],
            held["data"],
        )
        assert record.method == METHODS.get((held.get("experiment") or held["task"]), {}).get(
            held["method"], held["method"]
        )
        assert len(record.metrics) == len(held["metrics"])
        assert not [name for name in (*record.metrics, *record.history) if "labelled" in name]
        if record.method != "floor" and record.recipe not in SOLVERS:  # a run that can be resumed
            config = EXPERIMENTS[record.experiment].load("config")
            assert record.method in config.METHODS
            # Whatever the configuration held is a setting still, so that a finished run can be resumed.
            assert record.config.keys() <= config.Config.__dataclass_fields__.keys()
            assert record.config["method"] == record.method


def test_a_finished_run_is_recognized(tmp_path: Path) -> None:
    config = ising_config("sympe-template", "smoke", filter_width=5)
    old = config.as_dict() | {"method": "sympe"}
    old["hidden"], old["kernel"] = old.pop("hidden_dim"), old.pop("filter_width")
    fields = {"method": "sympe", "recipe": "smoke", "data": "nearest", "seed": 0, "config": old, "seconds": 1.0}
    (tmp_path / "record.json").write_text(json.dumps({"task": "ising", "metrics": {"labelled_nll": 1.0}, **fields}))
    record = finished_run(tmp_path, config.as_dict(), resume=True)
    assert record is not None
    assert (record.method, record.metrics) == ("sympe-template", {"labeled_nll": 1.0})
    with pytest.raises(ValueError, match="holds a finished run with another configuration"):
        finished_run(tmp_path, config.as_dict() | {"filter_width": 3}, resume=True)


def test_new_records_stay_as_they_are(tmp_path: Path) -> None:
    record = Record("ising", "sympe", "r", "d", 0, {"kernel": 3}, {"labelled": 1}, 1.0)
    assert read_record(record.write(tmp_path)) == record
    assert record_now({"no": "record"}) == {"no": "record"}


@pytest.mark.parametrize("name", pretrained())
def test_weights_of_molecules_load(name: str) -> None:
    model = GraphDiffusion.load(find_weights(name))
    assert model.config.method == read_record(find_weights(name).with_suffix(".json")).method
    assert model.config.node_hidden_dim > 0


def test_weights_of_ising_load(tmp_path: Path) -> None:
    model = SpinNetwork.load(SHIPPED)
    assert model.config.method == "sympe-template"
    path = tmp_path / "again.safetensors"
    path.write_bytes(model.to_bytes())
    again = SpinNetwork.load(path)
    assert again.to_bytes() == model.to_bytes()
    assert again.config == model.config
    for here, there in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(here, there)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    model = SpinNetwork(ising_config("gcnn", "smoke"))
    path = tmp_path / "w.safetensors"
    weight = next(p for p in model.parameters())
    weight.data.fill_(torch.inf)
    path.write_bytes(model.to_bytes())
    with pytest.raises(ValueError, match=r"w\.safetensors does not hold .* an Ising network: .* not finite"):
        SpinNetwork.load(path)
    path.write_bytes(to_bytes(torch.nn.Linear(1, 1), {"config": ising_config("gcnn", "smoke").as_dict()}))
    with pytest.raises(ValueError, match=r"w\.safetensors .*: bias: expected no tensor; got shape \[1\]"):
        SpinNetwork.load(path)
