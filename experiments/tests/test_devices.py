"""Everything that runs on a GPU runs on a second device: nothing is left behind, and what comes out is the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import sympe
from examples import LARGE, SMALL, batch_of, crowds
from molecules import BENZENE, CUBANE, METHANE
from second_device import DEVICE, Held, SecondAccelerator, second_device
from sympe import (
    FieldEncoding,
    Graphs,
    InversionKernel,
    IrrepsEncoding,
    RankEncoding,
    SymPE,
    TileEncoding,
    WaveEncoding,
)
from sympe.actions import BondFields, ScalarFields
from sympe.breaking import GRAPH_METHODS, POINT_METHODS, for_graphs, for_points
from sympe.canonicalize import (
    Constant,
    CrystalFrames,
    DepthFirst,
    Frames,
    JointFrames,
    Labeling,
    LearnedFrames,
    LexicographicMinimum,
    NodeScore,
    RandomDepthFirst,
    Sort,
    Template,
    VectorNetwork,
)
from sympe.crystals import from_cells
from sympe.encoding import FactorEncoding, SiteIrrepsEncoding
from sympe.groups import Torus
from sympe.points import concatenate
from sympe_experiments import training
from sympe_experiments.autoencoder.config import make_config as autoencoder_config
from sympe_experiments.autoencoder.training import run as run_autoencoder
from sympe_experiments.ising.config import make_config as ising_config
from sympe_experiments.ising.training import run as run_ising
from sympe_experiments.molecules.config import make_config as molecules_config
from sympe_experiments.molecules.training import run as run_molecules

CROWDS = [batch_of(crowd) for crowd in crowds(SMALL | {name: graph for name, (graph, _) in LARGE.items()})]


def same_on_both(build: Callable[[], nn.Module], x: Any) -> None:
    """``module(x, generator)`` and the gradients of its weights, here and there."""
    found: list[list[Tensor]] = []
    for device in (torch.device("cpu"), DEVICE):
        with second_device():
            module = training.build_from_seed(build, 0).to(device)
            out = module(x.to(device), torch.Generator().manual_seed(1))
            if out.requires_grad:
                out.square().mean().backward()
            gradients = [p.grad for p in module.parameters() if p.grad is not None]
            assert all(t.device == device for t in (out, *gradients))
            found.append([t.detach().cpu() for t in (out, *gradients)])
    assert len(found[0]) == len(found[1])
    for here, there in zip(*found, strict=True):
        # Gradients may add up in another order.
        torch.testing.assert_close(there, here, rtol=1e-4, atol=1e-4)


REFUSED: dict[str, Callable[[Tensor], Any]] = {
    "a sum": lambda x: x + torch.ones(3),
    "a list": lambda x: torch.cat([x, torch.ones(1)]),
    "indices from there": lambda x: torch.ones(3)[x.long()],
    "a generator": lambda x: torch.rand(3, generator=torch.Generator(), device=x.device),
    "an array": lambda x: x.numpy(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_device_refuses(name: str) -> None:
    with second_device() as device, pytest.raises((RuntimeError, TypeError)):
        REFUSED[name](torch.zeros(3, device=device))


def test_the_device_computes() -> None:
    with second_device() as device:
        x = torch.zeros(3, device=device)
        x[1:] += 2
        x[torch.tensor([0])] = 5
        assert isinstance(x, Held)
        assert x.tolist() == [5, 2, 2]
        layer = nn.Linear(3, 1).to(device)
        layer(x).backward()
        assert layer.weight.grad is not None
        assert layer.weight.grad.cpu().tolist() == [[5, 2, 2]]


@pytest.mark.parametrize("method", GRAPH_METHODS)
def test_methods_for_graphs(method: str) -> None:
    for graphs in CROWDS:
        same_on_both(lambda: for_graphs(method, 4, 16), graphs)


ORDERS: dict[str, Callable[[], Any]] = {
    "sort": lambda: Sort(NodeScore()),
    "random depth-first": RandomDepthFirst,
    "random depth-first by label": lambda: RandomDepthFirst((1, 0)),
    "canonical depth-first": lambda: DepthFirst(Labeling()),
}


@pytest.mark.parametrize("name", ORDERS)
def test_other_orders(name: str) -> None:
    for graphs in CROWDS:
        same_on_both(lambda: SymPE(InversionKernel(ORDERS[name]()), RankEncoding(4, 16)), graphs)


CLOUDS = concatenate([METHANE, BENZENE, CUBANE])


@pytest.mark.parametrize("method", POINT_METHODS)
def test_methods_for_points(method: str) -> None:
    same_on_both(lambda: for_points(method, "2x0e+1x1o+1x2e"), CLOUDS)


FRAMES: dict[str, Callable[[], Any]] = {
    "learned": lambda: LearnedFrames(VectorNetwork(3, hidden_dim=8)),
    "special": lambda: Frames(special=True),
    "ordered": lambda: Frames(ordered=True),
}


@pytest.mark.parametrize("name", FRAMES)
def test_other_frames(name: str) -> None:
    same_on_both(lambda: SymPE(InversionKernel(FRAMES[name]()), IrrepsEncoding("1x0o+1x1o")), CLOUDS)


def test_permutations_with_rotations() -> None:
    kernel = InversionKernel(JointFrames(Frames()))
    same_on_both(lambda: SymPE(kernel, FactorEncoding(RankEncoding(4, 16), factor=0)), CLOUDS)


def test_crystals() -> None:
    cells, corner = [size * torch.eye(3) for size in (3, 4, 5)], [[0.0, 0, 0]]
    pbc = [[True, True, True], [True, True, False], [True, False, False]]
    sites, species = [corner, [*corner, [0.5] * 3], corner], [["Po"], ["Cs", "Cl"], ["C"]]
    crystals = from_cells(cells, sites, species, pbc, dtype=torch.float32)
    same_on_both(lambda: SymPE(InversionKernel(CrystalFrames()), SiteIrrepsEncoding("1x0e+1x1o", 2)), crystals)


FIELDS = {"zeros": torch.zeros(2, 1, 4, 4), "signs": torch.randn(2, 1, 4, 4, generator=torch.Generator()).sign()}
OF_FIELDS: dict[str, Callable[[Any], Any]] = {
    "least": LexicographicMinimum,
    "template": Template,
    "haar": Constant,
}
ENCODINGS: dict[str, Callable[[], Any]] = {
    "field": lambda: FieldEncoding(2, (4, 4)),
    "tile": lambda: TileEncoding(2, 2),
    "waves": lambda: WaveEncoding(2),
}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("tau", OF_FIELDS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_fields(name: str, tau: str, encoding: str) -> None:
    kernel = lambda: InversionKernel(OF_FIELDS[tau](ScalarFields(Torus("D4", spin_flip=True))))  # noqa: E731
    same_on_both(lambda: SymPE(kernel(), ENCODINGS[encoding]()), FIELDS[name])


def test_bonds() -> None:
    bonds = torch.randn(3, 2, 4, 4, generator=torch.Generator()).sign()
    kernel = lambda: InversionKernel(LexicographicMinimum(BondFields(Torus("D4"))))  # noqa: E731
    same_on_both(lambda: SymPE(kernel(), FieldEncoding(2, (4, 4))), bonds)


def test_audits_of_data_there() -> None:
    graphs, inputs = CROWDS[0], {"points": CLOUDS, "fields": FIELDS["signs"], "graphs": CROWDS[0]}
    marks = torch.arange(graphs.num_nodes) % 2
    with second_device() as device:
        for x in inputs.values():
            assert list(sympe.audit(x.to(device)).samples()) == list(sympe.audit(x).samples())
        there = sympe.audit(graphs.to(device), target=marks.to(device))
        assert list(there.samples()) == list(sympe.audit(graphs, target=marks).samples())
        pair = (graphs.select([3]).to(device), marks[:4].to(device))
        assert sympe.audit([pair]).summary.samples == 1


def test_checks_of_maps_there() -> None:
    with second_device() as device:
        graphs = CROWDS[0].to(device)
        pe = training.build_from_seed(lambda: for_graphs("sympe-labeling", 4, 16), 0).to(device)
        law = sympe.check_equivariance_in_distribution(lambda x, generator: pe(x, generator), graphs, power=False)
        assert law.p_value > 1e-4
        layer = nn.Linear(1, 2).to(device)

        def degrees(x: Graphs) -> Tensor:
            return layer(torch.bincount(x.edge_index[0], minlength=x.num_nodes).float()[:, None])

        assert sympe.check_equivariance(degrees, graphs).is_equivariant


def test_joined_to_networks_there() -> None:
    data = pytest.importorskip("torch_geometric.data")
    from sympe.integrations.pyg import AddSymPE, BreakSymmetry

    with second_device() as device:
        graphs = CROWDS[0].to(device)
        one = data.Data(edge_index=graphs.edge_index, batch=graphs.batch, num_nodes=graphs.num_nodes)
        broken = BreakSymmetry(for_graphs("sympe-labeling", 4, 16)).to(device)
        assert broken(one).x.device == broken(AddSymPE(Labeling())(one)).x.device == device


RUNS: dict[str, tuple[Any, Any]] = {
    "graph autoencoder": (run_autoencoder, autoencoder_config("laplacian-sympe-sort", "smoke")),
    "ising": (run_ising, ising_config("sympe-template", "smoke")),
    "frustrated ising": (run_ising, ising_config("sympe-template", "smoke", model="j1j2")),
}


def run_on_both(run: Any, config: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole run, training and tests: records alike but for times, weights bit for bit."""
    here = run(config, folder / "here", accelerator="cpu", progress=False)
    monkeypatch.setattr(training, "accelerator_here", lambda accelerator: SecondAccelerator())
    with second_device():
        there = run(config, folder / "there", progress=False)
    assert here.history == there.history
    assert here.metrics.keys() == there.metrics.keys()
    for name, value in here.metrics.items():
        assert "second" in name or value == there.metrics[name], name
    assert here.examples == there.examples
    weights = [sorted((folder / place).glob("*.safetensors")) for place in ("here", "there")]
    assert len(weights[0]) == len(weights[1]) == 1
    assert weights[0][0].read_bytes() == weights[1][0].read_bytes()


@pytest.mark.parametrize("name", RUNS)
def test_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_on_both(*RUNS[name], tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "method",
    ["none", "noise", "sympe-labeling-fresh", "sympe-depth-first-carried", "sympe-sort-carried", "file-order"],
)
def test_runs_of_molecules(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    (tmp_path / "chains.smi").write_text(
        "\n".join("C" * n + end for n in range(1, 5) for end in ("O", "F", "C#N", "C=O"))
    )
    changes = {"data": str(tmp_path / "chains.smi"), "batch_size": 4, "steps": 4, "num_samples": 12}
    run_on_both(run_molecules, molecules_config(method, "smoke", **changes), tmp_path, monkeypatch)
