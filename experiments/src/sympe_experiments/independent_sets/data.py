r"""Cayley graphs: vertex-transitive, so that all nodes of one look alike.

The nodes are the elements of a group, and :math:`g` is joined to :math:`gs` for each :math:`s` of a set of generators
that holds the inverses of its members. Left multiplication then moves any node to any other.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

import networkx
import numpy as np
from numpy.typing import NDArray

from sympe.graphs import Graphs, colored_graphs, concatenate, from_edges, from_networkx, read
from sympe_experiments.seeding import numpy_generator

Edges = tuple[int, tuple[tuple[int, int], ...]]

CAYLEY_GRAPHS = "cayley-graphs"

#: Degrees of the graphs.
DEGREES = (2, 3, 4, 5, 6)


def load_splits(data: str, max_nodes: int) -> tuple[Graphs, Graphs]:
    """Graphs to train on and to test on; a fifth, drawn at random, is for testing.

    No two Cayley graphs are isomorphic. The Petersen graph and the dodecahedron join those for testing: both are
    vertex-transitive, but neither is a Cayley graph.

    Args:
        data: ``cayley-graphs``, or a file of graphs.
        max_nodes: Nodes of the largest Cayley graph.

    Raises:
        ValueError: If the file cannot be read, or holds fewer than two graphs with nodes.
    """
    graphs = cayley_graphs(max_nodes) if data == CAYLEY_GRAPHS else read(data)
    graphs = graphs.select(graphs.sizes.nonzero()[:, 0])
    if len(graphs) < 2:
        raise ValueError(f"{data}: expected at least two graphs, to train and to test on; got {len(graphs)}")
    order = numpy_generator(0).permutation(len(graphs)).tolist()
    count = max(len(graphs) // 5, 1)
    if data != CAYLEY_GRAPHS:
        return graphs.select(order[count:]), graphs.select(order[:count])
    others = from_networkx([networkx.petersen_graph(), networkx.dodecahedral_graph()])
    return graphs.select(order[count:]), concatenate([graphs.select(order[:count]), others])


@lru_cache
def cayley_graphs(max_nodes: int, min_nodes: int = 6) -> Graphs:
    """All connected Cayley graphs of degrees 2 to 6 of cyclic groups, products of two, and dihedral groups.

    Isomorphic graphs appear once.
    """
    found: dict[Edges, Edges] = {}
    for n in range(min_nodes, max_nodes + 1):
        candidates = list({graph for table in _group_tables(n) for graph in _connected(table)})
        for graph, colored in zip(candidates, colored_graphs(from_edges(candidates)), strict=True):
            place = np.argsort(colored.canonical_order())[np.asarray(graph[1])]
            form = n, tuple(map(tuple, np.unique(np.sort(place, axis=1), axis=0).tolist()))
            found[form] = min(graph, found.get(form, graph))
    return from_edges([found[form] for form in sorted(found)])


def _group_tables(n: int) -> Iterator[NDArray[np.int64]]:
    """Multiplication tables of groups of order n; the identity is element 0."""
    element = np.arange(n)
    for a in range(1, int(n**0.5) + 1):
        if n % a == 0:
            i, j = np.divmod(element, n // a)
            yield (i[:, None] + i) % a * (n // a) + (j[:, None] + j) % (n // a)
    if n % 2 == 0:
        reflected, turn = np.divmod(element, n // 2)
        turned = (turn[:, None] + np.where(reflected[:, None], -1, 1) * turn) % (n // 2)
        yield turned + n // 2 * ((reflected[:, None] + reflected) % 2)


def _connected(table: NDArray[np.int64]) -> Iterator[Edges]:
    n = len(table)
    inverse = (table == 0).argmax(1)
    pairs = sorted({(min(s, i), max(s, i)) for s, i in zip(range(1, n), inverse[1:].tolist(), strict=True)})
    for count in range(1, max(DEGREES) + 1):
        for chosen in combinations(pairs, count):
            generators = sorted({s for pair in chosen for s in pair})
            if len(generators) in DEGREES and _generate(table, generators):
                ends = np.stack([np.repeat(np.arange(n), len(generators)), table[:, generators].reshape(-1)], axis=1)
                yield n, tuple(map(tuple, np.unique(np.sort(ends, axis=1), axis=0).tolist()))


def _generate(table: NDArray[np.int64], generators: list[int]) -> bool:
    reached = np.zeros(len(table), bool)
    reached[0] = True
    while True:
        more = reached.copy()
        more[table[reached][:, generators]] = True
        if (more == reached).all():
            return bool(reached.all())
        reached = more
