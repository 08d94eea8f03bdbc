from itertools import product

import numpy as np
import pytest
import torch

from lattice_laws import LATTICES, POINT_GROUPS, code, index_of, move_site, one
from laws import THRESHOLD, ChiSquare, check_group
from sympe.groups import DIRECTIONS, POINTS, LatticeSymmetry, Torus

#: Groups small enough to count all pairs of elements.
SMALL = [("C1", (3, 4)), ("C2", (3, 3)), ("C4", (3, 3)), ("D2", (2, 3)), ("D4", (2, 2)), ("D4", (3, 3)), ("D4", (1, 1))]


class NoReflections(Torus):
    """Draws turns only."""

    def haar(self, like: torch.Tensor, generator: torch.Generator | None = None) -> LatticeSymmetry:
        g = super().haar(like, generator)
        return LatticeSymmetry(g.shift, g.point % 4, g.size, g.sign)


class ShiftFirst(Torus):
    """Multiplies as if the shift came before the point, in one factor."""

    def compose(self, g: LatticeSymmetry, h: LatticeSymmetry) -> LatticeSymmetry:
        right = super().compose(g, h)
        return LatticeSymmetry((g.shift + h.shift) % g.size[0], right.point, g.size, right.sign)


class OneShiftForAll(Torus):
    def haar(self, like: torch.Tensor, generator: torch.Generator | None = None) -> LatticeSymmetry:
        g = super().haar(like, generator)
        return LatticeSymmetry(g.shift[:1].expand(len(g), 2), g.point, g.size, g.sign)


@pytest.mark.parametrize("spin_flip", [False, True])
@pytest.mark.parametrize(("name", "size"), SMALL)
def test_laws(name: str, size: tuple[int, int], spin_flip: bool, generator: torch.Generator) -> None:
    group = Torus(name, spin_flip)
    order = group.order(size)
    check_group(group, torch.zeros(12 * order**2, 1, *size), code, order, generator)


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [(NoReflections("D4"), "haar draws 36"), (ShiftFirst("D4"), "expected"), (OneShiftForAll("D4"), "haar draws")],
)
def test_the_checker_rejects(wrong: Torus, broken: str, generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=broken):
        check_group(wrong, torch.zeros(12 * 72**2, 1, 3, 3), code, 72, generator)


@pytest.mark.parametrize(("name", "size"), LATTICES)
def test_elements_move_sites_as_products_and_inverses_say(
    name: str, size: tuple[int, int], generator: torch.Generator
) -> None:
    """All elements, with all sites, against walking step by step; products with a random element each."""
    group = Torus(name)
    every = group.elements(size)
    assert len(every) == group.order(size) == len(np.unique(code(every), axis=0))
    sites = list(product(range(size[0]), range(size[1])))
    moved = np.array([[move_site(group.element(torch.tensor([n]), size), r) for r in sites] for n in range(len(every))])
    image = moved[:, :, 0] * size[1] + moved[:, :, 1]
    preimage = every.preimage.flatten(1).numpy()
    for n in range(len(every)):
        assert (preimage[n][image[n]] == np.arange(len(sites))).all()

    h = group.haar(torch.zeros(len(every), 1, *size), generator)
    first_h = index_of(group, h)
    both = index_of(group, group.compose(every, h))
    assert (image[both] == np.take_along_axis(image, image[first_h], axis=1)).all()
    undone = index_of(group, group.inverse(every))
    assert (np.take_along_axis(image[undone], image, axis=1) == np.arange(len(sites))).all()


@pytest.mark.parametrize(("name", "size"), LATTICES)
def test_every_element_is_as_likely(name: str, size: tuple[int, int], generator: torch.Generator) -> None:
    group = Torus(name, spin_flip=True)
    order = group.order(size)
    drawn = index_of(group, group.haar(torch.zeros(20 * order, 2, *size), generator))
    test = ChiSquare()
    test.fit(name, np.bincount(drawn, minlength=order))
    assert test.p_value > THRESHOLD


