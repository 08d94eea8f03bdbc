"""Exact canonical orders, orders of automorphism groups and orbits of graphs."""

import math
from collections.abc import Iterator

import numpy as np
import torch

from sympe.graphs.batch import Graphs, check_graphs
from sympe.graphs.coloring import ColoredGraph, encoded
from sympe.graphs.columns import Ints, components
from sympe.graphs.settling import settle_small
from sympe.graphs.stripping import Stripped

#: Graphs of more nodes are stripped before bliss sees them.
_SMALL = 200
_NONE = Graphs(torch.zeros(2, 0, dtype=torch.long), torch.zeros(0, dtype=torch.long))


def colored_graphs(graphs: Graphs, chains: bool = True) -> Iterator[ColoredGraph | Stripped]:
    """Each graph of the batch, ready for exact questions; large ones with their chains stripped or not."""
    small, large = _by_size(graphs)
    following = encoded(small)
    if not large:
        yield from following
        return
    for index, size in enumerate(graphs.sizes.tolist()):
        yield next(following) if size <= _SMALL else _stripped(graphs, index, chains)


def canonical_order(graphs: Graphs) -> Ints:
    """The nodes of all graphs, graph after graph, each in canonical order."""
    small, large = _by_size(graphs)
    if not large:
        return settle_small(small).canonical_order()
    if len(graphs) == 1:
        return _stripped(graphs, 0).canonical_order()
    order = np.arange(graphs.num_nodes)
    if small.num_nodes:
        node = order[(graphs.sizes <= _SMALL)[graphs.batch].cpu().numpy()]
        order[node] = node[settle_small(small).canonical_order()]
    for index in large:
        start, end = graphs.ptr[index : index + 2].tolist()
        order[start:end] = start + _stripped(graphs, index).canonical_order()
    return order


def count_automorphisms(graphs: Graphs) -> list[int]:
    """Exact order of each graph's automorphism group, however large."""
    small, large = _by_size(graphs)
    counts = iter(settle_small(small).count_automorphisms() if len(small) else [])
    if not large:
        return list(counts)
    return [
        next(counts) if size <= _SMALL else _stripped(graphs, index).count_automorphisms()
        for index, size in enumerate(graphs.sizes.tolist())
    ]


def log_automorphisms(graphs: Graphs) -> torch.Tensor:
    """Log of the order of each graph's automorphism group, in nats, ``Float[G]``."""
    small, large = _by_size(graphs)
    logs = np.zeros(len(graphs))
    if len(small):
        logs[(graphs.sizes <= _SMALL).cpu().numpy()] = list(map(math.log, settle_small(small).count_automorphisms()))
    for index in large:
        logs[index] = _stripped(graphs, index).log_automorphisms()
    return torch.from_numpy(logs).to(graphs.device)


def _by_size(graphs: Graphs) -> tuple[Graphs, list[int]]:
    """The small graphs, and the indices of the large ones."""
    check_graphs(graphs)
    if graphs.max_nodes <= _SMALL:
        return graphs, []
    if len(graphs) == 1:
        return _NONE, [0]
    is_small = graphs.sizes <= _SMALL
    return graphs.select(is_small.nonzero()[:, 0]), (~is_small).nonzero()[:, 0].tolist()


def _stripped(graphs: Graphs, index: int, chains: bool = True) -> Stripped:
    return Stripped(graphs if len(graphs) == 1 else graphs.select([index]), chains)


def automorphism_orbits(graphs: Graphs) -> torch.Tensor:
    """Orbit of each node under the automorphism group of its graph, numbered over the whole batch, ``Int[N]``."""
    check_graphs(graphs)
    fixed, moved = [], []
    for start, colored in zip(graphs.ptr.tolist(), colored_graphs(graphs, chains=False), strict=False):
        for image in [colored.orbits()] if isinstance(colored, Stripped) else colored.automorphism_generators():
            fixed.append(np.arange(colored.num_nodes) + start)
            moved.append(np.asarray(image) + start)
    return torch.from_numpy(joined(fixed, moved, graphs.num_nodes)).to(graphs.device)


def joined(fixed: list[Ints], moved: list[Ints], count: int) -> Ints:
    """Number of the connected component of each of ``count`` items, with edges from ``fixed`` to ``moved`` items."""
    none = np.zeros(0, np.int64)
    source, target = (np.concatenate([none, *(part.ravel() for part in parts)]) for parts in (fixed, moved))
    return components(source, target, count)
