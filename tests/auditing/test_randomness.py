"""Excess randomness against enumeration by other means, closed forms and known laws."""

import math
from collections import Counter
from dataclasses import replace
from itertools import permutations
from typing import Any

import networkx
import numpy as np
import pytest
import torch
from torch import Tensor

from examples import LARGE, SMALL, batch_of
from laws import automorphisms, copies, forms_of, kernel_form
from sympe import Graphs, InversionKernel
from sympe.actions import Action, GraphRelabeling, PointRotation
from sympe.auditing import excess_of_model, excess_randomness
from sympe.breaking import Canonicalized, for_graphs
from sympe.canonicalize import (
    BreadthFirst,
    Canonicalizer,
    Constant,
    DepthFirst,
    Frames,
    JointFrames,
    Labeling,
    NodeOrder,
    Refinement,
    Sort,
    Spectral,
)
from sympe.graphs import from_edges, from_networkx
from sympe.groups import Group, Permutation
from sympe.points import PointClouds, concatenate, from_clouds


def enumerated(order: NodeOrder | Constant, x: Graphs) -> float:
    """Entropy of the form over all shuffles, one at a time."""
    action = GraphRelabeling()
    seen: Counter[bytes] = Counter()
    for image in permutations(range(x.num_nodes)):
        h = Permutation.from_images([list(image)], x)
        g = action.group.compose(action.group.inverse(h), order(action.act(h, x)))
        seen[forms_of(kernel_form(g, x), x).tobytes()] += 1
    share = np.array(list(seen.values())) / sum(seen.values())
    return float(-(share * np.log(share)).sum())


class Draws:
    """A kernel that nothing is known of but its draws."""

    def __init__(self, order: NodeOrder | Constant) -> None:
        self.kernel = InversionKernel(order)

    def __call__(self, x: Graphs, generator: torch.Generator) -> Permutation:
        return self.kernel(x, generator)


class StorageScore(torch.nn.Module):
    def forward(self, x: Graphs) -> Tensor:
        return (torch.arange(x.num_nodes) - x.start) % 2 + 0.0


