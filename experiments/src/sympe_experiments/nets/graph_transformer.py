r"""A graph transformer with states for nodes, pairs of nodes and the whole graph; equivariant under relabeling.

The network of C. Vignac et al., *DiGress*, ICLR 2023: attention in each feature separately, its logits modulated by
the state of the pair,

.. math:: \ell_{ij} = (q_i \odot k_j)\,(1 + W_1 e_{ij}) + W_2 e_{ij}, \qquad
          h_i = \sum_j \mathrm{softmax}_j(\ell_{ij}) \odot v_j,

where all of these are vectors of one length; both :math:`h_i` and the pairs are then modulated by the state y of the
graph (FiLM). Different from the published code:

- Pairs are symmetric throughout: they take :math:`(\ell_{ij} + \ell_{ji}) / 2`. The published network symmetrizes
  before the first layer and after the last. So only one triangle is stored and put through the linear layers.
- Statistics over nodes and pairs, which feed y, leave out padding: a graph gives the same in any batch.
- No dropout, which would need the global generator.

Pairs are listed with the n of a node with itself first, then those with :math:`i < j` as in
:class:`~torch.triu_indices`. Batches of graphs of one size need no mask.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import relu


@dataclass(frozen=True)
class Pairs:
    """The unordered pairs of n nodes, each node with itself included.

    Attributes:
        first: The smaller node of each pair.
        second: The larger one.
        place: The pair that two nodes make.
    """

    first: Int[Tensor, "P"]
    second: Int[Tensor, "P"]
    place: Int[Tensor, "n n"]

    @classmethod
    def of(cls, n: int, count: int, device: torch.device | str) -> "Pairs":
        """The pairs of n nodes, ``count`` = n (n - 1) / 2 of them of two nodes.

        No size depends on a number computed here, so one compiled network serves all n.
        """
        each = torch.arange(n, device=device)
        start = each * (2 * n - each - 1) // 2  # pairs i < j before those of node i
        first = each.repeat_interleave(n - 1 - each, output_size=count)
        second = torch.arange(count, device=device) - start[first] + first + 1
        low, high = torch.minimum(each[:, None], each), torch.maximum(each[:, None], each)
        place = torch.where(low == high, low, n + start[low] + high - low - 1)
        return cls(torch.cat([each, first]), torch.cat([each, second]), place)


class PairAttention(torch.autograd.Function):
    """Attention in every feature, and its logits symmetrized, without gathers that a backward pass would scatter.

    Most of a step's time goes through tensors of n x n pairs and all features; here they are few, and changed in
    place. Inputs: q, k, v ``[B, n, d]``; factor and offset of the logits side by side, ``[B, P, 2 d]``; the places of
    the pairs, and which nodes to attend to (None: all). Outputs: ``[B, n, d]`` and ``[B, P, d]``.
    """

    @staticmethod
    def forward(
        q: Tensor, k: Tensor, v: Tensor, modulation: Tensor, first: Tensor, second: Tensor, place: Tensor, mask: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        count, n, d = q.shape
        full = modulation.index_select(1, place.view(-1)).view(count, n, n, 2 * d)
        logits = torch.addcmul(full[..., d:], q[:, :, None] * k[:, None], full[..., :d])
        flat = logits.view(count, n * n, d)
        pairs = flat.index_select(1, first * n + second).add_(flat.index_select(1, second * n + first)).mul_(0.5)
        if mask is not None:
            logits = logits.masked_fill(~mask[:, None, :, None], -torch.inf)
        weight = torch.softmax(logits, dim=2)
        return (weight * v[:, None]).sum(2), pairs, weight

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
        *tensors, _ = inputs
        out, _, weight = output
        ctx.mark_non_differentiable(weight)
        ctx.save_for_backward(*tensors, out, weight)

    @staticmethod
    def backward(ctx: Any, grad_out: Tensor, grad_pairs: Tensor, _: Any) -> tuple[Tensor | None, ...]:
        q, k, v, modulation, first, second, place, out, weight = ctx.saved_tensors
        count, n, d = q.shape
        cells = place.view(-1)
        # Gradient of the softmax, as of flash attention: w (g_j - sum_j w g_j) with g_j = v_j grad_i.
        grad = (v[:, None] - out[:, :, None]).mul_(grad_out[:, :, None]).mul_(weight)
        grad_v = (weight * grad_out[:, :, None]).sum(1)
        half = grad_pairs.mul(0.5)
        half[:, :n].mul_(2)  # a node with itself has one logit, not two
        grad.view(count, n * n, d).add_(half.index_select(1, cells))

        def fold(ordered: Tensor) -> Tensor:
            """Sum over the two orders of each pair."""
            flat = ordered.view(count, n * n, d)
            there = flat.index_select(1, first * n + second)
            there[:, n:].add_(flat.index_select(1, (second * n + first)[n:]))
            return there

        products = (q[:, :, None] * k[:, None]).mul_(grad)
        grad_modulation = torch.cat([fold(products), fold(grad)], dim=2)
        grad_logits = grad.mul_(modulation[..., :d].index_select(1, cells).view(count, n, n, d))
        grad_q = (grad_logits * k[:, None]).sum(2)
        grad_k = grad_logits.mul_(q[:, :, None]).sum(1)
        return grad_q, grad_k, grad_v, grad_modulation, None, None, None, None


class Statistics(nn.Module):
    """A linear map of mean, minimum, maximum and standard deviation over one dimension.

    Args:
        in_dim: Features of each member.
        out_dim: Features that come out.
    """

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(4 * in_dim, out_dim)

    def forward(
        self, x: Float[Tensor, "B m d"], weight: Float[Tensor, "B m"], mask: Bool[Tensor, "B m"] | None
    ) -> Float[Tensor, "B out"]:
        """Members count by ``weight``, which sums to 1 over those that are there."""
        mean = torch.einsum("bm,bmd->bd", weight, x)
        square = torch.einsum("bm,bmd->bd", weight, x.square())
        deviation = (square - mean.square()).clamp(min=0).add(1e-5).sqrt()
        if mask is None:
            low, high = x.amin(1), x.amax(1)
        else:
            gone = ~mask[..., None]
            low, high = x.masked_fill(gone, torch.inf).amin(1), x.masked_fill(gone, -torch.inf).amax(1)
        return self.linear(torch.cat([mean, low, high, deviation], dim=1))


class FeedForward(nn.Module):
    """Two linear maps with a rectifier between them, added to the input and normalized."""

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.into, self.out, self.norm = nn.Linear(dim, hidden_dim), nn.Linear(hidden_dim, dim), nn.LayerNorm(dim)

    def forward(self, x: Float[Tensor, "*k d"]) -> Float[Tensor, "*k d"]:
        return self.norm(x + self.out(relu(self.into(x))))


@dataclass(frozen=True)
class Dims:
    """Numbers of features in a graph transformer.

    Attributes:
        node: State of a node, and all of attention.
        edge: State of a pair.
        graph: State of a graph.
        node_hidden: Inside the feed-forward networks of nodes.
        edge_hidden: Inside those of pairs, and where features of graphs come in.
        graph_hidden: Inside those of graphs.
    """

    node: int
    edge: int
    graph: int
    node_hidden: int
    edge_hidden: int
    graph_hidden: int


@dataclass(frozen=True)
class _Layout:
    """What all layers share: the pairs, which of them are there, and by how much each counts in a mean."""

    pairs: Pairs
    nodes: Tensor | None
    edges: Tensor | None
    node_weight: Tensor
    edge_weight: Tensor


class GraphTransformerLayer(nn.Module):
    """Attention over all nodes, then feed-forward networks; norms come last.

    Args:
        dims: Numbers of features inside.
        scale: Factor on the products of queries and keys.
    """

    shift: Tensor

    def __init__(self, dims: Dims, scale: float) -> None:
        super().__init__()
        x, e, y = dims.node, dims.edge, dims.graph
        self.scale = scale
        self.qkv = nn.Linear(x, 3 * x)
        self.modulation = nn.Linear(e, 2 * x)
        self.film = nn.Linear(y, 4 * x)
        self.node_out, self.edge_out = nn.Linear(x, x), nn.Linear(x, e)
        self.graph_in = nn.Linear(y, y)
        self.node_statistics, self.edge_statistics = Statistics(x, y), Statistics(e, y)
        self.graph_out = nn.Sequential(nn.Linear(y, y), nn.ReLU(), nn.Linear(y, y))
        self.node_norm, self.edge_norm, self.graph_norm = nn.LayerNorm(x), nn.LayerNorm(e), nn.LayerNorm(y)
        self.node_mlp = FeedForward(x, dims.node_hidden)
        self.edge_mlp = FeedForward(e, dims.edge_hidden)
        self.graph_mlp = FeedForward(y, dims.graph_hidden)
        # A factor of 1 + W e on the logits.
        shift = torch.cat([torch.ones(x), torch.zeros(x)])
        self.register_buffer("shift", shift, persistent=False)

    def forward(self, x: Tensor, e: Tensor, y: Tensor, layout: _Layout) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.qkv(x).chunk(3, dim=2)
        bias = self.modulation.bias + self.shift
        modulation = nn.functional.linear(e, self.modulation.weight, bias)
        pairs = layout.pairs
        attended, logits, _ = PairAttention.apply(
            q * self.scale, k, v, modulation, pairs.first, pairs.second, pairs.place, layout.nodes
        )
        add_x, mul_x, add_e, mul_e = self.film(y)[:, None].chunk(4, dim=2)
        new_y = (
            self.graph_in(y)
            + self.node_statistics(x, layout.node_weight, layout.nodes)
            + self.edge_statistics(e, layout.edge_weight, layout.edges)
        )
        x = self.node_norm(x + self.node_out(torch.addcmul(add_x, attended, 1 + mul_x)))
        e = self.edge_norm(e + self.edge_out(torch.addcmul(add_e, logits, 1 + mul_e)))
        y = self.graph_norm(y + self.graph_out(new_y))
        return self.node_mlp(x), self.edge_mlp(e), self.graph_mlp(y)


class GraphTransformer(nn.Module):
    """Features of nodes, pairs and graph in, logits of nodes and pairs out.

    Args:
        in_dims: Features per node, pair and graph that come in.
        out_dims: Features per node and pair that go out.
        dims: Numbers of features inside.
        num_layers: Number of layers.
        num_heads: Sets only the scale of the logits, :math:`\\sqrt{h/d}`: attention is by feature.
    """

    def __init__(
        self,
        in_dims: tuple[int, int, int],
        out_dims: tuple[int, int],
        dims: Dims,
        num_layers: int,
        num_heads: int = 8,
    ) -> None:
        super().__init__()
        hidden = (dims.node_hidden, dims.edge_hidden, dims.edge_hidden)
        inner = (dims.node, dims.edge, dims.graph)
        self.node_in, self.edge_in, self.graph_in = (
            nn.Sequential(nn.Linear(i, h), nn.ReLU(), nn.Linear(h, d), nn.ReLU())
            for i, h, d in zip(in_dims, hidden, inner, strict=True)
        )
        scale = (num_heads / dims.node) ** 0.5
        self.layers = nn.ModuleList(GraphTransformerLayer(dims, scale) for _ in range(num_layers))
        self.node_out, self.edge_out = (
            nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, o))
            for d, h, o in zip(inner, hidden, out_dims, strict=False)
        )

    def compile_layers(self) -> None:
        """Compile the layers in place (``torch.compile``): one graph for all of them and for graphs of all sizes.

        It takes a fraction of the time that the whole network does.
        """
        for layer in self.layers:
            layer.compile(dynamic=True)

    def forward(
        self,
        x: Float[Tensor, "B n dx"],
        e: Float[Tensor, "B p de"],
        y: Float[Tensor, "B dy"],
        mask: Bool[Tensor, "B n"] | None = None,
    ) -> tuple[Float[Tensor, "B n ox"], Float[Tensor, "B p oe"]]:
        """Logits of nodes and pairs.

        Args:
            x: Features of nodes.
            e: Features of the pairs with i < j; those of a node with itself are zero.
            y: Features of graphs.
            mask: Which nodes are there; all by default. Outputs of other nodes mean nothing.

        Raises:
            ValueError: If there are not n (n - 1) / 2 pairs.
        """
        count, n, _ = x.shape
        num_pairs = e.shape[1]
        if not torch.compiler.is_compiling() and num_pairs != n * (n - 1) // 2:
            raise ValueError(f"expected the features of {n * (n - 1) // 2} pairs of {n} nodes, got {num_pairs}")
        pairs = Pairs.of(n, num_pairs, x.device)
        twice = torch.cat([e.new_ones(n), e.new_full((num_pairs,), 2.0)])
        if mask is None:
            node_weight = x.new_full((count, n), 1 / n)
            layout = _Layout(pairs, None, None, node_weight, (twice / n**2).expand(count, -1))
        else:
            there = mask[:, pairs.first] & mask[:, pairs.second]
            size = mask.sum(1, keepdim=True).to(x.dtype)
            layout = _Layout(pairs, mask, there, mask / size, there * twice / size.square())
        e = torch.cat([e.new_zeros(count, n, e.shape[2]), e], dim=1)
        x, e, y = self.node_in(x), self.edge_in(e), self.graph_in(y)
        for layer in self.layers:
            x, e, y = layer(x, e, y, layout)
        return self.node_out(x), self.edge_out(e[:, n:])
