"""What the canonicalizers of graphs lean on, and the cases that went, or could go, wrong."""

from random import Random

import igraph
import networkx
import pytest
import torch
from hypothesis import given, settings

from laws import kernel_form, same_graphs
from random_graphs import batches
from sympe import Graphs
from sympe.actions import GraphRelabeling
from sympe.canonicalize import Labeling, NodeOrder, Refinement
from sympe.canonicalize.refinement import Partition
from sympe.graphs import concatenate, from_edges, from_networkx


def forms(order: NodeOrder, x: Graphs) -> Graphs:
    return kernel_form(order(x), x)


def count_unstable(order: NodeOrder, x: Graphs, generator: torch.Generator, relabelings: int) -> int:
    """How many graphs of the batch have another form in some relabeling."""
    action = GraphRelabeling()
    first = forms(order, x)
    unstable = set()
    for _ in range(relabelings):
        again = forms(order, action.act(action.group.haar(x, generator), x))
        if not same_graphs(again, first):
            unstable |= {i for i in range(len(x)) if not same_graphs(again.select([i]), first.select([i]))}
    return len(unstable)


def random_arcs(count: int, labels: int, generator: torch.Generator) -> Graphs:
    """Sparse random directed graphs of 2 to 8 nodes, with loops and parallel edges."""
    drawn = []
    for i in range(count):
        nodes, edges = 2 + i % 7, i % 11
        ends = torch.randint(nodes, (2, edges), generator=generator)
        label = torch.randint(labels, (edges,), generator=generator) if labels else None
        drawn.append(Graphs(ends, torch.zeros(nodes, dtype=torch.long), edge_label=label))
    return concatenate(drawn)


def nested(depth: int, random: Random) -> networkx.Graph:
    """Unions, cones and coronas of small cycles, paths and cliques: parts within parts, many of them alike."""
    leaf = random.choice(
        [*(networkx.cycle_graph(n) for n in (3, 4, 5)), networkx.path_graph(3), networkx.empty_graph(2)]
    )
    if depth == 0:
        return leaf
    inner = nested(depth - 1, random)
    kind = random.choice(["union", "cone", "corona"])
    if kind == "union":
        other = nested(depth - 1, random)
        return networkx.disjoint_union_all([inner] * random.choice([2, 3]) + [other] * random.choice([0, 2]))
    if kind == "cone":
        return networkx.full_join(inner, networkx.empty_graph(1), rename=("a", "b"))
    return networkx.corona_product(leaf, inner)


def test_bliss_reads_the_order_of_colors_only(generator: torch.Generator) -> None:
    """Colors are ranks over a batch; were their values read, a form would depend on the batch."""
    for n in range(2, 32):
        graph = igraph.Graph(n, list(networkx.gnp_random_graph(n, 0.3, seed=n).edges))
        color = torch.randint(3, (n,), generator=generator)
        other = torch.tensor([4, 70, 71])[color]
        permutation = graph.canonical_permutation(color=color.tolist())
        assert graph.canonical_permutation(color=other.tolist()) == permutation


@settings(max_examples=50)
@given(batches())
def test_the_form_by_bliss_is_the_same_in_every_batch(graphs: Graphs) -> None:
    together = forms(Labeling(), graphs)
    for i in range(len(graphs)):
        assert same_graphs(forms(Labeling(), graphs.select([i])), together.select([i]))


def test_the_undivided_kind_is_the_graphs_own(generator: torch.Generator) -> None:
    """Each graph leaves its own most frequent kind of edge undivided, whatever is frequent elsewhere."""
    ring = [(i, (i + 1) % 6) for i in range(6)]
    labels = ([1] * 6, [2] * 6, [1, 2] * 3, [2, 2, 2, 1, 1, 2], [3, 1, 3, 1, 1, 2])
    parts = [from_edges([(6, ring)], edge_label=label) for label in labels]
    together = concatenate(parts)
    for i, alone in enumerate(parts):
        assert same_graphs(forms(Labeling(), alone), forms(Labeling(), together).select([i]))
    assert count_unstable(Labeling(), together, generator, 20) == 0


