"""Which factor comes first, and which way elements turn: products of a few elements whose answer is known by hand.

All groups here are non-commutative. The axioms alone cannot tell a group from its opposite, in which every product is
turned around, nor an element from its inverse.
"""

from math import pi, sqrt

import pytest
import torch
from torch import Tensor

from sympe.actions import regular_representation
from sympe.groups import FiniteGroup, OrthogonalGroup, ProductGroup, cyclic, dihedral, point_group
from sympe.groups.named import rotation_about
from sympe.groups.orthogonal import rotation_of_quaternion

#: Of three places. The turn takes 0 to 1, 1 to 2 and 2 to 0; the swap exchanges 0 and 1.
TURN, SWAP = [1, 2, 0], [1, 0, 2]
#: The group that they generate, in the order in which its elements are found: breadth first, each generator after
#: each element. "Swap after turn" leaves 0 where it is: 0 to 1 to 0; "turn after swap" leaves 1: 1 to 0 to 1.
ELEMENTS = {
    "identity": [0, 1, 2],
    "turn": TURN,
    "swap": SWAP,
    "turn twice": [2, 0, 1],
    "swap after turn": [0, 2, 1],
    "turn after swap": [2, 1, 0],
}
NAMES = list(ELEMENTS)

QUARTER_ABOUT_X = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
QUARTER_ABOUT_Z = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=torch.float64)
X, Y, Z = torch.eye(3, dtype=torch.float64)

GOLDEN = (1 + sqrt(5)) / 2


def product_in(group: FiniteGroup, g: int, h: int) -> int:
    """The number of the product of two elements, from a batch of one."""
    return int(group.compose(torch.tensor([g]), torch.tensor([h])))


def number_of(group: FiniteGroup, matrix: Tensor) -> int:
    """The number of the element with this matrix."""
    assert group.matrices is not None
    (number,) = ((group.matrices - matrix).abs().amax((1, 2)) < 1e-9).nonzero().flatten().tolist()
    return int(number)


def renumbered(group: FiniteGroup, numbers: list[int]) -> FiniteGroup:
    """The same group with element i called ``numbers[i]``, and no matrices."""
    new = torch.tensor(numbers)
    old = new.argsort()
    return FiniteGroup(new[group.table[old][:, old]])


# ------------------------------------------------------------------------------------------------- permutations


def test_permutations_are_numbered_as_they_are_found() -> None:
    group = FiniteGroup.from_permutations([TURN, SWAP])
    assert len(group) == 6
    assert group.neutral == NAMES.index("identity")
    for g, images in enumerate(ELEMENTS.values()):
        for h, first in enumerate(ELEMENTS.values()):
            assert list(ELEMENTS.values())[int(group.table[g, h])] == [images[place] for place in first]


def test_the_right_factor_comes_first_for_permutations() -> None:
    group = FiniteGroup.from_permutations([TURN, SWAP])
    turn, swap = NAMES.index("turn"), NAMES.index("swap")
    assert NAMES[product_in(group, swap, turn)] == "swap after turn"
    assert NAMES[product_in(group, turn, swap)] == "turn after swap"
    assert NAMES[int(group.table[swap, turn])] == "swap after turn"
    assert NAMES[int(group.table[turn, swap])] == "turn after swap"
    inverses = [NAMES[int(i)] for i in group.inverses]
    assert inverses == ["identity", "turn twice", "swap", "turn", "swap after turn", "turn after swap"]


def test_products_are_read_from_rows_and_columns_of_the_table() -> None:
    """Row i, column j is the product of i and j, for a whole batch at a time."""
    group = dihedral(5)
    g, h = torch.arange(10).repeat_interleave(10), torch.arange(10).repeat(10)
    assert torch.equal(group.compose(g, h), group.table.flatten())
    assert not torch.equal(group.compose(g, h), group.compose(h, g))


# --------------------------------------------------------------------------------------------- groups of matrices


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_elements_of_a_dihedral_group_are_turns_and_turns_after_the_reflection(n: int) -> None:
    group = dihedral(n)
    assert group.matrices is not None
    down = torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
    turn = cyclic(n).matrices
    assert turn is not None
    for k in range(n):
        angle = torch.tensor(2 * pi * k / n, dtype=torch.float64)
        image_of_x = torch.stack([angle.cos(), angle.sin()])  # turned from x towards y
        torch.testing.assert_close(turn[k, :, 0], image_of_x)
        torch.testing.assert_close(group.matrices[k], turn[k])
        torch.testing.assert_close(group.matrices[n + k], turn[k] @ down)


