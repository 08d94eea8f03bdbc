"""Class bounds, trajectories and samples on all graphs of four nodes, where every probability can be computed."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from torch import Tensor

from laws import ChiSquare, all_permutations_of
from sympe.canonicalize import Canonicalizer
from sympe.graphs import Graphs, from_edges
from sympe.groups import Permutation
from sympe_experiments.molecules.breaking import log_automorphisms
from sympe_experiments.molecules.config import make_config
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.graph_state import GraphState, from_graphs, node_batch, one_hot, pair_index
from sympe_experiments.molecules.likelihood import estimate
from sympe_experiments.molecules.model import GraphDiffusion, Guess
from sympe_experiments.molecules.trajectories import class_bounds, log_weights
from sympe_experiments.training import build_from_seed

PAIRS = [(i, j) for i in range(4) for j in range(i + 1, 4)]
STATES = torch.tensor([[code >> bit & 1 for bit in range(6)] for code in range(64)])
ALL = GraphState(torch.zeros(64, 4, dtype=torch.long), STATES)
ELEMENTS = all_permutations_of(from_edges([(4, [])]))
ORDERS = ELEMENTS.rank.view(24, 4)
METHODS = (
    "none",
    "haar-carried",
    "sympe-labeling-fresh",
    "sympe-depth-first-carried",
    "sympe-labeling-carried",
    "haar-carried-by-rank",
    "sympe-depth-first-carried-by-rank",
    "sympe-kind-depth-first-guided-by-rank",
)


def classes() -> np.ndarray:
    """Number of the isomorphism class of each of the 64 labeled graphs, 0 .. 10."""
    images = (ELEMENTS.image - ELEMENTS.start).view(24, 4)
    i, j = torch.tensor(PAIRS).T
    smallest = torch.full((64,), 64)
    for image in images:
        moved = torch.zeros_like(STATES)
        moved[:, pair_index(image[i], image[j], 4)] = STATES
        smallest = torch.minimum(smallest, (moved << torch.arange(6)).sum(1))
    return np.unique(smallest, return_inverse=True)[1]


CLASSES = classes()
#: A law of classes far from anything independent: some never, some often. The labeled graphs of one are alike.
LAW = np.array([0.02, 0.0, 0.3, 0.03, 0.0, 0.2, 0.1, 0.05, 0.0, 0.25, 0.05])
LABELED = LAW[CLASSES] / np.bincount(CLASSES)[CLASSES]
TOY = Domain(("",), (1.0,), (0.5, 0.5), (0.0, 0.0, 0.0, 0.0, 1.0))


def codes(x: GraphState) -> Tensor:
    """Place of each graph in ``ALL``."""
    return (x.edges << torch.arange(6)).sum(1)


class Remembered(Canonicalizer[Permutation, Graphs]):
    """A canonicalizer that was asked once, for all 64 graphs."""

    def __init__(self, asked: Canonicalizer[Permutation, Graphs]) -> None:
        super().__init__()
        self.action = asked.action
        self.rank = asked(ALL.to_graphs()).rank.view(64, 4)

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        return Permutation.from_ranks(self.rank[codes(from_graphs(x))].flatten(), x)


class Toy(GraphDiffusion):
    """A model that can be asked once for all that it may guess: of few times, 64 graphs and 24 orders."""

    table: Guess | None = None

    @torch.no_grad()
    def remember(self) -> "Toy":
        """From now on the network is not asked."""
        ranks = ORDERS.repeat_interleave(64, 0).repeat(self.steps, 1)
        x = replace(ALL.select(torch.arange(64).repeat(24 * self.steps)), rank=ranks)
        t = torch.arange(1, self.steps + 1).repeat_interleave(24 * 64)
        self.table = self.eval().guess(x, t, x.stored_order(), torch.Generator())
        if self.breaking.method.kind == "fresh":
            assert self.breaking.kernel is not None
            self.breaking.kernel.canonicalizer = Remembered(self.breaking.kernel.canonicalizer)
        return self

    def guess(
        self,
        noisy: GraphState,
        t: Tensor,
        g: Permutation | None,
        generator: torch.Generator,
        shown: Tensor | None = None,
    ) -> Guess:
        if self.table is None:
            return super().guess(noisy, t, g, generator, shown)
        g = self.breaking.draw_fresh(noisy, generator) if g is None else g
        order = 0 if g is None else (g.rank.view(-1, 1, 4) == ORDERS).all(2).long().argmax(1)
        at = ((t - 1) * 24 + order) * 64 + codes(noisy)
        return Guess(self.table.nodes[at], self.table.edges[at])


def toy_data(count: int, generator: torch.Generator) -> GraphState:
    drawn = torch.multinomial(torch.tensor(LABELED), count, replacement=True, generator=generator)
    return ALL.select(drawn)


@pytest.fixture(scope="module", params=METHODS)
def toy(request: pytest.FixtureRequest) -> GraphDiffusion:
    """A small model after a short training: far from perfect, and from uniform."""
    return trained_toy(request.param)


def ordered(model: GraphDiffusion, data: GraphState, generator: torch.Generator) -> GraphState:
    """With the order that the loader would have stored: that of the canonical form, for every graph of a class."""
    if not model.breaking.method.is_stored:
        return data
    assert model.breaking.kernel is not None
    g = model.breaking.kernel(data.to_graphs(), generator)
    return GraphState(data.nodes, data.edges, g.rank.view(-1, 4))


@cache
def trained_toy(method: str) -> GraphDiffusion:
    config = make_config(method, "smoke", steps=5, edge_dim=16)
    if 0 < config.breaking.hidden < 1:
        config = replace(config, guidance=0.5)
    model = build_from_seed(lambda: Toy(config, TOY), 0)
    generator = torch.Generator().manual_seed(5)
    if method == "haar-carried-by-rank":
        # For a random order all ranks have one law; but the bound is one for any limits.
        for law in model.limits.state_dict().values():
            law.copy_((0.7 * torch.randn(law.shape, generator=torch.Generator().manual_seed(1))).softmax(-1))
    else:
        model.limits.learn([toy_data(2000, torch.Generator().manual_seed(1))], model.breaking, generator)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(200):
        data = ordered(model, toy_data(64, generator), generator)
        optimizer.zero_grad()
        model.loss(model.noised(data, generator)).mean().backward()
        optimizer.step()
    return model.remember()


def exact_law(model: GraphDiffusion, steps: int) -> np.ndarray:
    return _exact_law(model, tuple(model.times(steps)))


@cache
@torch.no_grad()
def _exact_law(model: GraphDiffusion, times: tuple[int, ...]) -> np.ndarray:
    """Probability of each labeled graph under the sampler, by multiplying its transition matrices.

    Fresh: each matrix is averaged over what g~ may be. Carried: the products are.
    """
    method = model.breaking.method
    per_element, starts = [], []
    generator = torch.Generator().manual_seed(0)
    if method.kind == "none":
        elements: list[Tensor | None] = [None]
    else:
        elements = list((ELEMENTS.image - ELEMENTS.start).view(24, 4))
    for image in elements:
        g = None
        if image is not None:
            haar = Permutation.from_images([image.tolist()] * 64, node_batch(64, 4))
            g = haar
            if method.kind == "fresh":
                # Randomize, canonicalize, undo, with this one element in place of a random one.
                action, order = model.breaking.kernel.canonicalizer.action, model.breaking.kernel.canonicalizer
                tau = order(action.act(haar, ALL.to_graphs()), generator)
                g = action.group.compose(action.group.inverse(haar), tau)
        matrices = []
        model.breaking.method = replace(method, kind="none" if g is None else "carried", order="constant")
        for now, then in pairwise(times):
            t, s = (torch.full((64,), time) for time in (now, then))
            law = model.step_back(ALL, s, t, g, generator)[1]  # [64, 6, 2]
            matrices.append(torch.stack([law[:, range(6), state].prod(1) for state in STATES], dim=1))
        model.breaking.method = method
        per_element.append(torch.stack(matrices))
        starts.append(model.processes(g, 4)[1].limit_at(STATES)[..., 0].prod(1))
    stacked = torch.stack(per_element)
    if method.kind == "fresh":
        stacked = stacked.mean(0, keepdim=True)
    ends = []
    for law, matrices in zip(starts, stacked, strict=False):
        for matrix in matrices:
            law = law @ matrix
        ends.append(law)
    return torch.stack(ends).mean(0).numpy()


def of_classes(labeled: np.ndarray) -> np.ndarray:
    return np.bincount(CLASSES, weights=labeled)


def test_there_are_eleven_classes() -> None:
    assert len(LAW) == CLASSES.max() + 1 == 11
    counted = np.exp(log_automorphisms(ALL).numpy())
    np.testing.assert_allclose(24 / counted, np.bincount(CLASSES)[CLASSES])


def test_the_bound_holds_for_class_probabilities(toy: GraphDiffusion, generator: torch.Generator) -> None:
    """Entropy <= cross-entropy of the exact class probabilities <= bound, which is not far away."""
    exact = of_classes(exact_law(toy, toy.steps))
    assert exact.sum() == pytest.approx(1)
    there = LAW > 0
    entropy = -(LAW[there] * np.log(LAW[there])).sum()
    cross_entropy = -(LAW[there] * np.log(exact[there])).sum()
    data = ordered(toy, toy_data(3000, generator), generator)
    found = estimate(toy, [data], 10, generator)
    bound, error = found.mean("class"), found.standard_error("class")
    assert entropy < cross_entropy < bound + 4 * error
    assert bound < cross_entropy + 1.5
    assert bound < np.log(11) + 1.5, "the model has learned something"


@pytest.mark.parametrize(("steps", "spacing"), [(2, None), (2, 2.0), (5, None)])
def test_bounds_from_trajectories_close_in_on_the_class_probabilities(
    toy: GraphDiffusion, steps: int, spacing: float | None, generator: torch.Generator
) -> None:
    """One trajectory gives the variational bound, many the truth, also where the variational bound is loose."""
    toy.config = replace(toy.config, spacing=spacing)
    exact = of_classes(exact_law(toy, steps))
    first = np.unique(CLASSES, return_index=True)[1]
    data = ordered(toy, ALL.select(torch.from_numpy(first)), generator)
    # The weights of fresh methods have heavy tails over many steps.
    draws = 4096 if toy.breaking.method.kind == "fresh" and steps == toy.steps else 2048
    weights = log_weights(toy, data, draws, steps, generator, generator)
    mean, error = weights.exp().mean(1), weights.exp().std(1) / draws**0.5
    # Orders that are never drawn here: what the model makes with them is missing.
    covered = toy.breaking.method.kind != "carried" or toy.breaking.method.order == "constant"
    truth = torch.from_numpy(exact)
    if covered:
        assert chi2.sf(float(((mean - truth) / error).square().sum()), len(first)) > 1e-4
        assert chi2.sf(float(((1.2 * mean - truth) / error).square().sum()), len(first)) < 1e-4, "a fifth too large"
    assert bool((mean < truth + 4 * error).all())
    law = torch.from_numpy(LAW)
    means = [float((law * values).sum()) for values in class_bounds(weights).values()]
    assert means == sorted(means, reverse=True), "more trajectories, tighter bounds"
    cross_entropy = -float(torch.special.xlogy(law, truth).sum())
    assert cross_entropy - 0.05 < means[-1] < (cross_entropy + 0.05 if covered else means[0] - 0.05)
    if steps == toy.steps and not toy.breaking.proposals:
        found = torch.cat(estimate(toy, [data.repeat(200)], 10, generator).values["class"])
        assert means[0] == pytest.approx(float((law * found.view(-1, 200).mean(1)).sum()), abs=0.15)


def test_methods_are_compared_on_the_same_trajectories(generator: torch.Generator) -> None:
    """What a method draws by itself does not change the trajectories: they differ by the networks alone."""

    class Blind(GraphDiffusion):
        """Draws all that its method draws, and guesses without it."""

        def guess(self, noisy: GraphState, t: Tensor, g: Permutation | None, generator: torch.Generator) -> Guess:
            self.breaking(noisy, g, generator)
            edges = one_hot(noisy.edges, 2) + t[:, None, None] / 10
            return Guess(one_hot(noisy.nodes, 1), edges)

    data, weights = toy_data(20, generator), []
    for method in ("none", "noise", "haar-carried", "haar-fresh"):
        model = Blind(make_config(method, "smoke", steps=5), TOY)
        noise, own = (torch.Generator().manual_seed(seed) for seed in (1, 2))
        weights.append(log_weights(model, data, 3, 4, noise, own))
    assert all(torch.equal(weights[0], other) for other in weights[1:])
    other = log_weights(model, data, 3, 4, torch.Generator().manual_seed(3), own)
    assert not torch.equal(other, weights[0])
    with pytest.raises(ValueError, match="steps must be from 1 to 5"):
        log_weights(model, data, 3, 6, noise, own)


@pytest.mark.parametrize(("steps", "spacing"), [(2, None), (2, 2.0), (5, None)])
def test_samples_have_the_exact_law(
    toy: GraphDiffusion, steps: int, spacing: float | None, generator: torch.Generator
) -> None:
    toy.config = replace(toy.config, spacing=spacing)
    sampled = toy.sample(4000, 4, steps, generator)
    exact = exact_law(toy, steps)
    test = ChiSquare()
    counts, law = np.bincount(codes(sampled), minlength=64), exact * 4000
    rare = law < 5
    pooled = [np.append(values[~rare], values[rare].sum()) for values in (counts, exact)]
    if pooled[1][-1] * 4000 < 5:
        largest = pooled[1].argmax()
        pooled = [np.append(np.delete(v, [largest, len(v) - 1]), v[largest] + v[-1]) for v in pooled]
    test.fit("labeled graphs", *pooled)
    test.require("samples have the exact law")
    # Exchangeable: labeled graphs of one class are equally likely.
    sizes = np.bincount(CLASSES)
    np.testing.assert_allclose(exact, (of_classes(exact) / sizes)[CLASSES], rtol=1e-3, atol=1e-7)


def test_without_the_excess_a_carried_order_would_break_the_bound(generator: torch.Generator) -> None:
    """What makes the class bound of a random permutation is its excess: the checker sees it if too much is taken."""
    model = trained_toy("haar-carried")
    exact = of_classes(exact_law(model, model.steps))
    there = LAW > 0
    cross_entropy = -(LAW[there] * np.log(exact[there])).sum()
    found = estimate(model, [toy_data(3000, generator)], 10, generator)
    too_much = found.mean("labeled") - np.log(24)
    assert too_much < cross_entropy - 4 * found.standard_error("labeled")