@pytest.mark.parametrize("order", [Labeling(), Refinement()], ids=["Labeling", "Refinement"])
@pytest.mark.parametrize("labels", [0, 2])
def test_small_directed_graphs_have_one_form(order: NodeOrder, labels: int, generator: torch.Generator) -> None:
    assert count_unstable(order, random_arcs(1000, labels, generator), generator, 8) == 0


def test_a_loop_is_not_one_more_neighbor(generator: torch.Generator) -> None:
    """All nodes have degree 2; were the loops at the ends of the path neighbors, it would be a cycle to refinement."""
    x = from_edges([(5, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 0), (4, 4)])])
    assert count_unstable(Refinement(), x, generator, 20) == 0


def test_factors_of_labels_are_no_hashes_of_colors(generator: torch.Generator) -> None:
    """Were they, color 0 by an edge of label 1 and color 1 by an edge of label 0 would be told alike."""
    x = from_edges([(4, [(1, 2), (1, 3), (2, 0)])], edge_label=[0, 1, 0], directed=True)
    assert count_unstable(Refinement(), x, generator, 20) == 0


def test_parts_are_numbered_part_by_part(generator: torch.Generator) -> None:
    """Legs of equal spiders: were they numbered by storage alone, the spiders would be torn apart."""
    legs = [networkx.path_graph(2)] * 3
    spider = networkx.disjoint_union_all([networkx.empty_graph(1), *legs])
    spider.add_edges_from([(0, 1), (0, 3), (0, 5)])
    x = from_networkx([networkx.disjoint_union_all([spider] * 3)])
    assert count_unstable(Refinement(), x, generator, 20) == 0


def test_parts_within_parts_have_one_form(generator: torch.Generator) -> None:
    random = Random(0)
    drawn = [nested(1 + i % 3, random) for i in range(150)]
    x = from_networkx([networkx.convert_node_labels_to_integers(graph) for graph in drawn if len(graph) <= 100])
    assert count_unstable(Refinement(), x, generator, 6) == 0


def test_components_of_one_color_that_are_not_isomorphic(generator: torch.Generator) -> None:
    """Refinement gives all nodes of disjoint cycles one color; the cell is no orbit, but its share of a part is."""
    cycles = [[3, 6], [3, 3, 6, 6], [4, 5, 5, 10], [3, 4, 5, 6, 7]]
    unions = [networkx.disjoint_union_all([networkx.cycle_graph(n) for n in sizes]) for sizes in cycles]
    cubic = networkx.disjoint_union_all([networkx.petersen_graph(), networkx.complete_graph(4)] * 2)
    assert count_unstable(Refinement(), from_networkx([*unions, cubic]), generator, 50) == 0


def test_all_parts_are_individualized_at_once() -> None:
    partition = Partition(from_networkx([networkx.disjoint_union_all([networkx.cycle_graph(6)] * 200)]))
    rounds = 0
    while partition.individualize():
        rounds += 1
    assert rounds == 1


@pytest.mark.parametrize(
    "graph",
    [networkx.complete_graph(60), networkx.complete_multipartite_graph(20, 20, 30)],
    ids=["joined", "not joined"],
)
def test_twins_are_settled_without_individualizing(graph: networkx.Graph) -> None:
    partition = Partition(from_networkx([graph]))
    partition.split_twins()
    rounds = 0
    while partition.individualize():
        rounds += 1
    assert rounds <= 1


def test_refinement_and_bliss_agree_on_what_is_isomorphic() -> None:
    """Graphs of six nodes fall into the same classes by either form, as many as there are graphs."""
    drawn = [networkx.gnm_random_graph(6, 6, seed=seed) for seed in range(400)]
    x = from_networkx(drawn)
    keys = []
    for order in (Labeling(), Refinement()):
        form = forms(order, x)
        edges = form.edge_index - form.start[form.edge_index[0]]
        owner = form.batch[form.edge_index[0]]
        keys.append([tuple((edges[0] * 6 + edges[1])[owner == i].sort().values.tolist()) for i in range(len(x))])
    pairs = set(zip(*keys, strict=True))
    assert len(pairs) == len(set(keys[0])) == len(set(keys[1])) > 15
