"""What canonicalizers say of their own randomness, against enumeration."""

import math
from itertools import permutations

import pytest
import torch

from examples import SMALL, batch_of
from laws import copies
from sympe import Graphs, InversionKernel
from sympe.actions import PointRotation, ScalarFields
from sympe.canonicalize import (
    BreadthFirst,
    Constant,
    DepthFirst,
    Frames,
    JointFrames,
    Labeling,
    LexicographicMinimum,
    NodeOrder,
    PrincipalAxes,
    RandomDepthFirst,
    Refinement,
    Spectral,
    Template,
)
from sympe.graphs import from_edges
from sympe.graphs.bliss import log_automorphisms
from sympe.groups import Permutation, Torus
from sympe.points import PointClouds, concatenate, from_clouds

GRAPHS = {name: x for name, x in SMALL.items() if x.num_nodes <= 4}
PLAIN = {name: x for name, x in GRAPHS.items() if x.node_label is None and x.edge_label is None and x.x is None}
LABELED = from_edges([(4, [(0, 1), (1, 2), (2, 3), (3, 0)])], node_label=[0, 1, 0, 1], edge_label=[0, 0, 1, 1])
SQUARE = from_clouds([[[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]])
BENT = from_clouds([[[1.0, 0.2, 0.0], [0.0, -1.3, 0.4], [-0.5, 0.0, 0.9], [0.1, 0.8, -2.0]]])
DOT = from_clouds([[[0.3, 0.2, 0.0]]])

EXACT: list[NodeOrder] = [Labeling(), DepthFirst(Labeling()), BreadthFirst(Labeling())]
WITH_A_LAW: list[NodeOrder] = [
    *EXACT,
    BreadthFirst(),
    RandomDepthFirst(),
    RandomDepthFirst((1, 0), by=("branch", "degree"), last=(1,)),
]


def every_element(x: Graphs) -> tuple[Graphs, Permutation]:
    """A copy of a graph for each permutation of its nodes, and the permutations."""
    images = torch.tensor(list(permutations(range(x.num_nodes))), dtype=torch.long)
    many = copies(x, len(images))
    return many, Permutation.from_order(images.reshape(-1) + many.start, many)


@pytest.mark.parametrize("x", [*GRAPHS.values(), LABELED], ids=[*GRAPHS, "labeled"])
@pytest.mark.parametrize("tau", WITH_A_LAW, ids=lambda tau: type(tau).__name__)
def test_probabilities_are_those_of_the_kernel(tau: NodeOrder, x: Graphs, generator: torch.Generator) -> None:
    many, g = every_element(x)
    probability = tau.log_probability(many, g).exp()
    assert float(probability.sum()) == pytest.approx(1)
    draws = 4000
    drawn = InversionKernel(tau)(copies(x, draws), generator).rank.view(draws, -1)
    ranks = g.rank.view(len(many), -1)
    counted = (drawn[:, None] == ranks).all(2).double().mean(0)
    # Five standard errors of the largest of at most 24 shares.
    assert torch.allclose(counted, probability, atol=5 * 0.5 / math.sqrt(draws))
    assert bool((counted[probability == 0] == 0).all())


@pytest.mark.parametrize("tau", EXACT, ids=lambda tau: type(tau).__name__)
def test_exact_orders_have_no_excess(tau: NodeOrder) -> None:
    x = batch_of(PLAIN)
    assert bool(tau.is_exact(x).all())
    assert torch.equal(tau.excess_nats(x), torch.zeros(len(x), dtype=torch.float64))
    drawn = InversionKernel(tau)(x, torch.Generator().manual_seed(0))
    assert torch.allclose(tau.log_probability(x, drawn), -log_automorphisms(x))


def test_what_is_not_known_is_not_said() -> None:
    x = batch_of(PLAIN)
    identity = GRAPHS["path 3"]
    for tau in (DepthFirst(), Spectral()):
        assert not bool(tau.is_exact(x).any())
        assert bool(tau.excess_nats(x).isnan().all())
        assert bool(tau.log_probability(identity, tau.action.group.identity(identity)).isnan().all())


def test_haar_has_the_log_of_the_orbit() -> None:
    x = from_edges([(3, [(0, 1), (1, 2)]), (3, []), (0, [])])
    assert Constant().excess_nats(x).tolist() == pytest.approx([math.log(3), 0, 0])
    clouds = concatenate([SQUARE, DOT])
    assert Constant(PointRotation()).excess_nats(clouds).tolist() == [math.inf, 0]
    assert bool(Constant(ScalarFields(Torus("D4"))).excess_nats(torch.zeros(2, 1, 3, 3)).isnan().all())


def test_refinement_is_exact_where_it_needs_no_choice() -> None:
    spider = from_edges([(7, [(0, 1), (0, 2), (2, 3), (0, 4), (4, 5), (5, 6)])])  # legs of 1, 2 and 3 edges
    assert Refinement().is_exact(spider).tolist() == [True]
    assert log_automorphisms(spider).tolist() == [0]
    assert Refinement().is_exact(GRAPHS["path 3"]).tolist() == [False]


def test_lattices_are_exact_to_the_last_bit() -> None:
    action, x = ScalarFields(Torus("D4")), torch.zeros(2, 1, 3, 3)
    assert LexicographicMinimum(action).excess_nats(x).tolist() == [0, 0]
    assert not bool(LexicographicMinimum(action, resolution=0.1).is_exact(x).any())
    assert not bool(Template(action).is_exact(x).any())


def test_equal_moments_leave_the_axes_to_the_solver() -> None:
    excess = PrincipalAxes().excess_nats(concatenate([SQUARE, BENT]))
    assert float(excess[0]) == math.inf
    assert math.isnan(float(excess[1]))


@pytest.mark.parametrize(("cloud", "count"), [(SQUARE, 16), (BENT, 1)])
def test_frames_name_what_they_draw_from(cloud: PointClouds, count: int) -> None:
    for tau in (Frames(), JointFrames(Frames())):
        found = tau.equally_likely(cloud)
        assert found is not None
        many, g = found
        matrices = g if isinstance(g, torch.Tensor) else g[1]
        assert len(many) == len(matrices) == count
        assert len((1000 * matrices).round().unique(dim=0)) == count
