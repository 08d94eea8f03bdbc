from collections.abc import Callable

import pytest
import torch

from examples import SMALL, single
from laws import check_element, check_group, copies, local_images
from sympe import Graphs
from sympe.graphs import concatenate
from sympe.groups import Group, Permutation, SymmetricGroup

PATH = single(3, [(0, 1), (1, 2)])
DRAWS = 6000


class NaiveShuffle(SymmetricGroup):
    """Swaps every node with any node of its graph: the classic biased shuffle, 27 equally likely paths to 6 orders."""

    def haar(self, like: Graphs, generator: torch.Generator | None = None) -> Permutation:
        image = torch.arange(3).repeat(len(like), 1)
        rows = torch.arange(len(like))
        for i in range(3):
            j = torch.randint(3, (len(like),), generator=generator)
            image[rows, i], image[rows, j] = image[rows, j], image[rows, i].clone()
        return Permutation.from_order(image.view(-1) + like.start, like)


class OneDrawForAll(SymmetricGroup):
    """Uniform for each graph, but the same for all graphs of a batch."""

    def haar(self, like: Graphs, generator: torch.Generator | None = None) -> Permutation:
        image = torch.randperm(3, generator=generator).repeat(len(like))
        return Permutation.from_order(image + like.start, like)


class OneDrawForTwo(SymmetricGroup):
    """Uniform for each graph, but the same for a graph and its neighbor in the batch."""

    def haar(self, like: Graphs, generator: torch.Generator | None = None) -> Permutation:
        image = torch.rand(len(like) // 2, 3, generator=generator).argsort(1).repeat_interleave(2, dim=0)
        return Permutation.from_order(image.view(-1) + like.start, like)


class NeverOdd(SymmetricGroup):
    """Rotations only."""

    def haar(self, like: Graphs, generator: torch.Generator | None = None) -> Permutation:
        turn = torch.randint(3, (len(like),), generator=generator)[like.batch]
        return Permutation.from_order((torch.arange(like.num_nodes) + turn) % 3 + like.start, like)


class RightToLeft(SymmetricGroup):
    def inverse(self, g: Permutation) -> Permutation:
        return g


def code(g: Permutation) -> object:
    return local_images(g, PATH)


REGISTRY: list[tuple[Group, Graphs, Callable, int]] = [
    (SymmetricGroup(), copies(PATH, DRAWS), code, 6),
]


@pytest.mark.parametrize(("group", "batch", "code", "order"), REGISTRY)
def test_laws(group: Group, batch: Graphs, code: Callable, order: int, generator: torch.Generator) -> None:
    check_group(group, batch, code, order, generator)


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        (NaiveShuffle(), "uniform"),
        (OneDrawForAll(), "haar draws 1"),
        (OneDrawForTwo(), "independent"),
        (NeverOdd(), "haar draws 3"),
        (RightToLeft(), "expected g"),
    ],
)
def test_the_checker_rejects(wrong: Group, broken: str, generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=broken):
        check_group(wrong, copies(PATH, DRAWS), code, 6, generator)


def test_haar_keeps_every_node_in_its_graph(generator: torch.Generator) -> None:
    sizes = concatenate([Graphs(graph.edge_index, graph.batch) for graph in SMALL.values()])
    g = SymmetricGroup().haar(sizes, generator)
    check_element(g, sizes)
    assert (g.rank < sizes.sizes[sizes.batch]).all()
    assert (g.rank >= 0).all()


def test_empty_graphs_and_no_graphs(generator: torch.Generator) -> None:
    none = torch.zeros(2, 0, dtype=torch.long)
    group = SymmetricGroup()
    for batch, num_graphs in (([], 0), ([], 3), ([1, 1, 4], 7)):
        graphs = Graphs(none, torch.tensor(batch, dtype=torch.long), num_graphs=num_graphs)
        g = group.compose(group.haar(graphs, generator), group.identity(graphs))
        check_element(g, graphs)


def test_images_and_ranks_are_inverse() -> None:
    g = Permutation.from_images([[1, 2, 0]], PATH)
    assert g.image.tolist() == [1, 2, 0]
    assert g.rank.tolist() == [2, 0, 1]


def test_products_apply_the_right_factor_first() -> None:
    g, h = Permutation.from_images([[1, 0, 2]], PATH), Permutation.from_images([[0, 2, 1]], PATH)
    assert SymmetricGroup().compose(g, h).image.tolist() == [1, 2, 0]


def test_a_relaxation_follows_the_right_factor(generator: torch.Generator) -> None:
    group = SymmetricGroup()
    many = copies(PATH, 4)
    g, h = group.haar(many, generator), group.haar(many, generator)
    one_hot = torch.nn.functional.one_hot(h.rank, 3).float()
    relaxed = Permutation(h.image, h.preimage, h.batch, h.start, one_hot)
    product = group.compose(g, relaxed)
    assert product.relaxed is not None
    assert torch.equal(product.relaxed.argmax(1), product.rank)
    assert group.inverse(relaxed).relaxed is None


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([[0, 0, 1]], r"an image must hold a permutation of 0\.\.2; got \[0, 0, 1\]"),
        ([[1, 2, 3]], r"an image must hold a permutation of 0\.\.2; got \[1, 2, 3\]"),
        ([[0, 1]], r"expected images of lengths \[3\]; got \[2\]"),
        ([[0, 1, 2], [0]], r"expected images of lengths \[3, 0\]; got \[3, 1\]"),
    ],
)
def test_images_must_be_permutations(images: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Permutation.from_images(images, PATH)
