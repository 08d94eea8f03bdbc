r"""What every group, action, encoding, kernel and random feature of the library must obey.

Each ``check_...`` raises ``AssertionError`` where a law is broken; a new class adds one line to the test that
calls it. The checkers are themselves tried on wrong things, which they must reject.

Statistics: draws are counted, graph by graph, against the exact law or against a second sample; the
chi-square statistics and degrees of freedom of all graphs are added up, and there is one p-value, that of the
sum. Below ``THRESHOLD`` the law is rejected. Seeds are fixed, so a test passes always or never.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from examples import batch_of, crowds, shuffle_edges
from sympe import Graphs
from sympe.actions import Action, GraphRelabeling, NodeRelabeling
from sympe.groups import Group, Permutation

THRESHOLD = 1e-4

#: A law of group elements: what an ``InversionKernel`` computes, or a wrong one.
Kernel = Callable[[Graphs, torch.Generator], Permutation]
#: A law of node features.
Features = Callable[[Graphs, torch.Generator], Tensor]


@dataclass
class ChiSquare:
    """Pearson statistics of independent experiments, pooled."""

    statistic: float = 0.0
    freedom: int = 0
    parts: dict[str, float] = field(default_factory=dict)

    def fit(self, name: str, counts: NDArray, probabilities: NDArray | None = None) -> None:
        """Add counts whose law should be ``probabilities`` (uniform if left out)."""
        expected = counts.sum() * (np.full(len(counts), 1 / len(counts)) if probabilities is None else probabilities)
        assert expected.min() >= 5, f"{name}: too few draws for a chi-square test"
        self._add(name, float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1)

    def compare(self, name: str, first: NDArray, second: NDArray) -> None:
        """Add two samples, of equal size and one row per draw, whose laws should be the same."""
        values, code = np.unique(np.concatenate([first, second]), axis=0, return_inverse=True)
        code = code.reshape(-1)
        a = np.bincount(code[: len(first)], minlength=len(values))
        b = np.bincount(code[len(first) :], minlength=len(values))
        rare = a + b < 10
        if rare.any():
            a, b = (np.append(c[~rare], c[rare].sum()) for c in (a, b))
        self._add(name, float(((a - b) ** 2 / (a + b)).sum()), len(a) - 1)

    def _add(self, name: str, statistic: float, freedom: int) -> None:
        self.statistic += statistic
        self.freedom += freedom
        self.parts[name] = float(stats.chi2.sf(statistic, freedom)) if freedom else 1.0

    @property
    def p_value(self) -> float:
        return float(stats.chi2.sf(self.statistic, self.freedom)) if self.freedom else 1.0

    def require(self, law: str) -> None:
        lowest = sorted(self.parts.items(), key=lambda part: part[1])[:3]
        assert self.p_value > THRESHOLD, f"{law}: p = {self.p_value:.1e}; lowest parts {lowest}"


def check_group(
    group: Group[Any, Any],
    batch: Any,
    code: Callable[[Any], NDArray],
    order: int,
    generator: torch.Generator,
) -> None:
    """Axioms on random triples, and Haar measure by counting, for a finite group.

    Args:
        group: The group.
        batch: Many members on which it acts alike: each gets a draw of its own.
        code: One row of integers per member, different for different elements.
        order: Number of elements.
        generator: Source of the draws.
    """
    g, h, k = (group.haar(batch, generator) for _ in range(3))
    e = group.identity(batch)
    equations = {
        "(g h) k = g (h k)": (group.compose(group.compose(g, h), k), group.compose(g, group.compose(h, k))),
        "e g = g": (group.compose(e, g), g),
        "g e = g": (group.compose(g, e), g),
        "g^-1 g = e": (group.compose(group.inverse(g), g), e),
        "g g^-1 = e": (group.compose(g, group.inverse(g)), e),
        "(g h)^-1 = h^-1 g^-1": (
            group.inverse(group.compose(g, h)),
            group.compose(group.inverse(h), group.inverse(g)),
        ),
    }
    for equation, (left, right) in equations.items():
        assert np.array_equal(code(left), code(right)), f"expected {equation}"

    def index(element: Any) -> NDArray:
        elements, which = np.unique(code(element), axis=0, return_inverse=True)
        assert len(elements) == order, f"expected {order} elements; haar draws {len(elements)}"
        return which.reshape(-1)

    test = ChiSquare()
    first, second = index(g), index(h)
    # Neighbors in the batch, and the same member in two calls, must be independent as well.
    for name, a, b in (("members", first[::2], first[1::2]), ("calls", first, second)):
        test.fit(name, np.bincount(a * order + b, minlength=order**2))
    test.require("haar is uniform and independent")


def check_action(
    action: Action[Any, Any],
    x: Any,
    equal: Callable[[Any, Any], bool],
    copy: Callable[[Any], Any],
    generator: torch.Generator,
) -> None:
    """The laws of a left action, on random elements; nothing may be changed in place."""
    group = action.group
    g, h = group.haar(x, generator), group.haar(x, generator)
    before = copy(x)
    assert equal(action.act(group.identity(x), x), x), "expected e x = x"
    left, right = action.act(group.compose(g, h), x), action.act(g, action.act(h, x))
    assert equal(left, right), "expected (g h) x = g (h x)"
    assert equal(action.act(group.inverse(g), action.act(g, x)), x), "expected g^-1 g x = x"
    assert equal(x, before), "act must leave its argument as it was"


def check_encoding(encoding: Callable[[Permutation], Tensor], graphs: Graphs, generator: torch.Generator) -> None:
    """An encoding moves its vector by a left action: ``encoding(h g) == act(h, encoding(g))``."""
    action = NodeRelabeling()
    g, h = action.group.haar(graphs, generator), action.group.haar(graphs, generator)
    moved = encoding(action.group.compose(h, g))
    assert torch.equal(moved, action.act(h, encoding(g))), "expected encoding(h g) = h encoding(g)"


def check_kernel(kernel: Kernel, examples: dict[str, Graphs], generator: torch.Generator, draws: int = 2000) -> None:
    """The law of g~ moves with the input, law(g~ | k x) = law(k g~ | x), counted over all group elements.

    On the right x stands in a batch among other graphs, on the left k x stands alone with its edges listed in
    another order: neither company nor storage may matter.
    """
    group = GraphRelabeling().group
    test = ChiSquare()
    for crowd in crowds(examples):
        together = batch_of(crowd).select(list(range(len(crowd))) * draws)
        drawn = kernel(together, generator)
        check_element(drawn, together)
        for (name, x), here in zip(crowd.items(), images_by_graph(drawn, list(crowd.values())), strict=True):
            k = group.haar(x, generator)
            moved = shuffle_edges(GraphRelabeling().act(k, x), generator)
            alone = kernel(copies(moved, draws), generator)
            test.compare(name, k.image.numpy()[here], local_images(alone, x))
    test.require("law(g~ | k x) = law(k g~ | x)")
    check_reproducible(lambda seeded: kernel(together, seeded).image)


def check_inversion_kernel(
    kernel: Kernel, examples: dict[str, Graphs], generator: torch.Generator, draws_per_element: int = 8
) -> None:
    """Every draw inverts, and g~ is uniform on the coset of the automorphism group.

    Of cosets with more than 200 elements, the law of where the first two nodes of the canonical form go.

    The canonical form ``act(inverse(g~), x)`` must be one and the same for every draw, every relabeling and
    every company in the batch. The automorphisms come from :func:`automorphisms`, which knows nothing of kernels.
    """
    action = GraphRelabeling()
    test = ChiSquare()
    for crowd in crowds(examples):
        forms = []
        for name, x in crowd.items():
            group = np.array(automorphisms(x))
            some = copies(x, 100)
            relabeled = shuffle_edges(action.act(action.group.haar(some, generator), some), generator)
            g = kernel(relabeled, generator)
            check_element(g, relabeled)
            found = forms_of(kernel_form(g, relabeled), x)
            assert (found == found[0]).all(), f"{name}: draws and relabelings differ in their canonical forms"
            forms.append(found[0])

            # An element takes the canonical form to x; automorphisms of x after it make the others.
            coset = group[:, local_images(kernel(x, generator), x)[0]]
            places, least = (slice(None), 40) if len(coset) <= 200 else (slice(2), 2000)
            order = len(np.unique(coset[:, places], axis=0))
            many = copies(x, max(least, draws_per_element * order))
            drawn = kernel(many, generator)
            assert (forms_of(kernel_form(drawn, many), x) == found[0]).all(), f"{name}: a draw does not invert"
            counts = np.unique(local_images(drawn, x)[:, places], axis=0, return_counts=True)[1]
            assert len(counts) <= order, f"{name}: {len(counts)} elements drawn; the coset has {order}"
            test.fit(name, np.concatenate([counts, np.zeros(order - len(counts))]))
        together = batch_of(crowd)
        in_crowd = kernel_form(kernel(together, generator), together)
        for index, (name, x) in enumerate(crowd.items()):
            form = forms_of(in_crowd.select([index]), x)[0]
            assert np.array_equal(form, forms[index]), f"{name}: the canonical form depends on the rest of the batch"
    test.require("g~ is uniform on the coset of the automorphism group")


def check_features_law(
    draw: Features, examples: dict[str, Graphs], generator: torch.Generator, draws: int = 2000, bins: int = 20
) -> None:
    """Random node features are equivariant in distribution: law(f(k x)) = law(k f(x)).

    Compared are random linear functions of all features of a graph, binned. As in :func:`check_kernel`, x stands in
    a batch among others and k x alone.
    """
    test = ChiSquare()
    for crowd in crowds(examples):
        together = batch_of(crowd).select(list(range(len(crowd))) * draws)
        features = draw(together, generator)
        assert features.isfinite().all(), "features must be finite"
        sizes = [x.num_nodes for x in crowd.values()]
        parts = features.view(draws, sum(sizes), -1).split(sizes, dim=1)
        for (name, x), here in zip(crowd.items(), parts, strict=True):
            k = GraphRelabeling().group.haar(x, generator)
            moved = shuffle_edges(GraphRelabeling().act(k, x), generator)
            there = draw(copies(moved, draws), generator).view(draws, x.num_nodes, -1)
            weight = torch.randn(here.shape[1:], generator=generator)
            # Node i of x is node k(i) of k x.
            # A law may have atoms; rounding errors must not put one atom into two bins.
            a, b = ((f * w).sum((1, 2)).numpy().round(3) for f, w in ((here, weight[k.image]), (there, weight)))
            edges = np.quantile(np.concatenate([a, b]), np.arange(1, bins) / bins)
            test.compare(name, *(np.searchsorted(edges, v)[:, None] for v in (a, b)))
    test.require("law(f(k x)) = law(k f(x))")
    check_reproducible(lambda seeded: draw(together, seeded))


def check_reproducible(draw: Callable[[torch.Generator], Tensor]) -> None:
    """Equal seeds give equal draws, different ones different draws; the global generator is left alone."""
    state = torch.get_rng_state()
    first, again, other = (draw(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again), "expected equal draws from equal seeds"
    assert not torch.equal(first, other), "expected different draws from different seeds"
    assert torch.equal(state, torch.get_rng_state()), "the global generator must not be touched"


def check_element(g: Permutation, graphs: Graphs) -> None:
    """The element is a permutation that keeps every node in its graph, and both of its directions agree."""
    positions = torch.arange(graphs.num_nodes)
    assert torch.equal(g.image.sort().values, positions), "image must be a permutation of the positions"
    assert torch.equal(g.image[g.preimage], positions), "preimage must be the inverse of image"
    assert torch.equal(graphs.batch[g.image], graphs.batch), "a node must stay in its graph"
    assert torch.equal(g.batch, graphs.batch), "the element must belong to the batch"
    assert torch.equal(g.start, graphs.start), "the element must belong to the batch"


def copies(x: Graphs, count: int) -> Graphs:
    """One graph, many times."""
    return x.select([0] * count)


def local_images(g: Permutation, x: Graphs) -> NDArray:
    """One row of images per copy of x, counted within the copy."""
    return (g.image - g.start).view(-1, x.num_nodes).numpy() if x.num_nodes else np.zeros((1, 0), int)


def images_by_graph(g: Permutation, graphs: Sequence[Graphs]) -> Iterator[NDArray]:
    """For each of the graphs one row of images per repetition of the whole sequence in the batch."""
    sizes = [x.num_nodes for x in graphs]
    yield from np.split((g.image - g.start).view(-1, sum(sizes)).numpy(), np.cumsum(sizes)[:-1], axis=1)


def kernel_form(g: Permutation, graphs: Graphs) -> Graphs:
    """What the draws say the canonical forms are."""
    action = GraphRelabeling()
    return action.act(action.group.inverse(g), graphs)


def forms_of(graphs: Graphs, x: Graphs) -> NDArray:
    """One row per copy of x that holds all there is to know of it; edges must be sorted."""
    count = len(graphs)
    columns = [(graphs.edge_index - graphs.start[graphs.edge_index[0]]).view(2, count, -1)]
    columns += [] if graphs.edge_label is None else [graphs.edge_label.view(1, count, -1)]
    rows = [c.transpose(0, 1).reshape(count, -1).double() for c in columns]
    rows += [] if graphs.node_label is None else [graphs.node_label.view(count, -1).double()]
    rows += [] if graphs.x is None else [graphs.x.reshape(count, -1).double()]
    return torch.cat(rows, dim=1).numpy()


def same_graphs(first: Graphs, second: Graphs) -> bool:
    """Whether two batches are the same, whatever the order in which they list their edges."""

    def listed(graphs: Graphs) -> tuple[Any, ...]:
        label = [0] * graphs.num_edges if graphs.edge_label is None else graphs.edge_label.tolist()
        optional = (graphs.node_label, graphs.x)
        return (
            sorted(zip(*graphs.edge_index.tolist(), label, strict=True)),
            graphs.batch.tolist(),
            [None if value is None else value.tolist() for value in optional],
            graphs.edge_label is None,
            len(graphs),
        )

    return listed(first) == listed(second)


def automorphisms(x: Graphs) -> list[list[int]]:
    """All automorphisms of one small graph, as images, by backtracking over partial maps."""
    n = x.num_nodes
    relation: list[list[tuple[int, ...]]] = [[()] * n for _ in range(n)]
    label = [0] * x.num_edges if x.edge_label is None else x.edge_label.tolist()
    for u, v, l in zip(*x.edge_index.tolist(), label, strict=True):
        relation[u][v] = tuple(sorted((*relation[u][v], l)))
    kind = [
        (
            None if x.node_label is None else int(x.node_label[i]),
            None if x.x is None else tuple(x.x[i].tolist()),
        )
        for i in range(n)
    ]
    found: list[list[int]] = []

    def extend(image: list[int]) -> None:
        i = len(image)
        if i == n:
            found.append(image)
            return
        for j in set(range(n)).difference(image):
            if kind[i] == kind[j] and all(
                relation[i][a] == relation[j][b] and relation[a][i] == relation[b][j]
                for a, b in zip(range(i + 1), [*image, j], strict=True)
            ):
                extend([*image, j])

    extend([])
    return found


def all_permutations_of(x: Graphs) -> Permutation:
    """Each of the n! elements once, acting on that many copies of x."""
    from itertools import permutations

    images = [list(image) for image in permutations(range(x.num_nodes))]
    return Permutation.from_images(images, copies(x, len(images)))
