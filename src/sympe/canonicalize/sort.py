r"""Sort the nodes of each graph by a score, which may be learned.

Learning: the forward pass uses the hard ranks, the backward pass the gradient of SoftSort,

.. math:: P_{ri} = \mathrm{softmax}_i\bigl(-|s_{[r]} - s_i| / t\bigr),

where :math:`s_{[r]}` is the r-th smallest score of the graph (S. Prillo, J. Eisenschlos, *SoftSort*, ICML
2020, eq. 4, with absolute differences).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.canonicalize.base import NodeOrder, check_callable, sort_nodes
from sympe.graphs import Graphs
from sympe.groups import Permutation


class Sort(NodeOrder):
    """Order nodes by increasing score.

    The kernel passes a shuffled copy to the score network, so that even its rounding errors are equivariant in law,
    and the shuffle breaks ties.

    Args:
        score: A module from :class:`~sympe.graphs.Graphs` to one number per node, ``[N]`` or ``[N, 1]``. It should be
            permutation-equivariant. Under the kernel g~ is then uniform on the orders compatible with the scores: the
            inversion kernel iff any two tied nodes are twins (docs/theory.md, section 3).
        temperature: Of SoftSort, in standard deviations of a graph's scores; None stops the gradient.

    Raises:
        ValueError: If the temperature is not positive, or the scores have the wrong shape or are not finite.
    """

    def __init__(self, score: nn.Module, temperature: float | None = 0.1) -> None:
        super().__init__()
        check_callable(score, "score", "a module from Graphs to one number per node, such as NodeScore()")
        if temperature is not None and not temperature > 0:
            raise ValueError(f"temperature must be positive or None; got {temperature}")
        self.score = score
        self.temperature = temperature

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.temperature is not None):
            score = self.score(x)
        if score.shape not in {(x.num_nodes,), (x.num_nodes, 1)}:
            raise ValueError(f"expected one score per node, shape [{x.num_nodes}]; got {list(score.shape)}")
        score = score.reshape(-1)
        if not torch.compiler.is_compiling() and not bool(score.isfinite().all()):
            node = int((~score.isfinite()).nonzero()[0])
            raise ValueError(f"scores must be finite; got {score[node].item()} at node {node}")
        g = sort_nodes(x, score.detach())
        if self.temperature is None or not torch.is_grad_enabled():
            return g
        hard = (g.rank[:, None] == torch.arange(x.max_nodes, device=x.device)).to(score.dtype)
        soft = softsort(standardize(score, x), g, x, self.temperature)
        return Permutation(g.image, g.preimage, g.batch, g.start, relaxed=hard + soft - soft.detach())


class NodeScore(nn.Module):
    """A small equivariant network that scores nodes: mean aggregation over neighbors, with their degrees as input.

    It is cheap next to any network that needs SymPE.

    Args:
        hidden_dim: Features of the hidden node states.
        num_layers: Rounds of aggregation.
    """

    def __init__(self, hidden_dim: int = 32, num_layers: int = 3) -> None:
        super().__init__()
        self.embed = nn.Linear(2, hidden_dim)
        self.mix = nn.ModuleList(nn.Linear(2 * hidden_dim, hidden_dim) for _ in range(num_layers))
        self.out = nn.Linear(hidden_dim, 1, bias=False)

    def forward(self, x: Graphs) -> Float[Tensor, "N"]:
        source, target = x.edge_index
        dtype = self.out.weight.dtype
        degree = torch.zeros(x.num_nodes, dtype=dtype, device=x.device)
        degree = degree.index_add(0, target, torch.ones_like(target, dtype=dtype))[:, None]
        share = 1 / degree.clamp(min=1)
        size = x.sizes[x.batch, None].to(dtype)
        h = nn.functional.silu(self.embed(torch.cat([degree.log1p(), degree / size], dim=1)))
        for linear in self.mix:
            neighbors = torch.zeros_like(h).index_add(0, target, h[source]) * share
            h = h + nn.functional.silu(linear(torch.cat([h, neighbors], dim=1)))
        score: Tensor = self.out(h)[:, 0]
        return score


def standardize(score: Float[Tensor, "N"], graphs: Graphs) -> Float[Tensor, "N"]:
    """Scores with mean 0 and variance 1 in each graph; equal scores give zeros and a bounded gradient."""
    size = graphs.sizes.clamp(min=1).to(score.dtype)
    zeros = score.new_zeros(len(graphs))
    centered = score - (zeros.index_add(0, graphs.batch, score) / size)[graphs.batch]
    variance = zeros.index_add(0, graphs.batch, centered.square()) / size
    return centered * torch.rsqrt(variance + 1e-4)[graphs.batch]


def softsort(score: Float[Tensor, "N"], g: Permutation, graphs: Graphs, temperature: float) -> Float[Tensor, "N n"]:
    """Relaxed one-hot ranks: entry (i, r) is the weight of node i in place r of its graph.

    Each column sums to 1 over the nodes of a graph; places beyond its last node hold zeros.
    """
    place = torch.arange(graphs.num_nodes, device=graphs.device) - graphs.start
    padded = score.new_full((len(graphs), graphs.max_nodes), torch.inf)
    nodes = padded.index_put((graphs.batch, place), score)
    ranks = score.new_zeros((len(graphs), graphs.max_nodes)).index_put((graphs.batch, g.rank), score)
    weight = torch.softmax(-(ranks[:, :, None] - nodes[:, None, :]).abs() / temperature, dim=2)
    is_place = torch.arange(graphs.max_nodes, device=graphs.device) < graphs.sizes[graphs.batch, None]
    return weight[graphs.batch, :, place] * is_place
