"""The inversion kernel under every canonicalizer: its law, by counting all group elements."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from examples import CELLS_NOT_ORBITS, LARGE, SMALL, single
from laws import (
    THRESHOLD,
    ChiSquare,
    Kernel,
    check_inversion_kernel,
    check_kernel,
    copies,
    local_images,
)
from sympe import Graphs, InversionKernel
from sympe.actions import GraphRelabeling
from sympe.cached_kernel import CachedInversionKernel
from sympe.canonicalize import (
    Base,
    BreadthFirst,
    Constant,
    DepthFirst,
    Labeling,
    NodeOrder,
    RandomDepthFirst,
    Refinement,
    Sort,
    Spectral,
    sort_nodes,
)
from sympe.groups import Permutation

SYMMETRIC = {name: graph for name, (graph, _) in LARGE.items()}


class RandomNetwork(nn.Module):
    """Three rounds of sums over neighbors with random weights, in float32."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(7)
        self.weights = [torch.randn(8, 8, generator=generator) for _ in range(3)]

    def forward(self, x: Graphs) -> Tensor:
        h = torch.ones(x.num_nodes, 8) if x.node_label is None else (x.node_label[:, None] * torch.arange(8.0)).sin()
        if x.x is not None:
            h = h + x.x.sum(1, keepdim=True)
        source, target = x.edge_index
        for weight in self.weights:
            h = torch.tanh(h + (torch.zeros_like(h).index_add(0, target, h[source]) @ weight) / 3)
        return h.sum(1)


class EqualScores(nn.Module):
    def forward(self, x: Graphs) -> Tensor:
        return torch.zeros(x.num_nodes)


class StorageScores(nn.Module):
    """Not equivariant: reads where a node is stored."""

    def forward(self, x: Graphs) -> Tensor:
        return torch.arange(x.num_nodes).float()


class RoundedSums(nn.Module):
    """Sums in float32 whose value depends on the order of the edges: 1 + 1e8 - 1e8 is 0, 1e8 - 1e8 + 1 is 1."""

    table = torch.tensor([0.0, 1.0, 1e8, -1e8])

    def forward(self, x: Graphs) -> Tensor:
        source, target = x.edge_index
        assert x.node_label is not None
        return torch.zeros(x.num_nodes).index_add(0, target, self.table[x.node_label[source]])


#: Nodes 0 and 1 see the same three neighbors, but their edges are listed in orders that round differently.
#: Each copy is compared with a relabeling of its own.
ROUNDINGS = {
    f"copy {i}": Graphs(
        torch.tensor([[2, 3, 4, 3, 4, 2], [0, 0, 0, 1, 1, 1]]),
        torch.zeros(5, dtype=torch.long),
        node_label=torch.tensor([0, 0, 1, 2, 3]),
    )
    for i in range(6)
}


class UnsortedRelabeling(GraphRelabeling):
    """Relabels, but leaves the list of edges in its old order."""

    def act(self, g: Permutation, x: Graphs) -> Graphs:
        moved = super().act(g, x)
        return replace(moved, edge_index=g.image[x.edge_index], edge_label=x.edge_label)


def unsorted(order: NodeOrder) -> NodeOrder:
    order.action = UnsortedRelabeling()
    return order


class NotRandomized(nn.Module):
    """A canonicalizer taken at its word: ties go by storage."""

    def __init__(self, canonicalizer: NodeOrder) -> None:
        super().__init__()
        self.canonicalizer = canonicalizer

    def forward(self, x: Graphs, generator: torch.Generator) -> Permutation:
        return self.canonicalizer(x, generator)


class TiesAtRandomButFromStorage(nn.Module):
    """Adds noise to the storage order, so that every element may come out: only the frequencies are wrong."""

    def forward(self, x: Graphs, generator: torch.Generator) -> Permutation:
        place = torch.arange(x.num_nodes) - x.start
        return sort_nodes(x, place + 10 * torch.rand(x.num_nodes, generator=generator))


class RarelyNotRandomized(nn.Module):
    """Exact labeling, but one draw in twenty keeps its ties by storage."""

    def forward(self, x: Graphs, generator: torch.Generator) -> Permutation:
        label = Labeling()
        fair, unfair = InversionKernel(label)(x, generator), label(x)
        is_unfair = torch.rand(len(x), generator=generator) < 0.05
        return Permutation.from_order(torch.where(is_unfair[x.batch], unfair.image, fair.image), x)


