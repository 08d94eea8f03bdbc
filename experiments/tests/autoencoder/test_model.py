"""The autoencoder under every method: gradients, draws, the law of its codes, and its file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from examples import LARGE, SMALL, batch_of
from laws import ChiSquare, copies
from sympe import Graphs, RankEncoding
from sympe.actions import GraphRelabeling
from sympe.graphs import automorphism_orbits, from_edges, laplacian_spectrum, to_dense
from sympe.graphs.datasets import erdos_renyi
from sympe.groups import SymmetricGroup
from sympe_experiments.autoencoder.config import METHODS, make_config
from sympe_experiments.autoencoder.data import Batch, GraphSet
from sympe_experiments.autoencoder.model import GraphAutoencoder
from sympe_experiments.training import build_from_seed

RANDOM = [method for method in METHODS if method != "none"]
WITHOUT_GRADIENT = [method for method in METHODS if method.endswith("no-gradient")]
CYCLE = from_edges([(9, [(i, (i + 1) % 9) for i in range(9)])])


def autoencoder(method: str, max_nodes: int = 16) -> GraphAutoencoder:
    config = make_config(method, "smoke", hidden_dim=8)
    return build_from_seed(lambda: GraphAutoencoder(config, max_nodes), 3)


def batch_from(graphs: Graphs) -> Batch:
    """One batch of graphs that all have the same size."""
    return Batch(graphs, to_dense(graphs)[0].float(), laplacian_spectrum(graphs, 6))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Six random graphs of 12 nodes."""
    return GraphSet(erdos_renyi("test", 60), num_vectors=6)[12, [0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize("method", METHODS)
def test_everything_that_should_learn_gets_a_gradient(method: str, batch: Batch) -> None:
    model = autoencoder(method)
    result = model(batch, seeded(0))
    assert result.loss.shape == result.wrong.shape == (6,)
    assert result.loss.isfinite().all()
    result.loss.sum().backward()
    for name, parameter in model.named_parameters():
        grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert grad.isfinite().all(), name
        largest = float(grad.abs().max())
        if name == "encoder.out.bias":
            assert largest < 1e-3, "the decoder sees differences of codes only"
        elif ".score." in name and method in WITHOUT_GRADIENT:
            assert largest == 0, name
        elif name.endswith("score.network.4.bias"):
            assert largest < 1e-3, "a sort sees differences of scores only"
        else:
            assert largest > 1e-8, name


def test_a_learned_sort_has_scores_to_learn() -> None:
    """So that the test above has looked at them."""
    for method in ("sympe-sort", "laplacian-sympe-sort", *WITHOUT_GRADIENT):
        assert any(".score." in name for name, _ in autoencoder(method).named_parameters()), method


@pytest.mark.parametrize("method", METHODS)
def test_the_generator_makes_the_draw(method: str) -> None:
    model, cycle = autoencoder(method), batch_from(copies(CYCLE, 2))
    state = torch.get_rng_state()
    first, again, other = (model.encode(cycle, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(state, torch.get_rng_state()), "the global generator must not be touched"
    assert torch.equal(first, again)
    if model.is_random:
        assert (first - other).abs().max() > 1e-3
        assert (first[0] - first[1]).abs().max() > 1e-3, "two graphs of a batch must get draws of their own"
    else:
        assert torch.equal(first, other)


@pytest.mark.parametrize("method", METHODS)
def test_the_nodes_of_a_cycle_are_told_apart(method: str) -> None:
    """An equivariant encoder gives them one code; a broken symmetry gives every node its own."""
    code = autoencoder(method).encode(batch_from(CYCLE), seeded(0))[0]
    apart = torch.cdist(code, code)[~torch.eye(9, dtype=torch.bool)]
    assert apart.min() > 1e-3 if method in RANDOM else apart.max() < 1e-5


@pytest.mark.parametrize("name", ["petersen", "path 7", "star 6", "two triangles", "triangle and path"])
def test_without_symmetry_breaking_an_orbit_has_one_code(name: str) -> None:
    graphs = LARGE[name][0]
    model = autoencoder("none").double()
    code = model.encode(Batch(graphs, to_dense(graphs)[0].double(), None))[0]
    orbit = automorphism_orbits(graphs)
    assert torch.cdist(code, code)[orbit[:, None] == orbit].max() < 1e-12


# ------------------------------------------------------------------------------------------------ law of codes

#: Connected or not, all with four nodes: they go into one batch.
FOUR = {name: SMALL[name] for name in ("path 4", "cycle 4", "complete 4", "paw", "two edges")}


def check_law_of_codes(encode: Callable[[Batch, torch.Generator], Tensor], generator: torch.Generator) -> None:
    """law(code of k x) = law(k code of x), compared by a random linear function of all codes of a graph.

    The function is binned on a fixed grid: its atoms, if any, differ by rounding and must not sit on an edge.
    """
    draws, test = 1000, ChiSquare()
    together = batch_of(FOUR)
    k = SymmetricGroup().haar(together, generator)
    weight = torch.randn(together.num_nodes, 8, generator=generator)
    repeat = list(range(len(FOUR))) * draws
    moved = GraphRelabeling().act(k, together)
    values = []
    for graphs, moved_weight in ((together, weight[k.image]), (moved, weight)):
        code = encode(batch_from(graphs.select(repeat)), generator).detach()
        values.append((code.view(draws, len(FOUR), 4, 8) * moved_weight.view(len(FOUR), 4, 8)).sum((2, 3)))
    grid = torch.linspace(-1.9, 2.1, 13) + 0.0137
    center, scale = torch.cat(values).mean(0), torch.cat(values).std(0) + 1e-3
    cells = [torch.bucketize((value - center) / scale, grid).numpy() for value in values]
    for column, name in enumerate(FOUR):
        test.compare(name, *(cell[:, column, None].astype(np.int64) for cell in cells))
    test.require("law(f(k x)) = law(k f(x))")


@pytest.mark.parametrize("method", METHODS)
def test_codes_are_equivariant_in_distribution(method: str, generator: torch.Generator) -> None:
    check_law_of_codes(autoencoder(method).encode, generator)


class StorageRanks(nn.Module):
    """Not equivariant: ranks are places in storage, but for a random half of the graphs that are shuffled."""

    dim = 16

    def __init__(self) -> None:
        super().__init__()
        self.encoding = RankEncoding(self.dim, 16)

    def forward(self, x: Graphs, generator: torch.Generator) -> Tensor:
        group = SymmetricGroup()
        shuffled = torch.rand(len(x), generator=generator)[x.batch, None] < 0.5
        return torch.where(shuffled, self.encoding(group.haar(x, generator)), self.encoding(group.identity(x)))


def test_the_law_of_codes_rejects_ranks_from_storage(generator: torch.Generator) -> None:
    model = autoencoder("haar")
    model.breaking = nn.ModuleList([StorageRanks()])
    with pytest.raises(AssertionError, match=r"law\(f\(k x\)\) = law\(k f\(x\)\)"):
        check_law_of_codes(model.encode, generator)


# --------------------------------------------------------------------------------------------- decode and best


@pytest.mark.parametrize("n", [2, 5])
@torch.no_grad()
def test_loss_and_errors_by_the_formula(n: int, generator: torch.Generator) -> None:
    model = autoencoder("noise")
    model.bias.data.fill_(1.5)
    upper = (torch.rand(3, n, n, generator=generator) < 0.5).float().triu(1)
    graphs = batch_from(from_edges([(n, [(int(i), int(j)) for i, j in u.nonzero()]) for u in upper]))
    code = torch.randn(3, n, 8, generator=generator)
    logits, result = model.decode(code), model.compare(graphs, code)
    for b in range(3):
        loss, wrong = 0.0, 0
        for i in range(n):
            for j in set(range(n)) - {i}:
                logit = float(model.bias + (model.weight * (code[b, i] - code[b, j]).square()).sum())
                assert float(logits[b, i, j]) == pytest.approx(logit, abs=1e-4)
                edge = bool(graphs.adjacency[b, i, j])
                probability = 1 / (1 + np.exp(-logit))
                loss -= np.log(probability if edge else 1 - probability)
                wrong += (probability > 0.5) != edge
        assert float(result.loss[b]) == pytest.approx(loss, rel=1e-4, abs=1e-5)
        assert int(result.wrong[b]) == wrong


@pytest.mark.parametrize("method", METHODS)
def test_the_best_of_several_draws(method: str, batch: Batch) -> None:
    model = autoencoder(method)
    code, kept = model.best_of(batch, 4, seeded(5))
    generator = seeded(5)
    with torch.no_grad():
        draws = [model(batch, generator) for _ in range(4)]
    loss = torch.stack([draw.loss for draw in draws])
    assert torch.equal(kept.loss, loss.min(0).values)
    wrong = torch.stack([draw.wrong for draw in draws])
    assert torch.equal(kept.wrong, wrong.gather(0, loss.argmin(0, keepdim=True))[0])
    again = model.compare(batch, code)
    assert torch.allclose(again.loss, kept.loss)
    assert torch.equal(again.wrong, kept.wrong)
    assert not code.requires_grad


def test_at_least_one_draw(batch: Batch) -> None:
    with pytest.raises(ValueError, match="draws must be at least 1; got 0"):
        autoencoder("sympe-sort").best_of(batch, 0)


# ----------------------------------------------------------------------------------------------------- its file


@pytest.mark.parametrize("method", METHODS)
def test_a_model_comes_back_from_its_file(method: str, batch: Batch, tmp_path: Path) -> None:
    model = autoencoder(method)
    (tmp_path / "weights.safetensors").write_bytes(model.to_bytes())
    back = GraphAutoencoder.load(tmp_path / "weights.safetensors")
    assert back.config == model.config
    assert back.max_nodes == model.max_nodes
    assert torch.equal(back.encode(batch, seeded(1)), model.encode(batch, seeded(1)))
    assert back.to_bytes() == model.to_bytes()


TENSOR = {"a": torch.ones(1)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk" * 9,
        autoencoder("none").to_bytes()[:-50],
        save(TENSOR),
        save(TENSOR, metadata={"model": "{"}),
        save(TENSOR, metadata={"model": "[1]"}),
        save(TENSOR, metadata={"model": '{"config": {}, "max_nodes": "three"}'}),
        save(TENSOR, metadata={"model": '{"config": {"method": "magic"}, "max_nodes": 3}'}),
        save(TENSOR, metadata={"model": '{"config": {"width": 3}, "max_nodes": 3}'}),
        save(TENSOR, metadata={"model": '{"config": {"method": "none"}, "max_nodes": 3}'}),
    ],
    ids=["empty", "junk", "cut short", "bare", "half JSON", "list", "word", "method", "field", "tensors"],
)
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"weights\.safetensors does not hold the weights of a graph autoencoder: ."):
        GraphAutoencoder.load(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ValueError, match="does not hold the weights of a graph autoencoder"):
            GraphAutoencoder.load(path)
