"""Random batches of graphs, for hypothesis: empty graphs, loops, parallel edges, directions, labels, features."""

import torch
from hypothesis import strategies as st

from sympe import Graphs


@st.composite
def batches(draw: st.DrawFn, simple: bool = False, labeled: bool = True) -> Graphs:
    """Any batch; if ``simple``, undirected edges without loops, each there once in both directions."""
    sizes = draw(st.lists(st.integers(0, 4), max_size=4))
    edges: list[tuple[int, int]] = []
    shift = 0
    for n in sizes:
        if n:
            node = st.integers(shift, shift + n - 1)
            edges += draw(st.lists(st.tuples(node, node), max_size=6))
        shift += n
    if simple:
        once = sorted({(min(e), max(e)) for e in edges if e[0] != e[1]})
        edges = once + [(v, u) for u, v in once]
    edges = draw(st.permutations(edges))

    def labels(count: int) -> torch.Tensor:
        return torch.tensor(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)), dtype=torch.long)

    with_nodes, with_edges, with_x = (labeled and draw(st.booleans()) for _ in range(3))
    return Graphs(
        edge_index=torch.tensor(edges, dtype=torch.long).reshape(-1, 2).T,
        batch=torch.repeat_interleave(torch.tensor(sizes, dtype=torch.long)),
        node_label=labels(shift) if with_nodes else None,
        edge_label=labels(len(edges)) + 1 if with_edges else None,
        x=labels(2 * shift).view(shift, 2) / 2 if with_x else None,
        num_graphs=len(sizes),
    )
