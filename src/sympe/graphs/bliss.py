"""Exact canonical orders, orders of automorphism groups and orbits of graphs."""

from collections.abc import Iterator

import numpy as np
import torch

from sympe.graphs.batch import Graphs, check_graphs
from sympe.graphs.coloring import ColoredGraph, encoded
from sympe.graphs.columns import Ints, components
from sympe.graphs.stripping import Stripped

#: Graphs of more nodes are stripped before bliss sees them.
_SMALL = 200


def colored_graphs(graphs: Graphs) -> Iterator[ColoredGraph | Stripped]:
    """Each graph of the batch, ready for exact questions."""
    check_graphs(graphs)
    if graphs.max_nodes <= _SMALL:
        yield from encoded(graphs)
        return
    small = encoded(graphs.select((graphs.sizes <= _SMALL).nonzero()[:, 0]))
    for index, size in enumerate(graphs.sizes.tolist()):
        yield next(small) if size <= _SMALL else Stripped(graphs.select([index]))


def log_automorphisms(graphs: Graphs) -> torch.Tensor:
    """Log of the order of each graph's automorphism group, in nats, ``Float[G]``."""
    counts = [colored.log_automorphisms() for colored in colored_graphs(graphs)]
    return torch.tensor(counts, dtype=torch.float64, device=graphs.device)


def automorphism_orbits(graphs: Graphs) -> torch.Tensor:
    """Orbit of each node under the automorphism group of its graph, numbered over the whole batch, ``Int[N]``."""
    check_graphs(graphs)
    fixed, moved = [], []
    for start, colored in zip(graphs.ptr.tolist(), colored_graphs(graphs), strict=False):
        for image in colored.automorphism_generators():
            fixed.append(np.arange(colored.num_nodes) + start)
            moved.append(np.asarray(image) + start)
    return torch.from_numpy(joined(fixed, moved, graphs.num_nodes)).to(graphs.device)


def joined(fixed: list[Ints], moved: list[Ints], count: int) -> Ints:
    """Number of the connected component of each of ``count`` items, with edges from ``fixed`` to ``moved`` items."""
    none = np.zeros(0, np.int64)
    source, target = (np.concatenate([none, *(part.ravel() for part in parts)]) for parts in (fixed, moved))
    return components(source, target, count)
