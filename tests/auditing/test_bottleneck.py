"""Floors of the autoencoder: against enumeration of all automorphisms, and on the task's own test set."""

from collections import Counter, defaultdict
from itertools import permutations

import networkx
import pytest
import torch

from sympe import Graphs
from sympe.auditing import AutoencoderFloor, autoencoder_floor
from sympe.graphs import from_edges, from_networkx
from sympe.graphs.datasets import erdos_renyi


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


def enumerated(graphs: list[networkx.Graph]) -> AutoencoderFloor:
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
    return AutoencoderFloor(
        total[True] + total[False], total[True], fewest_errors(by_codes), fewest_errors(by_differences), symmetric
    )


SMALL = [graph for graph in networkx.graph_atlas_g() if len(graph) <= 5]


def test_the_floor_of_every_graph_of_at_most_five_nodes() -> None:
    for graph in SMALL:
        assert autoencoder_floor(from_networkx([graph])) == enumerated([graph]), graph.edges


def test_the_floor_of_many_graphs_together() -> None:
    """With differences of codes, pairs inside an orbit share one answer over the whole data set."""
    together = autoencoder_floor(from_networkx(SMALL))
    assert together == enumerated(SMALL)
    assert together.node_differences > sum(enumerated([graph]).node_differences for graph in SMALL)


def test_a_cycle_of_four() -> None:
    """All nodes look alike: of twelve ordered pairs eight are edges, and every answer is the same."""
    floor = autoencoder_floor(from_edges([(4, [(0, 1), (1, 2), (2, 3), (3, 0)])]))
    assert floor == AutoencoderFloor(pairs=12, edges=8, node_codes=4, node_differences=4, symmetric_graphs=1)
    assert floor.percent(floor.node_codes) == pytest.approx(100 / 3)


def test_labels_take_symmetry_away() -> None:
    plain = from_edges([(4, [(0, 1), (2, 3)])])
    assert autoencoder_floor(plain).node_codes == 4
    labeled = Graphs(plain.edge_index, plain.batch, node_label=torch.tensor([0, 1, 2, 3]))
    assert autoencoder_floor(labeled) == AutoencoderFloor(12, 4, 0, 0, 0)


def test_nothing_to_get_wrong() -> None:
    for graphs in (from_edges([]), from_edges([(0, []), (1, [])])):
        floor = autoencoder_floor(graphs)
        assert floor == AutoencoderFloor(0, 0, 0, 0, 0)
        assert floor.percent(floor.node_codes) == 0


def test_the_random_graphs_of_the_task() -> None:
    floor = autoencoder_floor(erdos_renyi("test"))
    assert floor == AutoencoderFloor(
        pairs=64_500, edges=16_198, node_codes=484, node_differences=772, symmetric_graphs=235
    )
    shares = [floor.percent(count) for count in (floor.node_codes, floor.node_differences, floor.edges)]
    assert [round(share, 3) for share in shares] == [0.750, 1.197, 25.113]
