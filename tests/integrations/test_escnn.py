"""Steerable networks on images: GeometricTensor in and out, and a law that moves with the image."""

import pytest
import torch

pytest.importorskip("escnn")

from escnn import gspaces
from escnn.nn import FieldType, GeometricTensor, R2Conv

from laws import ChiSquare, check_action
from sympe.integrations.escnn import FiberAction, FilterScore, joined_type, wrap
from sympe.kernel import InversionKernel

GSPACES = {"C4": gspaces.rot2dOnR2(4), "D4": gspaces.flipRot2dOnR2(4), "D1": gspaces.flip2dOnR2()}


def images(name: str, generator: torch.Generator, count: int = 6) -> tuple[FieldType, torch.Tensor]:
    gspace = GSPACES[name]
    kind = FieldType(gspace, [gspace.trivial_repr, gspace.regular_repr])
    return kind, torch.randn(count, kind.size, 5, 5, generator=generator)


@pytest.mark.parametrize("name", GSPACES)
def test_action(name: str, generator: torch.Generator) -> None:
    kind, x = images(name, generator)
    check_action(FiberAction(kind), x, lambda a, b: torch.allclose(a, b, atol=1e-5), torch.clone, generator)


@pytest.mark.parametrize("name", GSPACES)
def test_canonical_form(name: str, generator: torch.Generator) -> None:
    """All turned and shifted copies of an image without symmetry have one canonical form, up to the shift."""
    kind, x = images(name, generator, 1)
    tau = FilterScore(kind)
    action, order = tau.action, len(tau.action.elements)
    everywhere = x.repeat(order, 1, 1, 1)
    turned = action.act(torch.arange(order), everywhere)
    forms = action.act(action.group.inverse(tau(turned)), turned)
    assert torch.allclose(forms, forms[:1].expand_as(forms), atol=1e-5)
    assert torch.equal(tau(turned.roll((1, 2), dims=(2, 3))), tau(turned))


def test_symmetric_images_get_their_coset(generator: torch.Generator) -> None:
    kind = FieldType(GSPACES["D4"], [GSPACES["D4"].trivial_repr])
    bar = torch.zeros(1, 1, 5, 5)
    bar[..., 2, :] = 1
    drawn = InversionKernel(FilterScore(kind))(bar.repeat(1600, 1, 1, 1), generator)
    test = ChiSquare()
    test.fit("bar", torch.unique(drawn, return_counts=True)[1].numpy())
    test.require("uniform on the coset of the four symmetries of a bar")
    assert len(drawn.unique()) == 4


def test_a_network_breaks_the_symmetry_of_a_constant_image(generator: torch.Generator) -> None:
    gspace = GSPACES["D4"]
    kind, out = FieldType(gspace, [gspace.trivial_repr]), FieldType(gspace, [gspace.regular_repr])
    constant = GeometricTensor(torch.ones(4, 1, 5, 5), kind)
    plain = R2Conv(kind, out, 3, padding=1)(constant).tensor[:, :, 2, 2]
    assert (plain - plain[:, :1]).abs().max() < 1e-5
    model = wrap(R2Conv(joined_type(kind), out, 3, padding=1), kind)
    broken = model(constant, generator)
    assert broken.type == out
    assert (broken.tensor[:, :, 2, 2] - broken.tensor[:, :1, 2, 2]).abs().max() > 1e-3


def test_an_image_without_symmetry_gets_one_answer_that_turns_with_it(generator: torch.Generator) -> None:
    kind, x = images("D4", generator, 1)
    out = FieldType(kind.gspace, [kind.gspace.regular_repr])
    model = wrap(R2Conv(joined_type(kind), out, 3, padding=1), kind)
    image = GeometricTensor(x, kind)
    expected = model(image, generator)
    for element in kind.gspace.fibergroup.elements:
        turned = model(image.transform(element), generator)
        assert torch.allclose(turned.tensor, expected.transform(element).tensor, atol=1e-4)


def test_types_that_do_not_match() -> None:
    gspace = GSPACES["C4"]
    kind, out = FieldType(gspace, [gspace.trivial_repr]), FieldType(gspace, [gspace.regular_repr])
    with pytest.raises(ValueError, match=r"expected a network with in_type .*, input and encoding; got"):
        wrap(R2Conv(kind, out, 3), kind)
    model = wrap(R2Conv(joined_type(kind), out, 3), kind)
    with pytest.raises(ValueError, match="expected a GeometricTensor of type"):
        model(GeometricTensor(torch.zeros(1, 4, 5, 5), out))
    circle = gspaces.rot2dOnR2(-1, maximum_frequency=2)
    with pytest.raises(ValueError, match="expected a gspace with a finite fiber group"):
        wrap(torch.nn.Identity(), FieldType(circle, [circle.trivial_repr]))
