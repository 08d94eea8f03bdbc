import networkx
import pytest
import torch

from examples import SMALL
from laws import copies, local_images
from sympe import InversionKernel
from sympe.canonicalize import Spectral
from sympe.graphs import from_networkx


def test_a_path_is_ordered_from_end_to_end(generator: torch.Generator) -> None:
    path = from_networkx([networkx.path_graph(9)])
    ranks = {tuple(InversionKernel(Spectral())(path, generator).rank.tolist()) for _ in range(30)}
    assert ranks == {tuple(range(9)), tuple(range(8, -1, -1))}


def test_a_graph_without_symmetry_keeps_one_bit_of_randomness(generator: torch.Generator) -> None:
    """A spider with legs of 1, 2 and 3 nodes: no two entries of its first vector are equal, and its sign is drawn."""
    spider = from_networkx([networkx.Graph([(0, 1), (0, 2), (2, 3), (0, 4), (4, 5), (5, 6)])])
    images = local_images(InversionKernel(Spectral())(copies(spider, 200), generator), spider)
    assert len({tuple(image) for image in images.tolist()}) == 2


@pytest.mark.parametrize("num_vectors", [1, 2, 5, 20])
def test_any_number_of_vectors(num_vectors: int, generator: torch.Generator) -> None:
    g = InversionKernel(Spectral(num_vectors))(SMALL["star 5"], generator)
    assert sorted(g.rank.tolist()) == [0, 1, 2, 3, 4]


def test_num_vectors_must_be_positive() -> None:
    with pytest.raises(ValueError, match="num_vectors must be at least 1; got 0"):
        Spectral(num_vectors=0)