def test_turns_and_reflections_of_a_square() -> None:
    """With the quarter turn r and the reflection f: r f is element 5; f r is f after r, which is r^3 f, element 7."""
    group = dihedral(4)
    r, f = 1, 4
    assert product_in(group, r, f) == int(group.table[r, f]) == 5
    assert product_in(group, f, r) == int(group.table[f, r]) == 7
    assert group.matrices is not None
    x = torch.tensor([1.0, 0.0], dtype=torch.float64)
    # First f, which keeps x, then r: up. First r, then f: down.
    torch.testing.assert_close(group.matrices[5] @ x, torch.tensor([0.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(group.matrices[7] @ x, torch.tensor([0.0, -1.0], dtype=torch.float64))


def test_the_right_factor_comes_first_for_matrices() -> None:
    """About z and then about x, a quarter turn takes x to y to z; the other way round it leaves x, and then: y."""
    group = FiniteGroup.from_matrices(torch.stack([QUARTER_ABOUT_X, QUARTER_ABOUT_Z]))
    assert len(group) == 24
    assert group.matrices is not None
    about_x, about_z = number_of(group, QUARTER_ABOUT_X), number_of(group, QUARTER_ABOUT_Z)
    for g, h, image in ((about_x, about_z, Z), (about_z, about_x, Y)):
        for product in (product_in(group, g, h), int(group.table[g, h])):
            torch.testing.assert_close(group.matrices[product] @ X, image)


@pytest.mark.parametrize(
    "name", ["C1", "Cs", "C3v", "D3", "D2d", "D3d", "D4h", "S4", "T", "Td", "Th", "O", "Oh", "I", "Ih"]
)
def test_matrices_of_point_groups_multiply_as_compose_says(name: str) -> None:
    """All pairs of elements, through ``compose`` and through the table."""
    group = point_group(name)
    assert group.matrices is not None
    n = len(group)
    g, h = torch.arange(n).repeat_interleave(n), torch.arange(n).repeat(n)
    products = (group.matrices[:, None] @ group.matrices).flatten(0, 1)
    torch.testing.assert_close(group.matrices[group.compose(g, h)], products, rtol=0, atol=1e-9)
    torch.testing.assert_close(group.matrices[group.table].flatten(0, 1), products, rtol=0, atol=1e-9)
    torch.testing.assert_close(group.matrices[group.inverses], group.matrices.transpose(1, 2), rtol=0, atol=1e-9)
    torch.testing.assert_close(group.matrices[group.neutral], torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-12)


def test_the_regular_representation_multiplies_from_the_left() -> None:
    """Element g takes the basis vector of h to that of g h."""
    group = FiniteGroup.from_permutations([TURN, SWAP])
    matrices = regular_representation(group)
    swap, turn = NAMES.index("swap"), NAMES.index("turn")
    assert NAMES[int(matrices[swap, :, turn].argmax())] == "swap after turn"
    assert NAMES[int(matrices[turn, :, swap].argmax())] == "turn after swap"


# ----------------------------------------------------------------------------------------------- axes of point groups


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("D3", [[1, 0, 0], [0, -1, 0], [0, 0, -1]]),  # the twofold axis holds x
        ("D5", [[1, 0, 0], [0, -1, 0], [0, 0, -1]]),
        ("C3v", [[1, 0, 0], [0, -1, 0], [0, 0, 1]]),  # the mirror holds x
        ("C5v", [[1, 0, 0], [0, -1, 0], [0, 0, 1]]),
        ("C3h", [[1, 0, 0], [0, 1, 0], [0, 0, -1]]),
        ("D2d", [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),  # the mirror is halfway between the twofold axes x and y
        ("D2d", [[1, 0, 0], [0, -1, 0], [0, 0, -1]]),
        ("D2d", [[0, -1, 0], [1, 0, 0], [0, 0, -1]]),  # a quarter turn, reflected
        ("S4", [[0, -1, 0], [1, 0, 0], [0, 0, -1]]),
        ("T", [[0, 0, 1], [1, 0, 0], [0, 1, 0]]),  # x to y to z to x
        ("T", [[1, 0, 0], [0, -1, 0], [0, 0, -1]]),
        ("Td", [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),  # mirrors hold an edge of the tetrahedron and the middle of another
        ("Th", [[1, 0, 0], [0, 1, 0], [0, 0, -1]]),
        ("O", [[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
        ("C4", [[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
        ("I", [[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    ],
)
def test_point_groups_lie_along_the_axes_that_are_documented(name: str, kept: list[list[int]]) -> None:
    number_of(point_group(name), torch.tensor(kept, dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("D3", [[-1, 0, 0], [0, 1, 0], [0, 0, -1]]),
        ("C3v", [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ("D2d", [[1, 0, 0], [0, -1, 0], [0, 0, 1]]),
        ("Td", [[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
        ("Td", [[1, 0, 0], [0, 1, 0], [0, 0, -1]]),
        ("I", [[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    ],
)
def test_point_groups_have_no_element_along_other_axes(name: str, other: list[list[int]]) -> None:
    matrices = point_group(name).matrices
    assert matrices is not None
    assert (matrices - torch.tensor(other, dtype=torch.float64)).abs().amax((1, 2)).min() > 0.1


def test_the_icosahedron_stands_where_it_is_documented() -> None:
    """Corners (0, ±1, ±golden mean) and cyclic: I keeps all twelve, and T is a subgroup of it."""
    corner = [[0.0, a, b * GOLDEN] for a in (1, -1) for b in (1, -1)]
    corners = torch.tensor([c[-k:] + c[:-k] for c in corner for k in range(3)], dtype=torch.float64)
    for name in ("I", "Ih"):
        group = point_group(name)
        assert group.matrices is not None
        images = torch.einsum("gij,cj->gci", group.matrices, corners)
        distance = torch.cdist(images, corners.expand(len(group), -1, -1))
        assert bool((distance.amin(2) < 1e-9).all())
    small = point_group("T").matrices
    assert small is not None
    numbers = [number_of(point_group("I"), matrix) for matrix in small]
    assert len(point_group("I").subgroup(numbers)) == 12


# --------------------------------------------------------------------------------------------- subgroups and cosets


def test_left_cosets_of_a_reflection_are_not_its_right_cosets() -> None:
    """In D3, H = {1, f}: g H is {r, r f} and {r r, r r f}; H g would be {r, f r} = {r, r r f}."""
    r, f = 1, 3
    assert dihedral(3).left_cosets([0, f]).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert dihedral(3).left_cosets([f + r, 0]).tolist() == [[0, 4], [1, 5], [2, 3]]


def test_left_cosets_of_permutations_have_one_image_of_a_place() -> None:
    """H leaves place 2; all of g H take it where g takes it."""
    group = FiniteGroup.from_permutations([TURN, SWAP])
    cosets = group.left_cosets([NAMES.index("identity"), NAMES.index("swap")])
    images = [{ELEMENTS[NAMES[i]][2] for i in coset} for coset in cosets.tolist()]
    assert images == [{2}, {0}, {1}]


def test_a_subgroup_multiplies_as_the_group_does() -> None:
    """The triangle in the hexagon: turns by 120 degrees and the reflection, a non-commutative subgroup of D6."""
    hexagon = renumbered(dihedral(6), list(range(12)))  # no matrices: nothing but the table can tell
    triangle = hexagon.subgroup([10, 0, 6, 2, 8, 4])  # its elements are numbered as sorted: 0 2 4 6 8 10
    assert torch.equal(triangle.table, dihedral(3).table)
    assert product_in(triangle, 3, 1) == 5  # f r = r r f
    assert product_in(triangle, 1, 3) == 4
    assert triangle.matrices is None


def test_a_subgroup_keeps_the_matrices_of_its_elements() -> None:
    hexagon = dihedral(6)
    triangle = hexagon.subgroup(torch.tensor([10, 0, 6, 2, 8, 4]))
    expected = dihedral(3).matrices
    assert triangle.matrices is not None
    assert expected is not None
    torch.testing.assert_close(triangle.matrices, expected)


def test_the_identity_may_have_any_number() -> None:
    """D3 numbered backwards: the identity is 5, the turns 4 and 3, the reflections 2, 1 and 0."""
    group = renumbered(dihedral(3), [5, 4, 3, 2, 1, 0])
    assert group.neutral == 5
    assert group.identity(torch.zeros(2)).tolist() == [5, 5]
    assert group.inverse(torch.arange(6)).tolist() == [0, 1, 2, 4, 3, 5]
    assert group.element_orders().tolist() == [2, 2, 2, 3, 3, 1]
    assert product_in(group, 4, 2) == 1  # r f
    assert product_in(group, 2, 4) == 0  # f r
    assert group.generate([]).tolist() == [5]
    assert group.generate([4]).tolist() == [3, 4, 5]
    assert group.left_cosets([2, 5]).tolist() == [[2, 5], [0, 3], [1, 4]]  # the subgroup itself first
    turns = group.subgroup([3, 4, 5])
    assert turns.neutral == 2
    assert turns.table.tolist() == [[1, 2, 0], [2, 0, 1], [0, 1, 2]]


# ----------------------------------------------------------------------------------------- rotations, and products


def test_the_right_factor_comes_first_for_rotations() -> None:
    group = OrthogonalGroup(3, special=True)
    about_x, about_z = QUARTER_ABOUT_X[None], QUARTER_ABOUT_Z[None]
    torch.testing.assert_close(group.compose(about_x, about_z)[0] @ X, Z)
    torch.testing.assert_close(group.compose(about_z, about_x)[0] @ X, Y)
    # One product for each member of the batch.
    both = group.compose(torch.cat([about_x, about_z]), torch.cat([about_z, about_x]))
    torch.testing.assert_close(both @ X, torch.stack([Z, Y]))


def test_the_right_factor_comes_first_in_the_plane() -> None:
    group = OrthogonalGroup(2)
    quarter = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
    flip = torch.tensor([[[1.0, 0.0], [0.0, -1.0]]])
    x = torch.tensor([1.0, 0.0])
    assert (group.compose(quarter, flip)[0] @ x).tolist() == [0.0, 1.0]
    assert (group.compose(flip, quarter)[0] @ x).tolist() == [0.0, -1.0]


def test_rotations_turn_as_a_right_hand_does() -> None:
    torch.testing.assert_close(rotation_about([1, 0, 0], pi / 2), QUARTER_ABOUT_X)
    torch.testing.assert_close(rotation_about([0, 0, 3], pi / 2), QUARTER_ABOUT_Z)
    about_diagonal = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)  # x to y to z to x
    torch.testing.assert_close(rotation_about([1, 1, 1], 2 * pi / 3), about_diagonal)
    half = sqrt(0.5)
    quaternions = torch.tensor(
        [[half, half, 0, 0], [half, 0, 0, half], [0.5, 0.5, 0.5, 0.5], [-0.5, -0.5, -0.5, -0.5]], dtype=torch.float64
    )
    expected = torch.stack([QUARTER_ABOUT_X, QUARTER_ABOUT_Z, about_diagonal, about_diagonal])
    torch.testing.assert_close(rotation_of_quaternion(quaternions), expected)


def test_quaternions_multiply_as_their_rotations_do(generator: torch.Generator) -> None:
    p, q = torch.nn.functional.normalize(torch.randn(2, 20, 4, generator=generator, dtype=torch.float64), dim=2)
    a, b = p[:, :1], q[:, :1]
    u, v = p[:, 1:], q[:, 1:]
    product = torch.cat([a * b - (u * v).sum(1, keepdim=True), a * v + b * u + torch.linalg.cross(u, v)], dim=1)
    torch.testing.assert_close(
        rotation_of_quaternion(product), rotation_of_quaternion(p) @ rotation_of_quaternion(q), rtol=0, atol=1e-12
    )


def test_each_factor_of_a_product_multiplies_from_the_left() -> None:
    group = ProductGroup(OrthogonalGroup(3), dihedral(4), FiniteGroup.from_permutations([TURN, SWAP]))
    turn, swap = torch.tensor([NAMES.index("turn")]), torch.tensor([NAMES.index("swap")])
    g = (QUARTER_ABOUT_X[None], torch.tensor([1]), swap)
    h = (QUARTER_ABOUT_Z[None], torch.tensor([4]), turn)
    rotation, element, permutation = group.compose(g, h)
    torch.testing.assert_close(rotation[0] @ X, Z)
    assert element.tolist() == [5]
    assert NAMES[int(permutation)] == "swap after turn"
    rotation, element, permutation = group.compose(h, g)
    torch.testing.assert_close(rotation[0] @ X, Y)
    assert element.tolist() == [7]
    assert NAMES[int(permutation)] == "turn after swap"
