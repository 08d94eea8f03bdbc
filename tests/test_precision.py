"""Mixed and low precision: group elements are exact in any context, and gradients stay finite."""

import pytest
import torch

from sympe import InversionKernel, IrrepsEncoding, RankEncoding, SymPE
from sympe.actions import PointRotation, TensorRotation
from sympe.breaking import GRAPH_METHODS, Canonicalized, Laplacian, for_graphs, for_points
from sympe.canonicalize import (
    Frames,
    JointFrames,
    LearnedFrames,
    NodeScore,
    PrincipalAxes,
    Sort,
    VectorNetwork,
    WeightedFrames,
)
from sympe.graphs import from_edges
from sympe.groups import OrthogonalGroup
from sympe.points import PointClouds, from_clouds

T = 0.63
METHANE = from_clouds([[[0.0, 0, 0], [T, T, T], [T, -T, -T], [-T, T, -T], [-T, -T, T]]], species=[[6, 1, 1, 1, 1]])
PATH = from_edges([(5, [(0, 1), (1, 2), (2, 3), (3, 4)])])
HALF = [torch.bfloat16, torch.float16]


@pytest.mark.parametrize("dtype", HALF)
def test_frames_of_methane_are_24_matrices(dtype: torch.dtype, generator: torch.Generator) -> None:
    with torch.autocast("cpu", dtype=dtype):
        g = InversionKernel(Frames())(METHANE.select([0] * 600), generator)
    assert g.dtype == torch.float32
    assert len((100 * g).round().unique(dim=0)) == 24
    assert torch.allclose(g @ g.mT, torch.eye(3), atol=1e-5)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize(
    "tau",
    [Frames(), PrincipalAxes(), WeightedFrames(), LearnedFrames(VectorNetwork(hidden_dim=4))],
    ids=lambda tau: type(tau).__name__,
)
def test_short_positions_give_orthogonal_matrices(tau: Frames, dtype: torch.dtype, generator: torch.Generator) -> None:
    clouds = METHANE.to(dtype=dtype)
    g = InversionKernel(tau)(clouds, generator)
    assert g.dtype == torch.float32
    assert torch.allclose(g @ g.mT, torch.eye(3), atol=1e-5)
    moved: PointClouds = PointRotation().act(g, clouds)
    assert moved.position.dtype == dtype


@pytest.mark.parametrize("dtype", HALF)
def test_short_positions_have_an_order(dtype: torch.dtype, generator: torch.Generator) -> None:
    permutation, g = InversionKernel(JointFrames(Frames()))(METHANE.select([0] * 600).to(dtype=dtype), generator)
    assert g.dtype == torch.float32
    # Carbon first, in what follows all orders of the hydrogens.
    assert len(permutation.rank.view(600, 5).unique(dim=0)) == 24


@pytest.mark.parametrize("dtype", HALF)
def test_actions_do_not_round(dtype: torch.dtype, generator: torch.Generator) -> None:
    group = OrthogonalGroup(3)
    g, h = (group.haar(torch.zeros(50), generator) for _ in range(2))
    x = torch.randn(50, 3, 3, generator=generator)
    encoding = IrrepsEncoding("1x1o+1x2e")
    plain = [group.compose(g, h), TensorRotation(2).act(g, x), encoding(g)]
    with torch.autocast("cpu", dtype=dtype):
        mixed = [group.compose(g, h), TensorRotation(2).act(g, x), encoding(g)]
    for a, b in zip(plain, mixed, strict=True):
        assert b.dtype == torch.float32
        assert torch.equal(a, b)


@pytest.mark.parametrize("method", GRAPH_METHODS)
def test_methods_are_the_same_in_autocast(method: str) -> None:
    module = for_graphs(method, 4, 8)
    plain = module(PATH, torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = module(PATH, torch.Generator().manual_seed(0))
    assert mixed.dtype == plain.dtype
    assert torch.equal(mixed, plain)
    points = for_points("sympe-frames", "1x1o")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert points(METHANE, torch.Generator().manual_seed(0)).dtype == torch.float32


@pytest.mark.parametrize("dtype", HALF)
def test_a_learned_sort_has_finite_gradients(dtype: torch.dtype, generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Sort(NodeScore())), RankEncoding(dim=4, max_nodes=8))
    with torch.autocast("cpu", dtype=dtype):
        z = pe(PATH, generator)
    z.float().square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in pe.parameters())


def test_networks_inside_keep_their_mixed_precision(generator: torch.Generator) -> None:
    linear = torch.nn.Linear(3, 3)

    class Network(torch.nn.Module):
        def forward(self, x: PointClouds) -> torch.Tensor:
            self.seen = linear(x.position[:1]).dtype
            return torch.zeros(len(x), 3)

    network = Network()
    model = Canonicalized(network, InversionKernel(Frames()), TensorRotation(1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(METHANE, generator)
    assert network.seen == torch.bfloat16


def test_the_default_type_is_respected(generator: torch.Generator) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        kinds = {method: for_graphs(method, 4, 8)(PATH, generator).dtype for method in GRAPH_METHODS}
        clouds = for_points("noise", "1x1o")(METHANE, generator).dtype
    finally:
        torch.set_default_dtype(torch.float32)
    assert set(kinds.values()) == {torch.float64}, kinds
    assert clouds == torch.float64
    assert Laplacian(2)(PATH, generator).dtype == torch.float32
