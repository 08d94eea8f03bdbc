"""Symmetry-breaking sets: one orbit, drawn uniformly; partial ones keep their subgroup."""

import math

import numpy as np
import pytest
import torch

from examples import SMALL
from laws import ChiSquare, check_features_law
from sympe import Graphs, InversionKernel, RankEncoding, SymPE
from sympe.actions import PointRotation, wigner_d
from sympe.breaking import KeepSubgroup, SymmetryBreakingSet, in_canonical_form
from sympe.canonicalize import Constant, Frames, Labeling
from sympe.encoding import IrrepsEncoding, RepresentationEncoding
from sympe.groups import OrthogonalGroup, point_group
from sympe.points import PointClouds, from_clouds
from sympe.points.symmetry import stabilizers

IRREPS = "1x1o+1x1e+1x2e+1x2o+1x3o"
SQUARE = from_clouds([[[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]], dtype=torch.float64)
RECTANGLE = from_clouds([[[2.0, 1.0, 0.0], [2.0, -1.0, 0.0], [-2.0, -1.0, 0.0], [-2.0, 1.0, 0.0]]], dtype=torch.float64)


def images(drawn: torch.Tensor, tolerance: float = 1e-6) -> np.ndarray:
    """How often each distinct row comes."""
    counts = []
    while len(drawn):
        same = (drawn - drawn[0]).abs().amax(1) < tolerance
        counts.append(int(same.sum()))
        drawn = drawn[~same]
    return np.array(counts)


def test_law_moves_with_the_input(generator: torch.Generator) -> None:
    objects = SymmetryBreakingSet(InversionKernel(Labeling()), RankEncoding(2, 8))

    def draw(x: Graphs, seeded: torch.Generator) -> torch.Tensor:
        with torch.no_grad():
            return objects(x, seeded)

    check_features_law(draw, SMALL, generator)


def test_one_orbit_of_an_object_that_is_not_learned(generator: torch.Generator) -> None:
    objects = SymmetryBreakingSet(InversionKernel(Frames()), IrrepsEncoding(IRREPS)).double()
    assert not any(p.requires_grad for p in objects.parameters())
    counts = images(objects(SQUARE.select([0] * 1600), generator))
    test = ChiSquare()
    test.fit("square", counts)
    assert len(counts) == 16
    test.require("uniform on the orbit")


def keep_rectangle(generator: torch.Generator) -> tuple[SymPE, torch.Tensor]:
    kernel, group = InversionKernel(Frames()), OrthogonalGroup(3)
    kept = stabilizers(RECTANGLE)[0].matrices
    encoding = KeepSubgroup(IrrepsEncoding(IRREPS), group, in_canonical_form(group, kernel(SQUARE, generator), kept))
    return SymPE(kernel, encoding).double(), kept


def test_partial_breaking_leaves_the_subgroup(generator: torch.Generator) -> None:
    pe, kept = keep_rectangle(generator)
    assert len(kept) == 8
    drawn = pe(SQUARE.select([0] * 1600), generator).detach()
    counts = images(drawn)
    test = ChiSquare()
    test.fit("square to rectangle", counts)
    assert len(counts) == 2
    test.require("uniform on the cosets of the subgroup")
    # D2h of the rectangle, about either diagonal of the square, is the stabilizer of every image.
    d4h = stabilizers(SQUARE)[0].matrices
    moved = torch.einsum("gij,bj->gbi", wigner_d(d4h, IRREPS), drawn)
    fixed = ((moved - drawn).abs().amax(2) < 1e-6).sum(0)
    assert fixed.tolist() == [8] * 1600


def test_partial_breaking_moves_with_the_input(generator: torch.Generator) -> None:
    pe, _ = keep_rectangle(generator)
    action = PointRotation()
    g = action.group.haar(SQUARE, generator)
    turned = action.act(g, SQUARE)
    here = pe(SQUARE.select([0] * 200), generator).detach() @ wigner_d(g[0], IRREPS).T
    there = pe(turned.select([0] * 200), generator).detach()
    assert len(images(torch.cat([here, there]))) == 2


def test_the_vector_that_keeps_a_subgroup_is_learned() -> None:
    group = point_group("D4")
    encoding = KeepSubgroup(RepresentationEncoding(group), group, group.generate([1]))
    order = len(group.generate([1]))
    drawn = encoding(torch.arange(8))
    assert len(images(drawn.detach())) == 8 // order
    drawn[:, 0].sum().backward()
    assert encoding.encoding.v.grad is not None


def test_a_subgroup_that_fixes_nothing() -> None:
    group = OrthogonalGroup(3)
    inversion = torch.stack([torch.eye(3), -torch.eye(3)])
    with pytest.raises(ValueError, match="these 2 elements fix no vector of the encoding but zero"):
        KeepSubgroup(IrrepsEncoding("3x1o"), group, inversion)
    with pytest.raises(ValueError, match="expected at least one element, the identity; got an empty subgroup"):
        KeepSubgroup(IrrepsEncoding("3x1o"), group, inversion[:0])


def test_the_whole_group_in_place_of_the_coset_is_no_set(generator: torch.Generator) -> None:
    """The count above can fail: with g~ Haar the images are endless."""
    pe = SymPE(InversionKernel(Constant(PointRotation())), IrrepsEncoding(IRREPS)).double()
    assert len(images(pe(SQUARE.select([0] * 100), generator).detach())) == 100


def test_randomness_of_a_partial_set_is_less_than_that_of_the_stabilizer(generator: torch.Generator) -> None:
    pe, kept = keep_rectangle(generator)
    share = images(pe(SQUARE.select([0] * 4000), generator).detach()) / 4000
    entropy = float(-(share * np.log(share)).sum())
    assert abs(entropy - math.log(16 / len(kept))) < 0.01


def test_single_points_and_one_element(generator: torch.Generator) -> None:
    atom = PointClouds(torch.zeros(1, 3), torch.zeros(1, dtype=torch.long))
    pe = SymPE(InversionKernel(Frames()), IrrepsEncoding(IRREPS))
    assert pe(atom, generator).isfinite().all()
