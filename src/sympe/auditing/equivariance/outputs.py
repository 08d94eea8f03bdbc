r"""Are outputs more or less symmetric than their inputs?

Permutations of nodes act on an input x and on an output y. A deterministic equivariant map has
:math:`\mathrm{Stab}(x) \subseteq \mathrm{Stab}(y)` (Curie's principle).

- **Symmetry increase**: :math:`|\mathrm{Stab}(y)| > |\mathrm{Stab}(x)|`. The map fails to distinguish nodes that
  differ: a loss of information if the answer should be less symmetric.
- **Symmetry breaking**: :math:`|\mathrm{Stab}(x) \cap \mathrm{Stab}(y)| < |\mathrm{Stab}(x)|`. Samples of a random map
  do this; a deterministic map that does is not equivariant.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from sympe.auditing.equivariance.copies import as_output
from sympe.graphs import Graphs, colored_graphs


@dataclass(frozen=True)
class OutputSymmetry:
    """Logs of the orders of stabilizers, in nats, per graph.

    Attributes:
        log_input: For the input.
        log_output: For the output alone.
        log_both: For input and output together.
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
    unit = float(y.double().abs().max()) if y.numel() else 0.0
    n = graphs.max_nodes
    if y.shape[:1] == (graphs.num_nodes,):
        kind = _kinds(y.flatten(1) if y.dim() > 1 else y[:, None], graphs.batch, tolerance * unit)
        alone = Graphs(graphs.edge_index[:, :0], graphs.batch, kind, num_graphs=len(graphs))
    elif y.shape[:3] == (len(graphs), n, n):
        alone = _pair_graphs(graphs, y, tolerance * unit)
    else:
        pairs = f"[{len(graphs)}, {n}, {n}, ...]"
        raise ValueError(f"expected an output of shape [{graphs.num_nodes}, ...] or {pairs}; got {list(y.shape)}")
    return OutputSymmetry(_log_orders(graphs), _log_orders(alone), _log_orders(_joined(graphs, alone)))


def _kinds(rows: Shaped[Tensor, "m d"], owner: Int[Tensor, "m"], tolerance: float) -> Int[Tensor, "m"]:
    """Cluster the rows of each owner: equal numbers where chains of steps up to ``tolerance`` link every entry."""
    kind = owner.clone()
    for column in rows.unbind(1):
        by_value = torch.argsort(column, stable=True)
        order = by_value[torch.argsort(owner[by_value], stable=True)]
        value = column[order].double()
        is_other = (value.diff() > tolerance) | (owner[order].diff() != 0)
        place = torch.zeros_like(kind)
        place[order[1:]] = is_other.long().cumsum(0)
        kind = torch.unique(torch.stack([kind, place]), dim=1, return_inverse=True)[1]
    return kind


def _pair_graphs(graphs: Graphs, y: Shaped[Tensor, "G n n *d"], tolerance: float) -> Graphs:
    """Complete directed graphs with loops; edge labels number the entries of y."""
    n = y.shape[1]
    there = torch.arange(n, device=y.device) < graphs.sizes[:, None]
    graph, i, j = (there[:, :, None] & there[:, None, :]).nonzero(as_tuple=True)
    entries = y[graph, i, j]
    kind = _kinds(entries.flatten(1) if entries.dim() > 1 else entries[:, None], graph, tolerance)
    start = graphs.ptr[graph]
    return Graphs(torch.stack([start + i, start + j]), graphs.batch, edge_label=kind, num_graphs=len(graphs))


def _joined(graphs: Graphs, alone: Graphs) -> Graphs:
    """Graphs with the common symmetries of both."""
    shift = 0 if alone.edge_label is None or not alone.num_edges else int(alone.edge_label.max()) + 1
    label = torch.zeros_like(graphs.edge_index[0]) if graphs.edge_label is None else graphs.edge_label
    label = torch.unique(label, return_inverse=True)[1] + shift
    own = torch.zeros(0, dtype=torch.long, device=label.device) if alone.edge_label is None else alone.edge_label
    node_label = graphs.node_label
    if alone.node_label is not None:
        held = torch.zeros_like(alone.node_label) if node_label is None else node_label
        node_label = torch.unique(torch.stack([held, alone.node_label]), dim=1, return_inverse=True)[1]
    edge_index = torch.cat([graphs.edge_index, alone.edge_index], dim=1)
    return Graphs(edge_index, graphs.batch, node_label, torch.cat([label, own]), graphs.x, len(graphs))


def _log_orders(graphs: Graphs) -> Float[Tensor, "G"]:
    orders = [math.log(colored.count_automorphisms()) for colored in colored_graphs(graphs)]
    return torch.tensor(orders, dtype=torch.float64)
