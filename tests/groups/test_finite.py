"""Finite groups: axioms and Haar measure by counting, tables that are no groups, subgroups and cosets."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
import torch
from torch import Tensor

from laws import check_group
from sympe.groups import FiniteGroup, ProductGroup, SymmetricGroup, cyclic, dihedral, point_group

KLEIN = torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])
QUATERNIONS = [[1, 2, 3, 0, 5, 6, 7, 4], [4, 7, 6, 5, 2, 1, 0, 3]]  # i and j, acting on the eight units
#: A Latin square with an identity and inverses that is not associative (a loop of order 5).
LOOP = torch.tensor([[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]])

GROUPS: dict[str, tuple[Callable[[], FiniteGroup], int]] = {
    "trivial": (lambda: cyclic(1), 1),
    "C5": (lambda: cyclic(5), 5),
    "D1": (lambda: dihedral(1), 2),
    "D4": (lambda: dihedral(4), 8),
    "Klein": (lambda: FiniteGroup(KLEIN), 4),
    "quaternions": (lambda: FiniteGroup.from_permutations(QUATERNIONS), 8),
    "S4": (lambda: FiniteGroup.from_permutations([[1, 2, 3, 0], [1, 0, 2, 3]]), 24),
    "T": (lambda: point_group("T"), 12),
    "Td": (lambda: point_group("Td"), 24),
    "O": (lambda: point_group("O"), 24),
    "D3d": (lambda: point_group("D3d"), 12),
}
#: Number of elements of each order, from the character tables: {order of element: how many}.
CLASSES = {
    "Cs": {1: 1, 2: 1},
    "Ci": {1: 1, 2: 1},
    "S4": {1: 1, 2: 1, 4: 2},
    "C3h": {1: 1, 2: 1, 3: 2, 6: 2},
    "C2v": {1: 1, 2: 3},
    "D2d": {1: 1, 2: 5, 4: 2},
    "D3d": {1: 1, 2: 7, 3: 2, 6: 2},
    "D6h": {1: 1, 2: 15, 3: 2, 6: 6},
    "D5d": {1: 1, 2: 11, 5: 4, 10: 4},
    "T": {1: 1, 2: 3, 3: 8},
    "Td": {1: 1, 2: 9, 3: 8, 4: 6},
    "Th": {1: 1, 2: 7, 3: 8, 6: 8},
    "O": {1: 1, 2: 9, 3: 8, 4: 6},
    "Oh": {1: 1, 2: 19, 3: 8, 4: 12, 6: 8},
    "I": {1: 1, 2: 15, 3: 20, 5: 24},
    "Ih": {1: 1, 2: 31, 3: 20, 5: 24, 6: 20, 10: 24},
}


def code(g: Tensor) -> object:
    return g[:, None].numpy()


@pytest.mark.parametrize("name", GROUPS)
def test_axioms_and_haar_measure(name: str, generator: torch.Generator) -> None:
    make, order = GROUPS[name]
    group = make()
    assert group.order == order == len(group)
    check_group(group, torch.zeros(max(100, 12 * order**2), 1), code, order, generator)


def test_a_product_of_groups(generator: torch.Generator) -> None:
    group = ProductGroup(cyclic(3), point_group("C2v"))
    check_group(group, torch.zeros(2000), lambda g: np.stack([g[0], g[1]], 1), 12, generator)
    with pytest.raises(ValueError, match="at least one group"):
        ProductGroup()


def test_the_checker_rejects_a_product_of_one_draw(generator: torch.Generator) -> None:
    class Same(ProductGroup):
        def haar(self, like: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
            g = cyclic(3).haar(like, generator)
            return g, g

    with pytest.raises(AssertionError, match="expected 9 elements; haar draws 3"):
        check_group(Same(cyclic(3), cyclic(3)), torch.zeros(900), lambda g: np.stack(g, 1), 9, generator)


@pytest.mark.parametrize("name", CLASSES)
def test_point_groups_have_the_elements_of_their_character_tables(name: str) -> None:
    group = point_group(name)
    orders, counts = group.element_orders().unique(return_counts=True)
    assert dict(zip(orders.tolist(), counts.tolist(), strict=True)) == CLASSES[name]
    matrices = group.matrices
    assert matrices is not None
    assert torch.allclose(matrices @ matrices.transpose(1, 2), torch.eye(3).double())
    assert torch.allclose(matrices[3 % len(matrices)] @ matrices[-1], matrices[group.table[3 % len(matrices), -1]])
    is_chiral = name in {"T", "O", "I"}
    assert bool((torch.linalg.det(matrices) > 0).all()) == is_chiral


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 12])
def test_series_have_their_orders(n: int) -> None:
    orders = {f"C{n}": n, f"C{n}v": 2 * n, f"C{n}h": 2 * n, f"D{n}": 2 * n, f"D{n}h": 4 * n, f"D{n}d": 4 * n}
    assert {name: point_group(name).order for name in orders} == orders
    assert point_group(f"S{2 * n}").order == 2 * n
    assert dihedral(n).order == 2 * cyclic(n).order == 2 * n
    matrices = dihedral(n).matrices
    assert matrices is not None
    assert torch.cdist(matrices.flatten(1), matrices.flatten(1)).fill_diagonal_(9).min() > 0.1  # faithful


@pytest.mark.parametrize("name", ["", "X2", "C0", "S3", "Tx", "Cinfv", "Kh", "D2v", "Td2", "C1000"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected the name of a finite point group, such as D3h or Td; got"):
        point_group(name)


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (LOOP, r"not that of a group: \(1 1\) 2 is not 1 \(1 2\)"),
        (KLEIN[:, :3], r"shape \[n, n\]; got \[4, 3\]"),
        (torch.zeros(0, 0, dtype=torch.long), r"shape \[n, n\]; got \[0, 0\]"),
        (KLEIN.float(), "a multiplication table must hold integers; got torch.float32"),
        (KLEIN + 1, r"a table of products 0..3; got 1..4"),
        (torch.tensor([[0, 0], [1, 1]]), "no element is an identity"),
        (torch.tensor([[0, 1], [1, 1]]), "element 1 has no inverse"),
    ],
    ids=["loop", "oblong", "empty", "float", "range", "no identity", "monoid"],
)
def test_a_table_that_is_not_a_group_is_refused(table: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FiniteGroup(table)


def test_every_corrupted_entry_is_noticed() -> None:
    table = dihedral(3).table
    for i in range(6):
        for j in range(6):
            wrong = table.clone()
            wrong[i, j] = (wrong[i, j] + 1) % 6
            with pytest.raises(ValueError, match="not that of a group"):
                FiniteGroup(wrong)


@pytest.mark.untyped
def test_wrong_generators_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected permutations of 0..2; got \[0, 0, 1\]"):
        FiniteGroup.from_permutations([[0, 0, 1]])
    with pytest.raises(ValueError, match="expected at least one generator"):
        FiniteGroup.from_permutations([])
    with pytest.raises(ValueError, match=r"expected square matrices, shape \[k, d, d\]; got \[2, 3\]"):
        FiniteGroup.from_matrices(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="expected finite, invertible matrices"):
        FiniteGroup.from_matrices(torch.zeros(1, 3, 3))
    turn = torch.tensor([[[0.6, -0.8], [0.8, 0.6]]])  # by an angle that is no fraction of a full turn
    with pytest.raises(ValueError, match="a group of at most 5000 elements; they give more"):
        FiniteGroup.from_matrices(turn)
    with pytest.raises(ValueError, match="matrices that multiply as the elements of group do; element 1 does not"):
        FiniteGroup(KLEIN, torch.eye(2).expand(4, 2, 2) * torch.tensor([1.0, -1, -1, -1])[:, None, None])
    with pytest.raises(ValueError, match=r"expected 4 square matrices, shape \[4, d, d\]; got \[3, 2, 2\]"):
        FiniteGroup(KLEIN, torch.zeros(3, 2, 2))
    with pytest.raises(ValueError, match="n must be at least 1; got 0"):
        cyclic(0)


def test_permutations_compose_as_the_symmetric_group_does() -> None:
    """``table[g, h]`` is "first h, then g" for permutations as images."""
    group = FiniteGroup.from_permutations([[1, 2, 0], [1, 0, 2]])
    images = list(permutations(range(3)))
    found = {}
    # Elements are numbered as they are found; the regular action of each tells which it is.
    elements = [tuple(range(3))]
    for element in elements:
        for generator in ((1, 2, 0), (1, 0, 2)):
            product = tuple(generator[i] for i in element)
            if product not in elements:
                elements.append(product)
    for i, g in enumerate(elements):
        for j, h in enumerate(elements):
            found[i, j] = elements.index(tuple(g[h[k]] for k in range(3)))
    assert sorted(elements) == images
    assert all(int(group.table[i, j]) == k for (i, j), k in found.items())


def test_subgroups_and_cosets() -> None:
    group = point_group("Oh")
    assert group.matrices is not None
    axis = torch.tensor([0.0, 0.0, 1.0]).double()
    fixing = ((group.matrices @ axis - axis).norm(dim=1) < 1e-9).nonzero()[:, 0]
    subgroup = group.subgroup(fixing, "C4v")
    assert (subgroup.order, subgroup.name) == (8, "C4v")
    cosets = group.left_cosets(fixing)
    assert cosets.shape == (6, 8)  # orbit times stabilizer is the order
    assert cosets.flatten().sort().values.tolist() == list(range(48))
    images = group.matrices[cosets] @ axis
    assert torch.allclose(images, images[:, :1].expand_as(images))  # a coset has one image of the axis
    assert group.generate(fixing).tolist() == fixing.tolist()
    assert group.generate([]).tolist() == [group.neutral]
    assert len(group.generate(torch.arange(48))) == 48
    three = int((group.element_orders() == 3).nonzero()[0])
    for call in (group.subgroup, group.left_cosets):
        with pytest.raises(ValueError, match="expected elements closed under products"):
            call([group.neutral, three])
    with pytest.raises(ValueError, match=r"expected elements 0..47; got \[48\]"):
        group.generate([48])


def test_a_joint_group_takes_one_batch(generator: torch.Generator) -> None:
    from examples import LARGE

    graphs = LARGE["cycle 8"][0]
    permutation, element = ProductGroup(SymmetricGroup(), cyclic(2)).haar(graphs, generator)
    assert permutation.image.shape == (8,)
    assert element.shape == (1,)
