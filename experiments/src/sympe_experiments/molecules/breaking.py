r"""What breaks the symmetry in a diffusion of graphs: how g~ is drawn, and what it costs in the likelihood.

- *Fresh*: g~ is drawn from the kernel of the noisy graph at each step. It breaks only symmetries that the noisy
  graph has.
- *Carried*: g~ is drawn once per trajectory: in training from a kernel of the clean graph :math:`x_0`, in sampling
  uniformly, whatever the graph. Each step back is equivariant in :math:`(x_t, \tilde g)` together, so samples are
  exchangeable. (The order of a file is the exception, there to show the leak: sampling takes the identity.)

For the class :math:`[x]` of all relabelings of x, with :math:`p(x \mid g)` the model given g~ = g,

.. math:: p([x]) = \frac{1}{|\mathrm{Aut}(x)|} \sum_g p(x \mid g)
          \quad\Rightarrow\quad
          -\log p([x]) \le E_{g \sim q}[-\log p(x \mid g)] - \bigl(H(q) - \log|\mathrm{Aut}(x)|\bigr)

for any law q of g; the difference in brackets is the excess randomness of the kernel. All other methods are the case
that :math:`p(x \mid g)` does not depend on g: q is uniform and the excess :math:`\log(n! / |\mathrm{Aut}(x)|)`.

The model also makes graphs with orders that training never draws for them. A law q that draws these too gives a tighter
bound from many draws (:meth:`Breaking.propose`).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sympe.breaking import Noise
from sympe.canonicalize import Constant, DepthFirst, Labeling, NodeScore, RandomDepthFirst, Refinement, Sort
from sympe.encoding import RankEncoding
from sympe.graphs import bliss
from sympe.groups import Permutation, SymmetricGroup
from sympe.kernel import InversionKernel
from sympe.seeding import sample
from sympe_experiments.molecules.config import Config, Method
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.graph_state import GraphState, node_batch


def _rare_first(domain: Domain) -> list[int]:
    """Kinds of nodes, the rarest first."""
    return np.argsort(domain.node_law).tolist()


def _hydrogen(domain: Domain) -> list[int]:
    """The kind of hydrogen, if there is one."""
    return [kind for kind, element in enumerate(domain.elements) if element == "H"]


#: What orders the nodes. "file" has no canonicalizer: it is the order in which the data set lists them.
CANONICALIZERS: dict[str, Callable[[Config, Domain], Any]] = {
    "constant": lambda config, domain: Constant(),
    "labeling": lambda config, domain: Labeling(),
    "refinement": lambda config, domain: Refinement(),
    "random-depth-first": lambda config, domain: RandomDepthFirst(),
    "kind-depth-first": lambda config, domain: RandomDepthFirst(_rare_first(domain), by=("degree",)),
    # Hydrogens come after all heavy atoms, first those of the heavy atom visited last; degrees and branches count them.
    "degree-depth-first": lambda config, domain: RandomDepthFirst(by=("degree",), last=_hydrogen(domain)),
    "branch-depth-first": lambda config, domain: RandomDepthFirst(by=("branch", "degree"), last=_hydrogen(domain)),
    "heavy-depth-first": lambda config, domain: RandomDepthFirst(
        _rare_first(domain), by=("degree",), last=_hydrogen(domain)
    ),
    "canonical-depth-first": lambda config, domain: DepthFirst(Labeling()),
    "sort": lambda config, domain: Sort(NodeScore(), temperature=config.temperature),
}


def _proposals(order: str, config: Config, domain: Domain) -> list[RandomDepthFirst]:
    """What :meth:`Breaking.propose` draws from in place of an order; nothing for an order that it keeps."""
    if order == "random-depth-first" or not order.endswith("depth-first"):
        return []
    ours = CANONICALIZERS["kind-depth-first" if order == "canonical-depth-first" else order](config, domain)
    return [ours, RandomDepthFirst(last=ours.rules.last)]


class Breaking(nn.Module):
    """Features of nodes that break the symmetry, by the method of a configuration.

    Args:
        config: Names the method.
        domain: The kinds of graphs.
    """

    def __init__(self, config: Config, domain: Domain) -> None:
        super().__init__()
        self.method: Method = config.breaking
        self.group = SymmetricGroup()
        self.dim = 0 if self.method.kind == "none" else config.encoding_dim
        self.noise = Noise(self.dim) if self.method.kind == "noise" else None
        self.encoding = RankEncoding(self.dim, domain.max_nodes) if self.method.kind in ("fresh", "carried") else None
        self.kernel: InversionKernel[Any, Any] | None = None
        if self.method.order in CANONICALIZERS:
            self.kernel = InversionKernel(CANONICALIZERS[self.method.order](config, domain))
        self.proposals = _proposals(self.method.order, config, domain)

    @property
    def is_learned(self) -> bool:
        """Whether the canonicalizer has weights."""
        return self.kernel is not None and any(True for _ in self.kernel.parameters())

    def shuffled(self, graphs: GraphState, generator: torch.Generator) -> GraphState:
        """Graphs in an order that tells nothing, as they always are but to show a leak."""
        return graphs if self.method.by_index else graphs.shuffled(generator)

    def draw(self, clean: GraphState, generator: torch.Generator) -> Permutation | None:
        """g~ of a trajectory that ends in these graphs; None unless it is carried.

        Graphs that hold a stored order must have been shuffled: that makes g~ a draw from the inversion kernel.
        """
        if self.method.kind != "carried":
            return None
        if self.method.is_stored:
            return clean.stored_order()
        assert self.kernel is not None
        return self.kernel(clean.to_graphs(), generator)

    def propose(
        self, clean: GraphState, log_automorphisms: Float[Tensor, "B"], generator: torch.Generator
    ) -> tuple[Permutation | None, Float[Tensor, "B"]]:
        """g~ for a bound from many draws, and the excess of its law: -log q(g~) - log |Aut|.

        For depth-first orders with few choices, half of the draws make choices that training never does. Otherwise g~
        is drawn as in training.
        """
        if not self.proposals:
            g = self.draw(clean, generator)
            return g, self.excess(clean, g, log_automorphisms)
        graphs = clean.to_graphs()
        drawn = torch.stack([law(graphs, generator).image for law in self.proposals])
        chosen = sample(torch.randint, len(drawn), (len(clean),), generator=generator, device=clean.device)
        g = Permutation.trusted(drawn.gather(0, chosen[graphs.batch][None])[0], graphs)
        log_laws = torch.stack([law.log_probability(graphs, g) for law in self.proposals])
        return g, math.log(len(drawn)) - log_laws.logsumexp(0) - log_automorphisms

    def could_draw(self, clean: GraphState, g: Permutation) -> Bool[Tensor, "B"] | None:
        """Whether training may draw g~ = g for these graphs; None if it may draw any, or that is unknown.

        For samples and their g~, this is the part of the model that training covers. The bounds of carried methods
        leave out the rest.
        """
        if self.method.kind != "carried" or self.kernel is None:
            return None
        told = self.kernel.canonicalizer.log_probability(clean.to_graphs(), g)
        return None if bool(told.isnan().any()) else told.isfinite()

    def draw_fresh(self, noisy: GraphState, generator: torch.Generator) -> Permutation | None:
        """g~ of one step; None unless it is fresh."""
        if self.method.kind != "fresh":
            return None
        assert self.kernel is not None
        draw = self.kernel.canonicalizer if self.method.by_index else self.kernel
        return draw(noisy.to_graphs(), generator)

    def draw_prior(self, like: GraphState, generator: torch.Generator) -> Permutation | None:
        """g~ of a trajectory to sample.

        A model trained on the order of a file knows nodes by their place, and its samples are in that order.
        """
        if self.method.kind != "carried":
            return None
        nodes = node_batch(len(like), like.num_nodes, like.device)
        return self.group.identity(nodes) if self.method.order == "file" else self.group.haar(nodes, generator)

    def forward(
        self, noisy: GraphState, g: Permutation | None, generator: torch.Generator
    ) -> Float[Tensor, "B n dim"] | None:
        """Features at one step; without ``g``, a fresh g~ is drawn."""
        shape = (*noisy.nodes.shape, self.dim)
        if self.noise is not None:
            like = node_batch(len(noisy), noisy.num_nodes, noisy.device)
            return self.noise(like, generator).view(shape)
        if self.encoding is None:
            return None
        g = self.draw_fresh(noisy, generator) if g is None else g
        assert g is not None, "a carried g~ must be handed over"
        return self.encoding(g).view(shape)

    def excess(
        self, clean: GraphState, g: Permutation | None, log_automorphisms: Float[Tensor, "B"]
    ) -> Float[Tensor, "B"]:
        """Excess randomness of the kernel, in nats, estimated without bias from one draw.

        Where the canonicalizer does not know it, as for a learned sort: 0, the least possible value.
        """
        if self.method.by_index:
            return torch.zeros_like(log_automorphisms)
        if self.method.kind != "carried":
            return torch.lgamma(log_automorphisms.new_tensor(clean.num_nodes + 1)) - log_automorphisms
        if self.kernel is None:
            return torch.zeros_like(log_automorphisms)
        graphs, canonicalizer = clean.to_graphs(), self.kernel.canonicalizer
        excess = canonicalizer.excess_nats(graphs)
        if g is not None and bool(excess.isnan().any()):
            excess = torch.where(excess.isnan(), -canonicalizer.log_probability(graphs, g) - log_automorphisms, excess)
        return torch.where(excess.isnan(), 0.0, excess)


def log_automorphisms(clean: GraphState) -> Float[Tensor, "B"]:
    """Logarithm of the number of automorphisms of each graph, kinds of nodes and edges kept."""
    return bliss.log_automorphisms(clean.to_graphs())
