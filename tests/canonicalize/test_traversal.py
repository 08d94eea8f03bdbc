"""Orders of traversal: node by node against a plain loop, and their law under the kernel."""

import networkx
import numpy as np
import pytest
import torch

from examples import LARGE, SMALL, batch_of, shuffle_edges
from laws import (
    ChiSquare,
    all_permutations_of,
    check_element,
    check_inversion_kernel,
    check_kernel,
    copies,
    local_images,
)
from sympe import Graphs, InversionKernel
from sympe.canonicalize import BreadthFirst, DepthFirst, Labeling, RandomDepthFirst
from sympe.canonicalize.traversal import Traversal
from sympe.graphs import concatenate, from_networkx
from sympe.groups import Permutation

TRAVERSALS = [BreadthFirst, DepthFirst]
BY_LABEL = RandomDepthFirst((2, 1), by=("degree",))
BY_BRANCH = RandomDepthFirst(by=("branch", "degree"))
LAST = RandomDepthFirst(last=(1, 0))
RULES = {"by label": BY_LABEL, "by branch": BY_BRANCH, "last": LAST}


def visit(x: Graphs, depth_first: bool) -> list[int]:
    """The nodes of one graph in the order of visit, by the definition."""
    pairs = set(map(tuple, x.edge_index.T.tolist()))
    order: list[int] = []
    left = list(range(x.num_nodes))
    while left:
        for node in reversed(order) if depth_first else order:
            onward = [other for other in left if (node, other) in pairs or (other, node) in pairs]
            if onward:
                order.append(onward[0])
                break
        else:
            order.append(left[0])
        left.remove(order[-1])
    return order


def example(generator: torch.Generator) -> list[Graphs]:
    """Random graphs from edgeless to dense, some of several components, with empty ones in between."""
    random = [networkx.gnp_random_graph(n, p, seed=n) for n in range(9) for p in (0.15, 0.3, 0.6)]
    plain = [from_networkx([graph]) for graph in random]
    return [shuffle_edges(x, generator) for x in plain]


@pytest.mark.parametrize("traversal", TRAVERSALS)
def test_every_step_is_that_of_a_plain_loop(traversal: type[Traversal], generator: torch.Generator) -> None:
    graphs = example(generator)
    batch = concatenate(graphs)
    g = traversal()(batch)
    check_element(g, batch)
    start = batch.ptr.tolist()
    expected = [node + start[i] for i, x in enumerate(graphs) for node in visit(x, traversal is DepthFirst)]
    assert g.image.tolist() == expected


@pytest.mark.parametrize("traversal", TRAVERSALS)
@pytest.mark.parametrize("name", SMALL)
def test_directions_labels_loops_and_double_edges_are_left_aside(traversal: type[Traversal], name: str) -> None:
    x = SMALL[name]
    assert traversal()(x).image.tolist() == visit(x, traversal is DepthFirst)


def test_on_a_binary_tree_the_two_are_the_textbook_orders() -> None:
    tree = from_networkx([networkx.balanced_tree(2, 2)])
    assert BreadthFirst()(tree).image.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert DepthFirst()(tree).image.tolist() == [0, 1, 3, 4, 2, 5, 6]


@pytest.mark.parametrize("traversal", TRAVERSALS)
def test_the_law_moves_with_the_input(traversal: type[Traversal], generator: torch.Generator) -> None:
    check_kernel(InversionKernel(traversal()), SMALL, generator)


@pytest.mark.parametrize("traversal", TRAVERSALS)
def test_a_walk_over_the_canonical_form_is_canonical(traversal: type[Traversal], generator: torch.Generator) -> None:
    examples = SMALL | {name: LARGE[name][0] for name in ("petersen", "frucht", "two triangles", "kekule benzene")}
    check_inversion_kernel(InversionKernel(traversal(Labeling())), examples, generator)
    x = LARGE["petersen"][0]
    image = traversal(Labeling())(x).image.tolist()
    pairs = set(map(tuple, x.edge_index.T.tolist()))
    assert all(any((a, b) in pairs for a in image[:r]) for r, b in enumerate(image) if r)


