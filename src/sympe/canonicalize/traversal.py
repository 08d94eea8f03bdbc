r"""Order nodes by walking along the edges: neighbors in the order are near in the graph.

Starting from the first node in storage, go on to an unvisited neighbor of the node visited *earliest*
(breadth first) or *latest* (depth first); ties, and the first node of a further component, by storage. Under
the kernel this is a traversal from a random node with random choices: more random than exact labelling, less
than Haar, and with a rule that is the same for every graph. Given another canonicalizer, the traversal walks
its canonical form: root and choices are then as canonical as that form is, and so is the order.
"""

import torch

from sympe.canonicalize.base import NodeOrder
from sympe.graphs import Graphs, to_dense
from sympe.groups import Permutation


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

    def _walk(self, x: Graphs) -> Permutation:
        adjacency, there = to_dense(Graphs(x.edge_index, x.batch, num_graphs=x.num_graphs))
        joined = (adjacency + adjacency.transpose(1, 2)) > 0
        count, n = there.shape
        graph = torch.arange(count, device=x.device)
        # Preference of each node to come next: below 0 once visited, 0 if no neighbor was, above 0 if one was.
        preference = torch.zeros(count, n, dtype=torch.long, device=x.device).masked_fill(~there, -1)
        time_of_visit = torch.full_like(preference, n)
        for step in range(n):
            # argmax may return any of several maxima; the first in storage is meant.
            following = (preference == preference.amax(1, keepdim=True)).int().argmax(1)
            time_of_visit[graph, following] = torch.minimum(
                time_of_visit[graph, following], preference.new_tensor(step)
            )
            offer = step + 1 if self.depth_first else n - step
            reached = joined[graph, following] & (preference >= 0)
            preference = torch.where(reached, preference.clamp(min=offer), preference)
            preference[graph, following] = -1
        visit = time_of_visit[there]
        image = torch.empty_like(visit)
        image[x.start + visit] = torch.arange(len(visit), device=x.device)
        return Permutation(image, x.start + visit, x.batch, x.start)


class BreadthFirst(Traversal):
    """:class:`Traversal` from the node visited earliest."""

    def __init__(self, form: NodeOrder | None = None) -> None:
        super().__init__(depth_first=False, form=form)


class DepthFirst(Traversal):
    """:class:`Traversal` from the node visited latest."""

    def __init__(self, form: NodeOrder | None = None) -> None:
        super().__init__(depth_first=True, form=form)
