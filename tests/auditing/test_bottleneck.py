"""Floors of the autoencoder: against enumeration of all automorphisms, and on the task's own test set."""

from collections import Counter, defaultdict
from itertools import permutations
from typing import NamedTuple

import networkx
import torch

import sympe
from sympe import Graphs
from sympe.auditing import Options
from sympe.graphs import from_edges, from_networkx
from sympe.graphs.datasets import erdos_renyi


class Floor(NamedTuple):
    """Least number of wrong ordered pairs of distinct nodes, and how many graphs are symmetric."""

    pairs: int
    node_codes: int
    node_differences: int
    symmetric_graphs: int


def audited(graphs: Graphs) -> Floor:
    """What the audit says through both bottlenecks."""
    codes, differences = (
        sympe.audit(graphs, target="adjacency", options=Options(bottleneck=bottleneck)).summary
        for bottleneck in ("node-codes", "node-differences")
    )
    wrong = [round(summary.irreducible_error * summary.entries, 6) for summary in (codes, differences)]
    assert all(count == int(count) for count in wrong)
    return Floor(codes.entries, *map(int, wrong), codes.symmetric)


def orbits(graph: networkx.Graph) -> list[int]:
    """The smallest node that an automorphism takes each node to, by trying all n! permutations."""
    edges = {frozenset(edge) for edge in graph.edges}
    n = len(graph)
    smallest = list(range(n))
    for image in permutations(range(n)):
        if {frozenset(image[i] for i in edge) for edge in edges} == edges:
            smallest = [min(a, b) for a, b in zip(smallest, image, strict=True)]
    return smallest


def fewest_errors(answers: dict[object, Counter[bool]]) -> int:
    """Errors of the best decoder: one answer for all pairs that it cannot tell apart."""
    return sum(min(counts[True], counts[False]) for counts in answers.values())


def enumerated(graphs: list[networkx.Graph]) -> Floor:
    """The floor from the definition: what the decoder sees of a pair decides."""
    by_codes: dict[object, Counter[bool]] = defaultdict(Counter)
    by_differences: dict[object, Counter[bool]] = defaultdict(Counter)
    symmetric = 0
    for index, graph in enumerate(graphs):
        orbit = orbits(graph)
        symmetric += len(set(orbit)) < len(graph)
        for i, j in permutations(range(len(graph)), 2):
            edge = graph.has_edge(i, j)
            by_codes[index, orbit[i], orbit[j]][edge] += 1
            by_differences["zero" if orbit[i] == orbit[j] else (index, orbit[i], orbit[j])][edge] += 1
    total = sum(by_codes.values(), Counter())
    return Floor(total.total(), fewest_errors(by_codes), fewest_errors(by_differences), symmetric)


SMALL = [graph for graph in networkx.graph_atlas_g() if len(graph) <= 5]


def test_the_floor_of_every_graph_of_at_most_five_nodes() -> None:
    for graph in SMALL:
        assert audited(from_networkx([graph])) == enumerated([graph]), graph.edges


def test_the_floor_of_many_graphs_together() -> None:
    """With differences of codes, pairs inside an orbit share one answer over the whole data set."""
    together = audited(from_networkx(SMALL))
    assert together == enumerated(SMALL)
    assert together.node_differences > sum(enumerated([graph]).node_differences for graph in SMALL)


def test_a_cycle_of_four() -> None:
    """All nodes look alike: of twelve ordered pairs eight are edges, and every answer is the same."""
    floor = audited(from_edges([(4, [(0, 1), (1, 2), (2, 3), (3, 0)])]))
    assert floor == Floor(pairs=12, node_codes=4, node_differences=4, symmetric_graphs=1)


def test_labels_take_symmetry_away() -> None:
    plain = from_edges([(4, [(0, 1), (2, 3)])])
    assert audited(plain).node_codes == 4
    labeled = Graphs(plain.edge_index, plain.batch, node_label=torch.tensor([0, 1, 2, 3]))
    assert audited(labeled) == Floor(12, 0, 0, 0)


def test_nothing_to_get_wrong() -> None:
    assert audited(from_edges([(0, []), (1, [])])) == Floor(0, 0, 0, 0)


def test_the_random_graphs_of_the_task() -> None:
    graphs = erdos_renyi("test")
    floor = audited(graphs)
    assert floor == Floor(pairs=64_500, node_codes=484, node_differences=772, symmetric_graphs=235)
    assert graphs.num_edges == 16_198