ORDERS = [
    Labeling(),
    Refinement(),
    Constant(),
    DepthFirst(),
    BreadthFirst(),
    BreadthFirst(Labeling()),
    Sort(StorageScore()),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_exact_values(order: NodeOrder | Constant) -> None:
    names = ("path 3", "paw", "cycle 4", "two edges", "bull", "directed fork", "one node")
    plain = batch_of({name: SMALL[name] for name in names})
    found = excess_randomness(InversionKernel(order), plain)
    assert set(found.method) <= {"closed form", "enumeration"}
    expected = [enumerated(order, SMALL[name]) for name in names]
    assert found.nats.tolist() == pytest.approx(expected, abs=1e-9)
    assert torch.equal(found.low, found.nats)
    assert found.mean == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("name", ["node labels on a star", "edge labels on a path", "features on a cycle"])
def test_labels_and_features_count(name: str) -> None:
    x = SMALL[name]
    haar = math.log(math.factorial(x.num_nodes) / len(automorphisms(x)))
    for kernel in (InversionKernel(Constant()), InversionKernel(Sort(StorageScore()))):
        assert excess_randomness(kernel, x).nats.item() == pytest.approx(enumerated(kernel.canonicalizer, x))
    assert excess_randomness(InversionKernel(Constant()), x).nats.item() == pytest.approx(haar)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_draws_agree_with_enumeration(order: NodeOrder | Constant) -> None:
    for name in ("paw", "bull", "two edges"):
        found = excess_randomness(Draws(order), SMALL[name], draws=1000, confidence=0.9999)
        assert found.method == ("forms",)
        assert found.low.item() <= enumerated(order, SMALL[name]) + 1e-9
        assert enumerated(order, SMALL[name]) <= found.high.item()
        assert found.high.item() - found.low.item() < 0.4


def test_the_total_is_the_entropy_of_the_kernel(generator: torch.Generator) -> None:
    """Theorem 3: the excess and log |Stab| make up the entropy of g~, counted directly."""
    x, draws = SMALL["star 5"], 20_000
    rank = InversionKernel(BreadthFirst())(copies(x, draws), generator).rank.view(draws, -1)
    share = rank.unique(dim=0, return_counts=True)[1] / draws
    total = float(-(share * share.log()).sum())
    excess = excess_randomness(InversionKernel(BreadthFirst()), x).nats.item()
    assert total == pytest.approx(excess + math.log(24), abs=0.02)


def test_larger_graphs() -> None:
    crowd = batch_of({name: LARGE[name][0] for name in ("cycle 8", "petersen", "cube")})
    orders = torch.tensor([16.0, 120.0, 48.0], dtype=torch.float64)
    haar = torch.lgamma(crowd.sizes.double() + 1) - orders.log()
    assert torch.allclose(excess_randomness(InversionKernel(Constant()), crowd).nats, haar)
    labeled = excess_randomness(InversionKernel(Labeling()), crowd)
    assert labeled.nats.tolist() == [0, 0, 0]
    assert set(labeled.method) == {"closed form"}
    # From a root, the second node of a cycle decides all; a depth-first walk of it has one form.
    cycle = excess_randomness(InversionKernel(DepthFirst()), LARGE["cycle 8"][0])
    assert (cycle.nats.item(), cycle.low.item(), cycle.method) == (0, 0, ("forms",))
    assert 0 < cycle.high.item() < 0.01


@pytest.mark.parametrize("name", ["paw", "two edges", "bull", "kite", "triangle and edge", "no edges"])
def test_probabilities_of_breadth_first_orders(name: str) -> None:
    """Every order counted over all shuffles: its share is the exponential of its cost."""
    x = SMALL[name]
    n = x.num_nodes
    many = copies(x, math.factorial(n))
    images = torch.tensor(list(permutations(range(n)))).reshape(-1)
    h = Permutation.from_order(images + many.start, many)
    action = GraphRelabeling()
    g = action.group.compose(action.group.inverse(h), BreadthFirst()(action.act(h, many)))
    _, code, count = g.rank.view(-1, n).unique(dim=0, return_inverse=True, return_counts=True)
    share = (count / len(many)).double()[code]
    assert torch.allclose(BreadthFirst().log_probability(many, g).exp(), share)


def test_breadth_first_on_graphs_that_are_too_large_to_enumerate() -> None:
    x = from_networkx([networkx.gnp_random_graph(12, 0.25, seed=4), networkx.path_graph(9)])
    kernel = InversionKernel(BreadthFirst())
    by_choices = excess_randomness(kernel, x, draws=4000, confidence=0.9999)
    assert by_choices.method == ("choices", "choices")
    by_forms = excess_randomness(Draws(BreadthFirst()), x, draws=4000, confidence=0.9999)
    for index in range(2):
        assert by_choices.low[index] <= by_forms.high[index]
        assert by_forms.low[index] <= by_choices.high[index]
    # On a path the roots differ: uniform among the ends, else two children.
    path = math.log(9) + 7 / 9 * math.log(2) - math.log(2)
    assert by_choices.low[1] <= path <= by_choices.high[1]


def test_a_depth_first_walk_does_not_choose_uniformly() -> None:
    """One shuffle serves all choices: a neighbor that was passed over is late in it, and more often passed over again.

    From one node of the paw's triangle to the one that bears the tail: uniform choices would go on to the tail or to
    the third node in 3/2 of 24 shuffles each, but it is 2 and 1. So no formula like that of breadth-first orders holds.
    """
    x = SMALL["paw"]
    many = copies(x, 24)
    h = Permutation.from_order(torch.tensor(list(permutations(range(4)))).reshape(-1) + many.start, many)
    action = GraphRelabeling()
    g = action.group.compose(action.group.inverse(h), DepthFirst()(action.act(h, many)))
    count = g.rank.view(-1, 4).unique(dim=0, return_counts=True)[1]
    uniform = [1, 1, 1.5, 1.5, 1.5, 1.5, 2, 2, 3, 3, 3, 3]
    assert sorted(count.tolist()) == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3] != uniform


def test_a_sample_that_is_too_small() -> None:
    x = from_networkx([networkx.gnp_random_graph(30, 0.5, seed=1)])
    found = excess_randomness(Draws(Constant()), x, draws=100)
    assert found.method == ("lower bound",)
    assert found.high.item() == math.inf
    assert found.low < found.nats < excess_randomness(InversionKernel(Constant()), x).nats
    assert "(lower bound)" in str(found)


def test_noise_of_the_canonicalizer_is_noticed() -> None:
    """Spectral flips signs at random: enumerating shuffles is not enough."""
    found = excess_randomness(InversionKernel(Spectral()), SMALL["kite"])
    assert found.method == ("forms",)
    assert found.low.item() < math.log(2) < found.high.item()


