from itertools import product

import pytest
import torch
from torch import Tensor

from lattice_laws import LATTICES, fields, move_site, one
from laws import check_action
from sympe.actions import (
    BondFields,
    DirectionFields,
    LatticeAction,
    RegularFields,
    ScalarFields,
    bonds_to_directions,
)
from sympe.groups import DIRECTIONS, POINTS, LatticeSymmetry, Torus

#: Kinds of fields, each with the axes between batch and lattice.
KINDS: list[tuple[type[LatticeAction], tuple[int, ...]]] = [
    (ScalarFields, ()),
    (ScalarFields, (3,)),
    (DirectionFields, (4,)),
    (DirectionFields, (4, 2)),
    (BondFields, (2,)),
    (BondFields, (2, 3)),
    (RegularFields, (8,)),
    (RegularFields, (8, 2)),
]


class BondsWithoutShift(BondFields):
    """Moves bonds as if each belonged to the site where it is stored."""

    offset = None


class RightAction(ScalarFields):
    def act(self, g: LatticeSymmetry, x: Tensor) -> Tensor:
        return super().act(self.group.inverse(g), x)


class InPlace(ScalarFields):
    def act(self, g: LatticeSymmetry, x: Tensor) -> Tensor:
        return x.copy_(super().act(g, x))


class FlipsEverything(DirectionFields):
    odd = True


def every_direction(p: int, d: int) -> int:
    return next(e for e in range(4) if torch.equal(DIRECTIONS[e], POINTS[p] @ DIRECTIONS[d]))


@pytest.mark.parametrize("spin_flip", [False, True])
@pytest.mark.parametrize(("kind", "channels"), KINDS, ids=lambda v: getattr(v, "__name__", str(v)))
def test_laws(
    kind: type[LatticeAction], channels: tuple[int, ...], spin_flip: bool, generator: torch.Generator
) -> None:
    for name, size in [*LATTICES, ("D4", (1, 1)), ("D4", (2, 2)), ("D2", (1, 2))]:
        action = kind(Torus(name, spin_flip))
        x = torch.randn(2 * action.group.order(size), *channels, *size, generator=generator)
        check_action(action, x, torch.equal, torch.clone, generator)


@pytest.mark.parametrize(
    ("wrong", "channels", "broken"),
    [
        (RightAction, (1,), "expected .g h. x = g .h x."),
        (InPlace, (1,), "expected|leave its argument"),
    ],
)
def test_the_checker_rejects(
    wrong: type[LatticeAction], channels: tuple[int, ...], broken: str, generator: torch.Generator
) -> None:
    action = wrong(Torus("D4"))
    with pytest.raises(AssertionError, match=broken):
        check_action(
            action, torch.randn(100, *channels, 3, 3, generator=generator), torch.equal, torch.clone, generator
        )


@pytest.mark.parametrize(("name", "size"), LATTICES)
def test_sites_and_directions_against_walking(name: str, size: tuple[int, int], generator: torch.Generator) -> None:
    """Every element: the value at a site is found where the site went, that of a direction where it points."""
    group = Torus(name)
    every = group.elements(size)
    x = torch.randn(4, *size, generator=generator)
    scalars = ScalarFields(group).act(every, one(x[None], len(every)))
    directions = DirectionFields(group).act(every, one(x[None], len(every)))
    bonds = BondFields(group).act(every, one(x[None, :2], len(every)))
    for n in range(len(every)):
        g = group.element(torch.tensor([n]), size)
        p = int(g.point)
        for site in product(range(size[0]), range(size[1])):
            i, j = move_site(g, site)
            assert torch.equal(scalars[n, :, i, j], x[:, site[0], site[1]])
            for d in range(4):
                e = every_direction(p, d)
                assert directions[n, e, i, j] == x[d, site[0], site[1]]
                if d < 2:
                    # A bond that points left or up from its site is the one to the right or down from the other end.
                    step = DIRECTIONS[e] if e >= 2 else torch.zeros(2, dtype=torch.long)
                    end = (i + int(step[0])) % size[0], (j + int(step[1])) % size[1]
                    assert bonds[n, e % 2, end[0], end[1]] == x[d, site[0], site[1]]


@pytest.mark.parametrize(("name", "size"), [*LATTICES, ("D4", (1, 1)), ("D4", (2, 2))])
def test_the_energy_of_spins_is_invariant(name: str, size: tuple[int, int], generator: torch.Generator) -> None:
    """Bond by bond, of moved spins in moved couplings: the shift under reflection is where this goes wrong."""
    group = Torus(name, spin_flip=True)
    every = group.elements(size)
    couplings = one(torch.randn(1, 2, *size, generator=generator, dtype=torch.float64), len(every))
    spins = one(torch.randn(1, *size, generator=generator, dtype=torch.float64), len(every))

    def energy(action: BondFields) -> Tensor:
        j, s = action.act(every, couplings), ScalarFields(group).act(every, spins)
        return -(j[:, 0] * s * s.roll(-1, 2) + j[:, 1] * s * s.roll(-1, 1)).sum((1, 2))

    right = energy(BondFields(group))
    assert torch.allclose(right, right[:1].expand_as(right), rtol=0, atol=1e-10)
    if len(group.points) > 1 and min(size) > 2:
        wrong = energy(BondsWithoutShift(group))
        assert not torch.allclose(wrong, wrong[:1].expand_as(wrong), rtol=0, atol=1e-3)


