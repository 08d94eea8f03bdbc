"""Encodings in irreps of O(3): their group action, their gradients, and what torch.compile makes of them."""

from collections.abc import Callable

import pytest
import torch

from laws import ChiSquare
from molecules import EXAMPLES
from point_laws import copies
from sympe import InversionKernel, IrrepsEncoding, RankEncoding, SymPE
from sympe.actions import PointMotion, PointRotation, wigner_d
from sympe.canonicalize import Constant, Frames, JointFrames
from sympe.encoding import FactorEncoding
from sympe.groups import OrthogonalGroup
from sympe.points import PointClouds, from_clouds

IRREPS = "4x0e+1x0o+2x1o+1x1e+1x2e+1x6e"


def test_left_action(generator: torch.Generator) -> None:
    encoding = IrrepsEncoding(IRREPS).double()
    group = OrthogonalGroup(3)
    g, h = (group.haar(torch.zeros(7, dtype=torch.float64), generator) for _ in range(2))
    moved = torch.einsum("bij,bj->bi", wigner_d(h, IRREPS), encoding(g))
    assert torch.allclose(encoding(group.compose(h, g)), moved, atol=1e-11)
    assert torch.allclose(encoding(group.identity(g)), encoding.v.expand(7, -1), atol=1e-12)


def test_the_vector_is_learned(generator: torch.Generator) -> None:
    encoding = IrrepsEncoding(IRREPS)
    g = OrthogonalGroup(3).haar(torch.zeros(5), generator)
    encoding(g)[:, 4:].square().sum().backward()
    assert encoding.v.grad is not None
    assert [name for name, _ in encoding.named_parameters()] == ["v"]


def test_irreps_without_numbers() -> None:
    with pytest.raises(ValueError, match="expected irreps of dimension 1 or more; got '0x1o'"):
        IrrepsEncoding("0x1o")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_under_the_kernel_symmetric_clouds_get_their_coset(dtype: torch.dtype, generator: torch.Generator) -> None:
    """A square has 16 symmetries, so a generic vector comes in 16 images; a polar vector in its plane in fewer."""
    square = from_clouds([[[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]], dtype=dtype)
    pe = SymPE(InversionKernel(Frames()), IrrepsEncoding("1x1o+1x1e+1x2e+1x3o")).to(dtype)
    moved = pe(square.select([0] * 600), generator)
    distinct = ((moved[:, None] - moved).abs().amax(2) < 1e-3).int().argmax(1).unique()
    assert len(distinct) == 16


#: Features of the points of a cloud: one row for the rank of each, and the irreps of the cloud beside it.
JointFeatures = Callable[[PointClouds, torch.Generator], torch.Tensor]


def joint_features(irreps: str, draw: Callable[[PointClouds, torch.Generator], tuple]) -> JointFeatures:
    """Both factors of one draw of S_n x O(3), encoded."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ranks = FactorEncoding(RankEncoding(dim=3, max_nodes=12), factor=0).double()
        vector = FactorEncoding(IrrepsEncoding(irreps), factor=1).double()

    def features(x: PointClouds, generator: torch.Generator) -> torch.Tensor:
        g = draw(x, generator)
        return torch.cat([ranks(g), vector(g)[x.batch]], dim=1).detach()

    return features


def check_joint_law(features: JointFeatures, irreps: str, generator: torch.Generator, draws: int = 1500) -> None:
    """law(f(k x)) = law(k f(x)) for k of S_n x O(3), in signs of linear functions of all features of a cloud."""
    test = ChiSquare()
    action = PointMotion()
    for name in ("water", "methane", "benzene", "CHFClBr"):
        x = EXAMPLES[name].cloud
        for _ in range(2):
            k = action.group.haar(x, generator)
            here = features(copies(x, draws), generator).view(draws, x.num_points, -1)
            there = features(copies(action.act(k, x), draws), generator).view(draws, x.num_points, -1)
            turned = torch.cat([here[..., :3], here[..., 3:] @ wigner_d(k[1][0], irreps).T], dim=2)[:, k[0].preimage]
            weight = torch.randn(4, *turned.shape[1:], generator=generator, dtype=torch.float64)
            signs = (torch.einsum("knd,bnd->bk", weight, f).gt(0).int().numpy() for f in (turned, there))
            test.compare(name, *signs)
    test.require("law(f(k x)) = law(k f(x))")


JOINT = InversionKernel(JointFrames(Frames()))


def test_ranks_and_irreps_of_one_joint_draw(generator: torch.Generator) -> None:
    irreps = "1x0e+1x1o+1x1e+1x2e+1x3o"
    features = joint_features(irreps, JOINT)
    check_joint_law(features, irreps, generator)
    # Both are of one draw: as many pairs as symmetries, where two separate draws give more.
    x = copies(EXAMPLES["methane"].cloud, 2000)
    f = features(x, generator).view(2000, -1)
    assert len((f * 1e4).round().unique(dim=0)) == 24
    apart = joint_features(irreps, lambda x, generator: (JOINT(x, generator)[0], JOINT(x, generator)[1]))
    assert len((apart(x, generator).view(2000, -1) * 1e4).round().unique(dim=0)) > 24


class FirstFrame(Frames):
    """Of frames that tie, the first in storage."""

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> torch.Tensor:
        tied = self.tied(x)
        first = torch.searchsorted(tied.cloud, torch.arange(len(x)))
        return tied.select(first).frames(x.centered.double())


def backwards(x: PointClouds, generator: torch.Generator) -> tuple:
    permutation, matrix = JOINT(x, generator)
    return permutation, matrix.mT


WRONG = {
    "no randomization": lambda x, generator: JointFrames(FirstFrame())(x, generator),
    "irreps moved by the inverse": backwards,
    "ranks of storage": lambda x, generator: (
        JOINT.canonicalizer.action.group.factors[0].identity(x),
        JOINT(x, generator)[1],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_joint_law_rejects(name: str, generator: torch.Generator) -> None:
    irreps = "1x0e+1x1o+1x1e+1x2e+1x3o"
    with pytest.raises(AssertionError, match=r"law\(f\(k x\)\) = law\(k f\(x\)\)"):
        check_joint_law(joint_features(irreps, WRONG[name]), irreps, generator)


@pytest.mark.untyped
def test_one_graph_without_a_break(generator: torch.Generator) -> None:
    encoding = IrrepsEncoding(IRREPS)
    g = OrthogonalGroup(3).haar(torch.zeros(5), generator)
    torch.compiler.reset()
    compiled = torch.compile(encoding, fullgraph=True, backend="eager")
    assert torch.allclose(compiled(g), encoding(g), atol=1e-6)


class OfTensors(torch.nn.Module):
    """Kernel and encoding called as compiled networks are: on tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.pe = SymPE(InversionKernel(Constant(PointRotation())), IrrepsEncoding(IRREPS))

    def forward(self, position: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        from sympe.points import PointClouds

        return self.pe(PointClouds(position, batch, num_clouds=2))


@pytest.mark.untyped
def test_kernel_and_encoding_without_a_break() -> None:
    network = OfTensors()
    position, batch = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 0, 0, 1, 1, 1])
    torch.compiler.reset()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        compiled = torch.compile(network, fullgraph=True, backend="eager")
        first, second = compiled(position, batch), compiled(position, batch)
    assert first.shape == (2, network.pe.dim)
    assert not torch.equal(first, second)
    # Rotations keep the length of every irrep.
    assert torch.allclose(first[:, 5:8].norm(dim=1), network.pe.encoding.v[5:8].norm().expand(2), atol=1e-5)
