"""Averages over frames are equivariant for any model; averages over the stabilizer project on its invariants."""

import pytest
import torch
from torch import nn

pytest.importorskip("ase")

import sympe
from crystal_laws import examples, symmetries
from sympe.actions import CrystalMotion, Invariant, PointMotion, PointRotation, PointVectorMotion, TensorRotation
from sympe.canonicalize import Averaged, CrystalFrames, Frames, JointFrames, PrincipalAxes
from sympe.crystals import from_ase
from sympe.points import from_clouds, stabilizers

METHANE = [[0.0, 0, 0], [0.63, 0.63, 0.63], [0.63, -0.63, -0.63], [-0.63, 0.63, -0.63], [-0.63, -0.63, 0.63]]
X = from_clouds(
    [torch.tensor(METHANE).double(), torch.tensor([[0.0, 0, 0.12], [0, 0.76, -0.48], [0.1, -0.7, -0.5]]).double()],
    species=[[6, 1, 1, 1, 1], [8, 1, 1]],
)


class Crude(nn.Module):
    """Anything but equivariant: forces that depend on the axes and on the order of the points."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3)).double()

    def forward(self, x) -> torch.Tensor:
        sites = getattr(x, "sites", x)
        place = (torch.arange(sites.num_points) - sites.start).double()
        return self.net(torch.cat([sites.centered, place[:, None]], dim=1))


def test_frames_make_any_model_equivariant(generator: torch.Generator) -> None:
    averaged = Averaged(Crude(), JointFrames(Frames()), PointVectorMotion())
    check = {"action": PointMotion(), "output_action": PointVectorMotion(), "generator": generator}
    sympe.check_equivariance(averaged, X, **check).require()
    assert not sympe.check_equivariance(Crude(), X, **check).is_equivariant
    total = Averaged(lambda x: Crude()(x)[x.ptr[:-1]], Frames(), TensorRotation(1))
    sympe.check_equivariance(total, X, action=PointRotation(), output_action=TensorRotation(1)).require()
    averaged(X).sum().backward()
    assert averaged.model.net[0].weight.grad.abs().sum() > 0


def test_crystals(generator: torch.Generator) -> None:
    averaged = Averaged(Crude(), CrystalFrames(), PointVectorMotion())
    x = from_ase(examples()["two cells of hcp"])
    check = {"action": CrystalMotion(), "output_action": PointVectorMotion(), "generator": generator}
    sympe.check_equivariance(averaged, x, scale=1.0, elements=3, **check).require()


def test_the_mean_over_the_stabilizer_is_the_projection() -> None:
    """Against symmetries found by brute force, and against the point group."""
    x = from_ase(examples()["wurtzite"])
    images, matrices = symmetries(x)
    y = Crude()(x).detach()
    moved = torch.einsum("kab,ib->kia", matrices, y)
    best = torch.empty_like(moved).scatter_(1, images[..., None].expand_as(moved), moved).mean(0)
    found = Averaged(Crude(), CrystalFrames(), PointVectorMotion(), over="stabilizer")(x)
    assert torch.allclose(found, best, atol=1e-6)
    one = X.select([0])
    (group,) = stabilizers(one)
    y = Crude()(one).detach()
    moved = torch.einsum("kab,ib->kia", group.matrices, y)
    best = torch.empty_like(moved).scatter_(1, group.permutations[..., None].expand_as(moved), moved).mean(0)
    found = Averaged(Crude(), JointFrames(Frames()), PointVectorMotion(), over="stabilizer")(one)
    assert torch.allclose(found, best, atol=1e-6)


def test_what_cannot_be_averaged() -> None:
    line = from_clouds([[[0.0, 0, 1], [0.0, 0, -1]]])
    with pytest.raises(ValueError, match="expected finitely many symmetries and an exact canonicalizer; Frames"):
        Averaged(lambda x: x.position[:1], Frames(), TensorRotation(1))(line)
    with pytest.raises(ValueError, match="PrincipalAxes cannot list them here"):
        Averaged(Crude(), PrincipalAxes(), TensorRotation(1))(X)
    with pytest.raises(ValueError, match="over must be frame or stabilizer; got 'all'"):
        Averaged(Crude(), Frames(), TensorRotation(1), over="all")
    with pytest.raises(ValueError, match=r"expected a canonicalizer such as Frames\(\)"):
        Averaged(Crude(), Invariant(), TensorRotation(1))