class TurnedByCompany(NodeOrder):
    """Sorts by degree: upwards in a batch of graphs of one size, downwards in any other batch."""

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        degree = torch.bincount(x.edge_index[1], minlength=x.num_nodes)
        return sort_nodes(x, degree if bool((x.sizes == x.max_nodes).all()) else -degree)


KERNELS: dict[str, Callable[[], NodeOrder | Constant]] = {
    "constant": Constant,
    "labeling": Labeling,
    "base": Base,
    "base by storage": lambda: Base(exact=False),
    "breadth first": BreadthFirst,
    "depth first": DepthFirst,
    "random depth first": RandomDepthFirst,
    "random depth first by label": lambda: RandomDepthFirst((1, 0)),
    "random depth first, a label last": lambda: RandomDepthFirst(last=(0,)),
    "random depth first by branch": lambda: RandomDepthFirst(by=("branch", "degree")),
    "refinement": Refinement,
    "refinement only": lambda: Refinement(individualize=False),
    "spectral": Spectral,
    "spectral with one vector": lambda: Spectral(num_vectors=1),
    "sort by a network": lambda: Sort(RandomNetwork()),
    "sort by a frozen network": lambda: Sort(RandomNetwork(), temperature=None),
    "sort by equal scores": lambda: Sort(EqualScores()),
    "sort by storage": lambda: Sort(StorageScores()),
}


@pytest.mark.parametrize("name", KERNELS)
def test_law_moves_with_the_input(name: str, generator: torch.Generator) -> None:
    check_kernel(InversionKernel(KERNELS[name]()), SMALL, generator)


def test_law_moves_with_the_input_whatever_the_rounding(generator: torch.Generator) -> None:
    check_kernel(InversionKernel(Sort(RoundedSums())), ROUNDINGS, generator)


@pytest.mark.parametrize(
    "wrong",
    [
        NotRandomized(Labeling()),
        NotRandomized(Refinement()),
        NotRandomized(Spectral(num_vectors=1)),
        NotRandomized(Sort(RandomNetwork())),
        NotRandomized(Sort(StorageScores())),
        TiesAtRandomButFromStorage(),
        InversionKernel(TurnedByCompany()),
    ],
    ids=lambda wrong: type(getattr(wrong, "canonicalizer", wrong)).__name__,
)
def test_the_checker_rejects(wrong: Kernel, generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\) = law\(k g~ \| x\)"):
        check_kernel(wrong, SMALL, generator, draws=400)


def test_the_checker_rejects_a_slight_bias(generator: torch.Generator) -> None:
    symmetric = {name: SMALL[name] for name in ("cycle 4", "cycle 5", "star 5", "two edges", "directed cycle")}
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\) = law\(k g~ \| x\)"):
        check_kernel(RarelyNotRandomized(), symmetric, generator)


def test_the_checker_rejects_edges_in_their_old_order(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\) = law\(k g~ \| x\)"):
        check_kernel(InversionKernel(unsorted(Sort(RoundedSums()))), ROUNDINGS, generator)


def test_the_checker_rejects_the_global_generator(generator: torch.Generator) -> None:
    kernel = InversionKernel(Labeling())
    with pytest.raises(AssertionError, match="expected equal draws from equal seeds"):
        check_kernel(lambda x, _: kernel(x), SMALL, generator, draws=100)


def test_labeling_is_the_inversion_kernel(generator: torch.Generator) -> None:
    check_inversion_kernel(InversionKernel(Labeling()), SMALL | SYMMETRIC, generator)


def test_so_is_a_base(generator: torch.Generator) -> None:
    check_inversion_kernel(InversionKernel(Base()), SMALL | SYMMETRIC, generator)


@pytest.mark.parametrize("order", [Labeling(), Base()], ids=["labeling", "base"])
def test_so_are_cached_draws(order: NodeOrder, generator: torch.Generator) -> None:
    some = ("cycle 4", "star 5", "two edges", "directed cycle", "bull")
    check_inversion_kernel(CachedInversionKernel(order), {name: SMALL[name] for name in some}, generator)