@pytest.mark.parametrize("features", [(), (3,)])
def test_bonds_become_directions_equivariantly(features: tuple[int, ...], generator: torch.Generator) -> None:
    for name, size in [*LATTICES, ("D4", (1, 1)), ("D4", (2, 2))]:
        group = Torus(name)
        every = group.elements(size)
        x = one(torch.randn(1, 2, *features, *size, generator=generator), len(every))
        moved = BondFields(group).act(every, x)
        assert torch.equal(bonds_to_directions(moved), DirectionFields(group).act(every, bonds_to_directions(x)))


def test_directions_are_right_down_left_up() -> None:
    x = torch.tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]])
    right, down, left, up = bonds_to_directions(x)[0]
    assert right.tolist() == [[1, 2], [3, 4]]
    assert down.tolist() == [[5, 6], [7, 8]]
    assert left.tolist() == [[2, 1], [4, 3]]
    assert up.tolist() == [[7, 8], [5, 6]]


def test_the_flip_of_spins_changes_spins_alone(generator: torch.Generator) -> None:
    group = Torus("D4", spin_flip=True)
    like = torch.zeros(1, 1, 3, 3)
    flip = group.element(torch.tensor([group.order((3, 3)) // 2]), (3, 3))
    x = torch.randn(1, 8, 3, 3, generator=generator)
    assert torch.equal(ScalarFields(group).act(flip, x), -x)
    assert torch.equal(ScalarFields(group, odd=False).act(flip, x), x)
    assert torch.equal(DirectionFields(group).act(flip, x[:, :4]), x[:, :4])
    assert torch.equal(BondFields(group).act(flip, x[:, :2]), x[:, :2])
    assert torch.equal(RegularFields(group).act(flip, x), x)
    assert torch.equal(FlipsEverything(group).act(flip, x[:, :4]), -x[:, :4])
    assert torch.equal(ScalarFields(group).act(group.identity(like), x), x)


def test_integers_booleans_and_gradients(generator: torch.Generator) -> None:
    action = ScalarFields(Torus("D4"))
    x = torch.arange(18).view(2, 1, 3, 3)
    g = action.group.haar(x, generator)
    assert action.act(g, x).dtype == torch.long
    assert torch.equal(action.act(g, x > 4), action.act(g, x) > 4)
    y = x.double().requires_grad_()
    weight = torch.randn(2, 1, 3, 3, generator=generator, dtype=torch.float64)
    (action.act(g, y) * weight).sum().backward()
    assert torch.equal(y.grad, action.act(action.group.inverse(g), weight))


def test_storage_of_the_field_does_not_matter(generator: torch.Generator) -> None:
    action = BondFields(Torus("D4"))
    x = torch.randn(5, 2, 4, 4, generator=generator)
    g = action.group.haar(x, generator)
    transposed = x.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)
    assert torch.equal(action.act(g, transposed), action.act(g, x))


def test_no_members(generator: torch.Generator) -> None:
    for kind, channels in KINDS:
        action = kind(Torus("D4"))
        x = torch.zeros(0, *channels, 4, 4)
        assert action.act(action.group.haar(x, generator), x).shape == x.shape


def test_bad_input(generator: torch.Generator) -> None:
    group = Torus("D4")
    x = torch.zeros(2, 3, 4, 4)
    g = group.haar(x, generator)
    for kind, channels in ((DirectionFields, 4), (BondFields, 2), (RegularFields, 8)):
        message = rf"expected a field of shape \[B, {channels}, ..., L1, L2\]; got shape \[2, 3, 4, 4\]"
        with pytest.raises(ValueError, match=message):
            kind(group).act(g, x)
    with pytest.raises(ValueError, match=r"expected a field of shape \[B, 2, ..., L1, L2\]; got shape \[2, 4, 4\]"):
        BondFields(group).act(g, x[:, 0])
    with pytest.raises(ValueError, match=r"expected a field of shape \[B, ..., L1, L2\]; got shape \[2, 0, 4, 4\]"):
        ScalarFields(group).act(g, x[:, :0])
    with pytest.raises(ValueError, match=r"expected 2 fields of 4 x 4 sites, .*; got shape \[1, 3, 4, 4\]"):
        ScalarFields(group).act(g, x[:1])
    with pytest.raises(ValueError, match=r"expected 2 fields of 4 x 4 sites, .*; got shape \[2, 3, 3, 3\]"):
        ScalarFields(group).act(g, x[:, :, :3, :3])
    with pytest.raises(ValueError, match="D4 needs a square lattice; got 4 x 3"):
        ScalarFields(group).act(g, x[:, :, :, :3])


def test_examples_have_the_symmetries_that_their_names_say(generator: torch.Generator) -> None:
    """Orbit times stabilizer is the order of the group; constant fields are fixed by all, random ones by none."""
    for kind, channels in KINDS:
        action = kind(Torus("D4"))
        every = action.group.elements((4, 4))
        for name, x in fields(channels, (4, 4), generator).items():
            images = action.act(every, one(x, len(every)))
            stabilizer = int((images == x).flatten(1).all(1).sum())
            assert len(images.flatten(1).unique(dim=0)) * stabilizer == len(every)
            if name in ("zero", "constant"):
                assert stabilizer == len(every)
            if name == "random":
                assert stabilizer == 1