@pytest.mark.parametrize("traversal", TRAVERSALS)
def test_every_draw_walks_along_edges(traversal: type[Traversal], generator: torch.Generator) -> None:
    """In a connected graph every node but the first has a neighbor before it; the first may be any node."""
    for name in ("petersen", "path 7", "star 6", "cube"):
        x, _ = LARGE[name]
        images = local_images(InversionKernel(traversal())(copies(x, 200), generator), x)
        pairs = set(map(tuple, x.edge_index.T.tolist()))
        for image in images.tolist():
            assert all(any((a, b) in pairs for a in image[:r]) for r, b in enumerate(image) if r), name
        assert set(images[:, 0]) == set(range(x.num_nodes)), name


def test_on_a_path_there_are_as_many_orders_as_the_walks_allow(generator: torch.Generator) -> None:
    """Path 0 1 2 3: depth first goes on to the end, then jumps back; from an inner node there are two ways."""
    path = from_networkx([networkx.path_graph(4)])
    found = {}
    for traversal in TRAVERSALS:
        images = local_images(InversionKernel(traversal())(copies(path, 400), generator), path)
        found[traversal] = set(map(tuple, images.tolist()))
    ends = {(0, 1, 2, 3), (3, 2, 1, 0)}
    assert found[DepthFirst] == ends | {(1, 0, 2, 3), (1, 2, 3, 0), (2, 1, 0, 3), (2, 3, 1, 0)}
    assert found[BreadthFirst] == ends | {(1, 0, 2, 3), (1, 2, 0, 3), (2, 1, 3, 0), (2, 3, 1, 0)}


@pytest.mark.parametrize("traversal", TRAVERSALS)
def test_no_graphs_and_graphs_without_nodes(traversal: type[Traversal]) -> None:
    none = torch.zeros(2, 0, dtype=torch.long)
    for batch, num_graphs in (([], 0), ([], 2), ([1, 1, 4], 7)):
        x = Graphs(none, torch.tensor(batch, dtype=torch.long), num_graphs=num_graphs)
        g = traversal()(x)
        check_element(g, x)
        assert g.image.tolist() == list(range(len(batch)))


def test_the_company_in_a_batch_does_not_matter(generator: torch.Generator) -> None:
    x, large = SMALL["bull"], LARGE["petersen"][0]
    for traversal in TRAVERSALS:
        alone = traversal()(x).image
        assert torch.equal(traversal()(batch_of({"small": x, "large": large})).image[:5], alone)


# ------------------------------------------------------------------------------------- orders of known probability


