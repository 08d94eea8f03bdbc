r"""Order nodes by walking along the edges: neighbors in the order are near in the graph.

Starting from the first node in storage, go on to an unvisited neighbor of the node visited *earliest*
(breadth first) or *latest* (depth first); ties, and the first node of a further component, by storage. Under
the kernel this is a traversal from a random node with random choices: more random than exact labeling, less
than Haar, and with a rule that is the same for every graph. Given another canonicalizer, the traversal walks
its canonical form: root and choices are then as canonical as that form is, and so is the order.

:class:`RandomDepthFirst` draws every choice afresh instead. One order in storage that settles all ties would not do
where the probability of a visit must be known: that one neighbor came before another says something about its place
in storage, and so about later choices (in every cycle). With independent choices the probability of an order is

.. math:: P(\text{order} \mid x) = \prod_r \frac{1}{|C_r|},

:math:`C_r` the nodes that could have come at rank :math:`r`, which the nodes before determine.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sympe.canonicalize.base import NodeOrder
from sympe.graphs import Graphs, to_dense
from sympe.groups import Permutation
from sympe.seeding import drawing_device


class Traversal(NodeOrder):
    """Order of visit; batched, on any device, in as many steps as the largest graph has nodes.

    Memory grows with (number of graphs) x (nodes of the largest)^2. Labels and directions of edges are left aside.

    Args:
        depth_first: Whether to go on from the node visited latest (True) or earliest (False).
        form: Canonicalizer whose canonical form is walked; the graphs as they are stored if left out.
    """

    def __init__(self, depth_first: bool, form: NodeOrder | None = None) -> None:
        super().__init__()
        self.depth_first = depth_first
        self.form = form

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        if self.form is None:
            return self._walk(x)
        group = self.action.group
        to_input = self.form(x, generator)
        return group.compose(to_input, self._walk(self.action.act(group.inverse(to_input), x)))

    def is_exact(self, x: Graphs) -> Bool[Tensor, "G"]:
        """Where the canonical form that is walked is exact."""
        return super().is_exact(x) if self.form is None else self.form.is_exact(x)

    def _walk(self, x: Graphs) -> Permutation:
        joined, there = _joined(x)
        preference = torch.zeros_like(there, dtype=torch.long).masked_fill(~there, -1)
        graph = torch.arange(len(there), device=x.device)
        time_of_visit = torch.full_like(preference, there.shape[1])
        for step in range(there.shape[1]):
            # argmax may return any of several maxima; the first in storage is meant.
            following = _candidates(preference).int().argmax(1)
            time_of_visit[graph, following] = torch.minimum(
                time_of_visit[graph, following], preference.new_tensor(step)
            )
            preference = _visit(preference, joined, following, step if self.depth_first else -step)
        visit = time_of_visit[there]
        image = torch.empty_like(visit)
        image[x.start + visit] = torch.arange(len(visit), device=x.device)
        return Permutation(image, x.start + visit, x.batch, x.start)


def _joined(x: Graphs) -> tuple[Bool[Tensor, "G n n"], Bool[Tensor, "G n"]]:
    """Which nodes are neighbors in either direction, and which places hold a node."""
    adjacency, there = to_dense(Graphs(x.edge_index, x.batch, num_graphs=x.num_graphs))
    return (adjacency + adjacency.transpose(1, 2)) > 0, there


def _candidates(preference: Tensor) -> Bool[Tensor, "G n"]:
    """The nodes that may come next: preference is below 0 once visited, 0 if no neighbor was, above 0 if one was."""
    return preference == preference.amax(1, keepdim=True)


def _visit(preference: Tensor, joined: Tensor, following: Tensor, step: int) -> Tensor:
    """The preferences after ``following`` was visited; neighbors of a node of higher ``step`` are preferred."""
    graph = torch.arange(len(preference), device=preference.device)
    offer = 1 + preference.shape[1] + step
    reached = joined[graph, following] & (preference >= 0)
    preference = torch.where(reached, preference.clamp(min=offer), preference)
    preference[graph, following] = -1
    return preference


class BreadthFirst(Traversal):
    """:class:`Traversal` from the node visited earliest."""

    def __init__(self, form: NodeOrder | None = None) -> None:
        super().__init__(depth_first=False, form=form)

    def log_probability(self, x: Graphs, g: Permutation) -> Float[Tensor, "G"]:
        """Children of a node come in any order, each as likely, as if every choice were drawn afresh."""
        if self.form is not None:
            return super().log_probability(x, g)
        return _log_probability_of_choices(x, g, depth_first=False)


class DepthFirst(Traversal):
    """:class:`Traversal` from the node visited latest."""

    def __init__(self, form: NodeOrder | None = None) -> None:
        super().__init__(depth_first=True, form=form)


class RandomDepthFirst(NodeOrder):
    """A depth-first order from a random node with independent random choices, of which the probability is known.

    Its law is equivariant by itself; labels and directions of edges are left aside.
    """

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        joined, there = _joined(x)
        preference = torch.zeros_like(there, dtype=torch.long).masked_fill(~there, -1)
        drawn_on = drawing_device(generator, x.device)
        visits = []
        for step in range(there.shape[1]):
            key = torch.rand(there.shape, generator=generator, dtype=torch.float64, device=drawn_on).to(x.device)
            following = torch.where(_candidates(preference), key, -1.0).argmax(1)
            visits.append(following)
            preference = _visit(preference, joined, following, step)
        if not visits:
            return self.action.group.identity(x)
        # A graph that is all visited goes on to nodes it has seen: its later places are not taken.
        taken = torch.arange(there.shape[1], device=x.device) < there.sum(1, keepdim=True)
        return Permutation.trusted(torch.stack(visits, dim=1)[taken] + x.start, x)

    def log_probability(self, x: Graphs, g: Permutation) -> Float[Tensor, "G"]:
        return _log_probability_of_choices(x, g, depth_first=True)


def _log_probability_of_choices(x: Graphs, g: Permutation, depth_first: bool) -> Float[Tensor, "G"]:
    """Log probability of orders whose every choice is independent and uniform; -inf for what is no such traversal."""
    joined, there = _joined(x)
    preference = torch.zeros_like(there, dtype=torch.long).masked_fill(~there, -1)
    graph = torch.arange(len(there), device=x.device)
    order = torch.zeros_like(preference)
    order[g.batch, torch.arange(len(g.batch), device=x.device) - g.start] = g.image - g.start
    size = there.sum(1)
    total = torch.zeros(len(there), dtype=torch.float64, device=x.device)
    for step in range(there.shape[1]):
        candidates = _candidates(preference)
        following = order[:, step]
        allowed = candidates[graph, following]
        term = torch.where(allowed, -candidates.sum(1).double().log(), -torch.inf)
        total += torch.where(step < size, term, 0.0)
        visited = _visit(preference, joined, following, step if depth_first else -step)
        preference = torch.where((step < size)[:, None], visited, preference)
    return total
