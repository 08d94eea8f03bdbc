"""A table of irreps by rank: its group action, and that it breaks translations with rotations."""

import pytest
import torch

from sympe import InversionKernel, SymPE
from sympe.actions import CrystalMotion, wigner_d
from sympe.canonicalize import CrystalFrames, Frames, JointFrames
from sympe.crystals import from_cells
from sympe.encoding import SiteIrrepsEncoding
from sympe.points import from_clouds

IRREPS = "2x0e+1x1o+1x1e+1x2e"
IRON = from_cells([2.87 * torch.eye(3)] * 3, [[[0, 0, 0], [0.5] * 3]] * 3, [["Fe", "Fe"]] * 3)


def test_left_action(generator: torch.Generator) -> None:
    encoding, group = SiteIrrepsEncoding(IRREPS, max_sites=2).double(), CrystalMotion().group
    g, h = group.haar(IRON, generator), group.haar(IRON, generator)
    turned = torch.einsum("nij,nj->ni", wigner_d(h[1], IRREPS)[IRON.batch], encoding(g))
    assert torch.allclose(encoding(group.compose(h, g)), turned[h[0].preimage], atol=1e-11)


def test_sites_that_a_translation_exchanges_differ(generator: torch.Generator) -> None:
    """Body-centered iron in its cubic cell: two sites, exchanged by half a diagonal."""
    pe = SymPE(InversionKernel(CrystalFrames()), SiteIrrepsEncoding(IRREPS, max_sites=2))
    drawn = pe(IRON, generator, draws=40).reshape(120, 2, -1)
    assert (drawn[:, 0] - drawn[:, 1]).norm(dim=1).min() > 0.1
    first = (drawn[:, 0, 0] - drawn[:, 0, 0].max()).abs() < 1e-6
    assert 30 < int(first.sum()) < 90


def test_time_odd_features_flip_with_the_moments(generator: torch.Generator) -> None:
    encoding = SiteIrrepsEncoding("1x0e+1x1o", max_sites=2, time_odd="1x1e").double()
    group = CrystalMotion(time_reversal=True).group
    g, h = group.haar(IRON, generator), group.haar(IRON, generator)
    turned = torch.einsum("nij,nj->ni", wigner_d(h[1], "1x0e+1x1o+1x1e")[IRON.batch], encoding(g))
    turned[:, 4:] *= (1 - 2 * h[2])[IRON.batch, None]
    assert torch.allclose(encoding(group.compose(h, g)), turned[h[0].preimage], atol=1e-11)
    kernel = InversionKernel(CrystalFrames(time_reversal=True))
    assert SymPE(kernel, SiteIrrepsEncoding(IRREPS, 2))(IRON, generator).shape == (6, 13)
    assert SymPE(InversionKernel(CrystalFrames()), encoding)(IRON, generator).shape == (6, 7)


def test_clouds_of_points_and_mistakes(generator: torch.Generator) -> None:
    kernel = InversionKernel(JointFrames(Frames()))
    pair = from_clouds([[[0.0, 0.0, 0.6], [0.0, 0.0, -0.6]]])
    assert SymPE(kernel, SiteIrrepsEncoding(IRREPS, 2))(pair, generator).shape == (2, 13)
    with pytest.raises(ValueError, match="got 2 sites for a table of 1 rows"):
        SymPE(kernel, SiteIrrepsEncoding(IRREPS, 1))(pair, generator)
    for wrong in (("0x1o", 3), (IRREPS, 0)):
        with pytest.raises(ValueError, match="expected irreps of dimension 1 or more and max_sites of 1 or more"):
            SiteIrrepsEncoding(*wrong)