class Shifts(Group[Tensor]):
    def identity(self, like: Tensor) -> Tensor:
        return torch.zeros(len(like), dtype=torch.long)

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        return (g + h) % 6

    def inverse(self, g: Tensor) -> Tensor:
        return -g % 6

    def haar(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return torch.randint(6, (len(like),), generator=generator)


class Shifting(Action[Tensor, Tensor]):
    def __init__(self) -> None:
        self.group = Shifts()

    def act(self, g: Tensor, x: Tensor) -> Tensor:
        return x.gather(1, (torch.arange(6) - g[:, None]) % 6)


class FirstOne(Canonicalizer[Tensor, Tensor]):
    """The shift that takes the first largest value to the front: the form depends on which that is."""

    def __init__(self) -> None:
        super().__init__()
        self.action = Shifting()

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return x.argmax(1)


def test_another_group() -> None:
    """The sequence 1 1 0 0 0 0 seen from its first 1 (five shifts of six) or its second (one)."""
    x = torch.tensor([[1.0, 1, 0, 0, 0, 0], [1.0, 0, 0, 1, 0, 0], [1.0, 1, 1, 1, 1, 1]])
    expected = [-(5 / 6 * math.log(5 / 6) + 1 / 6 * math.log(1 / 6)), 0, 0]
    kernel = InversionKernel(FirstOne())
    exact = excess_randomness(kernel, x, elements=torch.arange(6))
    assert set(exact.method) == {"enumeration"}
    assert exact.nats.tolist() == pytest.approx(expected)
    haar = excess_randomness(InversionKernel(Constant(Shifting())), x, elements=torch.arange(6))
    assert haar.nats.tolist() == pytest.approx([math.log(6), math.log(3), 0])
    drawn = excess_randomness(kernel, x, confidence=0.9999)
    assert set(drawn.method) == {"forms"}
    assert all(a <= b <= c for a, b, c in zip(drawn.low, expected, drawn.high, strict=True))
    by_hand = excess_randomness(lambda x, generator: kernel(x, generator), x, action=Shifting(), confidence=0.9999)
    assert set(by_hand.method) == {"forms"}


SQUARE = from_clouds([[[1.0, 1, 0], [1, -1, 0], [-1, -1, 0], [-1, 1, 0]]], dtype=torch.float64)
#: Distances 2, 1.9 and 1 from the centroid: no symmetry but the mirror in its plane.
SCALENE = from_clouds([[[2.0, 0, 0], [-1.5, 1.2, 0], [-0.5, -1.2, 0]]], dtype=torch.float64)
CO2 = from_clouds([[[0.0, 0, -1.16], [0, 0, 0], [0, 0, 1.16]]], [[8, 6, 8]], dtype=torch.float64)


class EitherAxis(Canonicalizer[Tensor, PointClouds]):
    """Exact frames, in one of three draws with the first axis turned around: two forms where that is no symmetry."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = Frames()
        self.action = self.frames.action

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> Tensor:
        flip = torch.where(torch.rand(len(x), generator=generator) < 1 / 3, -1.0, 1.0).to(x.dtype)
        frames = self.frames(x, generator)
        return torch.cat([frames[:, :, :1] * flip[:, None, None], frames[:, :, 1:]], dim=2)


@pytest.mark.parametrize("tau", [Frames(), JointFrames(Frames())], ids=["frames", "joint"])
def test_exact_frames_of_points(tau: Canonicalizer) -> None:
    clouds = concatenate([from_clouds([x.position], [torch.ones(x.num_points).long()]) for x in (SQUARE, SCALENE)])
    clouds = concatenate([clouds, CO2])
    exact = excess_randomness(InversionKernel(tau), clouds)
    assert (exact.nats.tolist(), set(exact.method)) == ([0, 0, 0], {"enumeration"})
    drawn = excess_randomness(lambda x, generator: InversionKernel(tau)(x, generator), clouds, action=tau.action)
    assert (drawn.nats.tolist(), set(drawn.method)) == ([0, 0, 0], {"forms"})
    # A deviation that the frames are told to ignore is seen all the same: the stabilizer is smaller than its coset.
    bent = replace(SQUARE, position=SQUARE.position + torch.tensor([[0.004, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]))
    assert excess_randomness(InversionKernel(Frames(tolerance=0.1)), bent).mean > 0.5


def test_frames_that_are_not_exact() -> None:
    expected = -(math.log(1 / 3) / 3 + 2 / 3 * math.log(2 / 3))
    found = excess_randomness(InversionKernel(EitherAxis()), concatenate([SQUARE, SCALENE]), confidence=0.9999)
    assert found.method == ("forms", "forms")
    assert (found.nats[0], found.low[0]) == (0, 0)
    assert found.low[1] <= expected <= found.high[1]
    assert found.high[1] - found.low[1] < 0.2


def test_a_random_rotation_of_points_is_infinitely_random() -> None:
    atom = from_clouds([[[0.3, 0.2, 0.1]]], dtype=torch.float64)
    found = excess_randomness(InversionKernel(Constant(PointRotation())), concatenate([SQUARE, atom]))
    assert (found.nats.tolist(), set(found.method)) == ([math.inf, 0], {"closed form"})
    # That is what draws say of it that come from a law that is not known.
    drawn = excess_randomness(
        lambda x, generator: PointRotation().group.haar(x, generator), SQUARE, action=PointRotation()
    )
    assert (drawn.method, drawn.high.item()) == (("lower bound",), math.inf)
    assert drawn.low.item() > 5


def test_crystals() -> None:
    """Frames of the crystal have no excess; those of its parent, of 48 symmetries, log(48 / 8) for the 8 left."""
    pytest.importorskip("moyopy")
    from sympe.actions import CrystalMotion
    from sympe.canonicalize import CrystalFrames
    from sympe.crystals import from_cells

    cell, kinds = [3.9 * torch.eye(3)], [["Sr", "Ti", "O", "O", "O"]]
    places = torch.tensor([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    parent, polar = from_cells(cell, [places], kinds), places.clone()
    polar[1, 2] += 0.05
    x = from_cells(cell, [polar], kinds)
    doubled = from_cells([torch.diag(torch.tensor([3.0, 3, 6]))], [[[0, 0, 0], [0, 0, 0.5]]], [["Po", "Po"]])
    for one in (x, doubled):
        found = excess_randomness(InversionKernel(CrystalFrames()), one)
        assert (found.nats.item(), *found.method) == (pytest.approx(0, abs=1e-9), "enumeration")

    def of_parent(many: Any, generator: torch.Generator) -> Any:
        return InversionKernel(CrystalFrames())(parent.select([0] * len(many)), generator)

    drawn = excess_randomness(of_parent, x, action=CrystalMotion(), draws=80)
    assert drawn.method == ("forms",)
    assert drawn.low.item() < math.log(6) < drawn.high.item()


def test_the_kernel_inside_a_model_is_found() -> None:
    graphs = batch_of({name: SMALL[name] for name in ("path 3", "paw")})
    found = excess_of_model(for_graphs("haar", 4, 8), graphs)
    expected = (math.log(6 / 2) + math.log(24 / 2)) / 2
    assert list(found.values()) == pytest.approx([expected] * 3 + [0])
    model = Canonicalized(torch.nn.Identity(), InversionKernel(Constant(PointRotation())), PointRotation())
    for nothing in (excess_of_model(model, SQUARE), excess_of_model(for_graphs("noise", 4, 8), graphs)):
        assert nothing == dict.fromkeys(("excess_nats", "excess_nats_low", "excess_nats_high")) | {
            "excess_is_infinite": 1
        }
    assert excess_of_model(torch.nn.Linear(2, 2), graphs)["excess_is_infinite"] == 0
    drawn = excess_of_model(for_graphs("sympe-depth-first", 4, 32), LARGE["petersen"][0])
    assert drawn["excess_nats_low"] <= drawn["excess_nats"] <= drawn["excess_nats_high"]


def test_no_graphs_and_graphs_without_nodes() -> None:
    none = excess_randomness(InversionKernel(DepthFirst()), from_edges([]))
    assert (none.nats.tolist(), none.mean, str(none)) == ([], 0, "")
    empty = excess_randomness(InversionKernel(DepthFirst()), from_edges([(0, []), (1, [])]))
    assert empty.nats.tolist() == [0, 0]


def test_equal_seeds_give_equal_estimates_and_nothing_else_is_touched() -> None:
    state = torch.get_rng_state()
    found: list[Any] = [excess_randomness(Draws(DepthFirst()), SMALL["bull"]).nats for _ in range(2)]
    assert torch.equal(*found)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.untyped
def test_bad_input() -> None:
    kernel = InversionKernel(Constant())
    with pytest.raises(ValueError, match="draws must be at least 2; got 1"):
        excess_randomness(kernel, SMALL["bull"], draws=1)
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1; got 1"):
        excess_randomness(kernel, SMALL["bull"], confidence=1)
    with pytest.raises(ValueError, match="expected an action on inputs of type Tensor"):
        excess_randomness(lambda x, generator: x, torch.zeros(2, 3))
