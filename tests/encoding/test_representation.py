"""Encodings in representations of finite groups."""

import pytest
import torch

from sympe.actions import permutation_representation, regular_representation
from sympe.encoding import RepresentationEncoding
from sympe.groups import point_group


@pytest.mark.parametrize("name", ["C4", "D4", "T", "Oh"])
def test_left_action(name: str, generator: torch.Generator) -> None:
    group = point_group(name)
    for matrices in (None, group.matrices):
        encoding = RepresentationEncoding(group, matrices)
        g, h = (group.haar(torch.zeros(20), generator) for _ in range(2))
        moved = torch.einsum("bij,bj->bi", encoding.matrices[h], encoding(g))
        assert torch.allclose(encoding(group.compose(h, g)), moved, atol=1e-5)


def test_the_regular_representation_breaks_every_symmetry() -> None:
    group = point_group("Oh")
    images = RepresentationEncoding(group)(torch.arange(len(group)))
    assert len(images.unique(dim=0)) == len(group)


def test_the_representation_is_one() -> None:
    group = point_group("D4")
    matrices = regular_representation(group)
    for g in range(len(group)):
        assert torch.equal(matrices[g] @ matrices, matrices[group.table[g]])
    turned = matrices.clone()
    turned[3] = turned[3] @ matrices[1]
    with pytest.raises(ValueError, match="expected matrices that multiply as the elements of D4 do"):
        RepresentationEncoding(group, turned)
    with pytest.raises(ValueError, match=r"expected 8 square matrices, shape \[8, d, d\]; got \[7, 8, 8\]"):
        RepresentationEncoding(group, matrices[:7])


def test_permutations_as_matrices() -> None:
    matrices = permutation_representation(torch.tensor([[0, 1, 2], [1, 2, 0]]))
    assert (matrices[1] @ torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)).tolist() == [3, 1, 2]
