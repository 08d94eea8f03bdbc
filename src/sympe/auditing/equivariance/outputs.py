r"""Are outputs more or less symmetric than their inputs?

Permutations of nodes act on an input x and on an output y. A deterministic equivariant map has
:math:`\mathrm{Stab}(x) \subseteq \mathrm{Stab}(y)` (Curie's principle).

- **Symmetry increase**: :math:`|\mathrm{Stab}(y)| > |\mathrm{Stab}(x)|`. The map fails to distinguish nodes that
  differ: a loss of information if the answer should be less symmetric.
- **Symmetry breaking**: :math:`|\mathrm{Stab}(x) \cap \mathrm{Stab}(y)| < |\mathrm{Stab}(x)|`. Samples of a random map
  do this; a deterministic map that does is not equivariant.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from sympe.auditing.equivariance.copies import as_output
from sympe.auditing.symmetry.graphs import pairs
from sympe.graphs import Graphs
from sympe.graphs.bliss import log_automorphisms


@dataclass(frozen=True)
class OutputSymmetry:
    """Logs of the orders of stabilizers, in nats, per graph.

    Attributes:
        log_input, log_output: For the input, and for the output alone.
        log_both: For both together.
    """

    log_input: Float[Tensor, "G"]
    log_output: Float[Tensor, "G"]
    log_both: Float[Tensor, "G"]

    @property
    def increases(self) -> Bool[Tensor, "G"]:
        """Whether the output is more symmetric than its input."""
        return self.log_output > self.log_input + 1e-9

    @property
    def breaks(self) -> Bool[Tensor, "G"]:
        """Whether the output lacks a symmetry of its input."""
        return self.log_both < self.log_input - 1e-9

    @property
    def share_increased(self) -> float:
        return float(self.increases.double().mean()) if len(self.log_input) else 0.0

    @property
    def share_broken(self) -> float:
        """Share of the symmetric graphs whose symmetry is broken."""
        symmetric = self.log_input > 0
        return float(self.breaks[symmetric].double().mean()) if bool(symmetric.any()) else 0.0

    def __str__(self) -> str:
        return (
            f"{100 * self.share_increased:.1f} % of the outputs are more symmetric than their inputs; "
            f"{100 * self.share_broken:.1f} % of the symmetric inputs have a less symmetric output"
        )


def output_symmetry(graphs: Graphs, output: Shaped[Tensor, "..."], tolerance: float = 1e-4) -> OutputSymmetry:
    """Compare the stabilizers of graphs with those of a map's outputs.

    Args:
        graphs: The inputs.
        output: One row per node, ``[N]`` or ``[N, d]``; or a padded matrix over ordered pairs of nodes per graph,
            ``[G, n, n]`` or ``[G, n, n, d]``, where n is the largest number of nodes.
        tolerance: Largest difference between equal numbers of a graph, relative to the largest number of the output.

    Raises:
        ValueError: If the output has another shape or is not finite.

    Example:
        >>> import sympe
        >>> path = sympe.graphs.from_edges([(3, [(0, 1), (1, 2)])])
        >>> found = output_symmetry(path, torch.zeros(3))
        >>> found.share_increased, found.share_broken
        (1.0, 0.0)
    """
    y = as_output(output)
    step = tolerance * float(y.double().abs().max()) if y.numel() else 0.0
    n, equal = graphs.max_nodes, torch.zeros_like(graphs.batch)
    if y.shape[:1] == (graphs.num_nodes,):
        ends, node_kind, edge_kind = graphs.edge_index[:, :0], _kinds(y, graphs.batch, step), equal[:0]
    elif y.shape[:3] == (len(graphs), n, n):
        # Complete directed graphs with loops, whose edge labels number the entries of y.
        ends = pairs(graphs)
        graph, (i, j) = graphs.batch[ends[0]], ends - graphs.start[ends]
        node_kind, edge_kind = equal, _kinds(y[graph, i, j], graph, step)
    else:
        expected = f"[{graphs.num_nodes}, ...] or [{len(graphs)}, {n}, {n}, ...]"
        raise ValueError(f"expected an output of shape {expected}; got {list(y.shape)}")
    alone = Graphs(ends, graphs.batch, node_kind, edge_kind, num_graphs=len(graphs))
    both = _joined(graphs, ends, node_kind, edge_kind)
    return OutputSymmetry(log_automorphisms(graphs), log_automorphisms(alone), log_automorphisms(both))


def _kinds(rows: Shaped[Tensor, "m *d"], owner: Int[Tensor, "m"], tolerance: float) -> Int[Tensor, "m"]:
    """Cluster the rows of each owner: equal numbers where chains of steps up to ``tolerance`` link every entry."""
    kind = owner.clone()
    for column in rows[:, None].flatten(1).unbind(1):
        by_value = torch.argsort(column, stable=True)
        order = by_value[torch.argsort(owner[by_value], stable=True)]
        value = column[order].double()
        is_other = (value.diff() > tolerance) | (owner[order].diff() != 0)
        place = torch.zeros_like(kind)
        place[order[1:]] = is_other.long().cumsum(0)
        kind = torch.unique(torch.stack([kind, place]), dim=1, return_inverse=True)[1]
    return kind


def _joined(
    graphs: Graphs, ends: Int[Tensor, "2 k"], node_kind: Int[Tensor, "N"], edge_kind: Int[Tensor, "k"]
) -> Graphs:
    """The graphs with further edges; symmetries must keep the kinds of these, and of nodes, as well."""
    node_label = torch.zeros_like(graphs.batch) if graphs.node_label is None else graphs.node_label
    edge_label = torch.zeros_like(graphs.edge_index[0]) if graphs.edge_label is None else graphs.edge_label
    edge_label = torch.unique(edge_label, return_inverse=True)[1]
    return replace(
        graphs,
        edge_index=torch.cat([graphs.edge_index, ends], dim=1),
        node_label=torch.unique(torch.stack([node_label, node_kind]), dim=1, return_inverse=True)[1],
        edge_label=torch.cat([edge_label, edge_kind + len(edge_label)]),
    )
