"""Character tables, by orthogonality and known dimensions."""

import pytest
import torch

from sympe.groups import FiniteGroup, characters, conjugacy_classes, cyclic, dihedral, point_group, real_characters

DIMENSIONS = {"C3v": [1, 1, 2], "Td": [1, 1, 2, 3, 3], "I": [1, 3, 3, 4, 5], "D2h": [1] * 8, "T": [1, 1, 1, 3]}


@pytest.mark.parametrize("name", DIMENSIONS)
def test_dimensions_and_orthogonality(name: str) -> None:
    group = point_group(name)
    rows, classes = characters(group), conjugacy_classes(group)
    assert rows[:, group.neutral].real.round().int().tolist() == DIMENSIONS[name]
    assert len(rows) == int(classes.max()) + 1
    assert torch.allclose(rows @ rows.conj().T / group.order, torch.eye(len(rows)).to(rows), atol=1e-8)
    assert torch.allclose(rows[0].real, torch.ones(group.order).double())
    for number in classes.unique():
        here = rows[:, classes == number]
        assert (here - here[:, :1]).abs().max() < 1e-9
    # Products of characters are sums of characters with whole coefficients.
    counts = (rows[-1] * rows[-1].conj()) @ rows.conj().T / group.order
    assert torch.allclose(counts, counts.real.round().to(counts), atol=1e-8)


def test_regular_representation_and_complex_pairs() -> None:
    for group in (cyclic(5), dihedral(6), point_group("S4"), point_group("Th")):
        rows = real_characters(group)
        multiple = rows[:, group.neutral] / (rows.square().sum(1) / group.order)
        regular = (multiple[:, None] * rows).sum(0)
        expected = torch.zeros(group.order).double()
        expected[group.neutral] = group.order
        assert torch.allclose(regular, expected, atol=1e-8)
    assert real_characters(cyclic(5))[:, 0].tolist() == pytest.approx([1, 2, 2])


def test_quaternions() -> None:
    group = FiniteGroup.from_permutations([[1, 2, 3, 0, 5, 6, 7, 4], [4, 7, 6, 5, 2, 1, 0, 3]])
    assert characters(group)[:, group.neutral].real.round().tolist() == [1, 1, 1, 1, 2]
