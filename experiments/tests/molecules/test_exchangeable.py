"""Samples are exchangeable: all relabelings of a graph come equally often, whatever the network has learned."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from laws import THRESHOLD, ChiSquare
from sympe.actions import GraphRelabeling
from sympe.groups import Permutation
from sympe_experiments.molecules.breaking import CANONICALIZERS, Breaking, log_automorphisms
from sympe_experiments.molecules.config import METHODS, make_config
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.evaluation import in_order_percent
from sympe_experiments.molecules.graph_state import GraphState, empty, node_batch
from sympe_experiments.molecules.limits import Limits
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.training import build_from_seed

#: The second kind comes last where hydrogens do.
DOMAIN = Domain(("A", "H"), (0.6, 0.4), (0.6, 0.4), (0, 0, 0, 0, 0.5, 0.5))
LEAKS = ("file-order", "sort-fresh-index-ties")
EXCHANGEABLE = [method for method in METHODS if method not in LEAKS]


def opinionated(method: str) -> GraphDiffusion:
    """A network that has learned nothing, but is sure of itself: what depends on an order must show."""
    guidance = 0.5 if 0 < METHODS[method].hidden < 1 else None
    config = make_config(method, "smoke", steps=3, guidance=guidance)
    model = build_from_seed(lambda: GraphDiffusion(config, DOMAIN), 1)
    if model.breaking.method.hidden:  # two of three steps are near the graph
        model.breaking.method = replace(model.breaking.method, seen_above=2 / 3)
    with torch.no_grad():
        for out in (model.network.node_out, model.network.edge_out):
            out[-1].weight.mul_(8)
        if model.breaking.encoding is not None:
            model.breaking.encoding.v.mul_(3)
        for law in model.limits.state_dict().values():
            law.copy_((3 * torch.randn(law.shape, generator=torch.Generator().manual_seed(2))).softmax(-1))
    return model.eval()


def exchangeability(method: str, n: int, generator: torch.Generator, draws: int = 3000) -> ChiSquare:
    """Samples against other samples that are relabeled by one fixed permutation."""
    model, test = opinionated(method), ChiSquare()
    first, second = (model.sample(draws, n, 3, generator) for _ in range(2))
    image = [*range(1, n), 0]
    moved = second.relabel(Permutation.from_images([image] * draws, node_batch(draws, n)))
    test.compare(method, *(torch.cat([s.nodes, s.edges], dim=1).numpy() for s in (first, moved)))
    # A second look, at what is not rare: the kind of each node, and the number of its edges.
    for node in range(n):
        here = [np.stack([s.nodes[:, node], s.matrix()[:, node].sum(1)], axis=1) for s in (first, moved)]
        test.compare(f"{method}, node {node}", *here)
    return test


# Only limits by rank are learned for each number of nodes.
@pytest.mark.parametrize(
    ("method", "n"), [(method, n) for method in EXCHANGEABLE for n in (4, 5) if n == 5 or METHODS[method].by_rank]
)
def test_samples_are_exchangeable(method: str, n: int, generator: torch.Generator) -> None:
    test = exchangeability(method, n, generator)
    # Numbers of edges of the nodes of one graph are not independent: each part is held to the threshold by itself.
    assert min(test.parts.values()) > THRESHOLD / len(test.parts), test.parts


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("method", LEAKS)
def test_the_order_of_a_file_is_found_out(method: str, n: int, generator: torch.Generator) -> None:
    test = exchangeability(method, n, generator)
    assert min(test.parts.values()) < THRESHOLD / len(test.parts)


def test_limits_that_go_by_place_are_found_out(generator: torch.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the place where a node is stored instead of its rank; the network's guess is still equivariant."""
    read = Limits.forward

    def by_place(self: Limits, g: Permutation, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        return read(self, GraphRelabeling().group.identity(node_batch(len(g.rank) // n, n)), n)

    monkeypatch.setattr(Limits, "forward", by_place)
    test = exchangeability("sympe-depth-first-carried-by-rank", 5, generator)
    assert min(test.parts.values()) < THRESHOLD / len(test.parts)


def random_states(count: int, n: int, generator: torch.Generator) -> GraphState:
    model = opinionated("none")
    return model.prior(empty(count, n), None, generator)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "noise"])
def test_a_guess_is_equivariant_in_graph_and_order_together(method: str, generator: torch.Generator) -> None:
    model = opinionated(method)
    z = random_states(6, 5, generator)
    like = node_batch(6, 5)
    group = GraphRelabeling().group
    k, g, t = group.haar(like, generator), group.haar(like, generator), torch.tensor([1, 2, 3, 1, 2, 3])
    guess = model.guess(z, t, g, generator)
    moved = model.guess(z.relabel(k), t, group.compose(k, g), generator)
    local = (k.preimage - k.start).view(6, 5)
    torch.testing.assert_close(
        moved.nodes, guess.nodes.gather(1, local[..., None].expand_as(guess.nodes)), atol=2e-3, rtol=1e-3
    )
    matrix = torch.zeros(6, 5, 5, 2)
    i, j = torch.triu_indices(5, 5, 1)
    matrix[:, i, j] = matrix[:, j, i] = guess.edges
    rows = torch.arange(6)[:, None]
    torch.testing.assert_close(moved.edges, matrix[rows, local[:, i], local[:, j]], atol=2e-3, rtol=1e-3)


def test_an_order_is_dropped_on_the_way(generator: torch.Generator) -> None:
    """Up to that time the guess is the same for all orders; above, and without, it is not."""
    model = opinionated("sympe-depth-first-carried")
    z, t = random_states(3, 5, generator), torch.tensor([1, 2, 3])
    orders = [GraphRelabeling().group.haar(node_batch(3, 5), generator) for _ in range(2)]
    for last in (0, 1, 2):
        model.breaking.method = replace(model.breaking.method, seen_above=last / 3, hidden=1)
        first, second = (model.guess(z, t, g, generator).edges for g in orders)
        assert [not torch.equal(*pair) for pair in zip(first, second, strict=True)] == [k > last for k in (1, 2, 3)]


GUIDED = "sympe-kind-depth-first-guided-by-rank"


def test_guidance_mixes_the_guesses_with_and_without_the_order(generator: torch.Generator) -> None:
    """By weight where training hides it at times; where it is always shown, nothing changes."""
    model = opinionated(GUIDED)
    z, t = random_states(3, 5, generator), torch.tensor([1, 2, 3])
    g = GraphRelabeling().group.haar(node_batch(3, 5), generator)
    guesses = {}
    for weight in (None, 0.0, 0.25, 1.0):
        model.config = replace(model.config, guidance=weight)
        guesses[weight] = model.guess(z, t, g, generator).edges
    seen = model.guess(z, t, g, generator, torch.tensor([True, True, True])).edges
    blind = model.guess(z, t, g, generator, torch.tensor([False, False, True])).edges
    assert not torch.equal(seen, blind)
    torch.testing.assert_close(guesses[1.0], seen)
    torch.testing.assert_close(guesses[0.25], 0.25 * seen + 0.75 * blind)
    assert torch.equal(guesses[None], blind)
    assert torch.equal(guesses[0.0], blind)


def test_training_hides_the_order_as_often_as_the_method_says(generator: torch.Generator) -> None:
    """Only near the graph; the loss is that of the guess that sees what training shows."""
    model = opinionated(GUIDED)
    noised = model.noised(random_states(3000, 5, generator), generator)
    assert noised.shown is not None
    late = noised.t <= model.breaking.method.seen_above * model.steps
    assert noised.shown[~late].all()
    assert int(noised.shown[late].sum()) == pytest.approx(int(late.sum()) / 2, rel=0.2)
    hidden, shown = (model.loss(replace(noised, shown=torch.full((3000,), value))) for value in (False, True))
    torch.testing.assert_close(model.loss(noised), torch.where(noised.shown, shown, hidden))


@pytest.mark.parametrize(("method", "weight"), [(GUIDED, 1.5), (GUIDED, -0.1), ("none", 0.5)])
def test_guidance_is_refused_where_it_means_nothing(method: str, weight: float) -> None:
    with pytest.raises(ValueError, match=rf"guidance must be from 0 to 1, for a method .* got {weight} for {method}"):
        make_config(method, "smoke", guidance=weight)


@pytest.mark.parametrize("method", METHODS)
def test_what_could_be_drawn_is_what_is(method: str, generator: torch.Generator) -> None:
    """For graphs of four nodes, some with symmetry, and all 24 orders: those that thousands of draws find."""
    breaking = opinionated(method).breaking
    for edges in ([1, 0, 0, 1, 0, 1], [1, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 1]):
        one = GraphState(torch.tensor([[0, 0, 1, 1]]), torch.tensor([edges]))
        orders = torch.tensor(list(permutations(range(4))))
        everywhere = GraphState(one.nodes, one.edges).repeat(24)
        all_orders = replace(everywhere, rank=orders).stored_order()
        could = breaking.could_draw(everywhere, all_orders)
        order = METHODS[method].order
        always = METHODS[method].kind == "carried" and order in (
            "random-depth-first",
            "kind-depth-first",
            "degree-depth-first",
            "branch-depth-first",
            "heavy-depth-first",
            "canonical-depth-first",
            "labeling",
        )
        if could is None:
            assert not always
            continue
        # Refinement knows it of graphs whose nodes it tells apart without a choice.
        assert always or (method == "sympe-refinement-carried" and edges == [1, 0, 0, 1, 0, 1])
        assert breaking.kernel is not None
        drawn = breaking.kernel(one.repeat(4000).to_graphs(), generator)
        found = {tuple(rank) for rank in drawn.rank.view(-1, 4).tolist()}
        assert {tuple(rank) for rank in orders[could].tolist()} == found
        assert 0 < len(found) < 24 or edges == [0] * 6


@pytest.mark.parametrize(
    "method",
    [
        "sympe-canonical-depth-first-carried",
        "sympe-kind-depth-first-carried-by-rank",
        "sympe-heavy-depth-first-carried",
        "sympe-degree-depth-first-carried",
        "sympe-branch-depth-first-carried",
    ],
)
def test_what_is_proposed_has_the_law_that_is_told(method: str, generator: torch.Generator) -> None:
    """Over more orders than training draws; the uniform law on them is rejected."""
    breaking, test, wrong = opinionated(method).breaking, ChiSquare(), ChiSquare()
    orders = torch.tensor(list(permutations(range(4))))
    for edges in ([1, 0, 0, 1, 0, 1], [1, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1]):
        one = GraphState(torch.tensor([[0, 0, 1, 1]]), torch.tensor([edges])).repeat(4000)
        automorphisms = log_automorphisms(one)
        g, excess = breaking.propose(one, automorphisms, generator)
        assert g is not None
        place = (g.rank.view(-1, 1, 4) == orders).all(2).byte().argmax(1)
        told = torch.full((24,), torch.nan, dtype=torch.float64).scatter(0, place, (-excess - automorphisms).exp())
        drawn = ~told.isnan()
        assert float(told[drawn].sum()) == pytest.approx(1), "all orders that can be drawn were"
        counts = np.bincount(place, minlength=24)[drawn]
        test.fit(str(edges), counts, told[drawn].numpy())
        wrong.fit(str(edges), counts)
    test.require("proposed orders come with their probability")
    assert wrong.p_value < THRESHOLD
    none = opinionated("none").breaking.propose(one, automorphisms, generator)
    assert none[0] is None
    assert torch.equal(none[1], opinionated("none").breaking.excess(one, None, automorphisms))


def test_how_many_samples_are_in_order(generator: torch.Generator) -> None:
    path = GraphState(torch.tensor([[0, 0, 1]]), torch.tensor([[1, 0, 1]])).repeat(10)
    breaking = opinionated("sympe-depth-first-carried").breaking

    def with_order(*rank: int) -> GraphState:
        return replace(path, rank=torch.tensor(rank).expand(10, 3))

    # From the middle on, a depth-first walk goes to one end and then to the other; from one end, to the middle first.
    good = [with_order(0, 1, 2), with_order(2, 0, 1), with_order(1, 0, 2)]
    bad = [with_order(0, 2, 1), with_order(1, 2, 0)]
    assert in_order_percent(breaking, good) == 100
    assert in_order_percent(breaking, bad) == 0
    assert in_order_percent(breaking, [good[0], bad[0]]) == 50
    assert in_order_percent(breaking, [path]) is None
    for method in ("none", "noise", "haar-carried", "sympe-labeling-fresh", "sympe-sort-carried", "file-order"):
        assert in_order_percent(opinionated(method).breaking, good) is None


@pytest.mark.parametrize("method", METHODS)
def test_samples_hold_the_order_that_they_were_made_in(method: str, generator: torch.Generator) -> None:
    model = opinionated(method)
    drawn = []
    draw = model.breaking.draw_prior
    model.breaking.draw_prior = lambda like, generator: drawn.append(draw(like, generator)) or drawn[-1]  # type: ignore[method-assign, func-returns-value]
    sample = model.sample(6, 5, 2, generator)
    if METHODS[method].kind == "carried":
        assert torch.equal(sample.stored_order().rank, drawn[0].rank)
    else:
        assert sample.rank is None


@pytest.mark.parametrize("order", ["labeling", "canonical-depth-first"])
def test_a_stored_order_is_the_kernel(order: str, generator: torch.Generator) -> None:
    """Stored once and shuffled, or canonicalized after the shuffle: one canonical form, all of its coset."""
    from sympe.canonicalize import DepthFirst, Labeling

    canonical = Labeling() if order == "labeling" else DepthFirst(Labeling())
    square = GraphState(torch.zeros(1, 4, dtype=torch.long), torch.tensor([[1, 0, 1, 1, 0, 1]]))
    stored = GraphState(square.nodes, square.edges, canonical(square.to_graphs()).rank.view(1, 4)).repeat(4000)
    shuffled = stored.shuffled(generator)
    method = "sympe-labeling-carried" if order == "labeling" else "sympe-canonical-depth-first-carried"
    g = Breaking(make_config(method, "smoke"), Domain(("",), (1.0,), (0.5, 0.5), (0, 0, 0, 0, 1))).draw(
        shuffled, generator
    )
    assert g is not None
    forms = shuffled.relabel(GraphRelabeling().group.inverse(g))
    assert (forms.edges == forms.edges[0]).all()
    # Pairs of graph and order: 4! of them, all equally likely.
    _, counts = torch.unique(torch.cat([shuffled.edges, g.rank.view(-1, 4)], dim=1), dim=0, return_counts=True)
    test = ChiSquare()
    test.fit(order, counts.numpy())
    assert len(counts) == 24
    test.require("all pairs of graph and order are equally likely")


def test_every_order_has_a_method() -> None:
    orders = {method.order for method in METHODS.values()} - {""}
    assert orders - {"file"} == CANONICALIZERS.keys()
