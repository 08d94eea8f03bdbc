r"""Where the noise leads to: one law of nodes and one of pairs, or laws that know the order of the nodes.

With one limit all entries of a graph decay to the same law m, the frequencies in the training set (or to the uniform
one). A carried g~ says more. In a depth-first order the nodes of ranks r and r + 1 are mostly joined, those far apart
hardly ever. So the *limit by rank* is, at place r of a graph of n nodes and at a pair of places,

.. math:: m_{n, r} = \frac{c_{n, r} + 20\, m}{c_n + 20}, \qquad m_{n, (r, s)} = \frac{c_{n, (r, s)} + 20\, m}{c_n + 20},

with :math:`c_{n, r}` the number of each kind there among the :math:`c_n` training graphs of n nodes, each in an order
that its g~ says. A size that training never sees has the one limit m. The limits depend on ranks alone, so every step
stays equivariant in :math:`(x_t, \tilde g)` together. For a random order they are the frequencies at each size.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.groups import Permutation
from sympe_experiments.molecules.breaking import Breaking
from sympe_experiments.molecules.config import Config
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.graph_state import GraphState, one_hot, pair_index

#: Weight of the law of all entries beside the counts at a rank, in graphs.
_PSEUDO_COUNTS = 20


class Limits(nn.Module):
    """The laws that the noise leads to.

    Args:
        config: Says whether they go by rank. If so they are those of all entries until :meth:`learn` is called, and
            weights hold them.
        domain: Sizes of graphs, and the laws of all entries.

    Raises:
        ValueError: If a law has an entry that is not positive.
    """

    nodes: Tensor
    edges: Tensor

    def __init__(self, config: Config, domain: Domain) -> None:
        super().__init__()
        self.by_rank = config.breaking.by_rank
        nodes, edges = domain.limits(config.transition)
        for law in (nodes, edges):
            if not bool((law > 0).all()) or abs(float(law.sum()) - 1) > 1e-4:
                raise ValueError(f"the noise must lead to positive probabilities; got {law.tolist()}")
        self.register_buffer("nodes", nodes, persistent=False)
        self.register_buffer("edges", edges, persistent=False)
        for n in (n for n, share in enumerate(domain.size_law) if share and self.by_rank):
            self.register_buffer(f"nodes_{n}", nodes.repeat(n, 1))
            self.register_buffer(f"edges_{n}", edges.repeat(n * (n - 1) // 2, 1))

    def forward(self, g: Permutation | None, n: int) -> tuple[Float[Tensor, "*B_n a"], Float[Tensor, "*B_p b"]]:
        """Limits of the nodes and pairs of graphs of n nodes with these g~: for each entry, or one for all."""
        if not self.by_rank or not hasattr(self, f"nodes_{n}"):
            return self.nodes, self.edges
        assert g is not None, "limits by rank need a carried g~"
        rank = g.rank.view(-1, n)
        i, j = torch.triu_indices(n, n, 1, device=rank.device)
        pair = pair_index(rank[:, i], rank[:, j], n)
        return getattr(self, f"nodes_{n}")[rank], getattr(self, f"edges_{n}")[pair]

    @torch.no_grad()
    def learn(self, batches: Iterable[GraphState], breaking: Breaking, generator: torch.Generator) -> None:
        """Take the frequencies by rank from graphs, each batch of one size; nothing to do unless they go by rank."""
        if not self.by_rank:
            return
        counts: dict[str, Tensor] = {}
        for batch in batches:
            clean = batch.shuffled(generator)
            g = breaking.draw(clean, generator)
            assert g is not None, "limits by rank need a carried g~"
            form = clean.relabel(breaking.group.inverse(g))
            for name, kinds, law in (("nodes", form.nodes, self.nodes), ("edges", form.edges, self.edges)):
                found = one_hot(kinds, len(law), law.dtype).sum(0)
                name = f"{name}_{form.num_nodes}"
                counts[name] = counts.get(name, _PSEUDO_COUNTS * law) + found
        for name, count in counts.items():
            getattr(self, name).copy_(count / count.sum(-1, keepdim=True))
