"""Models that are saved and read back: the same weights, and the same outputs from the same generator."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

pytest.importorskip("huggingface_hub")

from examples import LARGE, batch_of
from sympe import breaking
from sympe.encoding import IrrepsEncoding
from sympe.graphs import Graphs
from sympe.groups import OrthogonalGroup
from sympe.integrations.hub import HubMixin
from sympe.nets import GIN

GRAPHS = batch_of({name: LARGE[name][0] for name in ("cycle 8", "petersen", "cube")})


class Model(nn.Module, HubMixin):
    def __init__(self, method: str = "sympe", dim: int = 4, hidden: int = 8) -> None:
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


def test_another_model_in_the_folder(tmp_path: Path) -> None:
    Model(hidden=8).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"method": "sympe", "dim": 4, "hidden": 16}))
    with pytest.raises(ValueError, match=f"{tmp_path.name} does not hold a Model: .*size mismatch"):
        Model.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"method": "sympe", "size": 4}))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises((ValueError, TypeError, OSError)):
        Model.from_pretrained(tmp_path)
