r"""Order nodes by walking along the edges, so that neighbors in the order are close in the graph.

Start from the first node in storage and continue to an unvisited neighbor of the node visited *earliest* (breadth
first) or *latest* (depth first); storage breaks ties and picks the first node of each further component. Under the
kernel this is a traversal from a random node with random choices: more random than exact labeling, less than Haar.
Given another canonicalizer, the traversal walks its canonical form: root and choices, and so the order, are then as
canonical as that form.

:class:`RandomDepthFirst` makes every choice independently instead, so that the probability of an order is known:

.. math:: P(\text{order} \mid x) = \prod_r \frac{1}{|C_r|},

with :math:`C_r` the nodes that could have come at rank :math:`r`, given the nodes before; where rules
are given, only those that they leave. A single storage order that breaks all ties would not give this: that one
neighbor came before another says something about its place in storage, and so about later choices (in every cycle).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.canonicalize.base import NodeOrder
from sympe.graphs import Graphs
from sympe.graphs.convert import neighbors
from sympe.groups import Permutation
from sympe.seeding import sample


class Traversal(NodeOrder):
    """Order of visit; batched, on any device, one step per node of the largest graph.

    Memory grows with (number of graphs) x (most nodes)^2. Edge labels and directions are ignored.

    Args:
        form: Canonicalizer whose canonical form is walked; by default the graphs are walked as stored.
    """

    #: Whether to continue from the node visited latest (True) or earliest (False).
    depth_first: bool

    def __init__(self, form: NodeOrder | None = None) -> None:
        super().__init__()
        if form is not None and not isinstance(form, NodeOrder):
            raise ValueError(f"form must be a canonicalizer of graphs, such as Labeling(); got {form!r}")
        self.form = form

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        if self.form is None:
            return self._walk(x)
        group = self.action.group
        to_input = self.form(x, generator)
        return group.compose(to_input, self._walk(self.action.act(group.inverse(to_input), x)))

    def is_exact(self, x: Graphs) -> Bool[Tensor, "G"]:
        """Where the walked canonical form is exact."""
        return super().is_exact(x) if self.form is None else self.form.is_exact(x)

    def _walk(self, x: Graphs) -> Permutation:
        # Of several maxima, the first in storage.
        return _traverse(x, self.depth_first, lambda candidates: candidates.int().argmax(1))


class BreadthFirst(Traversal):
    """:class:`Traversal` from the node visited earliest."""

    depth_first = False

    def log_probability(self, x: Graphs, g: Permutation) -> Float[Tensor, "G"]:
        """The children of a node come in a uniformly random order, as if every choice were independent."""
        if self.form is not None:
            return super().log_probability(x, g)
        return _log_probability_of_choices(x, g, depth_first=False)


class DepthFirst(Traversal):
    """:class:`Traversal` from the node visited latest."""

    depth_first = True


class RandomDepthFirst(NodeOrder):
    """A depth-first order from a random node with independent random choices, whose probability is known.

    Its law is equivariant without the kernel. Edge labels and directions are ignored. By default all candidates of a
    choice are equally likely. Rules, which apply to the first node as to every other, leave fewer orders, and a network
    can tell which.

    Args:
        labels: Node labels, in the order in which their nodes should come: each choice is then among the candidates
            whose label comes first; other labels come after those. Graphs without node labels ignore it.
        by: What decides among those left, in this order: ``branch`` keeps the candidates from which most unvisited
            nodes can be reached without passing a visited one (in time n^4 log n for n nodes), ``degree`` those with
            the fewest neighbors, visited or not. Both count nodes of ``last``.
        last: Node labels whose nodes come after all others of their graph, such as that of hydrogen in a molecule.
            After that the walk goes on as usual, by the same rules.

    Raises:
        ValueError: If a label or a rule occurs twice, or a rule is not known.

    Example:
        >>> order = RandomDepthFirst(by=("degree",), last=(1,))  # molecules whose labels are atomic numbers
    """

    def __init__(self, labels: Sequence[int] = (), *, by: Sequence[str] = (), last: Sequence[int] = ()) -> None:
        super().__init__()
        if isinstance(by, str):
            raise ValueError(f"by must be a sequence of rules, such as ('degree',); got {by!r}")
        self.rules = _Rules(tuple(labels), tuple(by), tuple(last))

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        def choose(candidates: Bool[Tensor, "G n"]) -> Int[Tensor, "G"]:
            key = sample(torch.rand, candidates.shape, generator=generator, device=x.device, dtype=torch.float64)
            return torch.where(candidates, key, -1.0).argmax(1)

        return _traverse(x, True, choose, self.rules)

    def log_probability(self, x: Graphs, g: Permutation) -> Float[Tensor, "G"]:
        return _log_probability_of_choices(x, g, True, self.rules)


@dataclass(frozen=True)
class _Rules:
    """Which of the nodes that a walk may visit next come first; see :class:`RandomDepthFirst`."""

    labels: tuple[int, ...] = ()
    by: tuple[str, ...] = ()
    last: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, given in vars(self).items():
            if len(set(given)) < len(given):
                raise ValueError(f"{name} must not repeat a value; got {list(given)}")
        if not set(self.by) <= {"branch", "degree"}:
            raise ValueError(f"by must name branch or degree; got {list(self.by)}")

    def candidates(
        self, x: Graphs, joined: Bool[Tensor, "G n n"], there: Bool[Tensor, "G n"]
    ) -> Callable[[Int[Tensor, "G n"]], Bool[Tensor, "G n"]]:
        """What tells the nodes that may come next from the preferences of nodes.

        These are negative once a node was visited, 0 if no neighbor was, and positive if one was.
        """
        waits = _place(x, there, self.last) < len(self.last) if self.last else None
        place = _place(x, there, self.labels) if self.labels else None
        degree = joined.sum(2)

        def of(preference: Int[Tensor, "G n"]) -> Bool[Tensor, "G n"]:
            open_ = preference >= 0
            if waits is not None:
                preference = preference.masked_fill(waits & (open_ & ~waits).any(1, keepdim=True), -1)
            found = preference == preference.amax(1, keepdim=True)
            found = found if place is None else _least(place, found)
            for rule in self.by:
                found = _least(degree if rule == "degree" else -_component_sizes(joined, open_), found)
            return found

        return of


def _place(x: Graphs, there: Bool[Tensor, "G n"], labels: tuple[int, ...]) -> Int[Tensor, "G n"]:
    """Place of each node's label among ``labels``; behind all of them if it is not there."""
    place = torch.full_like(there, len(labels), dtype=torch.long)
    if x.node_label is not None:
        place[there] = (x.node_label[:, None] != torch.tensor(labels, device=x.device)).long().cumprod(1).sum(1)
    return place