def probabilities(x: Graphs, order: RandomDepthFirst | None = None) -> np.ndarray:
    """Probability of each of the n! orders."""
    everything, order = all_permutations_of(x), order or RandomDepthFirst()
    return order.log_probability(copies(x, len(everything.image) // x.num_nodes), everything).exp().numpy()


@pytest.mark.parametrize("name", SMALL)
def test_probabilities_add_up(name: str) -> None:
    assert probabilities(SMALL[name]).sum() == pytest.approx(1, abs=1e-12)
    for rules in RULES.values():
        assert probabilities(SMALL[name], rules).sum() == pytest.approx(1, abs=1e-12)


def test_the_probability_is_a_product_of_choices() -> None:
    """A path of three: from the middle there are two ways on, from an end one."""
    path = from_networkx([networkx.path_graph(3)])
    found = dict(zip(map(tuple, local_images(all_permutations_of(path), path)), probabilities(path), strict=True))
    expected = {(1, 0, 2): 1 / 6, (1, 2, 0): 1 / 6, (0, 1, 2): 1 / 3, (2, 1, 0): 1 / 3, (0, 2, 1): 0, (2, 0, 1): 0}
    assert found == pytest.approx(expected)


def test_labels_come_in_the_order_that_was_given() -> None:
    """A path of labels 0, 2, 1, 0: the walk begins at 2; both ways on are open, but 1 comes before 0."""
    path = from_networkx([networkx.path_graph(4)])
    path = Graphs(path.edge_index, path.batch, node_label=torch.tensor([0, 2, 1, 0]))
    p = probabilities(path, BY_LABEL)
    assert local_images(all_permutations_of(path), path)[p > 0].tolist() == [[1, 2, 3, 0]]
    # Of equal labels the least degree comes first, then all are equally likely; labels that are not named come last.
    other = Graphs(path.edge_index, path.batch, node_label=torch.tensor([7, 7, 7, 7]))
    p = probabilities(other, BY_LABEL)
    assert local_images(all_permutations_of(path), path)[p > 0].tolist() == [[0, 1, 2, 3], [3, 2, 1, 0]]
    assert p[p > 0].tolist() == pytest.approx([0.5, 0.5])
    # Without degrees all of one label are equally likely, and a walk begins anywhere.
    p = probabilities(other, RandomDepthFirst((2, 1)))
    assert p.tolist() == probabilities(other).tolist()
    with pytest.raises(ValueError, match=r"labels must not repeat a value; got \[1, 0, 1\]"):
        RandomDepthFirst([1, 0, 1])


def test_the_least_degree_comes_first() -> None:
    """A star with one long arm: from an end on to the center, then the short arms, and the long one last."""
    star = from_networkx([networkx.Graph([(0, 1), (0, 2), (0, 3), (3, 4)])])
    p = probabilities(star, RandomDepthFirst(by=("degree",)))
    images = local_images(all_permutations_of(star), star)
    assert images[p > 0].tolist() == [[1, 0, 2, 3, 4], [2, 0, 1, 3, 4], [4, 3, 0, 1, 2], [4, 3, 0, 2, 1]]
    assert p[p > 0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6])
    # If branches decide first, the long arm comes before the short ones.
    p = probabilities(star, BY_BRANCH)
    assert images[p > 0].tolist() == [[1, 0, 3, 4, 2], [2, 0, 3, 4, 1], [4, 3, 0, 1, 2], [4, 3, 0, 2, 1]]
    assert p[p > 0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6])


