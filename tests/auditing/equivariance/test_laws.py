"""Tests of laws, tried on laws that are equivariant and on those that peers take for such."""

import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import sympe
from examples import LARGE, SMALL, batch_of
from sympe import Graphs, InversionKernel, check_equivariance_in_distribution
from sympe.actions import DenseRelabeling, Invariant, NodeRelabeling, TensorRotation
from sympe.breaking import Laplacian, Noise
from sympe.canonicalize import BreadthFirst, Canonicalizer, Constant, DepthFirst, Labeling, Refinement, Sort, Spectral
from sympe.graphs import from_edges, to_dense

CYCLE = LARGE["cycle 8"][0]
CUBE = torch.tensor(list(product((-1.0, 1.0), repeat=3)), dtype=torch.float64)[None]
#: Settings that make a test fast; the smallest p-value is 1/400.
FAST: dict[str, Any] = {"elements": 10, "draws": 10, "permutations": 399, "level": 0.0025, "power": False}


class Storage(nn.Module):
    """Scores that are all equal: the sort falls back on the index."""

    def forward(self, x: Graphs) -> Tensor:
        return torch.zeros(x.num_nodes)


def ranks(order: Callable[..., Any]) -> Callable[..., Tensor]:
    return lambda x, generator: order(x, generator).rank


def one_bond_less(x: Graphs, generator: torch.Generator) -> Tensor:
    """A random graph on the same nodes, as adjacency matrices: the cycle with one bond cut at random."""
    adjacency, _ = to_dense(x)
    rank = torch.argsort(torch.rand(len(x), x.max_nodes**2, generator=generator), dim=1).view_as(adjacency)
    rank = torch.where(adjacency > 0, torch.minimum(rank, rank.mT), x.max_nodes**2)
    return adjacency * (rank > rank.flatten(1).amin(1)[:, None, None])


