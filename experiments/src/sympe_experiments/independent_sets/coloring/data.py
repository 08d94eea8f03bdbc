r"""Cayley graphs of chromatic number three.

They are vertex-transitive, so that all nodes look alike, and no two colors do: parity along a path, which a
depth-first order knows, is no answer. Rings are left out: there it is one, up to a node.
"""

from functools import lru_cache
from itertools import count

from sympe.graphs import Graphs
from sympe_experiments.independent_sets.data import cayley_graphs
from sympe_experiments.seeding import numpy_generator

COLORS = 3


def load_splits(max_nodes: int) -> tuple[Graphs, Graphs]:
    """Graphs to train on and to test on; a fifth, drawn at random, is for testing. No two are isomorphic."""
    graphs = colorable(max_nodes)
    order = numpy_generator(0).permutation(len(graphs)).tolist()
    held = max(len(graphs) // 5, 1)
    return graphs.select(order[held:]), graphs.select(order[:held])


@lru_cache
def colorable(max_nodes: int) -> Graphs:
    """All of degrees 3 to 6 that have three colors as their least number."""
    graphs = cayley_graphs(max_nodes)
    chosen = []
    for index in range(len(graphs)):
        one = graphs.select([index])
        neighbors: list[set[int]] = [set() for _ in range(one.num_nodes)]
        for u, v in one.edge_index.T.tolist():
            neighbors[u].add(v)
        if len(neighbors[0]) > 2 and chromatic_number(neighbors) == COLORS:
            chosen.append(index)
    return graphs.select(chosen)


def chromatic_number(neighbors: list[set[int]]) -> int:
    """The least number of colors in which neighbors differ."""
    return next(colors for colors in count() if _extends(neighbors, [-1] * len(neighbors), colors))


def _extends(neighbors: list[set[int]], color: list[int], colors: int) -> bool:
    """Whether a partial coloring can be completed; the node with most colors around it goes first (DSATUR)."""
    around = {node: {color[u] for u in neighbors[node]} - {-1} for node, own in enumerate(color) if own < 0}
    if not around:
        return True
    node = max(around, key=lambda node: len(around[node]))
    for own in set(range(min(colors, max(color) + 2))) - around[node]:
        if _extends(neighbors, [own if other == node else old for other, old in enumerate(color)], colors):
            return True
    return False