def test_points_are_numbered_as_documented() -> None:
    turn, reflection = POINTS[1], POINTS[4]
    assert turn.tolist() == [[0, 1], [-1, 0]]
    assert reflection.tolist() == [[-1, 0], [0, 1]]
    for a, k in product(range(2), range(4)):
        expected = torch.eye(2, dtype=torch.long)
        for _ in range(k):
            expected = turn @ expected
        for _ in range(a):
            expected = reflection @ expected
        assert torch.equal(POINTS[4 * a + k], expected)
        for d in range(4):
            image = (d + k) % 4 if a == 0 else -(d + k) % 4
            assert torch.equal(POINTS[4 * a + k] @ DIRECTIONS[d], DIRECTIONS[image])


@pytest.mark.parametrize("name", POINT_GROUPS)
def test_point_groups_are_groups(name: str) -> None:
    group = Torus(name)
    g = group.elements((1, 1))
    left, right = g.point.repeat_interleave(len(g)), g.point.repeat(len(g))
    zero = torch.zeros(len(left), 2, dtype=torch.long)
    products = group.compose(LatticeSymmetry(zero, left, (1, 1)), LatticeSymmetry(zero, right, (1, 1)))
    assert set(products.point.tolist()) == set(group.points)


def test_the_flip_of_spins_commutes_with_all_else(generator: torch.Generator) -> None:
    group = Torus("D4", spin_flip=True)
    g = group.elements((3, 3))
    flip = group.element(torch.full((len(g),), group.order((3, 3)) // 2), (3, 3))
    assert flip.sign is not None
    assert flip.sign.tolist() == [-1] * len(g)
    assert (code(group.compose(flip, g)) == code(group.compose(g, flip))).all()
    assert Torus("D4").haar(torch.zeros(2, 1, 3, 3), generator).sign is None


def test_a_draw_is_the_same_from_a_generator_in_any_batch_of_that_size() -> None:
    group = Torus("D4")
    first, second = (
        group.haar(torch.zeros(7, *shape, 4, 4), torch.Generator().manual_seed(3)) for shape in ((1,), (4, 2))
    )
    assert (code(first) == code(second)).all()


def test_to_moves_every_tensor() -> None:
    g = Torus("D4", spin_flip=True).elements((2, 2)).to("meta")
    assert g.sign is not None
    assert {g.shift.device.type, g.point.device.type, g.sign.device.type} == {"meta"}
    assert Torus("D4").elements((2, 2)).to("meta").sign is None


def test_no_members(generator: torch.Generator) -> None:
    group, none = Torus("D4"), torch.zeros(0, 2, 4, 4)
    g = group.haar(none, generator)
    assert len(group.compose(group.inverse(g), group.identity(none))) == 0
    assert g.preimage.shape == (0, 4, 4)


def test_bad_input(generator: torch.Generator) -> None:
    with pytest.raises(ValueError, match="point_group must be one of C1, C2, C4, D2, D4; got 'D3'"):
        Torus("D3")
    for name in ("C4", "D4"):
        with pytest.raises(ValueError, match=f"{name} needs a square lattice; got 3 x 5, which C1, C2 and D2 allow"):
            Torus(name).haar(torch.zeros(1, 1, 3, 5), generator)
    with pytest.raises(ValueError, match="expected a lattice of at least 1 x 1 sites; got 0 x 3"):
        Torus("C1").identity(torch.zeros(1, 0, 3))
    with pytest.raises(ValueError, match=r"expected a field of shape \[B, ..., L1, L2\]; got shape \[3, 3\]"):
        Torus("C1").identity(torch.zeros(3, 3))
    group = Torus("D4")
    with pytest.raises(ValueError, match=r"expected symmetries of one lattice; got sizes \(3, 3\) and \(4, 4\)"):
        group.compose(group.identity(one(torch.zeros(1, 3, 3), 2)), group.identity(torch.zeros(2, 4, 4)))