def test_graphs_of_the_same_bytes_are_kept_apart(generator: torch.Generator) -> None:
    """A loop at node 1, and a label 1 at both nodes, are the same numbers after those of the edge."""
    edge, batch = torch.tensor([[0, 1], [1, 0]]), torch.zeros(2, dtype=torch.long)
    loop = Graphs(torch.cat([edge, torch.tensor([[1], [1]])], dim=1), batch)
    kernel = CachedInversionKernel(Labeling())
    assert len({tuple(kernel(loop, generator).rank.tolist()) for _ in range(20)}) == 1
    labeled = Graphs(edge, batch, node_label=torch.tensor([1, 1]))
    assert len({tuple(kernel(labeled, generator).rank.tolist()) for _ in range(50)}) == 2
    alike, unlike = (Graphs(edge, batch, x=torch.tensor(x).bfloat16()) for x in ([[1.0], [1.0]], [[1.0], [2.0]]))
    assert len({tuple(kernel(alike, generator).rank.tolist()) for _ in range(50)}) == 2
    assert len({tuple(kernel(unlike, generator).rank.tolist()) for _ in range(20)}) == 1


def test_refinement_is_the_inversion_kernel_where_cells_are_orbits(generator: torch.Generator) -> None:
    exact = {name: graph for name, graph in (SMALL | SYMMETRIC).items() if name not in CELLS_NOT_ORBITS}
    check_inversion_kernel(InversionKernel(Refinement()), exact, generator)


def test_the_exactness_checker_rejects_a_loose_kernel(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match="differ in their canonical forms"):
        check_inversion_kernel(InversionKernel(Constant()), {"path 3": SMALL["path 3"]}, generator)


def test_the_exactness_checker_rejects_a_tie_broken_by_storage(generator: torch.Generator) -> None:
    """Every draw inverts, but only one element of the coset ever comes."""
    with pytest.raises(AssertionError, match="uniform on the coset"):
        check_inversion_kernel(NotRandomized(Labeling()), {"cycle 5": SMALL["cycle 5"]}, generator)


def test_the_exactness_checker_rejects_a_form_that_depends_on_the_batch(generator: torch.Generator) -> None:
    crowd = {name: SMALL[name] for name in ("path 3", "star 5")}
    with pytest.raises(AssertionError, match="depends on the rest of the batch"):
        check_inversion_kernel(InversionKernel(TurnedByCompany()), crowd, generator)


def uniformity(kernel: Kernel, x: Graphs, order: int, generator: torch.Generator) -> float:
    test = ChiSquare()
    _, counts = torch.unique(
        torch.from_numpy(local_images(kernel(copies(x, 20 * order), generator), x)), dim=0, return_counts=True
    )
    test.fit("", torch.nn.functional.pad(counts, (0, order - len(counts))).numpy())
    return test.p_value


@pytest.mark.parametrize("order", [Constant(), Sort(EqualScores()), Sort(StorageScores())])
def test_without_knowledge_the_law_is_haar(order: NodeOrder | Constant, generator: torch.Generator) -> None:
    assert uniformity(InversionKernel(order), SMALL["bull"], 120, generator) > THRESHOLD


def test_every_element_comes_out_for_graphs_that_are_alike() -> None:
    """Two isomorphic graphs in one batch get draws of their own and one canonical form."""
    x = single(4, [(0, 1), (1, 2), (2, 3)])
    batch = copies(x, 2)
    kernel = InversionKernel(Labeling())
    drawn = {tuple(kernel(batch, torch.Generator().manual_seed(seed)).rank.tolist()) for seed in range(60)}
    assert len(drawn) == 4


@pytest.mark.parametrize("name", KERNELS)
def test_empty_graphs_and_no_graphs(name: str, generator: torch.Generator) -> None:
    kernel = InversionKernel(KERNELS[name]())
    none = torch.zeros(2, 0, dtype=torch.long)
    for batch, num_graphs in (([], 0), ([], 2), ([0], 1), ([1, 1, 4], 7)):
        x = Graphs(none, torch.tensor(batch, dtype=torch.long), num_graphs=num_graphs)
        g = kernel(x, generator)
        assert torch.equal(g.image.sort().values, torch.arange(len(batch)))
        assert torch.equal(x.batch[g.image], x.batch)
