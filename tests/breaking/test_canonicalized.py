"""Any network, made equivariant in distribution by a sampled frame."""

import torch
from torch import nn

from sympe import InversionKernel
from sympe.actions import PointRotation, TensorRotation
from sympe.breaking import Canonicalized
from sympe.canonicalize import Constant, Frames
from sympe.points import PointClouds, from_clouds

SQUARE = from_clouds([[[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]])
BENT = from_clouds([[[1.0, 0.2, 0.0], [0.0, -1.3, 0.4], [-0.5, 0.0, 0.9], [0.1, 0.8, -2.0]]])


class SumOfCubes(nn.Module):
    """A vector for each cloud that knows nothing of rotations."""

    def forward(self, x: PointClouds) -> torch.Tensor:
        cubed = (x.centered + torch.tensor([0.3, -0.2, 0.1])) ** 3
        return torch.zeros(len(x), 3).index_add(0, x.batch, cubed)


def test_an_input_without_symmetry_gets_one_answer_that_moves_with_it(generator: torch.Generator) -> None:
    model = Canonicalized(SumOfCubes(), InversionKernel(Frames()), TensorRotation())
    action = PointRotation()
    g = action.group.haar(BENT, generator)
    assert torch.allclose(model(BENT, generator), model(BENT, generator), atol=1e-4)
    assert torch.allclose(model(action.act(g, BENT), generator), model(BENT, generator) @ g[0].T, atol=1e-3)


def test_a_symmetric_input_gets_as_many_as_its_coset_gives(generator: torch.Generator) -> None:
    model = Canonicalized(SumOfCubes(), InversionKernel(Frames()), TensorRotation())
    drawn = model(SQUARE.select([0] * 400), generator)
    assert len(((drawn[:, None] - drawn).abs().amax(2) < 1e-3).int().argmax(1).unique()) == 16
    anywhere = Canonicalized(SumOfCubes(), InversionKernel(Constant(PointRotation())), TensorRotation())
    drawn = anywhere(SQUARE.select([0] * 100), generator)
    assert len(((drawn[:, None] - drawn).abs().amax(2) < 1e-3).int().argmax(1).unique()) == 100
