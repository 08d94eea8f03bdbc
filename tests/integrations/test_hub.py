"""Models that are saved and read back: the same weights, and the same outputs from the same generator."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

pytest.importorskip("huggingface_hub")

from huggingface_hub.errors import LocalEntryNotFoundError

from examples import LARGE, batch_of
from sympe import breaking
from sympe.encoding import IrrepsEncoding
from sympe.graphs import Graphs
from sympe.groups import OrthogonalGroup
from sympe.integrations.hub import HubMixin
from sympe_experiments.nets import GIN

GRAPHS = batch_of({name: LARGE[name][0] for name in ("cycle 8", "petersen", "cube")})


class Model(nn.Module, HubMixin):
    def __init__(self, method: str = "sympe-labeling", dim: int = 4, hidden: int = 8) -> None:
        super().__init__()
        self.breaking = breaking.for_graphs(method, dim, 16)
        self.network = GIN(self.breaking.dim, 2, hidden, 2)

    def forward(self, graphs: Graphs, generator: torch.Generator | None = None) -> torch.Tensor:
        return self.network(graphs, self.breaking(graphs, generator))


class Vector(nn.Module, HubMixin):
    def __init__(self, irreps: str) -> None:
        super().__init__()
        self.encoding = IrrepsEncoding(irreps)


def output(model: Model) -> torch.Tensor:
    with torch.no_grad():
        return model(GRAPHS, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("method", breaking.GRAPH_METHODS)
def test_outputs_survive(method: str, tmp_path: Path) -> None:
    model = Model(method, dim=3)
    model.save_pretrained(tmp_path)
    read = Model.from_pretrained(tmp_path)
    assert torch.equal(output(read), output(model))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert json.loads((tmp_path / "config.json").read_text()) == {"method": method, "dim": 3, "hidden": 8}


def test_irreps_survive(tmp_path: Path) -> None:
    model = Vector("2x1o+1x4e")
    model.save_pretrained(tmp_path)
    g = OrthogonalGroup(3).haar(torch.zeros(3), torch.Generator().manual_seed(0))
    assert torch.equal(Vector.from_pretrained(tmp_path).encoding(g), model.encoding(g))


class Server:
    """The Hub, as far as models are pushed and read: folders of files by the names of repositories."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pushed: list[tuple[str, str, str | None]] = []

    def __call__(self, token: str | None = None) -> "Server":
        return self

    def create_repo(self, repo_id: str, private: bool | None, exist_ok: bool) -> SimpleNamespace:
        (self.root / repo_id).mkdir(parents=True, exist_ok=exist_ok)
        return SimpleNamespace(repo_id=repo_id)

    def upload_folder(
        self, repo_id: str, folder_path: Path, commit_message: str, revision: str | None, **_: Any
    ) -> str:
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True)
        self.pushed.append((repo_id, commit_message, revision))
        return f"https://hub.example/{repo_id}/commit/0"

    def download(self, repo_id: str, filename: str, **_: Any) -> str:
        if not (self.root / repo_id / filename).exists():
            raise LocalEntryNotFoundError(f"{repo_id} has no {filename}")
        return str(self.root / repo_id / filename)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server(tmp_path)
    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", server)
    monkeypatch.setattr("huggingface_hub.hub_mixin.hf_hub_download", server.download)
    return server


def test_pushed_and_read_back(server: Server) -> None:
    model = Model("sympe-labeling", dim=3)
    where = model.push_to_hub("you/model", commit_message="Train longer", branch="longer")
    assert where == "https://hub.example/you/model/commit/0"
    assert server.pushed == [("you/model", "Train longer", "longer")]
    assert {path.name for path in (server.root / "you" / "model").iterdir()} >= {"config.json", "model.safetensors"}
    read = Model.from_pretrained("you/model")
    assert torch.equal(output(read), output(model))
    card = (server.root / "you" / "model" / "README.md").read_text()
    assert "library_name: sympe" in card
    assert "- symmetry-breaking" in card


def test_what_the_hub_does_not_have(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    Vector("2x1o").push_to_hub("you/vector")
    with pytest.raises(ValueError, match="vector does not hold a Model"):
        Model.from_pretrained("you/vector")
    with pytest.raises(LocalEntryNotFoundError, match="you/nothing has no"):
        Model.from_pretrained("you/nothing")
    assert capsys.readouterr().out == ""


def test_another_model_in_the_folder(tmp_path: Path) -> None:
    Model(hidden=8).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"method": "sympe-labeling", "dim": 4, "hidden": 16}))
    with pytest.raises(ValueError, match=f"{tmp_path.name} does not hold a Model: .*size mismatch"):
        Model.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"method": "sympe-labeling", "size": 4}))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises((ValueError, TypeError, OSError)):
        Model.from_pretrained(tmp_path)
