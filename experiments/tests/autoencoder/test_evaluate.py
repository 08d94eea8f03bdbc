"""Errors over a data set, against a count pair by pair."""

import math
import statistics

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from sympe.graphs.datasets import erdos_renyi
from sympe_experiments.autoencoder.config import make_config
from sympe_experiments.autoencoder.data import GraphSet
from sympe_experiments.autoencoder.evaluation import evaluate
from sympe_experiments.autoencoder.model import GraphAutoencoder
from sympe_experiments.seeding import mixed_generator
from sympe_experiments.training import build_from_seed


@pytest.fixture(scope="module")
def data() -> GraphSet:
    return GraphSet(erdos_renyi("test", 24), num_vectors=6)


def autoencoder(method: str) -> GraphAutoencoder:
    """With a decoder that answers yes as well as no."""
    model = build_from_seed(lambda: GraphAutoencoder(make_config(method, "smoke", hidden_dim=8), 16), 3)
    model.bias.data.fill_(0.3)
    return model


@torch.no_grad()
def graph_by_graph(model: GraphAutoencoder, data: GraphSet, draws: int, *seed: int) -> list[list[tuple[float, int]]]:
    """(loss, wrong pairs) of every draw of every graph."""
    generator = mixed_generator(*seed)
    found = []
    for batch in data.batches(64):
        logits = [model.decode(model.encode(batch, generator)) for _ in range(draws)]
        for b, adjacency in enumerate(batch.adjacency):
            pairs = [(i, j) for i in range(len(adjacency)) for j in range(len(adjacency)) if i != j]
            edges = torch.tensor([float(adjacency[pair]) for pair in pairs])
            answers = [torch.tensor([float(draw[b][pair]) for pair in pairs]) for draw in logits]
            losses = [float(binary_cross_entropy_with_logits(answer, edges, reduction="sum")) for answer in answers]
            found.append([(loss, int(((a > 0) != (edges > 0)).sum())) for loss, a in zip(losses, answers, strict=True)])
    return found


@pytest.mark.parametrize("method", ["haar", "laplacian-sympe-sort"])
@pytest.mark.parametrize("draws", [1, 4])
def test_errors_are_those_counted_pair_by_pair(method: str, draws: int, data: GraphSet) -> None:
    model = autoencoder(method)
    errors = evaluate(model, data, draws, 4, 2)
    counted = graph_by_graph(model, data, draws, 4, 2)
    percent = [100 * sum(graph[draw][1] for graph in counted) / data.num_pairs for draw in range(draws)]
    best = sum(min(graph)[1] for graph in counted)
    assert errors.percent == pytest.approx(statistics.mean(percent))
    assert errors.std_over_draws == pytest.approx(statistics.stdev(percent) if draws > 1 else 0)
    assert errors.best_wrong == best
    assert errors.best_percent == pytest.approx(100 * best / data.num_pairs)
    assert errors.loss == pytest.approx(statistics.mean(loss for graph in counted for loss, _ in graph), rel=1e-5)
    assert 5 < errors.percent < 95
    if draws == 1:
        assert errors.best_percent == errors.percent
    else:
        assert errors.std_over_draws > 0


def test_one_draw_is_enough_without_randomness(data: GraphSet) -> None:
    model = autoencoder("none")
    errors = evaluate(model, data, 10, 0)
    counted = graph_by_graph(model, data, 1, 0)
    assert errors.best_wrong == sum(graph[0][1] for graph in counted)
    assert errors.best_percent == errors.percent == 100 * errors.best_wrong / data.num_pairs
    assert errors.std_over_draws == 0
    assert errors.loss == pytest.approx(statistics.mean(graph[0][0] for graph in counted), rel=1e-5)


def test_the_seed_fixes_all_draws(data: GraphSet) -> None:
    model = autoencoder("sympe-sort")
    state = torch.get_rng_state()
    errors = [evaluate(model, data, 2, *seed) for seed in ((1, 2), (1, 2), (1, 3), (2, 2))]
    assert torch.equal(state, torch.get_rng_state()), "the global generator must not be touched"
    assert errors[0] == errors[1]
    assert len({error.loss for error in errors}) == 3
    assert all(math.isfinite(error.loss) for error in errors)


def test_the_model_is_left_as_it_was(data: GraphSet) -> None:
    model = autoencoder("sympe-sort")
    before = model.to_bytes()
    for training in (True, False):
        model.train(training)
        evaluate(model, data, 1, 0)
        assert model.training is training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.to_bytes() == before
