"""Encodings in irreps of O(3): their group action, their gradients, and what torch.compile makes of them."""

import pytest
import torch

from sympe import InversionKernel, SymPE
from sympe.actions import PointRotation, wigner_d
from sympe.canonicalize import Constant, Frames
from sympe.encoding import IrrepsEncoding
from sympe.groups import OrthogonalGroup
from sympe.points import from_clouds

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