RIGHT: dict[str, tuple[Callable[..., Tensor], Graphs, str]] = {
    "labeling": (ranks(InversionKernel(Labeling())), CYCLE, "chi-square"),
    "refinement": (ranks(InversionKernel(Refinement())), LARGE["two triangles"][0], "hamming"),
    "constant": (ranks(InversionKernel(Constant())), CYCLE, "hamming"),
    "tie-break on a shuffled copy": (ranks(InversionKernel(Sort(Storage(), temperature=None))), CYCLE, "hamming"),
    "spectral": (ranks(InversionKernel(Spectral())), LARGE["cube"][0], "hamming"),
    "depth first": (ranks(InversionKernel(DepthFirst())), SMALL["bull"], "hamming"),
    "breadth first": (ranks(InversionKernel(BreadthFirst())), SMALL["star 5"], "hamming"),
    "noise": (Noise(3), SMALL["kite"], "gaussian"),
    "Laplacian": (Laplacian(2), CYCLE, "gaussian"),
    "several graphs": (Laplacian(2), batch_of({n: SMALL[n] for n in ("cycle 4", "star 5", "one node")}), "gaussian"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_laws_pass(name: str, generator: torch.Generator) -> None:
    law, x, kernel = RIGHT[name]
    report = check_equivariance_in_distribution(law, x, generator=generator, **FAST)
    report.require()
    assert report.p_value > 0.01
    assert kernel == report.kernel or report.distinct <= 20
    assert abs(report.mmd2) < 1


def pyg_transform(x: Graphs, generator: torch.Generator) -> Tensor:
    """PyG's encoding, called as its users do, with the signs of its global generator."""
    data = pytest.importorskip("torch_geometric.data")
    transforms = pytest.importorskip("torch_geometric.transforms")
    transform = transforms.AddLaplacianEigenvectorPE(k=2, attr_name="pe", is_undirected=True)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(generator.initial_seed())
        return transform(data.Data(edge_index=x.edge_index, num_nodes=x.num_nodes)).pe


class SignFlips(nn.Module):
    """Eigenvectors as the solver returns them, with random signs."""

    def forward(self, x: Graphs, generator: torch.Generator) -> Tensor:
        spectrum = Laplacian(2).spectrum(x)
        sign = torch.randint(2, spectrum.values.shape, generator=generator) * 2 - 1
        return (spectrum.vectors * sign[x.batch])[:, :2]


def sometimes(wrong: Callable[..., Tensor], right: Callable[..., Tensor], share: float) -> Callable[..., Tensor]:
    def law(x: Graphs, generator: torch.Generator) -> Tensor:
        is_wrong = torch.rand(len(x), generator=generator)[x.batch] < share
        return torch.where(is_wrong, wrong(x, generator), right(x, generator))

    return law


def correlated_by_storage(x: Graphs, generator: torch.Generator) -> Tensor:
    """Right marginal law for each node, wrong joint law: neighbors in storage get correlated noise."""
    noise = torch.randn(x.num_nodes, generator=generator)
    return (noise + noise.roll(1)) / 2**0.5


WRONG: dict[str, tuple[Callable[..., Tensor], Graphs, bool]] = {
    "index tie-break": (ranks(Sort(Storage(), temperature=None)), CYCLE, True),
    "labeling, not randomized": (ranks(Labeling()), SMALL["cycle 5"], True),
    "traversal from the first node": (ranks(DepthFirst()), CYCLE, True),
    "spectral, not randomized": (ranks(Spectral(num_vectors=1)), SMALL["two edges"], True),
    "sign flips": (SignFlips(), CYCLE, True),
    "PyG's sign flips": (pyg_transform, CYCLE, False),
    "index tie-break in half of the draws": (
        sometimes(ranks(Labeling()), ranks(InversionKernel(Labeling())), 0.5),
        SMALL["cycle 5"],
        True,
    ),
    "correlated by storage": (correlated_by_storage, CYCLE, True),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_laws_are_rejected(name: str, generator: torch.Generator) -> None:
    law, x, batched = WRONG[name]
    settings = FAST if name != "correlated by storage" else FAST | {"elements": 16, "draws": 30}
    report = check_equivariance_in_distribution(
        law, x, output_action=NodeRelabeling(), batched=batched, generator=generator, **settings
    )
    assert report.is_rejected
    with pytest.raises(AssertionError, match=r"not equivariant in distribution: p = 0\.0025"):
        report.require()


def test_sign_flips_are_right_where_no_eigenvalue_repeats(generator: torch.Generator) -> None:
    assert not check_equivariance_in_distribution(SignFlips(), SMALL["bull"], generator=generator, **FAST).is_rejected


def test_dense_outputs(generator: torch.Generator) -> None:
    action = DenseRelabeling(2)
    right = check_equivariance_in_distribution(one_bond_less, CYCLE, output_action=action, generator=generator, **FAST)
    assert right.distinct == 8
    assert not right.is_rejected

    def first_bond(x: Graphs, generator: torch.Generator) -> Tensor:
        adjacency, _ = to_dense(x)
        adjacency[:, 0] = adjacency[:, :, 0] = 0
        return adjacency

    assert check_equivariance_in_distribution(first_bond, CYCLE, output_action=action, **FAST).is_rejected


def test_graph_outputs(generator: torch.Generator) -> None:
    def number(x: Graphs, generator: torch.Generator) -> Tensor:
        return torch.rand(len(x), generator=generator)

    def first_degree(x: Graphs, generator: torch.Generator) -> Tensor:
        degree = torch.bincount(x.edge_index[0], minlength=x.num_nodes)
        return degree[x.ptr[:-1]] + 0.1 * number(x, generator)

    assert not check_equivariance_in_distribution(number, SMALL["bull"], generator=generator, **FAST).is_rejected
    assert check_equivariance_in_distribution(first_degree, SMALL["bull"], generator=generator, **FAST).is_rejected


class PrincipalAxes(Canonicalizer[Tensor, Tensor]):
    def __init__(self) -> None:
        super().__init__()
        self.action = TensorRotation()

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return torch.linalg.eigh(x.mT @ x)[1]


def frames_with_random_signs(x: Tensor, generator: torch.Generator) -> Tensor:
    sign = torch.randint(2, (len(x), 1, 3), generator=generator) * 2 - 1
    return (PrincipalAxes()(x) * sign).mT


@pytest.mark.parametrize("batched", [True, False])
def test_principal_axes(batched: bool, generator: torch.Generator) -> None:
    """With random signs they are right for a box; on a cube the solver's choice shows. Random frames are right."""
    turning = TensorRotation()
    settings = FAST | {"action": turning, "output_action": turning, "batched": batched, "generator": generator}
    box = CUBE * torch.tensor([1.0, 2.0, 3.0])
    assert not check_equivariance_in_distribution(frames_with_random_signs, box, **settings).is_rejected
    assert check_equivariance_in_distribution(frames_with_random_signs, CUBE, **settings).is_rejected
    random = InversionKernel(Constant(turning))
    frame = check_equivariance_in_distribution(lambda x, generator: random(x, generator).mT, CUBE, **settings)
    assert not frame.is_rejected


def test_rounding_of_the_input_is_not_forgiven_without_a_tolerance(generator: torch.Generator) -> None:
    """Randomizing makes any canonicalizer equivariant for exact numbers. A turned cube is a cube but for rounding, and
    principal axes are those of the rounding: the law differs between two turned cubes.
    """
    kernel = InversionKernel(PrincipalAxes())
    turning = TensorRotation()
    settings = FAST | {"elements": 16, "draws": 30, "action": turning, "output_action": turning}
    report = check_equivariance_in_distribution(lambda x, generator: kernel(x, generator).mT, CUBE, **settings)
    assert report.is_rejected


def test_members_of_a_batch_may_depend_on_each_other(generator: torch.Generator) -> None:
    def shared(x: Graphs, generator: torch.Generator) -> Tensor:
        noise = torch.randn(x.num_nodes, generator=generator)
        return noise - noise.mean() + torch.randn((), generator=generator)

    p = [check_equivariance_in_distribution(shared, CYCLE, generator=generator, **FAST).p_value for _ in range(12)]
    assert min(p) > 0.0025
    assert max(p) < 1


def test_a_network_with_sympe(generator: torch.Generator) -> None:
    class Sum(nn.Module):
        """A layer of message passing in float32."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.randn(8, 3, generator=generator)

        def forward(self, h: Tensor, edge_index: Tensor) -> Tensor:
            return torch.tanh(torch.zeros_like(h).index_add(0, edge_index[1], h[edge_index[0]]) @ self.weight)

    network = Sum()
    pe = sympe.SymPE(InversionKernel(Labeling()), sympe.RankEncoding(8, max_nodes=8))
    not_randomized = Labeling()
    right = check_equivariance_in_distribution(
        lambda x, generator: network(pe(x, generator), x.edge_index), CYCLE, generator=generator, **FAST
    )
    wrong = check_equivariance_in_distribution(
        lambda x, generator: network(pe.encoding(not_randomized(x)), x.edge_index), CYCLE, generator=generator, **FAST
    )
    assert not right.is_rejected
    assert wrong.is_rejected


def test_a_deterministic_equivariant_map_passes_with_p_1() -> None:
    """Also in float32, where sums depend on the order of their terms: rounding is no asymmetry."""
    torch.manual_seed(0)
    weight = torch.randn(4, 4)

    def network(x: Graphs, generator: torch.Generator) -> Tensor:
        h = torch.ones(x.num_nodes, 4)
        for _ in range(4):
            h = torch.tanh((h + torch.zeros_like(h).index_add(0, x.edge_index[1], h[x.edge_index[0]]) / 3) @ weight)
        return h

    for name in ("star 5", "kite", "bull"):
        report = check_equivariance_in_distribution(network, SMALL[name], **FAST)
        assert (report.p_value, report.distinct, report.detectable) == (1, 1, None)
    assert "all outputs are equal" in str(report)


def test_one_by_one_is_another_way_to_the_same() -> None:
    for wrong in (True, False):
        law = ranks(Labeling() if wrong else InversionKernel(Labeling()))
        reports = [check_equivariance_in_distribution(law, CYCLE, batched=batched, **FAST) for batched in (True, False)]
        assert [report.is_rejected for report in reports] == [wrong, wrong]


def test_each_call_gets_a_generator_of_its_own() -> None:
    seen = []

    def law(x: Graphs, generator: torch.Generator) -> Tensor:
        seen.append(generator.initial_seed())
        return torch.rand(x.num_nodes, generator=generator)

    state = torch.get_rng_state()
    first = check_equivariance_in_distribution(law, CYCLE, **FAST)
    assert len(seen) == FAST["draws"]
    assert len(set(seen)) == len(seen)
    again = check_equivariance_in_distribution(law, CYCLE, **FAST)
    other = check_equivariance_in_distribution(law, CYCLE, generator=torch.Generator().manual_seed(9), **FAST)
    assert first == again
    assert first != other
    assert torch.equal(state, torch.get_rng_state())


def test_the_report_states_its_power(generator: torch.Generator) -> None:
    report = check_equivariance_in_distribution(
        Noise(2), SMALL["bull"], elements=8, draws=8, permutations=99, level=0.05, generator=generator
    )
    assert report.detectable is not None
    assert 0.1 < report.detectable < 0.7
    assert f"in {100 * report.detectable:.0f} % of its draws would be rejected with probability 0.9" in str(report)


def test_bad_input() -> None:
    noise = Noise(1)
    with pytest.raises(ValueError, match="elements and draws must be at least 2; got 1 and 20"):
        check_equivariance_in_distribution(noise, CYCLE, elements=1)
    with pytest.raises(ValueError, match=r"at least 1 / \(1 \+ permutations\) = 0.01; got 0.001"):
        check_equivariance_in_distribution(noise, CYCLE, permutations=99)
    with pytest.raises(ValueError, match="the map must return finite numbers; got nan"):
        check_equivariance_in_distribution(lambda x, generator: noise(x, generator) * torch.nan, CYCLE, **FAST)
    with pytest.raises(ValueError, match="expected outputs that hold numbers; got empty ones"):
        check_equivariance_in_distribution(noise, from_edges([(0, [])]), output_action=Invariant(), **FAST)
    with pytest.raises(ValueError, match="expected a tensor, or a batch with a length and a method select; got list"):
        check_equivariance_in_distribution(noise, [1], action=TensorRotation(), **FAST)
    with pytest.raises(ValueError, match="rows of 10 copies of x one after another; got shape"):
        check_equivariance_in_distribution(
            lambda x, generator: torch.zeros(3), CYCLE, output_action=Invariant(), **FAST
        )


@pytest.mark.parametrize("batched", [True, False])
def test_outputs_of_varying_shape(batched: bool) -> None:
    def varying(x: Graphs, generator: torch.Generator) -> Tensor:
        return torch.zeros(len(x), int(torch.randint(1, 4, (), generator=generator)))

    with pytest.raises(ValueError, match="expected outputs of one shape; got"):
        check_equivariance_in_distribution(varying, CYCLE, output_action=Invariant(), batched=batched, **FAST)