def _least(number: Int[Tensor, "G n"], among: Bool[Tensor, "G n"]) -> Bool[Tensor, "G n"]:
    """Which of some nodes have the least number."""
    number = torch.where(among, number, torch.iinfo(number.dtype).max)
    return among & (number == number.amin(1, keepdim=True))


def _component_sizes(joined: Bool[Tensor, "G n n"], among: Bool[Tensor, "G n"]) -> Int[Tensor, "G n"]:
    """Number of nodes in the component of each node, where some nodes and their edges are left."""
    n = joined.shape[1]
    reached = (joined & among[:, None] & among[:, :, None]) | torch.eye(n, dtype=torch.bool, device=joined.device)
    for _ in range(max(n - 1, 1).bit_length()):  # paths of twice the length each time
        step = reached.float()
        reached = (step @ step) > 0
    return reached.sum(2)


def _traverse(
    x: Graphs,
    depth_first: bool,
    choose: Callable[[Bool[Tensor, "G n"]], Int[Tensor, "G"]],
    rules: _Rules = _Rules(),
) -> Permutation:
    """The order of visit, where ``choose`` picks one of the candidates of each graph."""
    joined, there, preference = _start(x)
    candidates = rules.candidates(x, joined, there)
    order = torch.zeros_like(preference)
    for step in range(there.shape[1]):
        order[:, step] = choose(candidates(preference))
        preference = _visit(preference, joined, order[:, step], step if depth_first else -step)
    # A graph whose nodes are all visited revisits some: ignore its later places.
    taken = torch.arange(there.shape[1], device=x.device) < there.sum(1, keepdim=True)
    return Permutation.trusted(order[taken] + x.start, x)


def _start(x: Graphs) -> tuple[Bool[Tensor, "G n n"], Bool[Tensor, "G n"], Int[Tensor, "G n"]]:
    """Which nodes are neighbors, which places hold a node, and the preferences before the first visit."""
    joined, there = neighbors(x)
    return joined, there, torch.zeros_like(there, dtype=torch.long).masked_fill(~there, -1)


def _visit(preference: Tensor, joined: Tensor, following: Tensor, step: int) -> Tensor:
    """The preferences after ``following`` was visited; neighbors of a node of higher ``step`` are preferred."""
    graph = torch.arange(len(preference), device=preference.device)
    offer = 1 + preference.shape[1] + step
    reached = joined[graph, following] & (preference >= 0)
    preference = torch.where(reached, preference.clamp(min=offer), preference)
    preference[graph, following] = -1
    return preference


def _log_probability_of_choices(
    x: Graphs, g: Permutation, depth_first: bool, rules: _Rules = _Rules()
) -> Float[Tensor, "G"]:
    """Log probability of orders with independent, uniform choices; -inf for orders that are not such a traversal."""
    joined, there, preference = _start(x)
    candidates = rules.candidates(x, joined, there)
    graph = torch.arange(len(there), device=x.device)
    order = torch.zeros_like(preference)
    order[g.batch, torch.arange(len(g.batch), device=x.device) - g.start] = g.image - g.start
    size = there.sum(1)
    total = torch.zeros(len(there), dtype=torch.float64, device=x.device)
    for step in range(there.shape[1]):
        possible = candidates(preference)
        following = order[:, step]
        allowed = possible[graph, following]
        term = torch.where(allowed, -possible.sum(1).double().log(), -torch.inf)
        total += torch.where(step < size, term, 0.0)
        visited = _visit(preference, joined, following, step if depth_first else -step)
        preference = torch.where((step < size)[:, None], visited, preference)
    return total
