"""Ranks counted in each orbit: their definition, law and entropy, the names of orbits, and what is refused."""

import numpy as np
import pytest
import torch

import sympe
from examples import LARGE, SMALL, batch_of, single
from laws import THRESHOLD, ChiSquare, automorphisms, check_features_law, copies
from sympe import CachedInversionKernel, Graphs, InversionKernel, RankEncoding, SinusoidalRankEncoding
from sympe.breaking import OrbitRanks
from sympe.canonicalize import Base, Constant, Labeling, Refinement
from sympe.encoding import PairRankEncoding
from sympe.graphs import automorphism_orbits
from sympe.kernel import Kernel

KERNELS: dict[str, Kernel] = {
    "labeling": InversionKernel(Labeling()),
    "cached": CachedInversionKernel(Labeling()),
    "haar": InversionKernel(Constant()),
}
EXAMPLES = SMALL | {name: graph for name, (graph, _) in LARGE.items() if name in ("petersen", "two triangles")}
#: Orbits of two, of one and of three nodes, and no two graphs alike.
MIXED = batch_of({name: SMALL[name] for name in ("path 3", "two edges", "cycle 5", "no edges")})


def named(kernel: Kernel) -> OrbitRanks:
    return OrbitRanks(kernel, RankEncoding(2, 8), RankEncoding(3, 8))


@pytest.mark.parametrize("name", KERNELS)
def test_places_are_counted_within_orbits_and_orbits_by_their_first(name: str, generator: torch.Generator) -> None:
    pe = named(KERNELS[name])
    g = pe.kernel(MIXED, generator)
    place, index = pe.places(g, MIXED)
    orbit, rank, batch = automorphism_orbits(MIXED).tolist(), g.rank.tolist(), MIXED.batch.tolist()
    first = {o: min(rank[j] for j in range(len(rank)) if orbit[j] == o) for o in orbit}
    for i in range(MIXED.num_nodes):
        assert place[i] == sum(orbit[j] == orbit[i] and rank[j] < rank[i] for j in range(MIXED.num_nodes))
        others = {orbit[j] for j in range(MIXED.num_nodes) if batch[j] == batch[i]}
        assert index[i] == sum(first[o] < first[orbit[i]] for o in others)
    shown = pe.encode(g, MIXED)
    assert pe.names is not None
    assert torch.equal(shown, torch.cat([pe.encoding.rows(8)[place], pe.names.rows(8)[index]], dim=1))


@pytest.mark.parametrize("name", KERNELS)
def test_law_moves_with_the_input(name: str, generator: torch.Generator) -> None:
    pe = named(KERNELS[name])

    def draw(x: Graphs, seeded: torch.Generator) -> torch.Tensor:
        with torch.no_grad():
            return pe(x, seeded)

    check_features_law(draw, SMALL, generator, draws=500)


@pytest.mark.parametrize("kernel", ["labeling", "cached"])
@pytest.mark.parametrize("name", ["star 5", "two triangles", "two edges", "directed cycle", "petersen", "no edges"])
def test_exact_ranks_lose_no_entropy(name: str, kernel: str, generator: torch.Generator) -> None:
    """Every draw has the same orbits' names, and places have as many values as automorphisms, all alike often."""
    x = EXAMPLES[name]
    order = len(automorphisms(x))
    many = copies(x, 20 * order)
    pe = named(KERNELS[kernel])
    place, index = pe.places(pe.kernel(many, generator), many)
    assert len(index.view(-1, x.num_nodes).unique(dim=0)) == 1
    counts = np.unique(place.view(-1, x.num_nodes).numpy(), axis=0, return_counts=True)[1]
    assert len(counts) == order
    test = ChiSquare()
    test.fit(name, counts)
    assert test.p_value > THRESHOLD


def test_places_of_a_set_are_permutations_of_equal_elements(generator: torch.Generator) -> None:
    x = sympe.graphs.from_sets(torch.tensor([[[1.0], [2.0], [1.0], [1.0]], [[5.0], [5.0], [0.0], [7.0]]]))
    pe = OrbitRanks(InversionKernel(Labeling()), SinusoidalRankEncoding(4))
    place = pe.places(pe.kernel(x, generator), x)[0].view(2, 4).tolist()
    assert [sorted(place[0][k] for k in (0, 2, 3)), place[0][1]] == [[0, 1, 2], 0]
    assert [sorted(place[1][:2]), *place[1][2:]] == [[0, 1], 0, 0]


def test_a_table_needs_as_many_rows_as_the_largest_orbit(generator: torch.Generator) -> None:
    star = single(5, [(0, k) for k in range(1, 5)])
    assert OrbitRanks(KERNELS["labeling"], RankEncoding(2, 4))(star, generator, draws=3).shape == (3, 5, 2)
    with pytest.raises(ValueError, match="4 ranks are shown, the table has 3 rows; raise max_nodes"):
        OrbitRanks(KERNELS["labeling"], RankEncoding(2, 3))(star, generator)


@pytest.mark.parametrize("name", KERNELS)
def test_empty_graphs_and_batches(name: str, generator: torch.Generator) -> None:
    empty = Graphs(torch.zeros(2, 0, dtype=torch.long), torch.zeros(0, dtype=torch.long), num_graphs=2)
    assert named(KERNELS[name])(empty, generator).shape == (0, 5)
    one = sympe.graphs.from_edges([(0, []), (1, []), (2, [(0, 1)]), (0, [])])
    place, index = named(KERNELS[name]).places(KERNELS[name](one, generator), one)
    assert place.tolist() in ([0, 0, 1], [0, 1, 0])
    assert index.tolist() == [0, 0, 0]


def test_what_does_not_fit_is_refused(generator: torch.Generator) -> None:
    with pytest.raises(ValueError, match=r"expected a table of rows such as RankEncoding\(16, 64\); got"):
        OrbitRanks(KERNELS["labeling"], PairRankEncoding(2, 8))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected a table of rows"):
        OrbitRanks(KERNELS["labeling"], RankEncoding(2, 8), "names")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected the ranks of all nodes, .*; Base\(\) shows a few alone"):
        OrbitRanks(InversionKernel(Base()), RankEncoding(2, 8))(MIXED, generator)
    with pytest.raises(ValueError, match="Refinement alone is not equivariant in distribution"):
        OrbitRanks(Refinement(), RankEncoding(2, 8))  # type: ignore[arg-type]
