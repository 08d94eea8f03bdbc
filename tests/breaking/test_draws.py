"""Averages, the best of several draws, fixed draws; wrapped networks on data and on lattices."""

import pytest
import torch
from torch import Tensor, nn

from examples import SMALL, batch_of
from sympe import InversionKernel, RankEncoding, SymPE, TileEncoding, wrap
from sympe.actions import PointRotation, ScalarFields
from sympe.breaking import FixedDraws, WrappedFieldNetwork, average, best_of, for_points
from sympe.canonicalize import Labeling, LexicographicMinimum
from sympe.groups import Torus

GRAPHS = batch_of({name: SMALL[name] for name in ("cycle 4", "path 3")})


def pe() -> SymPE:
    return SymPE(InversionKernel(Labeling()), RankEncoding(4, max_nodes=8))


class Sum(nn.Module):
    """A network of PyG's form that names what it takes."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, 2)

    def forward(self, x: Tensor, edge_index: Tensor, batch: Tensor, edge_attr: Tensor | None = None) -> Tensor:
        self.seen = edge_attr
        y = self.linear(x)
        return torch.zeros(int(batch.max()) + 1, 2).index_add(0, batch, y)


def test_an_average_is_the_mean_of_its_draws() -> None:
    module = pe()
    mean = average(lambda rng: module(GRAPHS, rng), 5, torch.Generator().manual_seed(0))
    rng = torch.Generator().manual_seed(0)
    assert torch.allclose(mean, torch.stack([module(GRAPHS, rng) for _ in range(5)]).mean(0))
    assert torch.equal(average(lambda rng: torch.ones(2), 1), torch.ones(2))


def test_the_best_draw_of_each_graph(generator: torch.Generator) -> None:
    outputs = iter(torch.tensor([[3.0, 3, 3, 3, 1, 1, 1], [2.0, 2, 2, 2, 5, 5, 5], [4.0, 4, 4, 4, 0, 0, 0]]))
    batch = GRAPHS.batch

    def score(y: Tensor) -> Tensor:
        return torch.zeros(2).index_add(0, batch, y) / torch.tensor([4.0, 3.0])

    best, scores = best_of(lambda rng: next(outputs), score, 3, generator, batch)
    assert best.tolist() == [2, 2, 2, 2, 0, 0, 0]
    assert scores.tolist() == [2, 0]


def test_any_score_is_better_than_none() -> None:
    outputs = iter(torch.tensor([[torch.nan, 1, torch.nan], [3, torch.nan, torch.nan], [2, 2, torch.nan]]))
    best, scores = best_of(lambda rng: next(outputs), lambda y: y, 3)
    assert torch.equal(scores.nan_to_num(-1), torch.tensor([2.0, 1, -1]))
    assert torch.equal(best.nan_to_num(-1), scores.nan_to_num(-1))


def test_no_draws_are_refused() -> None:
    for call in (lambda: average(lambda rng: torch.ones(1), 0), lambda: best_of(lambda rng: torch.ones(1), sum, 0)):
        with pytest.raises(ValueError, match="draws must be at least 1; got 0"):
            call()


def test_fixed_draws_repeat(generator: torch.Generator) -> None:
    fixed = FixedDraws(pe(), seed=3)
    assert torch.equal(fixed(GRAPHS), fixed(GRAPHS))
    assert not torch.equal(fixed(GRAPHS), FixedDraws(fixed.module, seed=4)(GRAPHS))
    model = FixedDraws(wrap(Sum(1 + 4), pe()))
    x = torch.ones(7, 1)
    first, again = (model(x, GRAPHS.edge_index, batch=GRAPHS.batch) for _ in range(2))
    assert torch.equal(first, again)


def test_a_wrapped_network_takes_data() -> None:
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    network = Sum(1 + 4)
    model = wrap(network, pe())
    parts = [
        data.Data(x=torch.ones(one.num_nodes, 1), edge_index=one.edge_index, edge_attr=torch.ones(one.num_edges, 1))
        for one in GRAPHS.split()
    ]
    joined = data.Batch.from_data_list(parts)
    rng = torch.Generator()
    from_data = model(joined, generator=rng.manual_seed(0))
    assert network.seen is joined.edge_attr
    by_hand = model(joined.x, joined.edge_index, batch=joined.batch, generator=rng.manual_seed(0))
    assert torch.equal(from_data, by_hand)
    with pytest.raises(ValueError, match="expected data with node features x; got none"):
        model(data.Data(edge_index=GRAPHS.edge_index, num_nodes=7))


def test_a_wrapped_network_on_a_lattice(generator: torch.Generator) -> None:
    broken = SymPE(InversionKernel(LexicographicMinimum(ScalarFields(Torus("D4")))), TileEncoding(3, 2))
    model = wrap(nn.Conv2d(2 + 3, 5, 3, padding=1, padding_mode="circular"), broken)
    assert isinstance(model, WrappedFieldNetwork)
    uniform = torch.ones(2, 2, 4, 4)
    assert model(uniform, generator=generator).shape == (2, 5, 4, 4)
    assert len(model(uniform, generator=generator)[0, 0].unique()) > 1
    with pytest.raises(ValueError, match=r"expected a field \[B, c, L1, L2\] to add channels to"):
        model(torch.ones(2, 4, 4))


def test_points_have_a_wrap_of_their_own() -> None:
    with pytest.raises(ValueError, match=r"got one for O\(3\): join its features yourself, or see"):
        wrap(nn.Linear(3, 3), for_points("sympe-frames", "1x1o"))
    assert PointRotation().group.contains(for_points("haar", "1x1o").action.group)
