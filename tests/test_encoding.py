from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from examples import CELLS_NOT_ORBITS, LARGE, SMALL, batch_of, crowds, single
from laws import check_encoding, check_features_law, check_reproducible, copies
from sympe import Graphs, InversionKernel, RankEncoding, SinusoidalRankEncoding, SymPE, wrap
from sympe.breaking import Laplacian, Noise
from sympe.canonicalize import Constant, Labeling, Refinement, Sort
from sympe.encoding import Encoding, PermutedRows, WaveEncoding
from sympe.groups import Permutation, SymmetricGroup
from sympe.kernel import Kernel

PATHS = {f"path {n}": single(n, [(i, i + 1) for i in range(n - 1)]) for n in (1, 2, 3, 5)}


class ByImage(RankEncoding):
    """Reads the row of a node's image, not of its rank: a right action."""

    def forward(self, g: Permutation) -> Tensor:
        return self.v[g.image - g.start]


class Degrees(nn.Module):
    def forward(self, x: Graphs) -> Tensor:
        return torch.bincount(x.edge_index[1], minlength=x.num_nodes).float()


class ScoredByOne(nn.Module):
    """Degree times a learned number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.7))

    def forward(self, x: Graphs) -> Tensor:
        return Degrees()(x) * self.weight


class StorageOrder(Kernel[Permutation, Graphs]):
    """No kernel but in name: the canonicalizer alone."""

    def __init__(self) -> None:
        super().__init__()
        self.tau = Refinement()
        self.action = self.tau.action

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        return self.tau(x)


REGISTRY: list[PermutedRows] = [RankEncoding(4, max_nodes=8), SinusoidalRankEncoding(4), SinusoidalRankEncoding(3, 2)]


@pytest.mark.parametrize("encoding", REGISTRY, ids=lambda encoding: type(encoding).__name__)
def test_laws(encoding: Encoding, generator: torch.Generator) -> None:
    check_encoding(encoding, batch_of(PATHS), generator)


def test_the_checker_rejects_a_right_action(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match="expected encoding"):
        check_encoding(ByImage(4, max_nodes=8), batch_of(PATHS), generator)


@pytest.mark.parametrize("encoding", REGISTRY, ids=lambda encoding: type(encoding).__name__)
def test_a_node_reads_the_row_of_its_rank(encoding: PermutedRows) -> None:
    g = Permutation.from_images([[2, 0, 1]], PATHS["path 3"])
    moved, rows = encoding(g), encoding.rows(3)
    assert g.rank.tolist() == [1, 2, 0]
    assert torch.equal(moved, rows[[1, 2, 0]])
    assert moved.shape == (3, encoding.dim)


def test_a_relaxation_carries_value_and_gradient() -> None:
    g = Permutation.from_images([[2, 0, 1]], PATHS["path 3"])
    one_hot = nn.functional.one_hot(g.rank, 3).float().requires_grad_()
    relaxed = Permutation(g.image, g.preimage, g.batch, g.start, one_hot)
    encoding = RankEncoding(4, max_nodes=8)
    assert torch.equal(encoding(relaxed), encoding(g))
    encoding(relaxed).square().sum().backward()
    assert one_hot.grad is not None
    assert one_hot.grad.abs().sum() > 0


def test_too_many_nodes_for_the_table(generator: torch.Generator) -> None:
    encoding = RankEncoding(2, max_nodes=4)
    message = (
        "5 ranks are shown, the table has 4 rows; raise max_nodes or use SinusoidalRankEncoding, which has no limit"
    )
    for canonicalizer in (Labeling(), Sort(Degrees())):
        pe = SymPE(InversionKernel(canonicalizer), encoding)
        assert pe(SMALL["cycle 4"], generator).shape == (4, 2)
        with pytest.raises(ValueError, match=message):
            pe(SMALL["cycle 5"], generator)


def test_sinusoidal_rows_have_no_limit(generator: torch.Generator) -> None:
    encoding = SinusoidalRankEncoding(6)
    x = Graphs(torch.zeros(2, 0, dtype=torch.long), torch.zeros(3000, dtype=torch.long))
    moved = encoding(SymmetricGroup().haar(x, generator))
    assert moved.shape == (3000, 6)
    assert moved.unique(dim=0).shape[0] == 3000
    assert torch.allclose(encoding.rows(7), encoding.rows(3000)[:7], atol=1e-6)


@pytest.mark.parametrize(("dim", "size"), [(0, 4), (4, 0), (-1, 4)])
def test_sizes_must_be_positive(dim: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"must be at least 1; got {min(dim, size)}"):
        RankEncoding(dim, size)
    with pytest.raises(ValueError, match=f"must be at least 1; got {min(dim, size)}"):
        SinusoidalRankEncoding(dim, size)


@pytest.mark.parametrize("canonicalizer", [Labeling(), Constant(), Sort(Degrees())], ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("encoding", REGISTRY[:2], ids=lambda encoding: type(encoding).__name__)
def test_law_moves_with_the_input(canonicalizer: Any, encoding: Encoding, generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(canonicalizer), encoding)
    with torch.no_grad():
        check_features_law(pe, SMALL, generator, draws=1000)


def test_law_moves_with_the_input_where_the_form_is_missed(generator: torch.Generator) -> None:
    """Refinement has several forms for these graphs; its law is equivariant all the same."""
    pe = SymPE(InversionKernel(Refinement()), RankEncoding(4, max_nodes=16))
    with torch.no_grad():
        check_features_law(pe, {name: LARGE[name][0] for name in CELLS_NOT_ORBITS}, generator, 1000)
    storage = SymPE(StorageOrder(), pe.encoding)
    with torch.no_grad(), pytest.raises(AssertionError, match="law"):
        check_features_law(storage, {name: LARGE[name][0] for name in CELLS_NOT_ORBITS}, generator, 1000)


def test_the_checker_rejects_ties_by_storage(generator: torch.Generator) -> None:
    encoding = RankEncoding(4, max_nodes=8)
    with torch.no_grad(), pytest.raises(AssertionError, match=r"law\(f\(k x\)\) = law\(k f\(x\)\)"):
        check_features_law(lambda x, _: encoding(Sort(Degrees())(x)), SMALL, generator, draws=1000)


def test_symmetric_nodes_get_different_features(generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=16))
    assert pe(LARGE["petersen"][0], generator).unique(dim=0).shape[0] == 10


def test_equal_seeds_give_equal_draws() -> None:
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=16))
    check_reproducible(lambda seeded: pe(LARGE["petersen"][0], seeded))


def test_gradients_reach_the_vector_and_the_score(generator: torch.Generator) -> None:
    score = ScoredByOne()
    pe = SymPE(InversionKernel(Sort(score)), RankEncoding(4, max_nodes=8))
    pe(SMALL["bull"], generator).pow(3).sum().backward()
    for parameter in (score.weight, pe.encoding.v):
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
        assert parameter.grad.abs().sum() > 0


def test_a_sort_without_temperature_is_a_constant_for_the_gradient(generator: torch.Generator) -> None:
    score = ScoredByOne()
    pe = SymPE(InversionKernel(Sort(score, temperature=None)), RankEncoding(4, max_nodes=8))
    pe(SMALL["bull"], generator).sum().backward()
    assert score.weight.grad is None
    assert pe.encoding.v.grad is not None


@pytest.mark.parametrize("make", [lambda: RankEncoding(4, max_nodes=16), lambda: SinusoidalRankEncoding(4)])
def test_state_dict_round_trip(make: Any) -> None:
    first = SymPE(InversionKernel(Sort(ScoredByOne())), make())
    second = SymPE(InversionKernel(Sort(ScoredByOne())), make())
    x = LARGE["petersen"][0]

    def draw(pe: SymPE) -> Tensor:
        return pe(x, torch.Generator().manual_seed(3))

    assert not torch.equal(draw(first), draw(second))
    second.load_state_dict(first.state_dict())
    assert torch.equal(draw(first), draw(second))
    assert sorted(first.state_dict()) == sorted(dict(first.named_parameters()))


class Plain(nn.Module):
    """A network without ``batch``: linear in the features, then a sum over neighbors."""

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim, 2)

    def forward(self, x: Tensor, edge_index: Tensor, scale: float = 1.0) -> Tensor:
        h = self.linear(x)
        return scale * torch.zeros_like(h).index_add(0, edge_index[1], h[edge_index[0]])


ENCODINGS = [
    lambda: SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=16)),
    lambda: Laplacian(4),
    lambda: Noise(4),
]


@pytest.mark.parametrize("make", ENCODINGS)
def test_wrap_a_plain_module(make: Any) -> None:
    cycle = SMALL["cycle 4"]
    model = wrap(Plain(3 + 4), make())
    x = torch.zeros(4, 3)
    out = model(x, cycle.edge_index, generator=torch.Generator().manual_seed(0))
    assert out.shape == (4, 2)
    assert out.unique(dim=0).shape[0] > 1
    again = model(x, cycle.edge_index, 2.0, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again, 2 * out)
    named = model(x, cycle.edge_index, scale=2.0, generator=torch.Generator().manual_seed(0))
    assert torch.equal(named, 2 * out)


@pytest.mark.parametrize("name", ["GIN", "GCN"])
@pytest.mark.parametrize("make", ENCODINGS)
def test_wrap_a_network_of_pyg(name: str, make: Any) -> None:
    pyg = pytest.importorskip("torch_geometric.nn")
    network = getattr(pyg, name)(in_channels=3 + 4, hidden_channels=8, num_layers=2, out_channels=2, norm="graph_norm")
    bare = getattr(pyg, name)(in_channels=3, hidden_channels=8, num_layers=2, out_channels=2)
    both = copies(SMALL["cycle 4"], 2)
    x = torch.ones(8, 3)
    assert bare(x, both.edge_index).std(0).max() < 1e-6
    model = wrap(network, make())
    out = model(x, both.edge_index, batch=both.batch, generator=torch.Generator().manual_seed(0))
    assert out.shape == (8, 2)
    assert out.view(2, 4, 2).std(1).min() > 1e-4
    out.sum().backward()
    assert all(p.grad is not None for p in network.parameters())


class Echo(nn.Module):
    """The joined features themselves."""

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor | None = None) -> Tensor:
        return x


def test_wrap_keeps_graphs_apart(generator: torch.Generator) -> None:
    """Without ``batch`` all nodes are one graph; with it each graph has ranks of its own."""
    both = copies(SMALL["cycle 4"], 2)
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(1, max_nodes=8))
    model = wrap(Echo(), pe)
    x = torch.zeros(8, 1)
    table = pe.encoding.v.detach()[:, 0]
    together = model(x, both.edge_index, generator=generator)[:, 1].detach()
    apart = model(x, both.edge_index, batch=both.batch, generator=generator)[:, 1].detach()
    assert torch.equal(together.sort().values, table.sort().values)
    for half in apart.split(4):
        assert torch.equal(half.sort().values, table[:4].sort().values)


def test_wrap_counts_node_features_as_labels() -> None:
    """Nodes with different features are not symmetric, so nothing is left to draw."""
    model = wrap(Echo(), SymPE(InversionKernel(Labeling()), RankEncoding(1, max_nodes=8)))
    path = SMALL["path 3"]
    alike, unlike = torch.zeros(3, 1), torch.arange(3.0)[:, None]

    def draws(x: Tensor) -> set[tuple[float, ...]]:
        seeded = (torch.Generator().manual_seed(seed) for seed in range(30))
        return {tuple(model(x, path.edge_index, generator=generator)[:, 1].tolist()) for generator in seeded}

    assert len(draws(alike)) == 2
    assert len(draws(unlike)) == 1


def test_half_precision_features(generator: torch.Generator) -> None:
    model = wrap(Echo(), SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=8)))
    out = model(torch.zeros(4, 1, dtype=torch.bfloat16), SMALL["cycle 4"].edge_index, generator=generator)
    assert out.dtype == torch.bfloat16


@pytest.mark.parametrize("dtype", [torch.long, torch.bool])
def test_integer_features_would_round_what_is_drawn(dtype: torch.dtype) -> None:
    """PyG's data may hold them; plain tensors and data are refused alike."""
    model = wrap(Echo(), SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=8)))
    x, edge_index = torch.zeros(4, 1, dtype=dtype), SMALL["cycle 4"].edge_index
    held = SimpleNamespace(x=x, edge_index=edge_index, batch=torch.zeros(4, dtype=torch.long))
    with pytest.raises(ValueError, match=f"x must hold floating-point numbers, not to round the draw; got {dtype}"):
        model(held)
    with pytest.raises(ValueError, match="x must hold floating-point numbers"):
        model(x, edge_index)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_converted_encodings_keep_ranks_and_sites_apart(dtype: torch.dtype) -> None:
    """Numbers of half precision have 8 or 11 bits; angles need more."""
    ranks, waves = SinusoidalRankEncoding(32), WaveEncoding(32, max_periods=3)
    exact = [ranks.rows(600), waves.field((300, 3)).flatten(1).T]
    short = [ranks.to(dtype).rows(600), waves.to(dtype).field((300, 3)).flatten(1).T]
    for plain, rounded in zip(exact, short, strict=True):
        assert rounded.dtype == dtype
        assert len(rounded.unique(dim=0)) == len(plain.unique(dim=0)) == len(plain)
        assert (rounded - plain).abs().max() < 0.05


@pytest.mark.parametrize("crowd", [batch_of(crowd) for crowd in crowds(SMALL)])
def test_every_kind_of_graph(crowd: Graphs, generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=8))
    assert pe(crowd, generator).shape == (crowd.num_nodes, 4)


@pytest.mark.parametrize(
    ("edges", "x", "batch", "message"),
    [
        ([[0], [1]], [[0.0], [torch.nan]], None, r"node features must be finite; got \[nan\] at node 1"),
        ([[0], [2]], [[0.0], [1.0]], None, r"edges must join nodes 0\.\.1; got nodes 0\.\.2"),
        ([[0], [1]], [[0.0], [1.0]], [1, 0], "batch must be non-decreasing"),
        ([[0], [1]], [[0.0], [1.0]], [0, 1], "edge 0 joins graph 0 to graph 1"),
    ],
)
def test_wrap_refuses_bad_input(edges: list, x: list, batch: list[int] | None, message: str) -> None:
    for encoding in (make() for make in ENCODINGS):
        with pytest.raises(ValueError, match=message):
            wrap(Echo(), encoding)(
                torch.tensor(x), torch.tensor(edges), batch=None if batch is None else torch.tensor(batch)
            )