def test_a_branch_is_what_can_be_reached_without_those_visited() -> None:
    """From where a ring and its tail meet, both ways round the ring are one branch, larger than the tail."""
    ring = from_networkx([networkx.Graph([(0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (4, 5)])])
    p = probabilities(ring, RandomDepthFirst(by=("branch",)))
    images = local_images(all_permutations_of(ring), ring)[p > 0].tolist()
    assert [image for image in images if image[0] == 0] == [[0, 1, 2, 3, 4, 5], [0, 3, 2, 1, 4, 5]]
    assert [image for image in images if image[0] == 4] == [[4, 0, 1, 2, 3, 5], [4, 0, 3, 2, 1, 5]]
    for wrong in (("degree", "degree"), ("size",), "degree"):
        with pytest.raises(ValueError, match="by must"):
            RandomDepthFirst(by=wrong)


def test_labels_that_come_last() -> None:
    """Ethanol: the walk goes over the heavy atoms, then each of these is left with its hydrogens, the latest first."""
    carbon, hydrogen, oxygen = 6, 1, 8
    bonds = [(0, 1), (1, 2), (0, 3), (0, 4), (0, 5), (1, 6), (1, 7), (2, 8)]
    ethanol = from_networkx([networkx.Graph(bonds)])
    node_label = torch.tensor([carbon, carbon, oxygen, *[hydrogen] * 6])
    ethanol = Graphs(ethanol.edge_index, ethanol.batch, node_label=node_label)
    last = RandomDepthFirst(last=(hydrogen,))
    drawn = last(copies(ethanol, 300), torch.Generator().manual_seed(0))
    assert bool(last.log_probability(copies(ethanol, 300), drawn).isfinite().all())
    images = local_images(drawn, ethanol)
    for image in images.tolist():
        heavy = image[:3]
        assert sorted(heavy) == [0, 1, 2]
        parent = {3: 0, 4: 0, 5: 0, 6: 1, 7: 1, 8: 2}
        visited_when = [heavy.index(parent[node]) for node in image[3:]]
        assert visited_when == sorted(visited_when, reverse=True)
    assert {tuple(image[:3]) for image in images.tolist()} == {(0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 1, 0)}
    # From carbon 0, say: one order of three of the heavy atoms, then 1 x 2 x 6 orders of the hydrogens.
    one = Permutation.from_images([[0, 1, 2, 8, 6, 7, 3, 4, 5]], ethanol)
    assert float(last.log_probability(ethanol, one)) == pytest.approx(-np.log(3 * 12))
    # A walk that takes a hydrogen early, or that never leaves it, is impossible.
    for image in ([0, 1, 2, 6, 7, 8, 3, 4, 5], [0, 3, 1, 2, 8, 6, 7, 4, 5]):
        assert float(last.log_probability(ethanol, Permutation.from_images([image], ethanol))) == -np.inf


def test_labels_that_come_last_wait_for_other_components() -> None:
    """Nodes of other components come before them; nodes without any label, and of labels not named, never wait."""
    apart = from_networkx([networkx.Graph([(0, 1), (2, 3)])])
    labeled = Graphs(apart.edge_index, apart.batch, node_label=torch.tensor([0, 1, 5, 1]))
    images = local_images(all_permutations_of(labeled), labeled)
    p = probabilities(labeled, RandomDepthFirst(last=(1,)))
    assert images[p > 0].tolist() == [[0, 2, 3, 1], [2, 0, 1, 3]]
    assert probabilities(apart, LAST).tolist() == probabilities(apart).tolist()
    only = Graphs(apart.edge_index, apart.batch, node_label=torch.tensor([1, 0, 1, 0]))
    assert probabilities(only, LAST).tolist() == probabilities(apart).tolist()
    with pytest.raises(ValueError, match=r"last must not repeat a value; got \[1, 1\]"):
        RandomDepthFirst(last=[1, 1])


def order_counts(
    x: Graphs, order: torch.nn.Module, generator: torch.Generator, draws: int, possible: np.ndarray | None = None
) -> np.ndarray:
    """How often each order of positive probability was drawn."""
    images = local_images(all_permutations_of(x), x)
    drawn = local_images(order(copies(x, draws), generator), x)
    index = {tuple(image): at for at, image in enumerate(images)}
    counts = np.bincount([index[tuple(image)] for image in drawn], minlength=len(images))
    possible = probabilities(x) > 0 if possible is None else possible
    assert counts[~possible].sum() == 0
    return counts[possible]


def test_orders_come_with_their_probability(generator: torch.Generator) -> None:
    test = ChiSquare()
    for name, x in SMALL.items():
        p = probabilities(x)
        counts = order_counts(x, RandomDepthFirst(), generator, 6000)
        test.fit(name, counts, p[p > 0])
        for rule, order in RULES.items():
            p = probabilities(x, order)
            test.fit(f"{name} {rule}", order_counts(x, order, generator, 2000, p > 0), p[p > 0])
    test.require("orders come with their probability")


def test_ties_by_a_shuffled_storage_do_not(generator: torch.Generator) -> None:
    """What the independent choices are for: in a cycle with a chord one early choice tells of a later one."""
    x, test = SMALL["kite"], ChiSquare()
    p = probabilities(x)
    test.fit("kite", order_counts(x, InversionKernel(DepthFirst()), generator, 6000), p[p > 0])
    assert test.p_value < 1e-4


def test_a_batch_of_different_sizes(generator: torch.Generator) -> None:
    graphs = example(generator)
    batch = concatenate(graphs)
    order = RandomDepthFirst()
    g = order(batch, generator)
    check_element(g, batch)
    alone = [
        order.log_probability(x, Permutation.from_images([image.tolist()], x))
        for x, image in zip(graphs, (g.image - g.start).split(batch.sizes.tolist()), strict=True)
    ]
    assert torch.equal(order.log_probability(batch, g), torch.cat(alone))
    assert torch.cat(alone).isfinite().all()
