"""Weighted, learned and joint frames of point clouds."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from laws import ChiSquare, check_reproducible
from molecules import CHIRAL, EXAMPLES, METHANE, molecule
from point_laws import bins, check_matrices, check_point_kernel, copies, forms, move
from sympe import InversionKernel, RankEncoding, SymPE
from sympe.canonicalize import (
    Canonicalizer,
    Constant,
    Frames,
    JointFrames,
    LearnedFrames,
    VectorNetwork,
    WeightedFrames,
)
from sympe.encoding import FactorEncoding
from sympe.points import PointClouds, concatenate, from_clouds, stabilizers

SMALL = {
    name: EXAMPLES[name].cloud
    for name in ("CHFClBr", "water", "allene", "methane", "SF6", "carbon dioxide", "carbon monoxide", "argon")
}
SQUARE = from_clouds([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]], dtype=torch.float64)


def learned(special: bool = False, num_vectors: int = 3) -> LearnedFrames:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = VectorNetwork(num_vectors, hidden_dim=8).double()
    return LearnedFrames(network, special=special)


KINDS: dict[str, Callable[[bool], Canonicalizer]] = {
    "weighted": lambda special: WeightedFrames(special=special),
    "flat weights": lambda special: WeightedFrames(special=special, power=1.0),
    "learned": learned,
}


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
@pytest.mark.parametrize("name", KINDS)
def test_the_law_moves_with_the_input(name: str, special: bool, generator: torch.Generator) -> None:
    check_point_kernel(InversionKernel(KINDS[name](special)), SMALL, generator, special, draws=1500)


def test_the_law_moves_in_the_plane(generator: torch.Generator) -> None:
    bent = from_clouds([[[0.0, 0.0], [1.0, 0.0], [0.3, 0.8]]], dtype=torch.float64)
    for special in (False, True):
        kernel = InversionKernel(WeightedFrames(dimension=2, special=special))
        check_point_kernel(kernel, {"square": SQUARE, "bent": bent}, generator, special)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
@pytest.mark.parametrize("name", KINDS)
def test_matrices_are_proper(name: str, special: bool, dtype: torch.dtype, generator: torch.Generator) -> None:
    x = concatenate([example.cloud for example in EXAMPLES.values()] * 10).to(dtype=dtype)
    check_matrices(InversionKernel(KINDS[name](special))(move(x, generator), generator).detach(), x, special)


class UnequalWeights(WeightedFrames):
    """Prefers points that come early in storage, a little."""

    def _draw_point(self, length: Tensor, x: PointClouds, generator: torch.Generator | None) -> Tensor:
        place = torch.arange(x.num_points) - x.start
        return super()._draw_point(length * 0.97**place, x, generator)


def test_weights_that_read_the_storage_are_rejected(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\)"):
        check_point_kernel(InversionKernel(UnequalWeights()), {"SF6": SMALL["SF6"]}, generator)


def mean_of_form(canonicalizer: Canonicalizer, x: PointClouds, draws: int = 4000) -> Tensor:
    """The mean over draws, with numbers that are the same in every call, of smooth functions of the form."""
    many = copies(x, draws)
    form = forms(canonicalizer(many, torch.Generator().manual_seed(0)), many)
    weight = torch.randn(6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (form @ weight.T).sin().sum(1).mean(0)


def two_lengths(step: float) -> PointClouds:
    """Two atoms change places as the farthest one as ``step`` changes sign."""
    return molecule(("C", 0, 0, 0), ("F", 0, 0, 1.5 + step), ("Cl", 1.5, 0.2, 0), ("H", -0.3, 0.9, -0.4))


def flattened(height: float) -> PointClouds:
    return molecule(("F", 1.3, 0, 0), ("Cl", -0.7, 1.1, 0), ("H", -0.6, -0.9, 0), ("C", 0.1, 0.2, height))


def bent(height: float) -> PointClouds:
    return molecule(("F", 0, 0, 1.4), ("Cl", 0, 0, -1.6), ("C", height, 0, -0.1))


def test_weighted_frames_do_not_jump_where_frames_do() -> None:
    # The centroid moves with the atom: find where the two radii are equal.
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        radius = two_lengths(middle).centered.norm(dim=1)
        low, high = (middle, high) if radius[1] < radius[2] else (low, middle)
    below, above = two_lengths(low - 0.02), two_lengths(low + 0.02)
    jump = (mean_of_form(Frames(special=True), below) - mean_of_form(Frames(special=True), above)).abs().max()
    step = (mean_of_form(WeightedFrames(special=True), below) - mean_of_form(WeightedFrames(special=True), above)).abs()
    assert jump > 0.5
    assert step.max() < 0.1
    finer = (
        mean_of_form(WeightedFrames(special=True), two_lengths(low - 1e-4))
        - mean_of_form(WeightedFrames(special=True), two_lengths(low + 1e-4))
    ).abs()
    assert finer.max() < 1e-3


@pytest.mark.parametrize("shape", [flattened, bent])
def test_weighted_frames_do_not_jump_at_planes_and_lines(shape: Callable[[float], PointClouds]) -> None:
    exact = mean_of_form(WeightedFrames(), shape(0.0))
    for height in (1e-8, 1e-5, 1e-3):
        assert (mean_of_form(WeightedFrames(), shape(height)) - exact).abs().max() < 10 * height + 1e-6


def test_a_great_power_leaves_one_form(generator: torch.Generator) -> None:
    x = copies(CHIRAL, 200)
    form = forms(InversionKernel(WeightedFrames(special=True, power=1000.0))(x, generator), x)
    assert (form - form[0]).abs().max() < 1e-9
    flat = forms(InversionKernel(WeightedFrames(special=True, power=2.0))(x, generator), x)
    assert len(torch.unique((flat * 1e6).round(), dim=0)) > 5


def test_the_vector_network_is_equivariant(generator: torch.Generator) -> None:
    network = learned().network
    x = concatenate(list(SMALL.values()))
    action = JointFrames(Frames()).action
    g = action.group.haar(x, generator)
    moved = action.act(g, x)
    moved = PointClouds(moved.position + 7.0, x.batch, moved.species, len(x))
    turned = torch.einsum("bij,bkj->bki", g[1], network(x))
    torch.testing.assert_close(network(moved), turned, atol=1e-9, rtol=0)
    assert network(CHIRAL).norm(dim=2).min() > 0.01
    assert network(METHANE).norm(dim=2).max() < 1e-9  # nothing that turns with a tetrahedron is a vector


def test_a_learned_frame_moves_with_the_input(generator: torch.Generator) -> None:
    for special in (False, True):
        tau = learned(special)
        x = copies(CHIRAL, 20)
        h = tau.action.group.haar(x, generator)
        torch.testing.assert_close(tau(tau.action.act(h, x), generator), h @ tau(x, generator), atol=1e-9, rtol=0)


def test_a_learned_frame_has_the_axis_of_a_line(generator: torch.Generator) -> None:
    x = move(copies(EXAMPLES["carbon monoxide"].cloud, 500), generator)
    form = forms(InversionKernel(learned())(x, generator).detach(), x)
    assert (form[:, :, 0].abs() - form[0, :, 0].abs()).abs().max() < 1e-9
    assert form[:, :, 1:].abs().max() < 1e-9


def test_a_learned_frame_learns(generator: torch.Generator) -> None:
    """Turn molecules such that bromine comes to lie on the first axis."""
    tau = learned(special=True)
    kernel = InversionKernel(tau)
    shaken = copies(CHIRAL, 16)
    noise = 0.1 * torch.randn(shaken.position.shape, generator=generator, dtype=torch.float64)
    shaken = PointClouds(shaken.position + noise, shaken.batch, shaken.species, 16)
    optimizer = torch.optim.Adam(tau.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        form = forms(kernel(shaken, generator), shaken)
        loss = (1 - form[:, 4, 0] / form[:, 4].norm(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < losses[0]
    for example in EXAMPLES.values():
        tau.zero_grad()
        kernel(example.cloud, generator).sum().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in tau.parameters())


class Vectors(nn.Module):
    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.vectors = vectors

    def forward(self, x: PointClouds) -> Tensor:
        return self.vectors


@pytest.mark.untyped
def test_bad_input_ends_with_one_clear_line() -> None:
    with pytest.raises(ValueError, match="power must be positive and finite; got inf"):
        WeightedFrames(power=math.inf)
    with pytest.raises(ValueError, match="power must be positive and finite; got 0"):
        WeightedFrames(power=0)
    with pytest.raises(ValueError, match="tolerance must be positive and finite; got 0"):
        LearnedFrames(VectorNetwork(), tolerance=0)
    with pytest.raises(ValueError, match="expected clouds in 3 dimensions; got 2"):
        WeightedFrames()(SQUARE)
    with pytest.raises(ValueError, match="expected clouds in 3 dimensions; got 2"):
        LearnedFrames(VectorNetwork())(SQUARE)
    nan = PointClouds(torch.tensor([[0.0, math.nan, 1.0]]), torch.zeros(1, dtype=torch.long))
    for tau in (WeightedFrames(), JointFrames(Frames())):
        with pytest.raises(ValueError, match="positions must be finite"):
            tau(nan)
    with pytest.raises(ValueError, match=r"expected vectors of shape \[1, 3 or more, 3\]; got \[1, 2, 3\]"):
        LearnedFrames(Vectors(torch.zeros(1, 2, 3)))(METHANE)
    with pytest.raises(ValueError, match="vectors of a frame must be finite"):
        LearnedFrames(Vectors(torch.full((1, 3, 3), math.nan)))(METHANE)
    with pytest.raises(ValueError, match=r"expected species 0..5; got 1..6"):
        VectorNetwork(num_species=6)(METHANE)


def test_no_vectors_at_all_give_haar_measure(generator: torch.Generator) -> None:
    x = copies(METHANE, 3000)
    test = ChiSquare()
    g = InversionKernel(LearnedFrames(Vectors(torch.zeros(3000, 3, 3).double())))(x, generator)
    haar = InversionKernel(Constant(LearnedFrames(nn.Identity()).action))(x, generator)
    test.compare("", bins(g, generator), bins(haar, generator))
    test.require("Haar measure")


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
def test_joint_frames_are_the_inversion_kernel(special: bool, generator: torch.Generator) -> None:
    """The canonical form is a list of points, the same for all copies; the pair is uniform on its coset."""
    kernel = InversionKernel(JointFrames(Frames(special=special)))
    action = kernel.canonicalizer.action
    test = ChiSquare()
    for name in ("CHFClBr", "water", "ammonia", "allene", "benzene", "methane", "ferrocene", "cube"):
        x = EXAMPLES[name].cloud
        (stabilizer,) = stabilizers(x, special)
        many = move(copies(x, max(200, 10 * int(stabilizer.order))), generator, special)
        g = kernel(many, generator)
        form = action.act(action.group.inverse(g), many)
        seen = form.centered.view(len(many), -1, 3)
        assert (seen - seen[0]).abs().max() < 1e-6, name
        assert form.species is not None
        assert bool((form.species.view(len(many), -1) == form.species[: x.num_points]).all())

        still = copies(x, len(many))
        permutation, matrix = kernel(still, generator)
        image = (permutation.image - permutation.start).view(len(many), -1)
        code = torch.cat([image, (torch.linalg.det(matrix) > 0).long()[:, None]], 1)
        counts = np.unique(code.numpy(), axis=0, return_counts=True)[1]
        assert len(counts) == stabilizer.order, name
        test.fit(name, counts)
        # Permutation and matrix belong together.
        step = matrix @ matrix[:1].transpose(1, 2)
        moved = torch.einsum("bij,nj->bni", step, x.centered)[:, image[0]]
        assert (moved - x.centered[image]).abs().max() < 1e-6
    test.require("uniform on the coset of the joint stabilizer")


def test_ranks_tell_symmetric_atoms_apart(generator: torch.Generator) -> None:
    kernel = InversionKernel(JointFrames(Frames()))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pe = SymPE(kernel, FactorEncoding(RankEncoding(dim=4, max_nodes=12), factor=0))
    assert pe.dim == 4
    benzene = EXAMPLES["benzene"].cloud
    rows = pe(copies(benzene, 600), generator).view(600, 12, 4).detach()
    assert torch.cdist(rows, rows)[:, ~torch.eye(12, dtype=torch.bool)].min() > 1e-3
    # A carbon has any of the six ranks of carbon equally often, a hydrogen those of hydrogen.
    rank = torch.cdist(rows[:, 0], pe.encoding.encoding.v.detach()).argmin(1)
    counts = torch.bincount(rank, minlength=12)
    assert int(counts.count_nonzero()) == 6
    test = ChiSquare()
    test.fit("rank of a carbon", counts[counts > 0].numpy())
    test.require("uniform")


def test_joint_frames_in_the_plane_and_with_other_frames(generator: torch.Generator) -> None:
    kernel = InversionKernel(JointFrames(Frames(dimension=2)))
    permutation, matrix = kernel(copies(SQUARE, 400), generator)
    code = torch.cat([permutation.rank.view(400, 4), (torch.linalg.det(matrix) > 0).long()[:, None]], 1)
    assert len(torch.unique(code, dim=0)) == 8
    permutation, matrix = InversionKernel(JointFrames(WeightedFrames()))(METHANE, generator)
    assert permutation.rank.sort().values.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("tau", [WeightedFrames(), learned()])
def test_draws_are_reproducible(tau: Canonicalizer) -> None:
    kernel = InversionKernel(tau)
    check_reproducible(lambda generator: kernel(METHANE, generator))
